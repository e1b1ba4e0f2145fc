"""Adds, changes and removes CloudTrail sources: one person requests it with a reason, another approves."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction

from iam.activity.sources import services
from iam.activity.sources.models import TrailSource
from iam.activity.sources.services import SourceTerms
from iam.audit.approval_requests.requests import (
    DECIDES,
    RequestState,
    check_reason,
    may_in_all,
    requested_columns,
)
from iam.audit.source_requests.approval_kind import SOURCE_REQUEST
from iam.audit.source_requests.models import SourceAct, SourceRequest
from iam.directory.approval_words import not_yours_to_decide
from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models import Account

ANY_ACCOUNT: Final = ""


class SourceRequestRefusedError(SetupError):
    """Raised if a request is refused; `field` is the form field, or "" for the whole form."""


def may_request(viewer: Viewer) -> bool:
    """True if the viewer manages all accounts."""
    return viewer.may(Right.MANAGE_ACCOUNTS, account_id=ANY_ACCOUNT)


def may_decide(viewer: Viewer, row: SourceRequest, *, is_single: bool) -> bool:
    """True if the viewer can approve or decline: approvers and administrators of all accounts.

    The requester can't decide, unless there is a single operator.
    """
    return may_in_all(viewer, (), *DECIDES) and row.is_decidable_by(viewer, is_single=is_single)


def terms_to_json(terms: SourceTerms) -> dict[str, str]:
    """The terms as JSON, with the account ID."""
    return {
        "kind": str(terms.kind),
        "account": terms.account.account_id,
        "since": terms.since.isoformat(),
        "bucket": terms.bucket,
        "prefix": terms.prefix,
        "region": terms.region,
        "queue_url": terms.queue_url,
    }


def terms_from_json(values: Mapping[str, Any]) -> SourceTerms:
    """Parse the terms. Raises SourceRequestRefusedError if the account is no longer connected."""
    account = Account.objects.filter(account_id=values["account"], removed_at__isnull=True).first()
    if account is None:
        raise SourceRequestRefusedError("The account whose role reads is no longer connected.")
    return SourceTerms(**{**values, "account": account, "since": date.fromisoformat(values["since"])})


def request_addition(terms: SourceTerms, *, reason: str, actor: Viewer, now: datetime) -> SourceRequest:
    """Request a new source. Raises SetupError, which names the field."""
    checked = services.checked_terms(terms)
    services.check_is_new(checked)
    return _request(SourceAct.ADD, None, terms=checked, reason=reason, actor=actor, now=now)


def request_change(
    source: TrailSource, terms: SourceTerms, *, reason: str, actor: Viewer, now: datetime
) -> SourceRequest:
    """Request that a source reads something else or uses another role. Raises SetupError."""
    checked = services.checked_terms(terms)
    if checked == services.terms_of(source):
        raise SourceRequestRefusedError("Nothing is changed.")
    services.check_is_new(checked, but=source)
    return _request(SourceAct.CHANGE, source, terms=checked, reason=reason, actor=actor, now=now)


def request_removal(source: TrailSource, *, reason: str, actor: Viewer, now: datetime) -> SourceRequest:
    """Request that a source is no longer read. Raises SourceRequestRefusedError."""
    return _request(SourceAct.REMOVE, source, terms=None, reason=reason, actor=actor, now=now)


def waiting_request(source: TrailSource) -> SourceRequest | None:
    """The undecided request about a source, or None."""
    return SourceRequest.objects.filter(source=source, state=RequestState.REQUESTED).first()


def decide(
    row: SourceRequest, *, is_approved: bool, actor: Viewer, now: datetime, is_single: bool = False
) -> SourceRequest:
    """Approve or decline a request. An approved request is applied at once. Raises SetupError, and then
    decides nothing.
    """
    if not may_decide(actor, row, is_single=is_single):
        raise SourceRequestRefusedError(not_yours_to_decide())
    if is_approved and (why := SOURCE_REQUEST.why_not_approve(row, actor, is_single=is_single)):
        raise SourceRequestRefusedError(why)
    with transaction.atomic():
        locked = SourceRequest.objects.select_for_update(of=("self",)).select_related("source").get(pk=row.pk)
        if locked.state != RequestState.REQUESTED:
            raise SourceRequestRefusedError("Someone else has decided already.")
        locked.state, act = RequestState.DECLINED, "decline"
        if is_approved:
            locked.state, act = RequestState.APPROVED, "approve"
            locked.source = _carry_out(locked, actor)
        locked.enter_decision(actor=actor, now=now)
        locked.save()
        _note(locked, act, actor)
    return locked


def _carry_out(row: SourceRequest, actor: Viewer) -> TrailSource:
    """Apply the request. The journal names requester and approver."""
    if row.source is None:
        return services.add_source(terms_from_json(row.terms), actor=actor, requested_by=row.requested_name)
    if row.source.removed_at is not None:
        raise SourceRequestRefusedError("The source is removed already.")
    if row.act == SourceAct.REMOVE:
        services.remove_source(row.source, actor=actor, requested_by=row.requested_name)
    else:
        services.change_source(
            row.source, terms_from_json(row.terms), actor=actor, requested_by=row.requested_name
        )
    return row.source


def _request(
    act: SourceAct,
    source: TrailSource | None,
    *,
    terms: SourceTerms | None,
    reason: str,
    actor: Viewer,
    now: datetime,
) -> SourceRequest:
    if not may_request(actor):
        raise PermissionDenied("You don’t have permission to manage CloudTrail sources.")
    check_reason(reason, SourceRequestRefusedError)
    after: dict[str, str] = {}
    before: dict[str, str] = {}
    name = str(source)
    if terms is not None:
        after, name = terms_to_json(terms), str(services.source_of(terms))
    if source is not None:
        before, name = terms_to_json(services.terms_of(source)), str(source)
    try:
        with transaction.atomic():
            row: SourceRequest = SourceRequest.objects.create(
                act=act,
                source=source,
                name=name[:300],
                terms=after,
                before=before,
                reason=reason,
                **requested_columns(actor, now),
            )
            _note(row, "request", actor)
            SOURCE_REQUEST.tell(row, at=now)
    except IntegrityError:
        raise SourceRequestRefusedError("Another request about this source waits for approval.") from None
    return row


def _note(row: SourceRequest, act: str, actor: Viewer) -> None:
    record(
        kind=f"trail_source.{act}",
        actor=actor,
        subject=row.name,
        data={"request": str(row.pk), "act": row.act, "terms": row.terms, "reason": row.reason},
    )
