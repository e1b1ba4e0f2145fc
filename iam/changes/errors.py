"""What the services of the change pipeline refuse, in words for the person who asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from iam.changes.models import Change


class RefusedError(Exception):
    """A rule forbids what was asked; the message is a sentence for the person. Nothing was written.

    `change` is the change that stands in the way, where there is one.
    """

    def __init__(self, message: str, *, change: Change | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.change = change


class ReceiptChangedError(RefusedError):
    """What the change would do is no longer what the approver was shown: they must look, and decide again."""


class FieldError(RefusedError):
    """An answer that cannot be used; `field` is whose."""

    def __init__(self, message: str, *, field: str) -> None:
        super().__init__(message)
        self.field = field


def field_errors(error: RefusedError | None) -> dict[str, str]:
    """The message by its field; empty for an error of the whole form."""
    return {error.field: error.message} if isinstance(error, FieldError) else {}
