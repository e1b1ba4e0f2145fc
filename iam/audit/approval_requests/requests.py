"""The base of requests that another person decides on: columns, deciders and refusals."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, Self

from django.db import models

from iam.guard import Right, Viewer

DECIDES: Final = (Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
MAX_REASON: Final = 1000


class RequestState(models.TextChoices):
    """The status of a request."""

    REQUESTED = "requested", "Waiting for approval"
    APPROVED = "approved", "Approved"
    DECLINED = "declined", "Declined"


class RequestRefusedError(Exception):
    """Raised if a request is refused; `field` is the form field, or "" for the whole form, and `errors` has
    the message of each wrong field.
    """

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message, self.field = message, field
        self.errors = {field: message}

    @classmethod
    def of(cls, errors: Mapping[str, str]) -> Self:
        """Return the error of several fields."""
        field, message = next(iter(errors.items()))
        error = cls(message, field=field)
        error.errors = dict(errors)
        return error


class DecidedRequest(models.Model):
    """The columns of a request and its decision. Requesters never decide their own requests, except for a
    single operator.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    reason = models.CharField(max_length=MAX_REASON)
    requested_by = models.UUIDField()
    requested_name = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    decided_by = models.UUIDField(null=True)
    decided_name = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    def is_decidable_by(self, viewer: Viewer, *, is_single: bool) -> bool:
        """True if the viewer is not the requester, or is the single operator."""
        return is_single or viewer.person_id != self.requested_by

    def settle(self, state: str, *, actor: Viewer, now: datetime, **more: Any) -> bool:
        """Store the decision. Returns False if someone has decided already."""
        # The state column belongs to the subclass.
        waiting = {"pk": self.pk, "state": RequestState.REQUESTED}
        columns = {"state": state, **_decided(actor, now), **more}
        return bool(type(self)._default_manager.filter(**waiting).update(**columns))

    def enter_decision(self, *, actor: Viewer, now: datetime) -> None:
        """Set the decision on a locked row; the caller saves it."""
        for column, value in _decided(actor, now).items():
            setattr(self, column, value)


def requested_columns(actor: Viewer, now: datetime) -> dict[str, Any]:
    """The columns for requester and time."""
    return {"requested_by": actor.person_id, "requested_name": actor.name, "requested_at": now}


def _decided(actor: Viewer, now: datetime) -> dict[str, Any]:
    return {"decided_by": actor.person_id, "decided_name": actor.name, "decided_at": now}


def may_in_all(viewer: Viewer, numbers: Collection[str], *rights: Right) -> bool:
    """True if the viewer sees each account whole and has one of the rights in it.

    No numbers, or "", means all accounts.
    """
    for number in numbers or ("",):
        sees = viewer.scope.sees_account(number) if number else viewer.scope.sees_everything
        if not sees or not any(viewer.may(right, account_id=number) for right in rights):
            return False
    return True


def check_reason(reason: str, refusal: Callable[..., Exception]) -> None:
    """Raise the refusal if the reason is missing or too long."""
    if not reason:
        raise refusal("Give a reason. The approver and auditors see it.", field="reason")
    if len(reason) > MAX_REASON:
        raise refusal(f"Use at most {MAX_REASON:,} characters.", field="reason")
