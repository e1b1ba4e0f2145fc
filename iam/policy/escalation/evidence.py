"""The evidence of a step: the requests that AWS must allow, the statements that allow each, and the
statements whose removal prevents it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any, Final

from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet
from iam.policy.escalation.account_graph import EscalationNode, StepOption
from iam.policy.escalation.choices import TargetChoice
from iam.policy.escalation.condition_facts import HOME, boundary_of, tags_of
from iam.policy.escalation.cross_account import as_node
from iam.policy.escalation.found_paths import circumstances
from iam.policy.escalation.held_statements import TRUST, Held, HeldStatement, held_documents, statements_of
from iam.policy.escalation.method_types import EdgeVerb, MethodNeed
from iam.policy.escalation.organization_policies import delegation
from iam.policy.escalation.permission_checks import SCP_CONTEXT
from iam.policy.escalation.states import OPEN_TRUST, grants_in
from iam.policy.escalation.tags import is_retagged
from iam.policy.escalation.trusts import NO_POLICIES, provider_request, service_request, trust_set
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.explain import DecisionExplanation, explain
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.documents import IndexedDocument
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.letter_case import fold
from iam.policy.logic import NO
from iam.policy.request import Request

CACHE_SIZE: Final = 50_000
"""Maximum number of cached evidence entries; then the cache is cleared."""
ASKING: Final = 200
"""Maximum number of principals with cached statements."""
BETTER: Final = (
    EvaluationDecision.ALLOWED,
    EvaluationDecision.CONDITIONAL,
    EvaluationDecision.IMPLICITLY_DENIED,
    EvaluationDecision.EXPLICITLY_DENIED,
)
POSITIVE: Final = (EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL)


@dataclass(frozen=True)
class StepEvidence:
    """A request that must be allowed. Each set of statements in `closing` prevents it if removed."""

    request: Request
    policies: RequestPolicies
    identity: tuple[HeldStatement, ...]
    resource: tuple[HeldStatement, ...]
    closing: tuple[frozenset[HeldStatement], ...]

    @property
    def action(self) -> str:
        """The action of the request."""
        return self.request.action

    @cached_property
    def explanation(self) -> DecisionExplanation:
        """The reasons for the decision."""
        return explain(self.request, self.policies)

    @property
    def statements(self) -> tuple[HeldStatement, ...]:
        """All statements that allow it."""
        return (*self.identity, *self.resource)


class EvidenceFinder:
    """Finds the evidence of steps and caches it."""

    def __init__(self, index: PolicyIndex) -> None:
        self._index = index
        self._known: dict[Any, tuple[StepEvidence, ...]] = {}
        self._asking: dict[Any, _PrincipalEvidence] = {}

    def evidence_for(
        self,
        node: EscalationNode,
        alternative: StepOption,
        choices: Mapping[Any, tuple[TargetChoice, ...]],
    ) -> tuple[StepEvidence, ...]:
        """Return the evidence for each need of a node for a method on a subject. `choices` are by method,
        from the round of the node.
        """
        assert node.member is not None
        who = (node.member.account, node.member.id, node.state)
        key = (
            who,
            alternative.method.name,
            alternative.subject.kind,
            alternative.subject.arn,
            alternative.subject.boundary,
            alternative.others,
            alternative.calls,
        )
        evidence = self._known.get(key)
        if evidence is None:
            _make_room(self._known, CACHE_SIZE)
            evidence = self._known[key] = tuple(
                self._principal_evidence(who, node).evidence_for(alternative, choices)
            )
        return evidence

    def _principal_evidence(self, who: Any, node: EscalationNode) -> _PrincipalEvidence:
        asking = self._asking.get(who)
        if asking is None:
            _make_room(self._asking, ASKING)
            asking = self._asking[who] = _PrincipalEvidence(self._index, node)
        return asking


def _make_room(kept: dict[Any, Any], most: int) -> None:
    if len(kept) >= most:
        kept.clear()


class _PrincipalEvidence:
    """The evidence of one principal in one state."""

    def __init__(self, index: PolicyIndex, node: EscalationNode) -> None:
        member = node.member
        assert member is not None
        self._index = index
        self._shard = index.accounts[member.account]
        self._grants = grants_in(member.grants, node.state, self._shard.groups)
        self._who = as_node(member, self._grants, is_tagged=node.state.tagged)
        self._is_freed = node.state.freed
        self._found: dict[tuple[tuple[MethodNeed, ...], int | None], tuple[StepEvidence, ...]] = {}
        self._held = list(held_documents(self._shard, member, node.state))
        statements = chain.from_iterable(statements_of(*each, PolicyKind.IDENTITY) for each in self._held)
        self._statements = list(dict(statements).items())

    def evidence_for(
        self, alternative: StepOption, choices: Mapping[Any, tuple[TargetChoice, ...]]
    ) -> Iterator[StepEvidence]:
        method, subject = alternative.method, alternative.subject
        if method.target_needs:
            yield from self._subject_evidence(alternative)
        if method.sort in (EdgeVerb.RETRUST, EdgeVerb.TAKE):
            policies = {"sts:AssumeRole": OPEN_TRUST}
            yield self._step_evidence(
                "sts:AssumeRole", subject.arn, {"aws:RequestedRegion": HOME}, (), policies=policies
            )
        if method.sort is EdgeVerb.FEDERATE:
            yield from self._federation_evidence(alternative)
            return
        if method.sort is EdgeVerb.FREE:
            policy = delegation(method, self._shard)
            for action, resource in alternative.calls:
                policies = {} if policy is None else {action: policy}
                yield self._step_evidence(action, resource, SCP_CONTEXT, (), policies=policies)
            return
        yield from self._choice_evidence(alternative, choices)
        if method.trusted and subject.member is not None and subject.member.trust is not None:
            role = subject.member
            request = service_request(method.trusted, role.arn, role.account, moment=self._index.moment)
            yield _trust_evidence(role, request)

    def _federation_evidence(self, alternative: StepOption) -> Iterator[StepEvidence]:
        """Yield the evidence for the change of an identity provider and for the sign-in with it."""
        (need,) = alternative.method.needs
        (provider,) = alternative.others
        role = alternative.subject.member
        assert role is not None
        yield self._step_evidence(need.action, provider, {"aws:RequestedRegion": HOME}, ())
        request = provider_request(provider, role.arn, role.account, moment=self._index.moment)
        yield _trust_evidence(role, request)

    def _choice_evidence(
        self, alternative: StepOption, choices: Mapping[Any, tuple[TargetChoice, ...]]
    ) -> tuple[StepEvidence, ...]:
        """Return the evidence for the needs apart from the target. It is the same for every target, unless
        the method uses a known existing resource.
        """
        method = alternative.method
        of_role = choices.get((method, alternative.subject.number))
        key = (method.own_needs, alternative.subject.number if of_role else None)
        chosen = self._found.get(key)
        if chosen is None:
            chosen = self._found[key] = tuple(self._best_choice_evidence(of_role or choices.get(method, ())))
        return chosen

    def _subject_evidence(self, alternative: StepOption) -> list[StepEvidence]:
        """Return the requests about the subject. If several policies could be attached, the one with the best
        decision is used.
        """
        method = alternative.method
        best = []
        for policy in alternative.others or ("",):
            grounds = []
            if method.writing:
                grounds.append(self._step_evidence(method.writing, policy, {"aws:RequestedRegion": HOME}, ()))
            for need in method.target_needs:
                context = self._subject_context(alternative, need.action, policy)
                trust = self._trust_of(alternative)
                grounds.append(self._step_evidence(need.action, alternative.subject.arn, context, trust))
            best.append(grounds)
        return min(best, key=_worst_decision)

    def _subject_context(self, alternative: StepOption, action: str, policy: str) -> dict[str, Any]:
        """Return the context of a request about the subject, including its tags and boundary."""
        context = circumstances(alternative.method, action, policy=policy)
        member = alternative.subject.member
        if member is None:
            return context
        boundary = self._index.accounts[member.account].boundary_of(member.grants)
        arn = alternative.subject.boundary
        if arn is None:
            arn = "" if boundary is None else boundary[0]
        context.setdefault("iam:PermissionsBoundary", boundary_of(action, arn))
        if member.tags is not None and not is_retagged(alternative.method, action):
            clauses = chain.from_iterable(doc.clauses for doc in self._documents_about(member))
            conditions = chain.from_iterable(clause.conditions for clause in clauses)
            keys = {fold(key) for _, key, _ in conditions}
            context |= tags_of(member.tags, keys)
        return context

    def _documents_about(self, member: IndexedPrincipal) -> Iterator[IndexedDocument]:
        yield from (doc for _, _, doc in self._held)
        boundary = self._shard.boundary_of(self._grants)
        if boundary is not None:
            yield boundary[1]
        if member.trust is not None:
            yield member.trust
        levels = self._shard.levels
        for level in (*levels.scps, *levels.rcps):
            for _, doc in level:
                yield doc

    def _trust_of(self, alternative: StepOption) -> Held:
        member = alternative.subject.member
        if alternative.method.sort is not EdgeVerb.ASSUME or member is None or member.trust is None:
            return ()
        return statements_of(member.arn, TRUST, member.trust, PolicyKind.RESOURCE)

    def _step_evidence(
        self,
        action: str,
        resource: str,
        context: Mapping[str, Any],
        trust: Held,
        *,
        policies: Mapping[str, str] | None = None,
    ) -> StepEvidence:
        question = AccessQuestion(
            action, resource, context, resource_policy=(policies or {}).get(action), is_pattern=False
        )
        request, having = self._request_and_policies(question)
        own = self._allowing_statements([request])
        admits = tuple(s for s, statement in trust if _admits(statement, request))
        closing = tuple(self._closing_statements(request, having, frozenset(own), frozenset(admits), trust))
        return StepEvidence(request, having, own, admits, closing)

    def _request_and_policies(self, question: AccessQuestion) -> tuple[Request, RequestPolicies]:
        """Return a request of the principal and the policies that apply in its state."""
        request, having = self._index.request_and_policies(self._who, question)
        return request, replace(having, scps=()) if self._is_freed else having

    def _closing_statements(
        self,
        request: Request,
        having: RequestPolicies,
        mine: frozenset[HeldStatement],
        theirs: frozenset[HeldStatement],
        trust: Held,
    ) -> Iterator[frozenset[HeldStatement]]:
        """Yield sets of statements whose removal prevents the request: the principal's own, those of the
        trust policy, or else both.
        """
        is_closed = False
        for option in (mine, theirs):
            if option and not _is_given(option) and not self._is_allowed(request, having, option, trust):
                yield option
                is_closed = True
        both = mine | theirs
        if not is_closed and mine and theirs and not _is_given(both):
            yield both

    def _is_allowed(
        self, request: Request, having: RequestPolicies, gone: frozenset[HeldStatement], trust: Held
    ) -> bool:
        identity = PolicySet(
            PolicyKind.IDENTITY, tuple(statement for s, statement in self._statements if s not in gone)
        )
        resource = having.resource
        if trust:
            resource = PolicySet(
                PolicyKind.RESOURCE, tuple(statement for s, statement in trust if s not in gone)
            )
        return decide(request, replace(having, identity=identity, resource=resource)) in POSITIVE

    def _allowing_statements(self, requests: Iterable[Request]) -> tuple[HeldStatement, ...]:
        """Return the statements of the identity policies that allow one of the requests, certainly or
        possibly.
        """
        asked = list(requests)
        return tuple(
            statement
            for statement, compiled in self._statements
            if compiled.allows
            and any(compiled.covers_action(r.lowered) and compiled.applies(r) for r in asked)
        )

    def _best_choice_evidence(self, choices: tuple[TargetChoice, ...]) -> Iterator[StepEvidence]:
        """Yield the evidence for free choices: the first names with which everything works, preferably
        certainly.
        """
        best: tuple[int, list[StepEvidence]] | None = None
        for choice in choices:
            grounds = self._evidence_in_region(choice)
            if grounds is None:
                continue
            doubts = sum(decide(g.request, g.policies) is not EvaluationDecision.ALLOWED for g in grounds)
            if best is None or doubts < best[0]:
                best = (doubts, grounds)
            if doubts == 0:
                break
        if best is not None:
            yield from best[1]

    def _evidence_in_region(self, choice: TargetChoice) -> list[StepEvidence] | None:
        evidence: list[StepEvidence] = []
        for names, needs in choice.by_type():
            good: list[tuple[int, list[tuple[Request, RequestPolicies]]]] = []
            for name in names:
                asked = [
                    self._request_and_policies(
                        AccessQuestion(need.action, name, choice.context, is_pattern=False)
                    )
                    for need in needs
                ]
                decisions = [decide(*each) for each in asked]
                if all(decision in POSITIVE for decision in decisions):
                    good.append((sum(d is not EvaluationDecision.ALLOWED for d in decisions), asked))
            if not good:
                return None
            _, shown = min(good, key=lambda each: each[0])
            for place in range(len(needs)):
                request, having = shown[place]
                own = self._allowing_statements(asked[place][0] for _, asked in good)
                closing = () if _is_given(own) or not own else (frozenset(own),)
                evidence.append(StepEvidence(request, having, own, (), closing))
        return evidence


def _trust_evidence(role: IndexedPrincipal, request: Request) -> StepEvidence:
    """Return the evidence that a role's trust policy allows a request to assume it."""
    assert role.trust is not None
    policies = RequestPolicies(NO_POLICIES, resource=trust_set(role.trust, TRUST))
    trust = statements_of(role.arn, TRUST, role.trust, PolicyKind.RESOURCE)
    admits = tuple(s for s, compiled in trust if _admits(compiled, request))
    return StepEvidence(request, policies, (), admits, (frozenset(admits),))


def _worst_decision(grounds: Sequence[StepEvidence]) -> int:
    """Return the index in BETTER of the worst decision."""
    return max(BETTER.index(decide(ground.request, ground.policies)) for ground in grounds)


def _admits(compiled: CompiledStatement, request: Request) -> bool:
    mark, means = compiled.applies_to(request)
    return compiled.allows and compiled.covers_action(request.lowered) and mark > NO and any(means)


def _is_given(option: Iterable[HeldStatement]) -> bool:
    return any(statement.is_given for statement in option)
