"""Judges policies for one question: each document as often as who asks makes a difference to it, which for most is once.

Nothing here says what a policy means: statements are asked by `PolicySet`, put together by `evaluate.weigh` and `conclude`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from iam.policy.compiled import Compiled, PolicyKind, PolicySet
from iam.policy.evaluate import Decision, Marks, Policies, conclude, weigh
from iam.policy.index import keys
from iam.policy.index.classes import Bundle, Class, Levels, Limits, Member, Profile
from iam.policy.index.documents import Doc
from iam.policy.index.elements import Actions
from iam.policy.index.needs import NONE, Needs, Reader, Signature
from iam.policy.index.question import Question
from iam.policy.index.shard import Shard
from iam.policy.logic import NO
from iam.policy.request import Principal, Request, values_of

Verdict = tuple[int, int]
"""(denied, allowed)"""
SILENT: Final[Verdict] = (NO, NO)
NO_POLICIES: Final = PolicySet(PolicyKind.IDENTITY, ())


class Spoken:
    """What a document says to the question: the statements that speak of the action, and what they need to know."""

    __slots__ = ("allows", "has_atoms", "needs", "plain", "policies")

    def __init__(self, policies: PolicySet, needs: Needs, *, has_atoms: bool) -> None:
        self.policies, self.needs, self.has_atoms = policies, needs, has_atoms
        self.allows = any(one.allows for one in policies.statements)
        self.plain: Verdict | None = None
        """The verdict, where it is the same for everybody."""


class Rest:
    """What all but the identity policies say to somebody, and what that comes to with what these say."""

    __slots__ = ("_decisions", "_marks", "_request")

    def __init__(self, request: Request, marks: Marks) -> None:
        self._request, self._marks = request, marks
        self._decisions: dict[Verdict, Decision] = {}

    def with_identity(self, verdict: Verdict) -> Decision:
        """The decision, given what the identity policies say."""
        found = self._decisions.get(verdict)
        if found is None:
            denied, allowed = verdict
            marks = replace(self._marks, denied=max(self._marks.denied, denied), identity=allowed)
            found = self._decisions[verdict] = conclude(self._request, marks)
        return found


class Judge:
    """One question, and what has been found out for it so far."""

    def __init__(
        self,
        question: Question,
        *,
        shards: Mapping[str, Shard],
        place: str,
    ) -> None:
        """`place` is the account of the resource, empty where each principal's own is meant."""
        self.question, self.place = question, place
        self.resource: PolicySet | None = None
        self.resource_needs = NONE
        self.lowered = question.action.lower()
        self.is_pattern = question.asks_for_pattern
        self._shards = shards
        self.reader = reader_of(question)
        self._anyone = Request(
            question.action,
            question.resource,
            Principal(""),
            context=question.context,
            strict=question.strict,
        )
        self._contexts: dict[str, dict[str, Any]] = {}
        self._speaks: dict[Actions, bool] = {}
        self._spoken: dict[tuple[PolicyKind, Doc], Spoken | None] = {}
        self._levels: dict[tuple[PolicyKind, Levels, bool], tuple[tuple[PolicySet, ...], Needs]] = {}
        self._verdicts: dict[tuple[Any, ...], Verdict] = {}
        self._needs_of_limits: dict[tuple[Limits, bool], Needs] = {}
        self._rests: dict[tuple[Any, ...], Rest] = {}

    def request_of(self, member: Member) -> Request:
        """The question as one principal asks it."""
        return Request(
            self.question.action,
            self.question.resource,
            member.principal,
            resource_account=self.place,
            context=self._context(member.account),
            strict=self.question.strict,
        )

    def _context(self, account: str) -> dict[str, Any]:
        found = self._contexts.get(account)
        if found is None:
            owner = self._shards.get(self.place or account)
            found = self._contexts[account] = {
                **self._shards[account].facts,
                **(owner.place_facts if owner is not None else {}),
                **self.question.context,
            }
        return found

    def note(self, actions: Actions) -> None:
        """Take it for known that an Action element speaks of the action."""
        self._speaks[actions] = True

    def speaks(self, actions: Actions) -> bool:
        """Whether an Action element speaks of the action."""
        found = self._speaks.get(actions)
        if found is None:
            found = self._speaks[actions] = actions.speaks_of(self.lowered)
        return found

    def spoken(self, doc: Doc, kind: PolicyKind = PolicyKind.IDENTITY) -> Spoken | None:
        """What a document says; None when it does not speak of the action."""
        key = (kind, doc)
        if key not in self._spoken:
            self._spoken[key] = self._listen(doc, kind)
        return self._spoken[key]

    def _listen(self, doc: Doc, kind: PolicyKind) -> Spoken | None:
        clauses = [clause for clause in doc.clauses if self.speaks(clause.actions)]
        if not clauses:
            return None
        needs = self.reader.of_clauses(clauses, is_marked=True, is_resource=False)
        has_atoms = any(clause.traits.atoms for clause in clauses)
        found = Spoken(
            self._set(kind, (clause.ready(kind, of_pattern=self.is_pattern) for clause in clauses)),
            needs,
            has_atoms=has_atoms,
        )
        if needs is NONE and not has_atoms:
            found.plain = found.policies.judge(self._anyone)
        return found

    def _set(self, kind: PolicyKind, statements: Iterable[Compiled]) -> PolicySet:
        entry = tuple(statements)
        return PolicySet(kind, entry, (), {self.lowered: entry})

    def needs_of_bundle(self, bundle: Bundle) -> Needs | Verdict:
        """The verdict, where it is the same for everybody; else what must be known."""
        denied = allowed = NO
        needs, is_plain = NONE, True
        for doc in bundle.docs:
            spoken = self.spoken(doc)
            if spoken is None:
                continue
            if spoken.plain is None:
                is_plain = False
                needs = needs | spoken.needs
            elif is_plain:
                denied, allowed = max(denied, spoken.plain[0]), max(allowed, spoken.plain[1])
        return (denied, allowed) if is_plain else needs

    def verdict(self, profile: Profile, member: Member, signature: Signature) -> Verdict:
        """What the identity policies of a member of a profile say."""
        denied = allowed = NO
        marks = dict(zip(profile.bundle.atomic, profile.marks, strict=True))
        for doc in profile.bundle.docs:
            spoken = self.spoken(doc)
            if spoken is None:
                continue
            found = spoken.plain
            if found is None:
                key = (
                    doc,
                    profile.limits.flags,
                    marks.get(doc),
                    member.account if spoken.needs.is_placed else "",
                    signature if spoken.needs.tells_apart else (),
                )
                found = self._verdicts.get(key)
                if found is None:
                    found = self._verdicts[key] = spoken.policies.judge(self.request_of(member))
            denied, allowed = max(denied, found[0]), max(allowed, found[1])
        return denied, allowed

    def _levels_of(
        self, levels: Levels, kind: PolicyKind, *, is_marked: bool
    ) -> tuple[tuple[PolicySet, ...], Needs]:
        key = (kind, levels, is_marked)
        found = self._levels.get(key)
        if found is None:
            sets, every = [], []
            for level in levels.scps if kind is PolicyKind.SCP else levels.rcps:
                clauses = [c for _, doc in level for c in doc.clauses if self.speaks(c.actions)]
                every += clauses
                sets.append(self._set(kind, (c.ready(kind, of_pattern=self.is_pattern) for c in clauses)))
            needs = self.reader.of_clauses(every, is_marked=is_marked, is_resource=kind is PolicyKind.RCP)
            found = self._levels[key] = (tuple(sets), needs)
        return found

    def needs_of_limits(self, limits: Limits, *, is_local: bool) -> Needs:
        """What must be known before everything but the identity policies can be judged."""
        key = (limits, is_local)
        found = self._needs_of_limits.get(key)
        if found is None:
            found = self.resource_needs | self._levels_of(limits.levels, PolicyKind.SCP, is_marked=True)[1]
            found = found | self._rcps(limits, is_local=is_local)[1]
            spoken = self._boundary(limits)
            if spoken is not None:
                found = found | spoken.needs
            self._needs_of_limits[key] = found
        return found

    def _rcps(self, limits: Limits, *, is_local: bool) -> tuple[tuple[PolicySet, ...], Needs]:
        """Those above the owner of the resource."""
        if is_local:
            return self._levels_of(limits.levels, PolicyKind.RCP, is_marked=True)
        owner = self._shards.get(self.place)
        if owner is None:
            return (), NONE
        return self._levels_of(owner.levels, PolicyKind.RCP, is_marked=False)

    def _boundary(self, limits: Limits) -> Spoken | None:
        return None if limits.boundary is None else self.spoken(limits.boundary, PolicyKind.BOUNDARY)

    def rest(self, limits: Limits, member: Member, signature: Signature, *, is_local: bool) -> Rest:
        """What everything but the identity policies says to a member within limits."""
        needs = self.needs_of_limits(limits, is_local=is_local)
        key = (
            limits,
            is_local,
            member.account if needs.is_placed else "",
            signature if needs.tells_apart else (),
        )
        found = self._rests.get(key)
        if found is None:
            request = self.request_of(member)
            found = self._rests[key] = Rest(
                request, weigh(request, self._policies(limits, is_local=is_local))
            )
        return found

    def _policies(self, limits: Limits, *, is_local: bool) -> Policies:
        spoken = self._boundary(limits)
        boundary = NO_POLICIES if spoken is None else spoken.policies
        return Policies(
            identity=NO_POLICIES,
            boundary=None if limits.boundary is None else boundary,
            resource=self.resource,
            scps=self._levels_of(limits.levels, PolicyKind.SCP, is_marked=True)[0],
            rcps=self._rcps(limits, is_local=is_local)[0],
        )

    def decide(self, cls: Class, member: Member, signature: Signature, *, is_local: bool) -> Decision:
        """The decision about one member of a class, which is that about all with its signature."""
        profile = cls.profile
        rest = self.rest(profile.limits, member, signature, is_local=is_local)
        return rest.with_identity(self.verdict(profile, member, signature))


def reader_of(question: Question) -> Reader:
    """Finds needs and signatures for a question."""
    texts = [question.resource]
    for value in question.context.values():
        texts += values_of(value)
    return Reader(
        texts=texts,
        resource=question.resource,
        is_pattern=question.asks_for_pattern,
        says_who=keys.holds_keys_of_principals(question.context),
    )
