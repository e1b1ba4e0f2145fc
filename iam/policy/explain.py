"""Explains a decision: the statements that decided it, those that nearly applied, and missing permissions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from iam.policy.aws_owned import owner_reason
from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet
from iam.policy.evaluate import (
    FREE,
    EvaluationDecision,
    RequestPolicies,
    decide,
    has_rcps,
    has_scps,
    needs_resource_policy,
)
from iam.policy.logic import NO, OPEN, YES
from iam.policy.principals import OUTSIDERS
from iam.policy.request import PrincipalKind, Request


class ReasonOutcome(StrEnum):
    """What a reason reports about a statement, or about the lack of one."""

    ALLOWS = "allows"
    DENIES = "denies"
    DEPENDS = "depends"
    WOULD = "would"
    """A statement covers the action, but its resource, its principal or a condition doesn't match."""
    MISSING = "missing"
    """No statement of this kind of policy allows the action."""
    PROBLEM = "problem"
    """A part of a policy that AWS would not understand."""
    RULE = "rule"
    """A rule of AWS that isn't part of a policy."""


@dataclass(frozen=True, slots=True)
class DecisionReason:
    """A reason for a decision. `level` counts organization levels from 1, the root. `conditions` are those
    that it depends on, or that fail. `is_deny` is True for a statement with the effect Deny.
    """

    kind: str
    outcome: ReasonOutcome
    text: str
    policy: str = ""
    statement: int | None = None
    sid: str = ""
    level: int = 0
    conditions: tuple[str, ...] = ()
    is_deny: bool = False


@dataclass(frozen=True, slots=True)
class DecisionExplanation:
    """A decision with its reasons, the deciding ones first."""

    decision: EvaluationDecision
    reasons: tuple[DecisionReason, ...]

    @property
    def open_conditions(self) -> tuple[str, ...]:
        """The open conditions that a conditional decision depends on, without duplicates."""
        depending = (reason for reason in self.reasons if reason.outcome is ReasonOutcome.DEPENDS)
        return tuple(dict.fromkeys(chain.from_iterable(reason.conditions for reason in depending)))


@dataclass(frozen=True, slots=True)
class _SpeakingStatement:
    """A statement that covers the action, and its result for the request."""

    one: CompiledStatement
    kind: PolicyKind
    level: int
    mark: int


NOT_ALLOWED = {
    PolicyKind.IDENTITY: "No identity-based policy{} allows",
    PolicyKind.BOUNDARY: "The permissions boundary{} doesn’t allow",
    PolicyKind.SESSION: "The session policy{} doesn’t allow",
    PolicyKind.RESOURCE: "The resource-based policy{} doesn’t allow",
    PolicyKind.SCP: "No SCP{} allows",
    PolicyKind.RCP: "No RCP{} allows",
    PolicyKind.ENDPOINT: "The VPC endpoint policy{} doesn’t allow",
}
"""How a reason begins if no statement of a kind of policy allows the action. The placeholder is for the
organization level.
"""


OWN = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION})
WITHOUT_OWN = OUTSIDERS | {PrincipalKind.ROOT}
"""Principals that have no policies of their own."""
NO_SESSION_POLICY = "A federated user session has no permissions without a session policy."


def explain(request: Request, policies: RequestPolicies) -> DecisionExplanation:
    """Return the decision of `decide` with its reasons."""
    decision = decide(request, policies)
    if request.lowered in FREE:
        free = DecisionReason(
            "rule", ReasonOutcome.RULE, f"{request.action} needs no permission, and no policy can deny it."
        )
        return DecisionExplanation(decision, (free,))
    owned = owner_reason(request.lowered, request.resource)
    if owned:
        return DecisionExplanation(decision, (DecisionReason("rule", ReasonOutcome.RULE, owned),))
    sets = list(_sets(request, policies))
    is_bounded = policies.boundary is not None
    seen: list[_SpeakingStatement] = []
    for kind, level, each in sets:
        for statement in each.speaking_of(request.lowered):
            mark, means = statement.applies_to(request, is_bounded=is_bounded)
            seen.append(_SpeakingStatement(statement, kind, level, min(mark, max(means))))
    reasons = {
        EvaluationDecision.EXPLICITLY_DENIED: _denied,
        EvaluationDecision.ALLOWED: _allowed,
        EvaluationDecision.IMPLICITLY_DENIED: _missing,
        EvaluationDecision.CONDITIONAL: _conditional,
    }[decision](request, sets, seen)
    return DecisionExplanation(decision, (*reasons, *_problems(sets)))


Sets = list[tuple[PolicyKind, int, PolicySet]]


def _sets(request: Request, policies: RequestPolicies) -> Iterator[tuple[PolicyKind, int, PolicySet]]:
    yield PolicyKind.IDENTITY, 0, policies.identity
    single = (
        (PolicyKind.BOUNDARY, policies.boundary),
        (PolicyKind.SESSION, policies.session),
        (PolicyKind.RESOURCE, policies.resource),
        (PolicyKind.ENDPOINT, policies.endpoint),
    )
    for kind, policies_of_kind in single:
        if policies_of_kind is not None:
            yield kind, 0, policies_of_kind
    if has_scps(request):
        for level, level_policies in enumerate(policies.scps, start=1):
            yield PolicyKind.SCP, level, level_policies
    if policies.rcps and has_rcps(request, policies):
        for level, level_policies in enumerate(policies.rcps, start=1):
            yield PolicyKind.RCP, level, level_policies


def _reason(
    seen: _SpeakingStatement, outcome: ReasonOutcome, verb: str, conditions: tuple[str, ...] = ()
) -> DecisionReason:
    return DecisionReason(
        kind=str(seen.kind),
        outcome=outcome,
        text=f"{seen.one.policy}, {seen.one.name}, {verb}.",
        policy=seen.one.policy,
        statement=seen.one.source.index,
        sid=seen.one.source.sid,
        level=seen.level,
        conditions=conditions,
        is_deny=not seen.one.allows,
    )


def _denied(request: Request, sets: Sets, seen: list[_SpeakingStatement]) -> list[DecisionReason]:
    return [
        _reason(each, ReasonOutcome.DENIES, "denies it")
        for each in seen
        if not each.one.allows and each.mark == YES
    ]


def _allowed(request: Request, sets: Sets, seen: list[_SpeakingStatement]) -> list[DecisionReason]:
    reasons = [
        _reason(each, ReasonOutcome.ALLOWS, "allows it")
        for each in seen
        if each.one.allows and each.mark == YES
    ]
    needs_no_policy = (
        request.principal.kind is PrincipalKind.ROOT
        and request.lowered != "sts:assumerole"
        and not _is_resource_needed(request)
    )
    if needs_no_policy and not any(each.kind == "resource" for each in reasons):
        reasons.insert(
            0,
            DecisionReason(
                "rule", ReasonOutcome.RULE, "The root user has every permission in its own account."
            ),
        )
    return reasons


def _conditional(request: Request, sets: Sets, seen: list[_SpeakingStatement]) -> list[DecisionReason]:
    """Return the statements that decide once the open values are known, then those that allow."""
    reasons = []
    for each in seen:
        if each.mark == OPEN:
            verb = "allows" if each.one.allows else "denies"
            text = f"{verb} it, depending on values that the request doesn’t give"
            open_parts = _open_parts(request, each.one)
            reasons.append(_reason(each, ReasonOutcome.DEPENDS, text, open_parts))
    return reasons + _allowed(request, sets, seen)


def _missing(request: Request, sets: Sets, seen: list[_SpeakingStatement]) -> list[DecisionReason]:
    """Return the kinds of policy that don't allow the request, the statements that nearly allow it, and then
    those that do.
    """
    reasons: list[DecisionReason] = []
    if request.principal.kind is PrincipalKind.ROOT and request.lowered == "sts:assumerole":
        reasons.append(DecisionReason("rule", ReasonOutcome.RULE, "A root user can’t assume roles."))
    for kind, level, _ in sets:
        if kind in OWN and request.principal.kind in WITHOUT_OWN:
            continue
        if kind is PolicyKind.RESOURCE and not _is_resource_needed(request):
            continue
        allowing = [each for each in seen if (each.kind, each.level) == (kind, level) and each.one.allows]
        if any(each.mark for each in allowing):
            continue
        at_level = f" at level {level}" if level else ""
        text = f"{NOT_ALLOWED[kind].format(at_level)} {request.action} here."
        reasons.append(DecisionReason(str(kind), ReasonOutcome.MISSING, text, level=level))
        for each in allowing:
            failing = _failing(request, each.one)
            reasons.append(
                _reason(each, ReasonOutcome.WOULD, "allows the action, but not this request", failing)
            )
    if _is_resource_needed(request) and not any(kind is PolicyKind.RESOURCE for kind, _, _ in sets):
        reasons.insert(0, DecisionReason("resource", ReasonOutcome.MISSING, _no_resource_policy(request)))
    kinds = {kind for kind, _, _ in sets}
    if request.principal.kind is PrincipalKind.FEDERATED_USER and PolicyKind.SESSION not in kinds:
        reasons.append(DecisionReason("session", ReasonOutcome.MISSING, NO_SESSION_POLICY))
    return reasons + _allowed(request, sets, seen)


def _is_resource_needed(request: Request) -> bool:
    return request.is_cross_account or request.principal.kind in OUTSIDERS or needs_resource_policy(request)


def _no_resource_policy(request: Request) -> str:
    if request.is_cross_account:
        return (
            f"The resource is in another account, {request.resource_account}, and has no resource-based "
            "policy that allows the caller."
        )
    return (
        "A resource-based policy must allow the caller, directly or through the account, and there is none."
    )


def _open_parts(request: Request, statement: CompiledStatement) -> tuple[str, ...]:
    """Return the parts of a statement that depend on values missing from the request."""
    open_parts = [str(condition) for condition in statement.conditions if condition.test(request) == OPEN]
    if statement.fits is not None and statement.fits(request) == OPEN:
        open_parts.append(f"Resource: {_resource_list(statement)}")
    if statement.means is not None:
        best_grade = max(statement.means(request.principal, request.strict))
        if best_grade == OPEN:
            open_parts.append("Principal: whether the caller is included")
    for problem in statement.unknown:
        open_parts.append(f"undecidable: {problem}")
    return tuple(open_parts)


def _failing(request: Request, statement: CompiledStatement) -> tuple[str, ...]:
    """Return the parts of a statement that don't match the request."""
    failing = []
    if statement.means is not None and not any(statement.means(request.principal, request.strict)):
        failing.append("Principal: the caller isn’t included")
    if statement.fits is not None and statement.fits(request) == NO:
        element = "NotResource" if statement.source.is_not_resource else "Resource"
        failing.append(f"{element}: {_resource_list(statement)}")
    for condition in statement.conditions:
        if condition.test(request) == NO:
            failing.append(str(condition))
    return tuple(failing)


def _resource_list(statement: CompiledStatement) -> str:
    return ", ".join(statement.source.resources or ())


def _problems(sets: Sets) -> list[DecisionReason]:
    problems = []
    for kind, level, each in sets:
        problems += [
            DecisionReason(
                str(kind), ReasonOutcome.PROBLEM, f"{policy}: {problem}.", policy=policy, level=level
            )
            for policy, problem in each.problems
        ]
    return problems
