"""Why a message could not be sent."""

from __future__ import annotations

import ssl


class DeliveryError(Exception):
    """The message was not sent. `is_final` means that a retry would not help. The text never contains a
    secret URL.
    """

    def __init__(self, message: str, *, is_final: bool = False) -> None:
        super().__init__(message)
        self.is_final = is_final


def reason_of(error: Exception) -> str:
    """Return why a host can’t be reached, in a few words without its address."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror[0].lower() + error.strerror[1:]
    return "connection closed" if isinstance(error, ConnectionError) else type(error).__name__
