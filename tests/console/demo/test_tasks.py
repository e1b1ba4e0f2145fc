"""Sample data is created once, also where two workers have the task at the same time."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from console.demo import tasks


def test_a_second_worker_leaves_the_sample_data_to_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Settings
) -> None:
    settings.VAR = tmp_path
    runs: list[str] = []

    def create() -> None:
        runs.append("created")
        # The next tick of beat comes before this one has ended.
        tasks.give_sample_grants()

    monkeypatch.setattr(tasks, "_create_missing", create)
    tasks.give_sample_grants()
    assert runs == ["created"]
    tasks.give_sample_grants()
    assert runs == ["created", "created"]
