"""A worker without its beat sweeps nothing: it ends, so that it is started again with one."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import Any

import pytest
from celery.worker import state

from console import celery


@dataclass
class Beat:
    """One that has ended."""

    joined: int = 0

    def join(self) -> None:
        """Comes back at once."""
        self.joined += 1


@dataclass
class Sender:
    """What Celery hands over when a worker is ready."""

    beat: Beat | None
    controller: Any = field(init=False)

    def __post_init__(self) -> None:
        self.controller = self


@pytest.fixture
def killed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The signals that were sent; threads run at once."""
    sent: list[int] = []

    class AtOnce:
        def __init__(self, target: Any, args: tuple[Any, ...], **_: Any) -> None:
            self.start = lambda: target(*args)

    monkeypatch.setattr(celery, "Thread", AtOnce)
    monkeypatch.setattr(celery.os, "kill", lambda _, number: sent.append(number))
    return sent


def test_a_worker_whose_beat_was_lost_ends(killed: list[int]) -> None:
    celery.end_without_beat(Sender(Beat()))
    assert killed == [signal.SIGTERM]


def test_a_worker_that_ends_anyway_and_one_without_a_beat_are_left_alone(
    killed: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    celery.end_without_beat(Sender(None))
    monkeypatch.setattr(state, "should_stop", 0)
    celery.end_without_beat(Sender(Beat()))
    assert killed == []
