"""Errors of the change services, with messages for the requester."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self, TypeVar

if TYPE_CHECKING:
    from iam.changes.models import Change

T = TypeVar("T")


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
    """Raised for invalid answers; `errors` has the message of each wrong field by its name, and `message` and
    `field` are the first of them.
    """

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field
        self.errors = {field: message}

    @classmethod
    def of(cls, errors: Mapping[str, str]) -> Self:
        """Return the error of several fields."""
        field, message = next(iter(errors.items()))
        error = cls(message, field=field)
        error.errors = dict(errors)
        return error


class FieldChecks:
    """Collects what is wrong with the fields of a form, so that all of it is refused at once.

    A field keeps the first message it gets; `errors` are those that the form already has.
    """

    def __init__(self, errors: Mapping[str, str] | None = None) -> None:
        self.errors = dict(errors or {})

    def add(self, field: str, message: str) -> None:
        """Note what is wrong with a field."""
        self.errors.setdefault(field, message)

    def collect(self, check: Callable[[], T]) -> T | None:
        """Run a check, and note what it says about fields; the result is then None. Other refusals are
        raised.
        """
        try:
            return check()
        except FieldError as error:
            for field, message in error.errors.items():
                self.add(field, message)
            return None

    def finish(self) -> None:
        """Raise FieldError if anything is wrong."""
        if self.errors:
            raise FieldError.of(self.errors)


def field_errors(error: RefusedError | None) -> dict[str, str]:
    """The messages by field; none for an error of the whole form."""
    return error.errors if isinstance(error, FieldError) else {}
