"""Whether a name in AWS still means what was approved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from iam.aws.errors import AwsError, ErrorKind

T = TypeVar("T")


def lost_identity(what: str, current: str | None, *, expected: str, missing: str = "no longer exists") -> str:
    """Why `what` is not what was approved (deleted, made again), in a sentence, or "".

    `current` is its unique id of now, None where there is none. Without an expected id it is enough that it
    exists.
    """
    if current is None:
        return f"{what} {missing} in AWS."
    if expected and current != expected:
        return f"{what} was deleted and recreated: its ID is now {current}, not {expected}."
    return ""


def found_or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except AwsError as error:
        if error.kind is not ErrorKind.NOT_FOUND:
            raise
    return None
