"""Drift as its pages show it: what is different now, between which observations, and what was decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.urls import reverse

from console.changes.shown import Mark
from console.identities.details.history import Link
from console.identities.details.shown import SECTIONS
from iam.changes.drift.models import Drift, DriftState
from iam.changes.drift.reading import Happened
from iam.guard import Viewer
from iam.mirror.models import Kind
from iam.mirror.naming import display_name
from iam.mirror.queries.entities import Openable, openable_in
from iam.mirror.queries.happenings import BEGAN, ENDED, Event
from iam.mirror.queries.history import TwoDocuments, two_documents

NAMES_SHOWN = 8
_SIGNS = {BEGAN: ("add", "+", "Added"), ENDED: ("del", "−", "Removed")}
_MARKS = {
    DriftState.OPEN: Mark("To decide", "warn", "triangle-alert"),
    DriftState.UNDOING: Mark("Being undone", "info", "hourglass"),
    DriftState.ADOPTED: Mark("Adopted", "ok", "check"),
    DriftState.UNDONE: Mark("Undone", "", "undo-2"),
    DriftState.EXPLAINED: Mark("By a change", "", "git-pull-request"),
}
_NOUNS = {
    Kind.USER: "User",
    Kind.GROUP: "Group",
    Kind.ROLE: "Role",
    Kind.POLICY: "Policy",
    Kind.SCP: "SCP",
    Kind.RCP: "RCP",
}
ICONS = {
    Kind.USER: "user-round",
    Kind.GROUP: "users",
    Kind.ROLE: "bot",
    Kind.POLICY: "scroll-text",
    Kind.INSTANCE_PROFILE: "server",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One difference: its sign, the sentence with its names, from what to what."""

    event: Event
    css: str
    sign: str
    said: str
    names: list[Link]
    more: int


@dataclass(frozen=True, slots=True)
class Row:
    """A drift as a card shows it."""

    drift: Drift
    name: str
    noun: str
    icon: str
    url: str
    mark: Mark
    lines: list[Line]

    @property
    def title(self) -> str:
        """What happened, in one line."""
        first = self.lines[0].event if self.lines else None
        if first is not None and first.lead in ("Created", "Deleted"):
            return f"{self.noun} {self.name} was {first.lead.lower()}"
        return f"{self.noun} {self.name} is otherwise now"


def rows_of(found: Sequence[tuple[Drift, Happened | None]], *, viewer: Viewer) -> list[Row]:
    """The drifts with their links; a query for those who do not see the accounts whole."""
    events = {drift.pk: happened.events() if happened else [] for drift, happened in found}
    pks = {one.pk for of_one in events.values() for event in of_one for one in event.others}
    pks |= {drift.entity_id for drift, _ in found}
    numbers = {drift.account.account_id for drift, _ in found}
    open_to = openable_in(viewer, account_ids=numbers, pks=pks)
    return [_row(drift, events[drift.pk], open_to) for drift, _ in found]


def _row(drift: Drift, events: Iterable[Event], open_to: Openable) -> Row:
    entity = drift.entity
    kind = Kind(drift.kind)
    return Row(
        drift=drift,
        name=display_name(entity.name) if kind is Kind.USER else entity.name,
        noun=_NOUNS.get(kind, kind.label),
        icon=ICONS.get(kind, "fingerprint"),
        url=_address(kind, entity.pk, open_to),
        mark=_MARKS[DriftState(drift.state)],
        lines=[_line(event, open_to) for event in events],
    )


def _line(event: Event, open_to: Openable) -> Line:
    css, sign, said = _SIGNS.get(event.sign, ("", "~", "Changed"))
    names = [Link(one.name, _address(one.kind, one.pk, open_to)) for one in event.others[:NAMES_SHOWN]]
    return Line(event, css, sign, said, names, more=max(0, len(event.others) - NAMES_SHOWN))


def _address(kind: str, pk: int, open_to: Openable) -> str:
    return reverse(SECTIONS[kind][2], args=[pk]) if kind in SECTIONS and pk in open_to else ""


def documents_of(row: Row) -> list[TwoDocuments]:
    """What each of its documents said before and says after."""
    tokens = [line.event.documents for line in row.lines if line.event.documents]
    pairs = (two_documents(row.drift.entity, token=token) for token in dict.fromkeys(tokens))
    return [pair for pair in pairs if pair is not None]
