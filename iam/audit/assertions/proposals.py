"""Creates, changes and retires assertions: one person requests it with a reason, another approves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from iam.audit.approval_requests.requests import (
    DECIDES,
    RequestRefusedError,
    check_reason,
    may_in_all,
    requested_columns,
)
from iam.audit.assertions import checks
from iam.audit.assertions.approval_kind import ASSERTION_REQUEST
from iam.audit.assertions.models import (
    AssertionAct,
    AssertionEvent,
    AssertionEventKind,
    AssertionProposal,
    AssertionState,
    AssertionStatus,
    ProposalState,
    StandingAssertion,
)
from iam.audit.assertions.terms import AssertionTerms, errors_in
from iam.directory.approval_words import not_yours_to_decide
from iam.guard import Right, Viewer
from iam.journal.services import record

MAX_NAME = 120


class AssertionRefusedError(RequestRefusedError):
    """Raised if a request or decision is refused."""


@dataclass(frozen=True, slots=True)
class AssertionDraft:
    """The content of a request."""

    name: str
    reason: str
    terms: AssertionTerms
    owner: str = ""


def may_request(viewer: Viewer, terms: AssertionTerms) -> bool:
    """True if the viewer can request an assertion: people who can request changes in all its accounts."""
    return may_in_all(viewer, terms.accounts, Right.REQUEST_CHANGE)


def may_decide(viewer: Viewer, proposal: AssertionProposal, *, is_single: bool) -> bool:
    """True if the viewer can approve or decline: approvers and administrators of all accounts covered before
    and after.

    The requester can't decide, unless there is a single operator.
    """
    bodies = (proposal.terms, proposal.assertion.terms)
    numbers: set[str] = set()
    for body in bodies:
        numbers.update(body["accounts"] or ("",))
    return may_in_all(viewer, numbers, *DECIDES) and proposal.is_decidable_by(viewer, is_single=is_single)


def request_creation(draft: AssertionDraft, *, actor: Viewer, now: datetime) -> StandingAssertion:
    """Request a new assertion. Raises AssertionRefusedError."""
    _check(draft, actor)
    try:
        with transaction.atomic():
            assertion = StandingAssertion.objects.create(
                name=draft.name,
                reason=draft.reason,
                owner=draft.owner,
                terms=draft.terms.to_json(),
                created_at=now,
            )
            _propose(assertion, AssertionAct.CREATE, draft, actor=actor, now=now)
    except IntegrityError:
        raise AssertionRefusedError("There is an assertion with this name already.", field="name") from None
    return assertion


def request_change(
    assertion: StandingAssertion, draft: AssertionDraft, *, actor: Viewer, now: datetime
) -> AssertionProposal:
    """Request other terms, another name or another owner. Raises AssertionRefusedError."""
    _check(draft, actor)
    _check_active(assertion, actor)
    others = StandingAssertion.objects.filter(status__in=("requested", "active")).exclude(pk=assertion.pk)
    if others.filter(name=draft.name).exists():
        raise AssertionRefusedError("There is an assertion with this name already.", field="name")
    is_same = (draft.name, draft.owner, draft.terms.to_json()) == (
        assertion.name,
        assertion.owner,
        assertion.terms,
    )
    if is_same:
        raise AssertionRefusedError("Nothing is changed.")
    return _propose(assertion, AssertionAct.CHANGE, draft, actor=actor, now=now)


def request_retirement(
    assertion: StandingAssertion, *, reason: str, actor: Viewer, now: datetime
) -> AssertionProposal:
    """Request that an assertion is no longer checked. Raises AssertionRefusedError."""
    _check_active(assertion, actor)
    check_reason(reason, AssertionRefusedError)
    draft = AssertionDraft(
        assertion.name, reason, AssertionTerms.from_json(assertion.terms), owner=assertion.owner
    )
    return _propose(assertion, AssertionAct.RETIRE, draft, actor=actor, now=now)


def decide(
    proposal: AssertionProposal, *, is_approved: bool, actor: Viewer, now: datetime, is_single: bool = False
) -> None:
    """Approve or decline a request; a worker then checks approved terms at once. Raises
    AssertionRefusedError.
    """
    if not may_decide(actor, proposal, is_single=is_single):
        raise AssertionRefusedError(not_yours_to_decide())
    if is_approved and (why := ASSERTION_REQUEST.why_not_approve(proposal, actor, is_single=is_single)):
        raise AssertionRefusedError(why)
    state = ProposalState.APPROVED if is_approved else ProposalState.DECLINED
    with transaction.atomic():
        if not proposal.settle(state, actor=actor, now=now):
            raise AssertionRefusedError("Someone else has decided already.")
        assertion = StandingAssertion.objects.select_for_update().get(pk=proposal.assertion_id)
        if is_approved:
            _put_in_force(assertion, proposal, now)
        elif proposal.act == AssertionAct.CREATE:
            assertion.status = AssertionStatus.DECLINED
            assertion.save(update_fields=["status"])
        kind = AssertionEventKind.APPROVED if is_approved else AssertionEventKind.DECLINED
        _note(assertion, kind, proposal, actor=actor, at=now)
        transaction.on_commit(checks.renew_stamp, robust=True)
        transaction.on_commit(checks.nudge, robust=True)


def _put_in_force(assertion: StandingAssertion, proposal: AssertionProposal, now: datetime) -> None:
    if proposal.act == AssertionAct.RETIRE:
        assertion.status, assertion.retired_at = AssertionStatus.RETIRED, now
        assertion.save(update_fields=["status", "retired_at"])
        # Findings follow from the results.
        assertion.results.all().delete()
        return
    if proposal.act == AssertionAct.CHANGE:
        assertion.version += 1
    assertion.status, assertion.active_from = AssertionStatus.ACTIVE, assertion.active_from or now
    assertion.name, assertion.owner, assertion.terms = proposal.name, proposal.owner, proposal.terms
    # The previous results are for other terms.
    assertion.state, assertion.checked_at, assertion.reason = AssertionState.UNKNOWN, None, proposal.reason
    assertion.save()


def _check(draft: AssertionDraft, actor: Viewer) -> None:
    errors: dict[str, str] = {}
    if not draft.name:
        errors["name"] = "Enter a name."
    elif len(draft.name) > MAX_NAME:
        errors["name"] = f"A name has at most {MAX_NAME} characters."
    try:
        check_reason(draft.reason, AssertionRefusedError)
    except AssertionRefusedError as error:
        errors |= error.errors
    for problem in errors_in(draft.terms):
        errors |= problem.errors
    if errors:
        raise AssertionRefusedError.of(errors)
    if not may_request(actor, draft.terms):
        raise AssertionRefusedError("You can’t request this for all of these accounts.", field="accounts")


def _check_active(assertion: StandingAssertion, actor: Viewer) -> None:
    if not may_request(actor, AssertionTerms.from_json(assertion.terms)):
        raise AssertionRefusedError("You can’t request this for all of these accounts.")
    if assertion.status != AssertionStatus.ACTIVE:
        raise AssertionRefusedError("Only an active assertion can be changed or retired.")


def _propose(
    assertion: StandingAssertion, act: AssertionAct, draft: AssertionDraft, *, actor: Viewer, now: datetime
) -> AssertionProposal:
    try:
        with transaction.atomic():
            proposal = AssertionProposal.objects.create(
                assertion=assertion,
                act=act,
                name=draft.name,
                owner=draft.owner,
                terms=draft.terms.to_json(),
                reason=draft.reason,
                **requested_columns(actor, now),
            )
            _note(assertion, AssertionEventKind.REQUESTED, proposal, actor=actor, at=now)
            ASSERTION_REQUEST.tell(proposal, at=now)
    except IntegrityError:
        raise AssertionRefusedError("Another request about this assertion waits for approval.") from None
    return proposal


def _note(
    assertion: StandingAssertion,
    kind: AssertionEventKind,
    proposal: AssertionProposal,
    *,
    actor: Viewer,
    at: datetime,
) -> None:
    """Add an event to the history and an entry to the journal."""
    detail: dict[str, Any] = {"act": proposal.act}
    AssertionEvent.objects.create(
        assertion=assertion, at=at, kind=kind, actor=actor.name, reason=proposal.reason, detail=detail
    )
    record(
        kind=f"assertion.{kind.value}",
        actor=actor,
        subject=proposal.name,
        data={"act": proposal.act, "terms": proposal.terms, "reason": proposal.reason},
    )
