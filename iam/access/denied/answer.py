"""Answers an access denied message: the engine's result, and the smallest statement that would help, or why
none can.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import chain
from typing import Any, Final

from iam.access.denied.message import DeniedMessage, PolicyType
from iam.access.principals import AskingPrincipal
from iam.access.simulate import SimulationInquiry, SimulationResult, simulate
from iam.access.verdict import BranchVoice, VerdictBranch
from iam.guard import Viewer
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.evaluate import ASSUMING, EvaluationDecision
from iam.policy.letter_case import fold
from iam.policy.logic import OPEN
from iam.policy.request import account_of

EVERY: Final = "*"


class DenialRemedy(StrEnum):
    """What can be done about the denial."""

    ALREADY = "already"
    """According to the last sync it is allowed, so there is nothing to request."""
    DEPENDS = "depends"
    """It is allowed under conditions, which a grant would not change."""
    HELPS = "helps"
    """A grant of the proposed statement is enough."""
    HELPS_IF = "helps-if"
    """The proposed statement is needed, together with something unknown."""
    NO_GRANT = "no-grant"
    """No grant helps: something denies it, or another policy doesn't allow it."""


@dataclass(frozen=True, slots=True)
class DiagnosisPoint:
    """One result of the diagnosis; `tone` is ok, warn or bad."""

    tone: str
    text: str
    more: str = ""


@dataclass(frozen=True, slots=True)
class DenialAnswer:
    """The diagnosis for one action of one principal. `document` is the smallest policy that helps,
    or None.
    """

    outcome: DenialRemedy
    action: str
    resource: str
    level: AccessLevel | None
    points: tuple[DiagnosisPoint, ...]
    document: dict[str, Any] | None = None
    limits: tuple[str, ...] = ()


def needs_resource(denied: DeniedMessage) -> bool:
    """True if the user must enter the resource: the message has none, and the action needs one."""
    return not denied.resource and bool(catalogue().resource_types(denied.action))


def answer(
    viewer: Viewer, denied: DeniedMessage, *, who: AskingPrincipal, is_own: bool = False
) -> DenialAnswer | None:
    """Diagnose the denial; None if the mirror no longer has the principal.

    For an account that the viewer can't see, the deciding policy type is shown, but not the policy or
    statement. `is_own`: the answer addresses the principal directly.
    """
    resource = denied.resource or EVERY
    place = account_of(resource)
    hidden = bool(place) and place != who.account and not viewer.scope.sees_account(place)
    inquiry = SimulationInquiry(who, denied.action, resource, is_hidden=hidden)
    document = smallest(denied.action, resource)
    now, then = simulate(inquiry), simulate(replace(inquiry, besides=json.dumps(document)))
    if now is None or then is None:
        return None
    names = viewer.scope.sees_account(who.account)
    outcome = _outcome(now, then, denied)
    points = tuple(
        _sentence_for(point, is_own=is_own) for point in _points(outcome, now, then, denied, names=names)
    )
    helps = outcome in (DenialRemedy.HELPS, DenialRemedy.HELPS_IF)
    helpful = document if helps else None
    limits = now.limits if names else ()
    return DenialAnswer(
        outcome,
        denied.action,
        resource,
        catalogue().level(denied.action),
        points,
        helpful,
        limits,
    )


def _sentence_for(point: DiagnosisPoint, *, is_own: bool) -> DiagnosisPoint:
    """The sentence to the principal or about them."""
    they, them = ("you", "you") if is_own else ("they", "them")
    return replace(
        point, text=point.text.format(they=they, them=them), more=point.more.format(they=they, them=them)
    )


def smallest(action: str, resource: str) -> dict[str, Any]:
    """A policy for only this action on this resource.

    Text that looks like a policy variable is escaped, because AWS meant it literally: "IAM policy elements:
    Variables and tags", characters that have a special meaning.
    """
    taken = resource if catalogue().resource_types(action) or catalogue().action(action) is None else EVERY
    statement = {"Effect": "Allow", "Action": action, "Resource": taken.replace("${", "${$}{")}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _outcome(now: SimulationResult, then: SimulationResult, denied: DeniedMessage) -> DenialRemedy:
    if now.decision is EvaluationDecision.ALLOWED:
        return DenialRemedy.ALREADY
    if _stopped(then) or _said_otherwise(denied):
        return DenialRemedy.NO_GRANT
    if now.decision is EvaluationDecision.CONDITIONAL and not _is_open_resource(now):
        return DenialRemedy.DEPENDS
    return DenialRemedy.HELPS if then.decision is EvaluationDecision.ALLOWED else DenialRemedy.HELPS_IF


def _stopped(then: SimulationResult) -> bool:
    return then.decision in (EvaluationDecision.EXPLICITLY_DENIED, EvaluationDecision.IMPLICITLY_DENIED)


def _said_otherwise(denied: DeniedMessage) -> bool:
    """True if AWS itself says that the deciding policy is one that no grant to a principal can change."""
    lacking = {PolicyType.IDENTITY, PolicyType.RESOURCE, None}
    return denied.is_explicit is True or denied.policy_type not in lacking


def _is_open_resource(now: SimulationResult) -> bool:
    """True if only the resource-based policy is unknown and the principal's own policies don't allow it."""
    return any(branch.kind == "identity" and branch.voice is BranchVoice.SILENT for branch in now.branches)


def _points(
    outcome: DenialRemedy,
    now: SimulationResult,
    then: SimulationResult,
    denied: DeniedMessage,
    *,
    names: bool,
) -> Iterator[DiagnosisPoint]:
    if outcome is DenialRemedy.ALREADY:
        yield DiagnosisPoint("ok", "This is already allowed, as of the last sync", _why_still_denied(denied))
        return
    if outcome is DenialRemedy.DEPENDS:
        yield DiagnosisPoint("warn", "This is already allowed, under these conditions", "")
        yield from (
            DiagnosisPoint("warn", _plain(f"Only {words}"), "A grant doesn’t change that")
            for words in _conditions(now, names=names)
        )
        return
    if outcome is DenialRemedy.NO_GRANT:
        yield from _stops(then, denied, names=names)
    identity = next((branch for branch in now.branches if branch.kind == "identity"), None)
    if identity is not None and identity.voice is BranchVoice.SILENT:
        more = "Nothing denies it. It was never granted" if outcome is not DenialRemedy.NO_GRANT else ""
        yield DiagnosisPoint("bad", "Nothing that {they} hold allows it", more)
    if outcome is DenialRemedy.HELPS:
        yield DiagnosisPoint("ok", "Nothing else blocks it", "A grant of this action is enough")
    if outcome is DenialRemedy.HELPS_IF:
        yield from (
            DiagnosisPoint(
                "warn", _plain(f"A grant is needed, and works {words}"), "Gatehouse can’t check that"
            )
            for words in _conditions(then, names=names)
        )


def _conditions(verdict: SimulationResult, *, names: bool) -> Iterator[str]:
    """The conditions it depends on; viewers who don't see the account read those of policies they hold, and
    that there are others.
    """
    if names:
        yield from verdict.open_conditions
        return
    own = []
    for leaf in chain.from_iterable(branch.every_leaf for branch in verdict.branches):
        if leaf.held is not None and leaf.mark == OPEN:
            own += [check.words for check in leaf.open_checks if check.words]
    own_words = [words for words in verdict.open_conditions if any(words.endswith(ending) for ending in own)]
    own_words += [words for words in verdict.open_conditions if words in UNREAD]
    yield from dict.fromkeys(own_words)
    if len(set(own_words)) < len(verdict.open_conditions):
        yield "within limits that apply to everyone, such as the Region"


UNREAD: Final = ("if the resource-based policy allows the caller",)


def _why_still_denied(denied: DeniedMessage) -> str:
    if denied.policy_type in (PolicyType.SESSION, PolicyType.ENDPOINT, PolicyType.RESOURCE):
        return f"AWS named a {denied.policy_type}, which Gatehouse doesn’t sync. Ask its owner"
    return "It may have been granted since, or the request had different conditions. Sign in again and retry"


def _stops(then: SimulationResult, denied: DeniedMessage, *, names: bool) -> Iterator[DiagnosisPoint]:
    """What no grant to this principal can change, according to the engine or else to AWS."""
    points = list(_stopping(then, denied, names=names))
    yield from points
    if not points or (_said_otherwise(denied) and not _stopped(then)):
        yield _aws_words(denied, names=names)


def _stopping(then: SimulationResult, denied: DeniedMessage, *, names: bool) -> Iterator[DiagnosisPoint]:
    if not _stopped(then):
        return
    for branch in then.branches[1:]:
        if branch.voice is BranchVoice.DENIES:
            yield DiagnosisPoint("bad", _forbids(branch, names=names), _remedy(branch.kind, denied.action))
        elif branch.voice is BranchVoice.SILENT and branch.kind != "identity":
            yield DiagnosisPoint("bad", _withholds(branch, names=names), _remedy(branch.kind, denied.action))


WHOSE: Final = {
    "scp": "A service control policy (SCP) of the organization",
    "rcp": "A resource control policy (RCP) of the organization",
    "boundary": "The permissions boundary",
    "identity": "Something that {they} hold",
    "resource": "The resource-based policy",
    "session": "The session policy",
    "endpoint": "The VPC endpoint",
}
PLAIN: Final = {
    "scp": "A limit set by the whole organization",
    "rcp": "A limit set by the whole organization",
    "boundary": "The permissions boundary",
    "resource": "The owner of the resource",
}
REMEDIES: Final = {
    "scp": "Only the administrators of the organization can change this, not a grant",
    "rcp": "Only the administrators of the organization can change this, not a grant",
    "boundary": "An administrator of the account can change the boundary. A grant can’t go beyond it",
    "identity": "A deny overrides every grant: the policy with the deny has to change",
    "resource": "The owner of the resource has to allow {them} there",
    "session": "It was set when the role was assumed. Assume the role again without that limit",
    "endpoint": "The network’s owner can change it, or send the request another way",
}
TYPES: Final = {
    PolicyType.SCP: "scp",
    PolicyType.RCP: "rcp",
    PolicyType.BOUNDARY: "boundary",
    PolicyType.IDENTITY: "identity",
    PolicyType.RESOURCE: "resource",
    PolicyType.TRUST: "resource",
    PolicyType.SESSION: "session",
    PolicyType.ENDPOINT: "endpoint",
}


def _forbids(branch: VerdictBranch, *, names: bool) -> str:
    """'The permissions boundary forbids it: Bound, statement 2'."""
    denying = next((leaf for leaf in branch.every_leaf if not leaf.allows), None)
    policy_name = ""
    if denying:
        policy_name = denying.held.policy.name if denying.held else denying.policy
    by = _plain(f": {policy_name}, {denying.label}") if denying and names else ""
    return f"{_whose(branch.kind, names=names)} denies it{by}"


def _withholds(branch: VerdictBranch, *, names: bool) -> str:
    levels = [part.title for part in branch.parts if part.voice is BranchVoice.SILENT]
    by = _plain(f": that of {' and '.join(levels)}") if levels and names else ""
    return f"{_whose(branch.kind, names=names)} doesn’t allow it{by}"


def _plain(text: str) -> str:
    """Text by AWS or from a policy, escaped so that it contains no placeholders."""
    return text.replace("{", "{{").replace("}", "}}")


def _whose(kind: str, *, names: bool) -> str:
    return WHOSE[kind] if names else PLAIN.get(kind, WHOSE[kind])


def _remedy(kind: str, action: str) -> str:
    if kind == "resource" and fold(action) in ASSUMING:
        return "The role has to trust {them}: this needs a change of its trust policy"
    return REMEDIES[kind]


def _aws_words(denied: DeniedMessage, *, names: bool) -> DiagnosisPoint:
    """What AWS reported, if the mirror does not show it."""
    verb = "denies it" if denied.is_explicit else "doesn’t allow it"
    arn = _plain(f": {denied.policy_arn}") if denied.policy_arn and names else ""
    if not denied.policy_type:
        remedy = "A deny overrides every grant, so find the deny first"
        return DiagnosisPoint("bad", f"AWS says: something {verb}{arn}", remedy)
    kind = TYPES[denied.policy_type]
    whose = _whose(kind, names=names)
    remedy = _remedy(kind, denied.action)
    return DiagnosisPoint("bad", f"AWS says: {whose[0].lower()}{whose[1:]} {verb}{arn}", remedy)
