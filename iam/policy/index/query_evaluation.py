"""Evaluates policies for one question. Each document is evaluated once for each way in which principals
matter to it, which is usually once.

The meaning of policies is defined elsewhere: `PolicySet` evaluates statements, `conclude` and
`evaluate_each_kind` combine the results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet
from iam.policy.evaluate import (
    EvaluationDecision,
    EvaluationMarks,
    RequestPolicies,
    conclude,
    evaluate_each_kind,
)
from iam.policy.index.areas import asked_pattern
from iam.policy.index.classes import (
    ControlPolicyLevels,
    IndexedPrincipal,
    MarkedDocument,
    PolicyBundle,
    PrincipalLimits,
    PrincipalProfile,
)
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.elements import ActionElement
from iam.policy.index.question import AccessQuestion
from iam.policy.index.register import UseRegister
from iam.policy.index.shard import AccountShard
from iam.policy.index.statement_needs import NONE, NeedsReader, Signature, StatementNeeds
from iam.policy.letter_case import fold
from iam.policy.logic import OPEN, YES
from iam.policy.request import Principal, Request

EffectBits = int
"""The effects of policies as bits, so that `|` combines them; see `effect_bits`."""
SILENT: Final = 0
ALLOWS: Final = 3
DENIES: Final = YES << 2
DEPENDS: Final = 16
"""The effect depends on the principal."""
BY_NAME: Final = 32
"""The effect differs only for principals whose names are in the question; the other bits apply to everyone
else.
"""
NO_POLICIES: Final = PolicySet(PolicyKind.IDENTITY, ())
POSITIVE: Final = frozenset({EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL})


def effect_bits(denied: int, allowed: int) -> EffectBits:
    """Encode marks as bits: perhaps allows (1), allows (2), perhaps denies (4), denies (8)."""
    return allowed | denied << 2


class MatchedStatements:
    """The statements of a document that concern the action, where their effect depends on the principal."""

    __slots__ = ("allows", "needs", "policies", "said")

    def __init__(self, policies: PolicySet, needs: StatementNeeds) -> None:
        self.policies, self.needs = policies, needs
        self.allows = any(compiled.allows for compiled in policies.statements)
        self.said: dict[tuple[Any, ...], EffectBits] = {}


class QueryBounds:
    """The results of all but the identity-based policies for a principal, and the decisions by the effects of
    the identity-based ones.
    """

    __slots__ = ("_marks", "_request", "decisions")

    def __init__(self, request: Request, marks: EvaluationMarks) -> None:
        self._request, self._marks = request, marks
        self.decisions: dict[EffectBits, EvaluationDecision] = {}

    def decide(self, effects: EffectBits) -> EvaluationDecision:
        """The decision, given the effects of the identity-based policies."""
        decision = self.decisions.get(effects)
        if decision is None:
            # The strongest effect counts.
            denied = YES if effects & DENIES else effects >> 2 & OPEN
            allowed = YES if effects & YES else effects & OPEN
            marks = replace(self._marks, denied=max(self._marks.denied, denied), identity=allowed)
            decision = self.decisions[effects] = conclude(self._request, marks)
        return decision


class AppliedLimits:
    """Limits applied to the question. `bounds` is set if they are the same for all principals within the
    limits.
    """

    __slots__ = ("bounds", "by_who", "is_asked", "needs")

    def __init__(self, needs: StatementNeeds, *, is_asked: bool) -> None:
        self.needs, self.is_asked = needs, is_asked
        self.bounds: QueryBounds | None = None
        self.by_who: dict[tuple[Any, ...], QueryBounds] = {}


class QueryEvaluation:
    """One question with the results so far."""

    def __init__(
        self,
        question: AccessQuestion,
        *,
        shards: Mapping[str, AccountShard],
        place: str,
        moment: datetime | None = None,
    ) -> None:
        """`place` is the account of the resource; "" means each principal's own account. `moment` is the time
        of the question.
        """
        self.question, self.place = question, place
        self._moment = moment or datetime.now(tz=UTC)
        self.resource: PolicySet | None = None
        self.resource_needs = NONE
        self.lowered = fold(question.action)
        self.is_pattern = question.asks_for_pattern
        self._asked = asked_pattern(question.resource)
        self._shards = shards
        self.reader = NeedsReader(question)
        self._anyone = Request(
            question.action,
            question.resource,
            Principal(""),
            context=question.context,
            strict=question.strict,
            moment=self._moment,
            is_any_time=question.is_any_time,
        )
        self._contexts: dict[str, dict[str, Any]] = {}
        self._speaks: dict[ActionElement, bool] = {}
        self.said: dict[IndexedDocument, EffectBits] = {}
        """The effects of each document that has any; DEPENDS if it is in `spoken`."""
        self.heard = self.said
        """The same, but documents that depend on names alone have their effect on principals whose names
        aren't in the question, with BY_NAME.
        """
        self.spoken: dict[IndexedDocument, MatchedStatements] = {}
        self.effects_by_marked: dict[MarkedDocument, EffectBits] = {}
        self._clauses: dict[IndexedStatement, EffectBits] = {}
        self._levels: dict[
            tuple[PolicyKind, ControlPolicyLevels, bool], tuple[tuple[PolicySet, ...], StatementNeeds]
        ] = {}
        self._limited: tuple[dict[PrincipalLimits, AppliedLimits], dict[PrincipalLimits, AppliedLimits]] = (
            {},
            {},
        )

    def request_of(self, member: IndexedPrincipal) -> Request:
        """The question as a request of one principal."""
        return Request(
            self.question.action,
            self.question.resource,
            member.principal,
            resource_account=self.place,
            context=self._context(member.account),
            strict=self.question.strict,
            moment=self._moment,
            is_any_time=self.question.is_any_time,
        )

    def _context(self, account: str) -> dict[str, Any]:
        context = self._contexts.get(account)
        if context is None:
            owner = self._shards.get(self.place or account)
            context = self._contexts[account] = {
                **self._shards[account].facts,
                **(owner.place_facts if owner is not None else {}),
                **self.question.context,
            }
        return context

    def load_statements(self, register: UseRegister) -> None:
        """Evaluate all identity-based documents that concern the action and may apply to the resource."""
        effects_by_doc, known = self.said, self._clauses
        text = self._asked.start if self.is_pattern else self.question.resource
        is_quick = not self.is_pattern or self._asked.is_beginning
        for actions, holders in register.actions_speaking_of(self.lowered):
            self._speaks[actions] = True
            for holder in holders.meeting(text) if self.is_pattern else holders.about(text):
                for clause, docs in holder.items():
                    if is_quick and clause.beginning:
                        # Of the two beginnings, one is a prefix of the other.
                        mark = YES if text.startswith(clause.beginning) else OPEN
                        effects = mark if clause.allows else mark << 2
                    else:
                        heard = known.get(clause)
                        effects = self._add_statement(clause) if heard is None else heard
                    if effects:
                        for doc in docs:
                            effects_by_doc[doc] = effects_by_doc.get(doc, SILENT) | effects
        for doc, effects in effects_by_doc.items():
            if effects & DEPENDS:
                self.spoken[doc] = self._spoken(doc, PolicyKind.IDENTITY)
        if unnamed := self._unnamed():
            self.heard = effects_by_doc | unnamed

    def _unnamed(self) -> dict[IndexedDocument, EffectBits]:
        """The effects on principals whose names aren't in the question, for documents that depend on nothing
        but a user's name.
        """
        effects_by_doc = {}
        for doc, spoken in self.spoken.items():
            if not doc.is_marked and self.reader.depends_on_names_alone(spoken.needs):
                user, role = (effect_bits(*spoken.policies.judge(request)) for request in self._nobodies())
                if user == role:
                    effects_by_doc[doc] = user | BY_NAME
        return effects_by_doc

    def _nobodies(self) -> tuple[Request, Request]:
        """The question as a request of a user whose name isn't in it, and of a role, which has no user
        name.
        """
        name = "nobody"
        while self.reader.mentions(name):
            name += "-"
        user, role = (
            Principal(f"arn:aws:iam::{self.place or '0' * 12}:{kind}/{name}", tags={})
            for kind in ("user", "role")
        )
        asked = replace(self._anyone, resource_account=self.place, principal=user)
        return asked, replace(asked, principal=role)

    def _add_statement(self, clause: IndexedStatement) -> EffectBits:
        """The effect of one statement in an identity-based policy on all principals."""
        if self.reader.is_the_same_for_all(clause):
            compiled = clause.compiled_for(PolicyKind.IDENTITY, of_pattern=self.is_pattern)
            mark = compiled.applies(self._anyone)
            effects = mark if compiled.allows else mark << 2
        else:
            effects = DEPENDS
        self._clauses[clause] = effects
        return effects

    def _spoken(self, doc: IndexedDocument, kind: PolicyKind) -> MatchedStatements:
        clauses = [clause for clause in doc.clauses if self.names_action(clause.actions)]
        needs = self.reader.of_clauses(clauses, is_marked=True, is_resource=False)
        return MatchedStatements(
            self._set(kind, (c.compiled_for(kind, of_pattern=self.is_pattern) for c in clauses)), needs
        )

    def names_action(self, actions: ActionElement) -> bool:
        """True if an Action element matches the action."""
        speaks = self._speaks.get(actions)
        # Only matching elements are recorded, so a recorded one matches.
        return actions.covers_action(self.lowered) if speaks is None else speaks

    def _set(self, kind: PolicyKind, statements: Iterable[CompiledStatement]) -> PolicySet:
        entry = tuple(statements)
        return PolicySet(kind, entry, (), {self.lowered: entry})

    def needs_of(self, bundle: PolicyBundle) -> StatementNeeds:
        """What must be known about a principal to evaluate those documents of a bundle that depend on it."""
        needs = NONE
        for doc in bundle.docs:
            spoken = self.spoken.get(doc)
            if spoken is not None:
                needs = needs | spoken.needs
        return needs

    def effects_of_marked(self, marked: MarkedDocument, member: IndexedPrincipal) -> EffectBits:
        """The effects of a document on all principals that hold it with the same marks as the member."""
        effects = self.said.get(marked.doc, SILENT)
        if effects & DEPENDS and self.spoken[marked.doc].needs is NONE:
            effects = effect_bits(*self.spoken[marked.doc].policies.judge(self.request_of(member)))
        self.effects_by_marked[marked] = effects
        return effects

    def said_by(
        self, profile: PrincipalProfile, member: IndexedPrincipal, signature: Signature
    ) -> EffectBits:
        """The effects of the identity-based policies of a profile's member."""
        effects = SILENT
        for doc in profile.bundle.plain:
            doc_effects = self.said.get(doc, SILENT)
            effects |= (
                self._ask(doc, profile.limits.sort, member, signature)
                if doc_effects & DEPENDS
                else doc_effects
            )
        for marked in profile.marked:
            doc_effects = (
                self.effects_by_marked[marked]
                if marked in self.effects_by_marked
                else self.effects_of_marked(marked, member)
            )
            effects |= (
                self._ask(marked.doc, marked, member, signature) if doc_effects & DEPENDS else doc_effects
            )
        return effects

    def _ask(
        self, doc: IndexedDocument, sort: int | MarkedDocument, member: IndexedPrincipal, signature: Signature
    ) -> EffectBits:
        spoken = self.spoken[doc]
        needs = spoken.needs
        key = (sort, member.account if needs.is_placed else "", signature if needs.tells_apart else ())
        effects = spoken.said.get(key)
        if effects is None:
            effects = spoken.said[key] = effect_bits(*spoken.policies.judge(self.request_of(member)))
        return effects

    def said_of(self, doc: IndexedDocument, member: IndexedPrincipal) -> EffectBits:
        """The effects of one document on a member that holds it."""
        effects = self.said.get(doc, SILENT)
        if not effects & DEPENDS:
            return effects
        limits = member.cls.profile.limits
        marked = next((marked for marked in member.cls.profile.marked if marked.doc is doc), limits.sort)
        needs = self.spoken[doc].needs
        signature = self.reader.signature(member, limits.flags[0], needs) if needs.tells_apart else ()
        return self._ask(doc, marked, member, signature)

    def _levels_of(
        self, levels: ControlPolicyLevels, kind: PolicyKind, *, is_marked: bool
    ) -> tuple[tuple[PolicySet, ...], StatementNeeds]:
        key = (kind, levels, is_marked)
        levels_known = self._levels.get(key)
        if levels_known is None:
            sets, every = [], []
            for level in levels.scps if kind is PolicyKind.SCP else levels.rcps:
                of_level = chain.from_iterable(doc.clauses for _, doc in level)
                clauses = [clause for clause in of_level if self.names_action(clause.actions)]
                every += clauses
                sets.append(
                    self._set(kind, (c.compiled_for(kind, of_pattern=self.is_pattern) for c in clauses))
                )
            needs = self.reader.of_clauses(every, is_marked=is_marked, is_resource=kind is PolicyKind.RCP)
            levels_known = self._levels[key] = (tuple(sets), needs)
        return levels_known

    def limited(self, limits: PrincipalLimits, *, is_local: bool) -> AppliedLimits:
        """The limits applied to the question. `is_local`: the principal is in the resource's account."""
        limited = self._limited[is_local].get(limits)
        if limited is None:
            needs = self.resource_needs | self._levels_of(limits.levels, PolicyKind.SCP, is_marked=True)[1]
            needs = needs | self._rcps(limits, is_local=is_local)[1]
            if limits.boundary is not None:
                needs = needs | self._spoken(limits.boundary, PolicyKind.BOUNDARY).needs
            limited = AppliedLimits(needs, is_asked=limits.flags[0] in self.question.kinds)
            self._limited[is_local][limits] = limited
        return limited

    def _rcps(
        self, limits: PrincipalLimits, *, is_local: bool
    ) -> tuple[tuple[PolicySet, ...], StatementNeeds]:
        """The resource control policies above the owner of the resource."""
        if is_local:
            return self._levels_of(limits.levels, PolicyKind.RCP, is_marked=True)
        owner = self._shards.get(self.place)
        if owner is None:
            return (), NONE
        return self._levels_of(owner.levels, PolicyKind.RCP, is_marked=False)

    def bounds(
        self, limits: PrincipalLimits, member: IndexedPrincipal, signature: Signature, *, is_local: bool
    ) -> QueryBounds:
        """The results of all but the identity-based policies for a member within limits."""
        limited = self.limited(limits, is_local=is_local)
        if limited.bounds is not None:
            return limited.bounds
        needs = limited.needs
        key = (member.account if needs.is_placed else "", signature if needs.tells_apart else ())
        bounds = limited.by_who.get(key)
        if bounds is None:
            request = self.request_of(member)
            bounds = QueryBounds(
                request, evaluate_each_kind(request, self._policies(limits, is_local=is_local))
            )
            limited.by_who[key] = bounds
            if needs is NONE:
                limited.bounds = bounds
        return bounds

    def _policies(self, limits: PrincipalLimits, *, is_local: bool) -> RequestPolicies:
        boundary = None
        if limits.boundary is not None:
            boundary = self._spoken(limits.boundary, PolicyKind.BOUNDARY).policies
        return RequestPolicies(
            identity=NO_POLICIES,
            boundary=boundary,
            resource=self.resource,
            scps=self._levels_of(limits.levels, PolicyKind.SCP, is_marked=True)[0],
            rcps=self._rcps(limits, is_local=is_local)[0],
        )
