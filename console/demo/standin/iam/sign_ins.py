"""The maximum duration of a sign-in: the parameters that roles and console passwords share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from console.demo.standin.errors import AnswerError

SHORTEST, LONGEST = 3600, 7_776_000


def asked_sign_in(parameter: Callable[[str], Any]) -> tuple[bool, int | None]:
    """Return whether a request changes the maximum sign-in duration, and the new value in seconds (None for
    not set). Raises InvalidInput or ValidationError.
    """
    seconds = parameter("MaxSigninSessionDuration")
    is_reset = bool(parameter("ResetMaxSigninSessionDuration"))
    if is_reset and seconds is not None:
        raise AnswerError(
            "InvalidInput", "MaxSigninSessionDuration and ResetMaxSigninSessionDuration exclude each other."
        )
    if seconds is not None and not SHORTEST <= int(seconds) <= LONGEST:
        raise AnswerError(
            "ValidationError", f"MaxSigninSessionDuration must be between {SHORTEST} and {LONGEST}."
        )
    return is_reset or seconds is not None, None if is_reset or seconds is None else int(seconds)
