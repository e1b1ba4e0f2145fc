"""Records attestations, and requests for what needs a second person: exceptions, compensating controls, not
applicable.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from iam.audit.approval_requests.requests import (
    DECIDES,
    MAX_REASON,
    RequestRefusedError,
    may_in_all,
    requested_columns,
)
from iam.audit.frameworks import summaries
from iam.audit.frameworks.approval_kind import REQUIREMENT_REQUEST
from iam.audit.frameworks.definitions import ControlFramework, FrameworkRequirement
from iam.audit.frameworks.judgement import DECISION_LABELS, NEEDS_APPROVAL, DecisionKind
from iam.audit.frameworks.models import (
    AssessmentMark,
    ComplianceScope,
    DecisionState,
    RequirementDecision,
)
from iam.audit.frameworks.terms import EVERYTHING, ScopeTerms
from iam.directory.approval_words import not_yours_to_decide
from iam.guard import Viewer
from iam.journal.services import record

LEAST_REASON: Final = 10
LONGEST: Final = timedelta(days=366)
NOT_ALLOWED: Final = "Only approvers and administrators of all accounts in the scope can do this."


class DecisionRefusedError(RequestRefusedError):
    """Raised if a decision or request is refused."""


@dataclass(frozen=True, slots=True)
class DecisionDraft:
    """The content of a decision or request."""

    kind: str
    reason: str
    until: datetime | None


def may_decide_in(viewer: Viewer, scope: ComplianceScope | None) -> bool:
    """True if the viewer is approver or administrator of all accounts of a scope."""
    terms = ScopeTerms.from_json(scope.terms) if scope else EVERYTHING
    return may_in_all(viewer, terms.accounts, *DECIDES)


def may_approve(viewer: Viewer, decision: RequirementDecision, *, is_single: bool) -> bool:
    """True if the viewer can approve or decline a request. They can't decide on their own, unless there is a
    single operator.
    """
    return decision.is_decidable_by(viewer, is_single=is_single) and may_decide_in(viewer, decision.scope)


def kinds_of(requirement: FrameworkRequirement, *, applies: bool) -> list[DecisionKind]:
    """Return the possible decisions about a requirement. `applies` is True if someone decided that it
    applies.
    """
    if requirement.not_applicable and not applies:
        return [DecisionKind.APPLIES]
    kinds = [DecisionKind.MET, DecisionKind.NOT_MET]
    if requirement.has_exception:
        kinds.append(DecisionKind.EXCEPTION)
    return [*kinds, DecisionKind.COMPENSATING, DecisionKind.NOT_APPLICABLE]


def decide(
    framework: ControlFramework,
    requirement: FrameworkRequirement,
    scope: ComplianceScope | None,
    draft: DecisionDraft,
    *,
    actor: Viewer,
    now: datetime,
) -> RequirementDecision:
    """Attest at once, or request what a second person must approve. Raises DecisionRefusedError."""
    if not may_decide_in(actor, scope):
        raise DecisionRefusedError(NOT_ALLOWED)
    until = _checked(requirement, draft, now)
    state, event = DecisionState.IN_FORCE, "attested"
    from_at: datetime | None = now
    is_request = draft.kind in NEEDS_APPROVAL
    if is_request:
        state, from_at, event = DecisionState.REQUESTED, None, "requested"
    covers: list[str] = []
    if draft.kind == DecisionKind.EXCEPTION:
        results = summaries.judged(framework, scope, summaries.kept_parts(framework, scope), at=now)
        covers = list(results[requirement.number].failing)
        if not covers:
            raise DecisionRefusedError("Nothing fails, so there is nothing to except.", field="kind")
    with transaction.atomic():
        if not is_request:
            _end_others(framework, requirement, scope, draft.kind, actor=actor, now=now)
        try:
            with transaction.atomic():
                decision = RequirementDecision.objects.create(
                    framework=framework.name,
                    requirement=requirement.number,
                    scope=scope,
                    kind=draft.kind,
                    state=state,
                    reason=draft.reason,
                    covers=covers,
                    until=until,
                    **requested_columns(actor, now),
                    from_at=from_at,
                )
        except IntegrityError:
            raise DecisionRefusedError("The same is requested already.", field="kind") from None
        _note(event, decision, actor=actor)
        if is_request:
            REQUIREMENT_REQUEST.tell(decision, at=now)
        _follow(framework, scope, now)
    return decision


def _checked(requirement: FrameworkRequirement, draft: DecisionDraft, now: datetime) -> datetime:
    """Validate a draft and return its end. Raises DecisionRefusedError with all that is wrong."""
    problems: dict[str, str] = {}
    if draft.kind == DecisionKind.EXCEPTION and not requirement.has_exception:
        problems["kind"] = "The standard allows no exception here."
    if draft.kind == DecisionKind.APPLIES and not requirement.not_applicable:
        problems["kind"] = "It applies anyway."
    if draft.kind not in DECISION_LABELS:
        problems["kind"] = "Choose what you decide."
    if len(draft.reason) < LEAST_REASON:
        problems["reason"] = "Say what you looked at, so that an assessor understands it."
    if len(draft.reason) > MAX_REASON:
        problems["reason"] = f"Use at most {MAX_REASON:,} characters."
    if draft.until is None:
        problems["until"] = "Choose a date until which it is valid."
    elif draft.until <= now:
        problems["until"] = "The date must be in the future."
    elif draft.until > now + LONGEST:
        problems["until"] = "Choose a date within a year."
    if draft.until is None or problems:
        raise DecisionRefusedError.of(problems)
    return draft.until


def _end_others(
    framework: ControlFramework,
    requirement: FrameworkRequirement,
    scope: ComplianceScope | None,
    kind: str,
    *,
    actor: Viewer,
    now: datetime,
) -> None:
    """End the previous attestation, which the new one replaces."""
    kinds = (DecisionKind.MET, DecisionKind.NOT_MET)
    if kind not in kinds:
        return
    before = RequirementDecision.objects.filter(
        framework=framework.name, requirement=requirement.number, scope=scope, kind__in=kinds, ended_at=None
    )
    before.update(state=DecisionState.ENDED, ended_at=now, ended_name=actor.name)


def answer(
    decision: RequirementDecision,
    framework: ControlFramework,
    *,
    is_approved: bool,
    actor: Viewer,
    now: datetime,
    is_single: bool = False,
) -> None:
    """Approve or decline a request. Raises DecisionRefusedError."""
    if not may_approve(actor, decision, is_single=is_single):
        raise DecisionRefusedError(not_yours_to_decide())
    if is_approved and (why := REQUIREMENT_REQUEST.why_not_approve(decision, actor, is_single=is_single)):
        raise DecisionRefusedError(why)
    if is_approved and decision.until <= now:
        raise DecisionRefusedError("The date has passed. Decline this request, and request another date.")
    state, event = DecisionState.DECLINED, "declined"
    from_at: datetime | None = None
    if is_approved:
        state, from_at, event = DecisionState.IN_FORCE, now, "approved"
    with transaction.atomic():
        if not decision.settle(state, actor=actor, now=now, from_at=from_at):
            raise DecisionRefusedError("Someone else has decided already.")
        _note(event, decision, actor=actor)
        _follow(framework, decision.scope, now)


def end(decision: RequirementDecision, framework: ControlFramework, *, actor: Viewer, now: datetime) -> None:
    """End a decision in force, or withdraw a request. Raises DecisionRefusedError."""
    if not may_decide_in(actor, decision.scope):
        raise DecisionRefusedError(NOT_ALLOWED)
    states = (DecisionState.IN_FORCE, DecisionState.REQUESTED)
    with transaction.atomic():
        current = RequirementDecision.objects.filter(pk=decision.pk, state__in=states)
        if not current.update(state=DecisionState.ENDED, ended_at=now, ended_name=actor.name):
            raise DecisionRefusedError("It has ended already.")
        _note("ended", decision, actor=actor)
        _follow(framework, decision.scope, now)


def mark_assessment(
    framework: ControlFramework, scope: ComplianceScope | None, *, actor: Viewer, now: datetime
) -> AssessmentMark:
    """Record that the framework was assessed in its current state. Raises DecisionRefusedError."""
    if not may_decide_in(actor, scope):
        raise DecisionRefusedError(NOT_ALLOWED)
    with transaction.atomic():
        results = summaries.summarize(framework, scope, now=now)
        counts = dict(Counter(result.state.value for result in results.values()))
        mark = AssessmentMark.objects.create(
            framework=framework.name,
            scope=scope,
            at=now,
            by=actor.person_id,
            by_name=actor.name,
            counts=counts,
        )
        data = {"scope": scope.name if scope else "", "counts": counts}
        record(kind="framework.assessed", actor=actor, subject=framework.name, data=data)
    return mark


def _follow(framework: ControlFramework, scope: ComplianceScope | None, now: datetime) -> None:
    """Update the results that the decision affects. A worker updates other scopes."""
    summaries.summarize(framework, scope, now=now)
    transaction.on_commit(summaries.nudge, robust=True)


def _note(what: str, decision: RequirementDecision, *, actor: Viewer) -> None:
    """Add an entry to the journal."""
    record(
        kind=f"requirement.{what}",
        actor=actor,
        subject=f"{decision.framework} {decision.requirement}",
        data={
            "decision": decision.kind,
            "scope": decision.scope.name if decision.scope else "",
            "reason": decision.reason,
            "until": decision.until.isoformat(),
            "covers": len(decision.covers),
        },
    )
