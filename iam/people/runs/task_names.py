"""The names under which workers take the tasks of runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from celery import shared_task

TaskT = TypeVar("TaskT", bound=Callable[..., Any])


def run_task(name: str, *, former: str = "") -> Callable[[TaskT], TaskT]:
    """Register a task under its name, and under the `former` name that workers and beat of the release before
    still send.
    """

    def register(function: TaskT) -> TaskT:
        if former:
            shared_task(name=former)(function)
        task: TaskT = shared_task(name=name)(function)
        return task

    return register
