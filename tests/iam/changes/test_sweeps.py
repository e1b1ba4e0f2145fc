"""The sweep nudges what is due, and doesn't fill the queue while a large request is carried out."""

from __future__ import annotations

import pytest

from iam import nudge
from iam.changes.runner import sweep, sweeps
from tests.iam.changes.conftest import Nudges, Scene

pytestmark = pytest.mark.on_both


def test_the_sweep_only_fills_the_queue_up(
    scene: Scene, nudges: Nudges, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeps, "BATCH", 3)
    changes = [scene.queued(), scene.queued_for_other_group()]
    sent = []
    for messages in (0, 1, 2, 3, 600):
        monkeypatch.setattr(nudge, "waiting", lambda messages=messages: messages)
        sent.append(sweep())
    assert sent == [2, 2, 1, 0, 0]
    assert {change_id for change_id, _ in nudges.sent[-5:]} == {change.pk for change in changes}


def test_a_lost_message_is_repeated_by_each_sweep(scene: Scene, nudges: Nudges) -> None:
    change = scene.queued()
    nudges.sent.clear()
    assert [sweep(), sweep()] == [1, 1]
    assert nudges.sent == [(change.pk, 0)] * 2
