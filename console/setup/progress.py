"""The progress of a running sync: calls, share, current section, and polling interval."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest

from iam.mirror.models import PullSection, SectionState
from iam.mirror.models.accounts import PullState
from iam.mirror.pull.sections import ALL
from iam.mirror.queries.freshness import FreshnessFacts, percent

FAST, SLOW = "300ms", "2s"
FAST_QUESTIONS = 16
"""Number of polls every 300 ms, for the first five seconds."""


@dataclass(frozen=True, slots=True)
class PollPace:
    """The number of the poll, and the time until the next one."""

    number: int
    wait: str

    @property
    def following(self) -> int:
        """The number of the next poll."""
        return self.number + 1


def step_of(request: HttpRequest) -> PollPace:
    """Return the poll from its number in the address."""
    text = request.GET.get("n", "")
    number = min(int(text), 99) if text.isdecimal() and len(text) < 4 else 0
    pace = FAST if number < FAST_QUESTIONS else SLOW
    return PollPace(number, pace)


@dataclass(frozen=True, slots=True)
class SectionProgress:
    """A section of a running sync."""

    tone: str
    words: str
    note: str


@dataclass(frozen=True, slots=True)
class ReadingProgress:
    """A running sync; `spoken` is coarse, so that screen readers don’t announce every call."""

    calls: int
    expected: int
    phase: str
    parts: dict[str, SectionProgress]
    rest: int
    left: str
    spoken: str


def progress_of(facts: FreshnessFacts, sections: list[PullSection]) -> ReadingProgress:
    """Return the progress of the account's active sync."""
    pull = facts.pull
    assert pull is not None
    done = [section for section in sections if section.state != SectionState.READING]
    share = percent(pull)
    queued = pull.state == PullState.QUEUED
    phase = "" if queued else pull.phase
    spoken = "Waiting for a worker"
    if not queued:
        spoken = f"{share // 10 * 10} %, {len(done)} of {len(ALL)} sections"
    return ReadingProgress(
        calls=pull.calls,
        expected=max(pull.calls_expected, pull.calls, 1),
        phase=phase,
        parts={section.name: _part(section) for section in sections},
        rest=max(0, len(ALL) - len(sections)),
        left=_time_left(facts, share),
        spoken=spoken,
    )


def _part(section: PullSection) -> SectionProgress:
    if section.state == SectionState.READING:
        return SectionProgress("info", "reading", "")
    if section.state == SectionState.COMPLETE:
        return SectionProgress("ok", "done", _has_moved(section))
    tone = "bad" if section.state == SectionState.DENIED else "warn"
    return SectionProgress(tone, section.get_state_display().lower(), "")


def _has_moved(section: PullSection) -> str:
    words = []
    if section.count:
        words.append(f"{section.count:,}")
    if section.added:
        words.append(f"+{section.added:,}")
    if section.ended:
        words.append(f"−{section.ended:,}")
    if section.changed:
        words.append(f"{section.changed:,} changed")
    return ", ".join(words)


def _time_left(facts: FreshnessFacts, share: int) -> str:
    """Return the estimated remaining time, from the sync's own pace."""
    pull = facts.pull
    if pull is None or pull.began_at is None or share < 5:
        return ""
    gone = (datetime.now(tz=UTC) - pull.began_at).total_seconds()
    left = gone * (100 - share) / share
    if left < 2:
        return ""
    return f"about {int(left)} s left" if left < 90 else f"about {int(left / 60)} min left"
