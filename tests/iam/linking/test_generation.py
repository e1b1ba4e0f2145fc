"""Counts of who owns which user are kept for a minute, and no minute begins within a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from iam.linking import generation

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
END_OF_A_MINUTE = datetime(2026, 11, 29, 17, 4, 59, tzinfo=UTC)


def _before_and_after_a_minute_has_begun() -> tuple[object, object]:
    with time_machine.travel(END_OF_A_MINUTE, tick=False):
        before = generation.generation()
    with time_machine.travel(END_OF_A_MINUTE + timedelta(seconds=2), tick=False):
        return before, generation.generation()


def test_in_use_each_minute_counts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "LASTS", 60)
    before, after = _before_and_after_a_minute_has_begun()
    assert before != after


def test_in_tests_no_minute_begins() -> None:
    before, after = _before_and_after_a_minute_has_begun()
    assert before == after
