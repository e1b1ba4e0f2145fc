"""Finds everybody who can: from the action to the documents that allow it, to those who hold them, to what bounds these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from iam.policy.evaluate import FREE, Decision
from iam.policy.index.classes import Bundle, Class, Member, Profile
from iam.policy.index.documents import Documents
from iam.policy.index.judging import SILENT, Judge
from iam.policy.index.needs import Needs, Signature
from iam.policy.index.question import (
    CONTROL_POLICIES,
    OTHER_ACCOUNTS,
    OWN_ACCOUNT,
    RESOURCE_POLICY,
    UNREADABLE,
    Answer,
    Found,
    Limitation,
    Question,
)
from iam.policy.index.register import Register
from iam.policy.index.resources import Place, place_of, policy_set, unknown_policy
from iam.policy.index.shard import Shard
from iam.policy.logic import YES
from iam.policy.request import PrincipalKind

POSITIVE = frozenset({Decision.ALLOWED, Decision.CONDITIONAL})


def judge_for(
    question: Question, *, shards: Mapping[str, Shard], documents: Documents
) -> tuple[Judge, Place]:
    """A judge for the question, and what is known of its resource."""
    place = place_of(question, shards=shards, documents=documents)
    judge = Judge(question, shards=shards, place=place.account)
    if place.policy is not None:
        judge.resource = policy_set(place.policy, of_pattern=judge.is_pattern)
        clauses = [clause for clause in place.policy.clauses if judge.speaks(clause.actions)]
        judge.resource_needs = judge.reader.of_clauses(clauses, is_marked=False, is_resource=True)
    elif place.is_guess:
        judge.resource = unknown_policy()
    return judge, place


class Search:
    """One question put to an index."""

    def __init__(self, question: Question, *, register: Register, shards: Mapping[str, Shard]) -> None:
        self._question, self._register, self._shards = question, register, shards
        self._judge, self._place = judge_for(question, shards=shards, documents=register.documents)

    def answer(self) -> Answer:
        """Everybody who can, and what cannot be known."""
        return Answer(self._question, list(self._found()), tuple(self._limitations()))

    def _found(self) -> Iterator[Found]:
        if self._judge.lowered in FREE:
            for cls in self._wanted(cls for p in self._register.profiles for cls in p.classes):
                yield Found(Decision.ALLOWED, cls.account, tuple(cls.members))
            return
        shard = self._shards.get(self._place.account)
        if not self._place.account:
            yield from self._everywhere()
        elif shard is not None:
            for profile, cls in shard.classes.items():
                yield from self._of_profile(profile, [cls], is_local=True)
        if self._place.account and self._place.policy is not None:
            yield from self._from_elsewhere()

    def _everywhere(self) -> Iterator[Found]:
        """Each principal as if the resource were in its own account; by a resource policy, those without policies too."""
        profiles: Iterable[Profile]
        if self._judge.resource is not None:
            profiles = self._register.profiles
        else:
            profiles = (profile for bundle in self._candidates() for profile in bundle.profiles)
        for profile in profiles:
            yield from self._of_profile(profile, profile.classes, is_local=True)

    def _from_elsewhere(self) -> Iterator[Found]:
        """Principals of other accounts, who need their own policies and the resource's."""
        for bundle in self._candidates():
            for profile in bundle.profiles:
                foreign = [cls for cls in profile.classes if cls.account != self._place.account]
                if foreign:
                    yield from self._of_profile(profile, foreign, is_local=False)

    def _candidates(self) -> set[Bundle]:
        """Bundles with a document that allows it to anybody; and that of root users, who need none."""
        found: set[Bundle] = set()
        for actions, docs in self._register.actions_speaking_of(self._judge.lowered):
            self._judge.note(actions)
            for doc in docs:
                spoken = self._judge.spoken(doc)
                if spoken is not None and spoken.allows and (spoken.plain is None or spoken.plain[1]):
                    found |= self._register.bundles_of[doc]
        empty = self._register.empty_bundle
        if PrincipalKind.ROOT in self._question.kinds and empty is not None:
            found.add(empty)
        return found

    def _wanted(self, classes: Iterable[Class]) -> list[Class]:
        accounts, kinds = self._question.accounts, self._question.kinds
        return [
            cls
            for cls in classes
            if cls.profile.limits.flags[0] in kinds and (accounts is None or cls.account in accounts)
        ]

    def _of_profile(self, profile: Profile, classes: list[Class], *, is_local: bool) -> Iterator[Found]:
        if profile.limits.flags[0] not in self._question.kinds:
            return
        if self._question.accounts is not None:
            classes = self._wanted(classes)
        found = self._judge.needs_of_bundle(profile.bundle)
        if not classes or (isinstance(found, tuple) and self._is_hopeless(profile, found)):
            return
        needs = self._judge.needs_of_limits(profile.limits, is_local=is_local)
        if isinstance(found, Needs):
            needs = needs | found
        if not needs.is_placed and not needs.tells_apart:
            cls = classes[0]
            decision = self._judge.decide(cls, cls.members[0], (), is_local=is_local)
            if decision in POSITIVE:
                for cls in classes:
                    yield Found(decision, cls.account, tuple(cls.members))
            return
        for cls in classes:
            yield from self._of_class(cls, needs, is_local=is_local)

    def _is_hopeless(self, profile: Profile, verdict: tuple[int, int]) -> bool:
        """Whether no boundary and no level of the organization needs to be asked."""
        if verdict[0] == YES:
            return True
        is_root = profile.limits.flags[0] is PrincipalKind.ROOT
        return verdict == SILENT and not is_root and self._judge.resource is None

    def _of_class(self, cls: Class, needs: Needs, *, is_local: bool) -> Iterator[Found]:
        groups: dict[Signature, list[Member]] = {}
        if needs.tells_apart:
            for member in cls.members:
                groups.setdefault(self._judge.reader.signature(member, needs), []).append(member)
        else:
            groups[()] = cls.members
        for signature, members in groups.items():
            decision = self._judge.decide(cls, members[0], signature, is_local=is_local)
            if decision in POSITIVE:
                yield Found(decision, cls.account, tuple(members))

    def _limitations(self) -> Iterator[Limitation]:
        place = self._place
        if place.is_guess:
            yield Limitation(
                RESOURCE_POLICY, "The policy of the resource is not known: it may admit fewer, or others too."
            )
        if place.account and place.policy is None:
            yield Limitation(
                OTHER_ACCOUNTS,
                f"Principals of other accounts than {place.account} are left out: they need the policy of the resource, which is not known.",
            )
        if not place.account and self._judge.lowered not in FREE:
            yield Limitation(
                OWN_ACCOUNT,
                "The resource does not say its account: each principal is judged as if it were in its own.",
            )
        yield from self._unknown_standing()
        yield from self._unreadable()

    def _unknown_standing(self) -> Iterator[Limitation]:
        accounts = self._question.accounts
        found = sorted(
            shard.number
            for shard in self._shards.values()
            if not shard.standing.is_known and (accounts is None or shard.number in accounts)
        )
        if found:
            yield Limitation(
                CONTROL_POLICIES,
                "The control policies of the organization above these accounts are not known.",
                tuple(found),
            )

    def _unreadable(self) -> Iterator[Limitation]:
        accounts: set[str] = set()
        for bundle in self._register.unreadable_bundles():
            accounts |= {cls.account for profile in bundle.profiles for cls in profile.classes}
        if self._question.accounts is not None:
            accounts &= self._question.accounts
        if accounts:
            yield Limitation(
                UNREADABLE,
                "Some policies in these accounts cannot be read, or have not been; what they say is not part of the answer.",
                tuple(sorted(accounts)),
            )
