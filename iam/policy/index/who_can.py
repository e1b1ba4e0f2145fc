"""Finds everybody who can: from the action to the documents that allow it, to those who hold them, to what bounds these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from iam.policy.evaluate import FREE, Decision
from iam.policy.index.classes import Bundle, Class, Member, Profile
from iam.policy.index.documents import Documents
from iam.policy.index.judging import ALLOWS, DENIES, DEPENDS, POSITIVE, SILENT, Judge
from iam.policy.index.needs import NONE, Needs, Signature
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
from iam.policy.request import PrincipalKind


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
        self._found: list[Found] = []

    def answer(self) -> Answer:
        """Everybody who can, and what cannot be known."""
        if self._judge.lowered in FREE:
            for cls in self._wanted(cls for p in self._register.profiles for cls in p.classes):
                self._found.append(Found(Decision.ALLOWED, cls.account, tuple(cls.members)))
        else:
            self._judge.listen(self._register)
            self._search()
        return Answer(self._question, self._found, tuple(self._limitations()))

    def _search(self) -> None:
        account = self._place.account
        if not account:
            self._everywhere()
            return
        shard = self._shards.get(account)
        if shard is not None:
            for profile, cls in shard.classes.items():
                self._look(profile.bundle, profile, [cls], is_local=True)
        if self._place.policy is not None:
            self._elsewhere()

    def _everywhere(self) -> None:
        """Each principal as if the resource were in its own account; by a resource policy, those without policies too."""
        is_given = self._judge.resource is not None
        for bundle in list(self._register.bundles) if is_given else self._candidates():
            self._look_at_bundle(bundle, account=None)

    def _elsewhere(self) -> None:
        """Principals of other accounts, who need their own policies and the resource's."""
        for bundle in self._candidates():
            self._look_at_bundle(bundle, account=self._place.account)

    def _look_at_bundle(self, bundle: Bundle, *, account: str | None) -> None:
        """Everybody who holds the bundle; with an account, everybody elsewhere."""
        for profile in bundle.profiles:
            classes = profile.classes
            if account is not None:
                classes = [cls for cls in classes if cls.account != account]
            if classes:
                self._look(bundle, profile, classes, is_local=account is None)

    def _candidates(self) -> set[Bundle]:
        """Bundles with a document that allows it to anybody; and that of root users, who need none."""
        found: set[Bundle] = set()
        for doc, said in self._judge.said.items():
            if said & ALLOWS or (said & DEPENDS and self._judge.spoken[doc].allows):
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

    def _look(self, bundle: Bundle, profile: Profile, classes: list[Class], *, is_local: bool) -> None:
        get, said = self._judge.said.get, SILENT
        for doc in bundle.docs:
            said |= get(doc, SILENT)
        if said & DENIES:
            return
        limits = profile.limits
        limited = self._judge.limited(limits, is_local=is_local)
        accounts = self._question.accounts
        if accounts is not None:
            classes = [cls for cls in classes if cls.account in accounts]
        if not limited.is_asked or not classes:
            return
        needs = limited.needs | self._judge.needs_of(bundle) if said & DEPENDS else limited.needs
        if needs is not NONE and (needs.is_placed or needs.tells_apart):
            for cls in classes:
                self._look_closer(cls, needs, is_local=is_local)
            return
        member = classes[0].members[0]
        if said & DEPENDS:
            said = self._judge.said_by(profile, member, ())
        bounds = limited.bounds or self._judge.bounds(limits, member, (), is_local=is_local)
        decision = bounds.decide(said)
        if decision in POSITIVE:
            self._found += [Found(decision, cls.account, tuple(cls.members)) for cls in classes]

    def _look_closer(self, cls: Class, needs: Needs, *, is_local: bool) -> None:
        """Members of one class that are told apart, each group by one of them."""
        judge, profile = self._judge, cls.profile
        groups: dict[Signature, list[Member]] = {(): cls.members}
        if needs.tells_apart:
            groups = {}
            kind, signature_of = profile.limits.flags[0], judge.reader.signature
            for member in cls.members:
                groups.setdefault(signature_of(member, kind, needs), []).append(member)
        for signature, members in groups.items():
            said = judge.said_by(profile, members[0], signature)
            bounds = judge.bounds(profile.limits, members[0], signature, is_local=is_local)
            decision = bounds.decide(said)
            if decision in POSITIVE:
                self._found.append(Found(decision, cls.account, tuple(members)))

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
