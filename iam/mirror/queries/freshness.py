"""Describes the freshness of an account, per section and in a few words, so that pages and commands agree.
Without side effects.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import chain

from django.conf import settings

from iam.mirror.models import Account, Pull, Section, SectionState
from iam.mirror.models.accounts import AccountSource, PullState
from iam.mirror.pull.sections import ALL, AUTHORIZATION, CREDENTIAL_REPORT, DETAIL_LANE, LABELS, USERS

OK, WARN, BAD, INFO, IDLE, PLAIN = "ok", "warn", "bad", "info", "idle", ""
NOT_YET = "Not synced yet"
OLD_AFTER = 3
"""Number of missed scheduled syncs after which a section counts as old."""
REPORT_SLACK = timedelta(hours=5)
"""AWS creates a credential report at most every four hours."""
DETAIL_SLACK = timedelta(days=1)
"""The detail lane covers all entities within a day, with a limited number of calls per sync."""
_COUNTED = re.compile(r"(\d+) of (\d+) in ")
NOT_WHOLE = (SectionState.PARTIAL, SectionState.FAILED)


def patience(pull_every: int | None) -> timedelta:
    """Return the age from which data counts as old."""
    return timedelta(minutes=OLD_AFTER * (pull_every or settings.PULL_MINUTES))


@dataclass(frozen=True, slots=True)
class SectionCell:
    """A section of an account: its tone, its status in words, and its row."""

    name: str
    label: str
    tone: str
    words: str
    section: Section | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """An account's status in a few words, with their tone."""

    tone: str
    words: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class FreshnessFacts:
    """The facts that determine an account's freshness. `reading` are the sections being synced now.

    `identities` is the number of IAM users and roles, None if they were never synced. `counts` are the
    entities per section, where a page shows them. For a past time, `now` is that time, `is_past` is True and
    `unit` is the organizational unit then. Syncs before `unsure_until` may have been deleted, as those
    without changes are.
    """

    account: Account
    sections: Mapping[str, Section]
    pull: Pull | None = None
    reading: Collection[str] = ()
    last_state: str | None = None
    last_message: str = ""
    now: datetime = field(default_factory=lambda: datetime.now(tz=UTC))
    is_past: bool = False
    was_uploaded: bool = False
    alias: str = ""
    unit: str = ""
    identities: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    unsure_until: datetime | None = None

    @property
    def is_export(self) -> bool:
        """True if the data comes only from an uploaded file."""
        return self.was_uploaded if self.is_past else self.account.source == AccountSource.EXPORT

    def is_dated(self, observed_at: datetime) -> bool:
        """Return True if only the date of a sync is known, because later ones may have been deleted."""
        return self.unsure_until is not None and observed_at < self.unsure_until

    @property
    def mode(self) -> str:
        """The access of Gatehouse to the account, in words."""
        if self.is_export:
            return "Snapshot"
        return "Read and write" if self.account.is_writable else "Read only"

    @property
    def observed_at(self) -> datetime | None:
        """The oldest sync of users, groups, roles and policies, or None."""
        seen = [self.sections[name].observed_at for name in AUTHORIZATION if name in self.sections]
        known = [moment for moment in seen if moment is not None]
        return min(known) if known and len(known) == len(AUTHORIZATION) else None


def cells(facts: FreshnessFacts) -> list[SectionCell]:
    """Return a cell per section, always in the same order."""
    patient = patience(facts.account.pull_every)
    cells_shown = [_cell(facts, name, patient) for name in ALL]
    # A list of accounts has a thousand cells, all without counts.
    return (
        [replace(cell, count=_count(facts, cell.name)) for cell in cells_shown]
        if facts.counts
        else cells_shown
    )


def _count(facts: FreshnessFacts, name: str) -> int | None:
    """Return the number of entities in a section, or None if it was never synced or has none of its own."""
    section = facts.sections.get(name)
    was_synced = section is not None and (
        section.observed_at is not None or section.state == SectionState.PARTIAL
    )
    return facts.counts.get(name) if was_synced else None


def _cell(facts: FreshnessFacts, name: str, patient: timedelta) -> SectionCell:
    section = facts.sections.get(name)
    label = LABELS[name]
    if name in facts.reading:
        return SectionCell(name, label, INFO, "syncing", section)
    if section is None or section.state in {SectionState.NEVER, SectionState.READING}:
        words = "not in the upload" if facts.is_export else NOT_YET.lower()
        return SectionCell(name, label, IDLE, words, section)
    if section.state == SectionState.DENIED:
        return SectionCell(name, label, BAD, f"denied{_kept(section, facts)}", section)
    if section.state == SectionState.HELD:
        return SectionCell(name, label, WARN, f"on hold{_kept(section, facts)}", section)
    if section.state == SectionState.PARTIAL and facts.is_export:
        return SectionCell(name, label, IDLE, "in part in the upload", section)
    if section.state in NOT_WHOLE:
        words = "synced in part" if section.state == SectionState.PARTIAL else "sync failed"
        return SectionCell(name, label, WARN, f"{words}{_kept(section, facts)}", section)
    if section.observed_at is None:
        return SectionCell(name, label, IDLE, NOT_YET.lower(), section)
    if facts.is_export:
        return SectionCell(name, label, PLAIN, _synced(section.observed_at, facts), section)
    tone = WARN if _is_older(facts, name, section.observed_at, patient) else OK
    return SectionCell(name, label, tone, _synced(section.observed_at, facts), section)


def _kept(section: Section, facts: FreshnessFacts) -> str:
    if section.observed_at is None:
        return ""
    return f", rows synced {_synced(section.observed_at, facts)}"


def _synced(observed_at: datetime, facts: FreshnessFacts) -> str:
    """Return when a section was synced: "4 min ago", or for a past time "4 min before"."""
    if facts.is_dated(observed_at):
        return f"{_date(observed_at, facts.now)}, {observed_at.astimezone(UTC):%H:%M} UTC"
    age = short_age(facts.now - observed_at)
    if age == "now":
        return "just then" if facts.is_past else "just now"
    return f"{age} before" if facts.is_past else f"{age} ago"


def is_old(facts: FreshnessFacts, name: str, observed_at: datetime) -> bool:
    """Return True if a section should have been synced again by now."""
    return _is_older(facts, name, observed_at, patience(facts.account.pull_every))


def _is_older(facts: FreshnessFacts, name: str, observed_at: datetime, slack: timedelta) -> bool:
    if name == CREDENTIAL_REPORT:
        slack += REPORT_SLACK
    if name in DETAIL_LANE:
        slack += DETAIL_SLACK
    newest = max(observed_at, facts.unsure_until) if facts.unsure_until else observed_at
    return facts.now - newest > slack


def account_state(facts: FreshnessFacts) -> AccountStatus:
    """Return the account's status: a sync in progress, or else what needs attention, or else the age of the
    data.
    """
    if facts.pull is not None:
        return _reading(facts.pull)
    if facts.is_export:
        made = facts.observed_at
        words = f"As of {_date(made, facts.now)}" if made else "Nothing uploaded"
        return AccountStatus(PLAIN, words)
    if facts.last_state == PullState.FAILED:
        return AccountStatus(BAD, "Sync failed", facts.last_message)
    return _by_sections(facts) or _by_age(facts)


def _reading(pull: Pull) -> AccountStatus:
    if pull.state == PullState.QUEUED:
        return AccountStatus(INFO, "Waiting to sync")
    if pull.calls_expected and pull.calls:
        return AccountStatus(INFO, f"Syncing, {percent(pull)}%")
    return AccountStatus(INFO, "Syncing")


def percent(pull: Pull) -> int:
    """Return the progress of a running pull in percent, at most 99."""
    return min(99, 100 * pull.calls // max(pull.calls_expected, pull.calls, 1))


def _by_sections(facts: FreshnessFacts) -> AccountStatus | None:
    by_state: dict[str, list[Section]] = {}
    for name in ALL:
        if name in facts.sections:
            by_state.setdefault(facts.sections[name].state, []).append(facts.sections[name])
    if denied := by_state.get(SectionState.DENIED):
        missing = ", ".join(dict.fromkeys(s.permission for s in denied if s.permission))
        note = f"Missing: {missing}" if missing else ""
        return AccountStatus(BAD, f"{_sections(len(denied))} denied", note)
    if held_sections := by_state.get(SectionState.HELD):
        return AccountStatus(WARN, _held_losses(held_sections[0]), held_sections[0].message)
    broken = list(chain.from_iterable(by_state.get(state, ()) for state in NOT_WHOLE))
    if broken:
        return AccountStatus(WARN, f"{_sections(len(broken))} not synced", broken[0].message)
    return None


def _held_losses(section: Section) -> str:
    """Return the number of deletions that the pull counted in its message."""
    counted = _COUNTED.match(section.message)
    if not counted:
        return "On hold"
    return f"On hold: would remove {counted[1]} of {counted[2]} ({LABELS[section.name]})"


def _by_age(facts: FreshnessFacts) -> AccountStatus:
    if facts.observed_at is None:
        return AccountStatus(PLAIN, NOT_YET)
    tone = WARN if is_old(facts, USERS, facts.observed_at) else OK
    return AccountStatus(tone, f"Synced {_synced(facts.observed_at, facts)}")


def _sections(number: int) -> str:
    return "1 section" if number == 1 else f"{number} sections"


def short_age(age: timedelta) -> str:
    """Return an age such as '4 min', '3 h' or '2 d', or 'now' under a minute."""
    seconds = age.total_seconds()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)}\N{NO-BREAK SPACE}{unit}"
    return "now"


def _date(moment: datetime, now: datetime) -> str:
    utc = moment.astimezone(UTC)
    return f"{utc:%-d %b}" if utc.year == now.year else f"{utc:%-d %b %Y}"
