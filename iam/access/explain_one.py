"""Explains why one user or role can or can't do an action, showing only policies that the viewer may see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from typing import Final

from iam.access import explanation
from iam.access.effective import ApplicableStatement, patterns_of, read_access
from iam.access.explanation import DecisionReasons, ExplanationStep
from iam.access.simulate import RESOURCE_FACTS
from iam.guard import Viewer
from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import catalogue
from iam.policy.evaluate import FREE
from iam.policy.explain import DecisionReason, ReasonOutcome
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.resources import unknown_policy
from iam.policy.letter_case import fold
from iam.policy.lint.overlaps import can_mean
from iam.policy.request import PrincipalKind, Request, account_of
from iam.policy.variables import VARIABLE

EVERY: Final = "*"
LAST: Final = "resource"
"""The kind of shortened reasons; pages list it after the principal's own policies."""
WHOSE: Final = {
    "scp": "the organization",
    "rcp": "the organization of the resource",
    "resource": "the owner of the resource",
    "boundary": "the permissions boundary",
}
"""The words for who decided, instead of the names of hidden policies."""
STRONGEST: Final = (ReasonOutcome.DENIES, ReasonOutcome.MISSING, ReasonOutcome.DEPENDS, ReasonOutcome.ALLOWS)
VERBS: Final = {
    ReasonOutcome.DENIES: "forbids",
    ReasonOutcome.MISSING: "does not allow",
    ReasonOutcome.ALLOWS: "allows",
}


@dataclass(frozen=True, slots=True)
class ExplainedDecision:
    """The decision on one request, with its reasons.

    `is_placed` is False if the organization's policies are unknown.
    """

    action: str
    resource: str
    arn: str
    kind: PrincipalKind
    why: DecisionReasons
    is_placed: bool


def why_of(
    viewer: Viewer, number: int, *, account: str, at: datetime | None, action: str, resource: str = ""
) -> ExplainedDecision | None:
    """Explain the decision on an action at a moment; None if the index does not have the principal.

    Without a resource, uses the first one named by a statement that allows the action. Policies that the
    viewer can't see are shown only by their result. Data of a resource's account that the viewer can't see is
    not used at all.
    """
    action = spelled_by_aws(action)
    with snapshot(at, accounts=[account], may_lag=True) as index:
        member = index.member(account, number)
        if member is None:
            return None
        resource = resource or _first_resource(index, member, action)
    place = account_of(resource) or account
    is_hidden = place != account and not viewer.scope.sees_account(place)
    accounts = {account} if is_hidden else {account, place}
    with snapshot(at, accounts=accounts, may_lag=True) as index:
        member = index.member(account, number)
        if member is None:
            return None
        question = AccessQuestion(action, resource, resource_account=place)
        why = (
            _without_owner(index, member, question)
            if is_hidden
            else explanation.explanation_of(index, member, question)
        )
        is_placed = index.accounts[account].standing.is_known
        return ExplainedDecision(
            action, resource, member.arn, member.kind, _visible_to(why, viewer, account), is_placed
        )


def _without_owner(index: PolicyIndex, member: IndexedPrincipal, question: AccessQuestion) -> DecisionReasons:
    """Explain as if the resource's account were unknown, even if this process has loaded it."""
    request, policies = index.request_and_policies(member, question)
    known = {key: value for key, value in request.context.items() if key not in RESOURCE_FACTS}
    if request.lowered not in FREE:
        policies = replace(policies, rcps=(), resource=unknown_policy())
    return explanation.explained(index, member, replace(request, context=known), policies)


def spelled_by_aws(action: str) -> str:
    """The action in AWS's spelling if it is known, else unchanged."""
    known_action = catalogue().action(action)
    return known_action.name if known_action else action


def _first_resource(index: PolicyIndex, member: IndexedPrincipal, action: str) -> str:
    known = catalogue().action(action)
    if known is not None and not known.targets:
        return EVERY
    access = read_access(index, member)
    place = access.space.actions.index_of(action)
    allowing: list[ApplicableStatement] = [] if place is None else access.allowing(1 << place)
    request = index.effective().request_of(member)
    patterns = chain.from_iterable(
        patterns_of(entry.statement) for entry in allowing if not entry.statement.is_not_resource
    )
    named = [_filled(pattern, request) for pattern in patterns]
    types = catalogue().resource_types(action)
    fitting = (arn for arn in named if any(can_mean(arn, kind.arn, has_variables=False) for kind in types))
    first_named = named[0] if named else EVERY
    return next(fitting, first_named)


def _filled(pattern: str, request: Request) -> str:
    """The pattern with its variables replaced; variables without a single value become "*"."""

    def value(match: re.Match[str]) -> str:
        key = fold(match.group(1).partition(",")[0].strip())
        request_values = request.values(key)
        return request_values[0] if request_values and len(request_values) == 1 else EVERY

    return VARIABLE.sub(value, pattern)


def _visible_to(why: DecisionReasons, viewer: Viewer, account: str) -> DecisionReasons:
    """Reduce the explanation to what the viewer may see: no policies of an account that they can't see, or of
    its organization.
    """
    if viewer.scope.sees_account(account):
        return why
    steps: list[ExplanationStep] = []
    reasons_in_short: list[DecisionReason] = []
    for step in why.steps:
        if step.is_unread or step.reason.kind not in WHOSE:
            steps.append(_without_address(step))
        else:
            reasons_in_short.append(step.reason)
    steps += [ExplanationStep(reason) for reason in _in_short(reasons_in_short)]
    return replace(why, steps=tuple(steps))


def _in_short(reasons: list[DecisionReason]) -> Iterator[DecisionReason]:
    """One reason per policy kind, without names and texts. Allowing RCPs are left out, because RCPs can only
    deny.
    """
    for kind, whose in WHOSE.items():
        outcomes = {reason.outcome for reason in reasons if reason.kind == kind}
        outcome = next((effect for effect in STRONGEST if effect in outcomes), None)
        if outcome is None or (kind == "rcp" and outcome is ReasonOutcome.ALLOWS):
            continue
        if outcome is ReasonOutcome.DEPENDS:
            sentence = f"Whether {whose} allows it depends on conditions"
        else:
            sentence = f"T{whose[1:]} {VERBS[outcome]} it"
        yield DecisionReason(LAST, outcome, sentence)


def _without_address(step: ExplanationStep) -> ExplanationStep:
    """The step without the link to the policy's page. Pages leave out its statement text too."""
    reason = step.reason
    if reason.kind == "identity" and reason.outcome is ReasonOutcome.MISSING:
        return ExplanationStep(replace(reason, text="No policy allows it"))
    return replace(step, policy=step.policy and replace(step.policy, pk=None))
