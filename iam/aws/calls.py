"""Call an AWS operation by its AWS name. Every failure is raised as AwsError."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from iam.aws.errors import AwsError, map_errors
from iam.aws.raw_lists import BROKEN_OFF, MALFORMED, malformed

T = TypeVar("T")


_ATTEMPTS = 5
_RETRY_AFTER_S = 0.2
_ONLY_READS = ("Get", "List", "Describe", "Generate", "Lookup")


def invoke(client: Any, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parsed response of an operation ("ListMFADevices"). AwsError if the call fails or the
    response is unreadable.

    botocore retries throttled calls, unavailable services and lost connections. This function retries after a
    damaged response if the operation only reads.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _invoke(client, operation, parameters)
        except AwsError as error:
            is_damaged = error.code in (MALFORMED, BROKEN_OFF)
            if not is_damaged or attempt == _ATTEMPTS or not operation.startswith(_ONLY_READS):
                raise
            time.sleep(_RETRY_AFTER_S * 2**attempt * random.random())  # noqa: S311
    raise AssertionError("unreachable")


def _invoke(client: Any, operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Make one attempt. botocore raises KeyError and ValueError for a well-formed body that is not the
    expected response.
    """
    action = f"{client.meta.service_model.service_name}:{operation}"
    python_names = _by_operation(tuple(client.meta.method_to_api_mapping.items()))
    if operation not in python_names:
        raise ValueError(f"Unknown operation: {operation!r}.")
    call = getattr(client, python_names[operation])
    with map_errors(action):
        try:
            answer: dict[str, Any] = call(**parameters)
        except (BotoCoreError, ClientError, AwsError):
            raise
        except (ResponseParserError, LookupError, ValueError, TypeError, AttributeError) as error:
            raise malformed(action, f"{type(error).__name__}: {error}"[:300]) from error
    return answer


@lru_cache(maxsize=16)
def _by_operation(names: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {operation: python_name for python_name, operation in names}


def part(answer: Mapping[str, Any], key: str, *, action: str) -> Any:
    """Return a field that every response has. AwsError if it is missing, so that nothing is read as empty."""
    if key not in answer:
        raise malformed(action, f"it lacks {key}")
    return answer[key]


def build_all(sections: Iterable[Any], build: Callable[[Any], T], *, action: str) -> tuple[T, ...]:
    """Return the result of `build` for each member. AwsError if one lacks a field that AWS always sends."""
    try:
        return tuple(build(member) for member in sections)
    except KeyError as error:
        raise malformed(action, f"a member of the list lacks {error.args[0]}") from error
