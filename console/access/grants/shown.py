"""How a grant looks: the mark of its state, its parts, what happened to it, and the proof that it is gone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from console.access.grants.words import name_of
from console.changes.shown import MARKS as CHANGE_MARKS
from console.changes.shown import Mark
from iam.access.grants.models import GIVING, Act, Grant, GrantPart, GrantVersion, LedgerEntry, Sort, State
from iam.access.grants.plans import WAYS, Way
from iam.access.grants.proof import Proof, proof_of
from iam.access.grants.queries import changes_of, parts_of
from iam.access.grants.services.cutting import roles_of
from iam.changes.models import Approval, Change, ChangeState
from iam.changes.queries import visible_changes
from iam.guard import Viewer
from iam.mirror.naming import display_name

MARKS: Final[dict[str, Mark]] = {
    State.WAITING: Mark("Waiting for approval", "note", "hourglass"),
    State.APPLYING: Mark("Being set up", "info", "loader-circle"),
    State.ACTIVE: Mark("Active", "ok", "check"),
    State.PARTLY: Mark("Active in part", "warn", "triangle-alert"),
    State.ENDING: Mark("Being taken away", "info", "loader-circle"),
    State.ENDED: Mark("Ended", "", "check"),
    State.FAILED: Mark("Failed", "bad", "x"),
    State.REJECTED: Mark("Rejected", "bad", "ban"),
    State.WITHDRAWN: Mark("Withdrawn", "", "undo-2"),
    State.EXPIRED: Mark("Not answered in time", "", "timer"),
}
ACTS: Final[dict[str, tuple[str, str, str]]] = {
    Act.ASKED: ("{by} asked for it", "file-text", ""),
    Act.REDUCED: ("{by} reduced it", "minus", "warn"),
    Act.EXTENDED: ("{by} asked for more time", "timer", "note"),
    Act.RENEWED: ("It was extended", "timer", "ok"),
    Act.SHORTENED: ("{by} shortened it", "timer", "warn"),
    Act.RETRIED: ("{by} had the rest tried again", "rotate-cw", "info"),
    Act.ENDED: ("{by} ended it", "ban", "warn"),
    Act.RAN_OUT: ("Its time was over", "timer", ""),
    Act.FOLLOWED: ("It got a new version of its template", "git-branch", "info"),
}
SORTS: Final[dict[str, str]] = {
    Sort.MEMBER: "is a member of",
    Sort.ATTACHED: "has the policy",
    Sort.INLINE: "has the inline policy",
    Sort.TRUST: "trusts, by the statement",
}
MADE: Final[dict[Sort, str]] = {Sort.POLICY: "The policy", Sort.ROLE: "The role"}


ABOUT_TO_END: Final = timedelta(minutes=1)
MOVING: Final = (State.APPLYING, State.ENDING)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the timeline."""

    text: str
    icon: str
    tone: str
    at: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class EntryShown:
    """One permission of the ledger in words."""

    holder: str
    says: str
    target: str
    since: datetime | None
    until: datetime | None
    stood_before: bool


@dataclass(frozen=True, slots=True)
class PartShown:
    """A part of a grant in its account."""

    part: GrantPart
    mark: Mark
    says: str
    plan: dict[str, Any]
    entries: list[EntryShown]
    changes: list[tuple[Change, Mark]]
    proof: Proof | None
    cuts: bool
    trouble: str


def mark_of(grant: Grant) -> Mark:
    """The badge of its state."""
    return MARKS[grant.state]


def pace_of(grant: Grant) -> str:
    """How often a page asks how it stands; empty when nothing more happens soon by itself."""
    if grant.state in MOVING:
        return "1s"
    if grant.state in GIVING and grant.ends_at and grant.ends_at < datetime.now(tz=UTC) + ABOUT_TO_END:
        return "2s"
    return "5s" if grant.state == State.WAITING else ""


def version_of(grant: Grant, parts: Sequence[PartShown]) -> str:
    """What the live part shows, in short: equal versions, equal pages."""
    done = sum(
        change.state in (ChangeState.APPLIED, ChangeState.FAILED) for p in parts for change, _ in p.changes
    )
    states = "".join(p.part.state[:2] for p in parts)
    return f"{grant.state}-{states}-{done}-{sum(len(p.changes) for p in parts)}"[:120]


def parts_shown(grant: Grant, *, viewer: Viewer, hidden: Collection[str] = ()) -> list[PartShown]:
    """The parts that the viewer sees, with their permissions and changes, and without whom is `hidden`; three queries."""
    parts = parts_of(grant, viewer=viewer)
    rows = LedgerEntry.objects.filter(part__in=[part.pk for part in parts]).order_by("pk")
    by_part: dict[int, list[LedgerEntry]] = {}
    for entry in rows:
        if entry.holder_arn not in hidden:
            by_part.setdefault(entry.part_id, []).append(entry)
    seen = visible_changes(viewer)
    changes = list(changes_of(grant).filter(pk__in=seen.values("pk")))
    return [_part(part, by_part.get(part.pk, []), changes) for part in parts]


def _part(part: GrantPart, entries: Iterable[LedgerEntry], changes: Iterable[Change]) -> PartShown:
    """Changes of other sets (tried again, altered) are its own as well; those of its ending take away."""
    there = [one for one in changes if one.account_id == part.account_id]
    ending = [one for one in there if one.change_set_id == part.ending_set_id]
    own = [one for one in there if one.change_set_id != part.ending_set_id]
    failed = next((c for c in (*ending, *own) if c.state in (ChangeState.FAILED, ChangeState.UNKNOWN)), None)
    return PartShown(
        part,
        MARKS[part.state],
        WAYS[Way(part.way)] if part.way in set(Way) else part.way,
        part.plan,
        [_entry(one) for one in entries],
        [(change, CHANGE_MARKS[change.state]) for change in (*own, *ending)],
        proof_of(part) if _goes(part) else None,
        _goes(part) and bool(roles_of(part)),
        part.trouble or (failed.error_message if failed else ""),
    )


def _goes(part: GrantPart) -> bool:
    """Whether it is taken away, or was."""
    return part.state in (State.ENDING, State.ENDED)


def _entry(entry: LedgerEntry) -> EntryShown:
    """What is made for a grant holds itself."""
    name = name_of(entry.holder_arn)
    if entry.sort in MADE:
        return EntryShown(
            MADE[Sort(entry.sort)], "", name, entry.since, entry.until, stood_before=entry.stood_before
        )
    return EntryShown(
        display_name(name) if ":user/" in entry.holder_arn else name,
        SORTS[entry.sort],
        name_of(entry.target),
        entry.since,
        entry.until,
        entry.stood_before,
    )


def events_of(grant: Grant, parts: Sequence[PartShown]) -> list[Event]:
    """What happened to it, oldest first: what people did, who agreed, and what came of it in each account."""
    found = [_act(one) for one in GrantVersion.objects.filter(grant=grant).order_by("number")]
    sets = {pk for one in parts for pk in (one.part.change_set_id, one.part.ending_set_id) if pk}
    found += [_approval(one) for one in Approval.objects.filter(change_set__in=sets)]
    for one in parts:
        found += _in_account(one)
    return sorted(found, key=lambda event: event.at)


def _act(version: GrantVersion) -> Event:
    text, icon, tone = ACTS[version.act]
    return Event(text.format(by=version.by_label or "Gatehouse"), icon, tone, version.at, version.reason)


def _approval(one: Approval) -> Event:
    agreed = one.decision == "approve"
    verb, icon, tone = ("approved", "check", "ok") if agreed else ("rejected it", "ban", "bad")
    own = ", their own request" if one.is_own_request else ""
    return Event(f"{one.approver_label} {verb}{own}", icon, tone, one.at, one.comment)


def _in_account(one: PartShown) -> list[Event]:
    """When the last permission was there, and when the last was gone."""
    begun = [entry.since for entry in one.entries if entry.since]
    name = one.part.account.name
    found = []
    if begun and one.part.state not in (State.WAITING, State.APPLYING):
        found.append(Event(f"Set up in {name}", "shield-check", "ok", max(begun)))
    if one.part.ended_at:
        found.append(
            Event(f"Gone from {name}", "minus", "", one.part.ended_at, one.proof.says if one.proof else "")
        )
    return found


def used_of(grant: Grant, *, now: datetime) -> int | None:
    """How much of its time is over, in hundredths; None where it has no beginning or no end."""
    if grant.begins_at is None or grant.ends_at is None or grant.ends_at <= grant.begins_at:
        return None
    share = (now - grant.begins_at) / (grant.ends_at - grant.begins_at)
    return min(100, max(0, round(100 * share)))
