"""Requests separation-of-duties rules and their retirement: one person requests with a reason, another
approves.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction

from iam.audit.approval_requests.requests import (
    DECIDES,
    MAX_REASON,
    RequestRefusedError,
    may_in_all,
    requested_columns,
)
from iam.audit.reviews.approval_kinds import DUTIES_REQUEST
from iam.audit.reviews.duties import InvalidDutiesError, SodTerms, check
from iam.audit.reviews.models import SodRule, SodStatus
from iam.directory.approval_words import not_yours_to_decide
from iam.guard import Right, Viewer
from iam.journal.services import record

MAX_NAME: Final = 120


class RuleRefusedError(RequestRefusedError):
    """Raised if a request or decision is refused."""


@dataclass(frozen=True, slots=True)
class RuleDraft:
    """The content of a request."""

    name: str
    reason: str
    terms: SodTerms


def is_visible(viewer: Viewer, rule: SodRule) -> bool:
    """True if the viewer sees an account that the rule covers."""
    numbers = SodTerms.from_json(rule.terms).accounts
    return viewer.sees_accounts and (
        not numbers or any(viewer.scope.sees_account(number) for number in numbers)
    )


def may_request(viewer: Viewer, terms: SodTerms) -> bool:
    """True if the viewer can request a rule: people who can request changes in all its accounts."""
    return may_in_all(viewer, terms.accounts, Right.REQUEST_CHANGE)


def is_waiting(rule: SodRule) -> bool:
    """True if a request about the rule waits for a decision."""
    is_retiring = rule.status == SodStatus.ACTIVE and bool(rule.retirement_reason)
    return rule.status == SodStatus.REQUESTED or is_retiring


def may_decide(viewer: Viewer, rule: SodRule, *, is_single: bool) -> bool:
    """True if the viewer can approve or decline: approvers and administrators of all its accounts.

    The requester can't decide, unless there is a single operator.
    """
    decides = may_in_all(viewer, SodTerms.from_json(rule.terms).accounts, *DECIDES)
    return decides and rule.is_decidable_by(viewer, is_single=is_single)


def request_rule(draft: RuleDraft, *, actor: Viewer, now: datetime) -> SodRule:
    """Request a rule. Raises RuleRefusedError."""
    errors: dict[str, str] = {}
    if not draft.name or len(draft.name) > MAX_NAME:
        errors["name"] = f"Enter a name of at most {MAX_NAME} characters."
    try:
        _check_reason(draft.reason)
    except RuleRefusedError as error:
        errors |= error.errors
    try:
        check(draft.terms)
    except InvalidDutiesError as error:
        errors |= error.errors
    if errors:
        raise RuleRefusedError.of(errors)
    if not may_request(actor, draft.terms):
        raise RuleRefusedError("You can’t request this for all of these accounts.", field="accounts")
    try:
        with transaction.atomic():
            rule: SodRule = SodRule.objects.create(
                name=draft.name,
                reason=draft.reason,
                terms=draft.terms.to_json(),
                created_at=now,
                **requested_columns(actor, now),
            )
            _note(rule, "sod.request", actor, draft.reason)
            DUTIES_REQUEST.tell(rule, at=now)
    except IntegrityError:
        raise RuleRefusedError("There is a rule with this name already.", field="name") from None
    return rule


def request_retirement(rule: SodRule, *, reason: str, actor: Viewer, now: datetime) -> None:
    """Request that a rule is no longer checked. Raises RuleRefusedError."""
    _check_reason(reason)
    if not may_request(actor, SodTerms.from_json(rule.terms)):
        raise RuleRefusedError("You can’t request this for all of these accounts.")
    with transaction.atomic():
        active = SodRule.objects.filter(pk=rule.pk, status=SodStatus.ACTIVE, retirement_reason="")
        if not active.update(retirement_reason=reason, **requested_columns(actor, now)):
            raise RuleRefusedError("Only an active rule of which nothing is requested can be retired.")
        _note(rule, "sod.request_retirement", actor, reason)
        rule.refresh_from_db()
        DUTIES_REQUEST.tell(rule, at=now)


def decide(
    rule: SodRule, *, is_approved: bool, actor: Viewer, now: datetime, is_single: bool = False
) -> None:
    """Approve or decline the request. Raises RuleRefusedError."""
    if not may_decide(actor, rule, is_single=is_single):
        raise RuleRefusedError(not_yours_to_decide())
    if is_approved and (why := DUTIES_REQUEST.why_not_approve(rule, actor, is_single=is_single)):
        raise RuleRefusedError(why)
    with transaction.atomic():
        locked = SodRule.objects.select_for_update().get(pk=rule.pk)
        if not is_waiting(locked):
            raise RuleRefusedError("Someone else has decided already.")
        if locked.status == SodStatus.REQUESTED:
            locked.status = SodStatus.ACTIVE if is_approved else SodStatus.DECLINED
        elif is_approved:
            locked.status = SodStatus.RETIRED
        if not (is_approved and locked.status == SodStatus.RETIRED):
            locked.retirement_reason = ""
        locked.enter_decision(actor=actor, now=now)
        locked.save()
        kind = "sod.approve" if is_approved else "sod.decline"
        _note(locked, kind, actor, "")


def _check_reason(reason: str) -> None:
    if not reason or len(reason) > MAX_REASON:
        raise RuleRefusedError("Give a reason. The approver and auditors see it.", field="reason")


def _note(rule: SodRule, kind: str, actor: Viewer, reason: str) -> None:
    record(
        kind=kind,
        actor=actor,
        subject=rule.name,
        data={"rule": rule.pk, "terms": rule.terms, "reason": reason},
    )
