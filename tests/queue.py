"""What would be put into the queue, for tests that have no broker."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iam import nudge


def catch(monkeypatch: pytest.MonkeyPatch, tasks: str, take: Callable[..., Any]) -> None:
    """Nudges for tasks whose names begin so go to `take` (the last part of the name, the arguments, the
    options), all others where they went before.
    """
    others = nudge.send

    def send(task: str, *args: Any, **options: Any) -> bool:
        if not task.startswith(tasks):
            return others(task, *args, **options)
        return take(task.rpartition(".")[2], *args, **options) is not False

    monkeypatch.setattr(nudge, "send", send)
