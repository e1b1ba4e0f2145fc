"""Errors of the change services, with messages for the requester."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iam.changes.models import Change


class RefusedError(Exception):
    """Raised if a rule forbids the request; nothing was written. The message is a sentence for the person.

    `change` is the change that prevents it, if there is one.
    """

    def __init__(self, message: str, *, change: Change | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.change = change


class ReceiptChangedError(RefusedError):
    """Raised if the effect of a change is no longer what the approver saw, so that they must decide again."""


class FieldError(RefusedError):
    """Raised for an invalid answer; `field` is the name of its field."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def field_errors(error: RefusedError | None) -> dict[str, str]:
    """The message by field; under "" for an error of the whole form."""
    return {error.field: error.message} if isinstance(error, FieldError) else {}
