"""Badges for the status of runs."""

from __future__ import annotations

from typing import Final

from iam.people.runs.models import AbstractRun, RunState

TONES: Final[dict[str, tuple[str, str]]] = {
    RunState.DRAFT: ("", "pencil"),
    RunState.SUBMITTING: ("info", "loader-circle"),
    RunState.REQUESTED: ("note", "hourglass"),
    RunState.WAITING: ("note", "hourglass"),
    RunState.RUNNING: ("info", "loader-circle"),
    RunState.DONE: ("ok", "circle-check"),
    RunState.PARTLY: ("bad", "triangle-alert"),
    RunState.CLOSED: ("", "x"),
}
"""(tone, icon) of each status."""


def mark_of(run: AbstractRun) -> tuple[str, str, str]:
    """Return (label, tone, icon) of a run's status."""
    return (str(run.get_state_display()), *TONES[run.state])
