"""The schedule of the workers: each task declares next to its name how often it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
HOURS: Final = 3600
DAYS: Final = 24 * HOURS
ENTRIES: Final[dict[str, dict[str, Any]]] = {}
"""The schedule by task name, as Celery's beat reads it. It is complete once all tasks are imported."""


def every(seconds: int, *, expires: int | None = None) -> Callable[[F], F]:
    """Return a decorator that runs the function's task, which has its name, every `seconds`. A message that
    no worker took expires after `expires` seconds, or with the next one.
    """

    def enter(function: F) -> F:
        task = f"{function.__module__}.{function.__name__}"
        ENTRIES[task] = {
            "task": task,
            "schedule": float(seconds),
            "options": {"expires": expires or seconds},
        }
        return function

    return enter
