"""Results of replaying recorded calls against a change: which calls it would deny, and which are
undecided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.urls import reverse

from console.activity.lines import MICROSECONDS
from iam.mirror.queries.entities import OpenableEntities
from iam.policy.replay import ReplayOutcome

KEYS_NAMED: Final = 3
UNKNOWN_NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class ReplayLine:
    """Calls with the same principal, action and resource; `url` is the page of the latest."""

    who: str
    action: str
    resource: str
    calls: int
    last_at: datetime
    url: str
    why: str


@dataclass(frozen=True, slots=True)
class KnownEvents:
    """The period for which an account's events are known."""

    account: str
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class ReplayShown:
    """Recorded calls replayed against the change.

    `is_known`: events of at least one account are known. `names_who`: the calls were made by several
    principals.
    """

    days: int
    calls: int
    denied: int
    allowed: int
    undecided: int
    denied_already: int
    is_known: bool
    names_who: bool
    denied_lines: list[ReplayLine]
    undecided_lines: list[ReplayLine]
    more_denied: int
    more_undecided: int
    notes: list[str]
    known: list[KnownEvents]
    since: datetime | None
    """Start of the replayed period if older calls are known, else None."""


def replayed_entities(replay: Mapping[str, Any] | None) -> list[int]:
    """Return the IDs of the users and roles whose calls were replayed."""
    return list(replay["entity_ids"]) if replay else []


def replay_shown(replay: Mapping[str, Any] | None, *, open_to: OpenableEntities) -> ReplayShown | None:
    """Return the replay in a receipt.

    Returns None if no one loses access, and for viewers who can’t see all of the callers.
    """
    if not replay or not all(number in open_to for number in replay["entity_ids"]):
        return None
    lines: dict[str, list[ReplayLine]] = {}
    for line in replay["lines"]:
        lines.setdefault(line["outcome"], []).append(_line(line))
    known = [_known(account) for account in replay["read"]]
    return ReplayShown(
        days=replay["days"],
        calls=replay["calls"],
        denied=replay[ReplayOutcome.DENIED],
        allowed=replay[ReplayOutcome.ALLOWED],
        undecided=replay[ReplayOutcome.UNDECIDED],
        denied_already=replay.get(ReplayOutcome.DENIED_ALREADY, 0),
        is_known=bool(replay["read"]),
        names_who=len(replay["entity_ids"]) > 1,
        denied_lines=lines.get(ReplayOutcome.DENIED, []),
        undecided_lines=lines.get(ReplayOutcome.UNDECIDED, []),
        more_denied=replay["more_denied"],
        more_undecided=replay["more_undecided"],
        notes=_notes(replay),
        known=known,
        since=_since(replay, known),
    )


def _line(line: Mapping[str, Any]) -> ReplayLine:
    last_at = datetime.fromisoformat(line["last"])
    url = ""
    if line["event"]:
        moment = round(last_at.timestamp() * MICROSECONDS)
        url = reverse("activity:event", args=[moment, line["event"]])
    return ReplayLine(line["name"], line["action"], line["resource"], line["calls"], last_at, url, _why(line))


def _why(line: Mapping[str, Any]) -> str:
    """Return what is missing in the events to decide."""
    if keys := line["keys"][:KEYS_NAMED]:
        return f"the events don’t tell {', '.join(keys)}"
    if not line["resource"]:
        return "the events don’t name the resource"
    return "it depends on what the events don’t tell"


def _known(account: Mapping[str, str]) -> KnownEvents:
    first, last = (datetime.fromisoformat(account[name]) for name in ("first", "last"))
    return KnownEvents(account["name"], first, last)


def _since(replay: Mapping[str, Any], known: Iterable[KnownEvents]) -> datetime | None:
    """Return the start of the replayed period if older events are known, else None."""
    since = datetime.fromisoformat(replay["since"]) if replay.get("since") else None
    if since is None or not any(events.first_at < since for events in known):
        return None
    return since


def _notes(replay: Mapping[str, Any]) -> list[str]:
    """Return what was left out, and why."""
    notes: list[str] = []
    if unknown := replay.get("unknown_actions"):
        names = ", ".join(unknown[:UNKNOWN_NAMED])
        notes.append(f"AWS lists no such actions, so they deny nothing. Are they misspelled? {names}")
    if replay["not_read"]:
        names = ", ".join(replay["not_read"])
        notes.append(f"No CloudTrail events are known for {names}, so what is used there is unknown.")
    if replay["cut"] == "distinct":
        notes.append("There are too many different calls: only the most frequent ones were replayed.")
    if replay["cut"] == "time":
        notes.append("The replay took too long: only the most frequent calls were replayed.")
    if replay["principals_left"]:
        notes.append(f"{replay['principals_left']:,} more lose permissions. Their calls weren’t replayed.")
    if replay["is_shortened"]:
        notes.append("There are too many calls: only those of the last days were replayed.")
    return notes
