"""Workers are told of a task in one place, by names that exist."""

from __future__ import annotations

import ast
import re
from typing import Any

import pytest

from console.celery import app
from iam import nudge
from tests.house_rules import ROOT

TASK = re.compile(r"(iam|console)(\.\w+)*\.tasks\.\w+")
SOURCES = [path for root in ("iam", "console") for path in sorted((ROOT / root).rglob("*.py"))]
SENDERS = {"iam/nudge.py", "console/celery.py"}
"""The second sends the first round of the clock, with the options of its entries."""


def test_every_name_of_a_task_in_the_code_is_a_task() -> None:
    app.loader.import_default_modules()
    named = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_name = isinstance(node, ast.Constant) and isinstance(node.value, str)
            if is_name and TASK.fullmatch(node.value):
                named.add(node.value)
    assert "iam.changes.tasks.run_change" in named
    assert named - set(app.tasks) == set()


def test_nobody_else_sends_a_task() -> None:
    senders = {
        str(path.relative_to(ROOT)) for path in SOURCES if "send_task(" in path.read_text(encoding="utf-8")
    }
    assert senders == SENDERS


def test_several_are_sent_as_long_as_the_broker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []

    def answer(_: str, *, args: list[str], **__: Any) -> None:
        if len(sent) == 2:
            raise ConnectionError
        sent.extend(args)

    monkeypatch.setattr(nudge.current_app, "send_task", answer, raising=False)
    pks: Any = ["1", "2", "3", "4"]
    assert nudge.send_each("iam.notify.tasks.deliver", pks) == 2
    assert sent == ["1", "2"]


def test_what_many_pages_ask_for_is_sent_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    nudge.cache.clear()
    monkeypatch.setattr(nudge.current_app, "send_task", lambda name, **_: sent.append(name), raising=False)
    for _ in range(3):
        nudge.send_seldom("iam.people.fleet.tasks.calculate_fleet", seconds=10)
    assert sent == ["iam.people.fleet.tasks.calculate_fleet"]
