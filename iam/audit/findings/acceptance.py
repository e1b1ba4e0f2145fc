"""Lets people accept a finding until a date: one person requests it with a reason, another approves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from iam.audit.approval_requests.requests import (
    DECIDES,
    MAX_REASON,
    RequestRefusedError,
    RequestState,
    requested_columns,
)
from iam.audit.findings.approval_kind import ACCEPTANCE_REQUEST
from iam.audit.findings.models import (
    AuditFinding,
    FindingAcceptance,
    FindingEvent,
    FindingEventKind,
    FindingStatus,
)
from iam.directory.approval_words import not_yours_to_decide
from iam.guard import Right, Viewer
from iam.journal.services import record

LONGEST: Final = timedelta(days=365)


class AcceptanceError(RequestRefusedError):
    """Raised if a request or decision is refused."""


def may_request(viewer: Viewer, finding: AuditFinding) -> bool:
    """True if the viewer can request the acceptance of an open finding."""
    return viewer.may(Right.REQUEST_CHANGE, account_id=finding.account.account_id)


def may_decide(viewer: Viewer, acceptance: FindingAcceptance, *, is_single: bool) -> bool:
    """True if the viewer can approve or decline: approvers and administrators of the account.

    Requesters can't decide their own requests, unless there is a single operator.
    """
    number = acceptance.finding.account.account_id
    decides = any(viewer.may(right, account_id=number) for right in DECIDES)
    return decides and acceptance.is_decidable_by(viewer, is_single=is_single)


def request_acceptance(
    finding: AuditFinding, *, until: datetime, reason: str, actor: Viewer, now: datetime
) -> FindingAcceptance:
    """Request that a finding is accepted. Raises AcceptanceError."""
    if not may_request(actor, finding):
        raise AcceptanceError("You can’t request this for the account.")
    if finding.status != FindingStatus.OPEN:
        raise AcceptanceError("Only an open finding can be accepted.")
    if problems := problems_of(until, reason, now=now):
        raise AcceptanceError.of(problems)
    with transaction.atomic():
        try:
            with transaction.atomic():
                acceptance = FindingAcceptance.objects.create(
                    finding=finding,
                    until=until,
                    reason=reason,
                    **requested_columns(actor, now),
                )
        except IntegrityError:
            raise AcceptanceError("Acceptance of this finding is requested already.") from None
        _note(finding, FindingEventKind.REQUESTED, actor=actor, at=now, reason=reason, until=until)
        ACCEPTANCE_REQUEST.tell(acceptance, at=now)
    return acceptance


def problems_of(until: datetime | None, reason: str, *, now: datetime) -> dict[str, str]:
    """Return what is wrong with a request, by field; `until` None is a date that can't be read."""
    problems: dict[str, str] = {}
    if until is None:
        problems["until"] = "Enter a date, such as 2026-12-31."
    elif until <= now:
        problems["until"] = "The date must be in the future."
    elif until > now + LONGEST:
        problems["until"] = "Choose a date within a year."
    if not reason:
        problems["reason"] = "Give a reason."
    elif len(reason) > MAX_REASON:
        problems["reason"] = f"Use at most {MAX_REASON:,} characters."
    return problems


def decide(
    acceptance: FindingAcceptance, *, is_approved: bool, actor: Viewer, now: datetime, is_single: bool = False
) -> None:
    """Approve or decline the acceptance. Raises AcceptanceError."""
    if not may_decide(actor, acceptance, is_single=is_single):
        raise AcceptanceError(not_yours_to_decide())
    if is_approved and (why := ACCEPTANCE_REQUEST.why_not_approve(acceptance, actor, is_single=is_single)):
        raise AcceptanceError(why)
    if is_approved and acceptance.until <= now:
        raise AcceptanceError("The date has passed. Decline this request, and request another date.")
    finding = acceptance.finding
    state = RequestState.APPROVED if is_approved else RequestState.DECLINED
    kind = FindingEventKind.ACCEPTED if is_approved else FindingEventKind.DECLINED
    with transaction.atomic():
        if not acceptance.settle(state, actor=actor, now=now):
            raise AcceptanceError("Someone else has decided already.")
        if is_approved:
            still_open = AuditFinding.objects.filter(pk=finding.pk, status=FindingStatus.OPEN)
            if not still_open.update(
                status=FindingStatus.ACCEPTED, accepted_until=acceptance.until, changed_at=now
            ):
                raise AcceptanceError("The finding isn’t open any longer.")
        _note(finding, kind, actor=actor, at=now, reason=acceptance.reason, until=acceptance.until)


def end(finding: AuditFinding, *, actor: Viewer, now: datetime) -> None:
    """Reopen an accepted finding before its date. Raises AcceptanceError."""
    if not may_request(actor, finding):
        raise AcceptanceError("You can’t request this for the account.")
    with transaction.atomic():
        accepted = AuditFinding.objects.filter(pk=finding.pk, status=FindingStatus.ACCEPTED)
        if not accepted.update(status=FindingStatus.OPEN, accepted_until=None, changed_at=now):
            raise AcceptanceError("The finding isn’t accepted.")
        _note(finding, FindingEventKind.ENDED, actor=actor, at=now)


def _note(
    finding: AuditFinding,
    kind: FindingEventKind,
    *,
    actor: Viewer,
    at: datetime,
    reason: str = "",
    until: datetime | None = None,
) -> None:
    """Add an event to the history and an entry to the journal."""
    FindingEvent.objects.create(
        finding=finding, at=at, kind=kind, actor=actor.name, reason=reason, until=until
    )
    record(
        kind=f"finding.{kind.value}",
        actor=actor,
        subject=finding.name,
        account_id=finding.account.account_id,
        data={
            "finding": finding.kind,
            "arn": finding.subject,
            "reason": reason,
            "until": until.isoformat() if until else "",
        },
    )
