"""Why a message could not be sent."""

from __future__ import annotations


class DeliveryError(Exception):
    """The message did not go out; `is_final`: trying again would not help. The text never holds a secret
    address.
    """

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final
