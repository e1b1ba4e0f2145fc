"""Rows and cards of drift: the differences, the observations between which they appeared, and the
decision.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from django.urls import reverse

from console.activity.calls_behind import UNKNOWN_CALLS, CallsBehind
from console.changes.impact_rows import RiskLabel, level_shown, risk_tone
from console.changes.presenters import StateMark
from console.identities.details.frame import SECTIONS
from console.identities.details.history import NameLink
from console.setup.own_settings import setting_changes
from iam.changes.documents import EVERYTHING, IAM_WRITE, flags
from iam.changes.drift.mirror_history import ObservedSteps, given_texts
from iam.changes.drift.models import Drift, DriftState
from iam.changes.drift.queries import What
from iam.changes.drift.settings import ACCOUNT, SETTINGS, SettingChange
from iam.changes.risks import NORMAL, WORDS
from iam.guard import Viewer
from iam.mirror.display_names import names_by_number
from iam.mirror.models import Kind
from iam.mirror.queries.entities import OpenableEntities, openable_in
from iam.mirror.queries.history import TwoDocuments, two_documents
from iam.mirror.queries.history_events import BECAME, BEGAN, ENDED, EventTopic, HistoryEvent

PREVIEW_NAMES = 8
WHOLE = ("Created", "Deleted", "There again")
_FLAGS = {EVERYTHING: ("Allows every action", "bad"), IAM_WRITE: ("Can change IAM", "warn")}
_SIGNS = {BEGAN: ("add", "+", "Added"), ENDED: ("del", "−", "Removed")}
_MARKS = {
    DriftState.OPEN: StateMark("Needs a decision", "warn", "triangle-alert"),
    DriftState.UNDOING: StateMark("Undo requested", "info", "hourglass"),
    DriftState.ADOPTED: StateMark("Accepted", "ok", "check"),
    DriftState.UNDONE: StateMark("Undone", "", "undo-2"),
    DriftState.EXPLAINED: StateMark("Made by a change", "", "git-pull-request"),
}
_NOUNS: dict[str, str] = {
    Kind.USER: "IAM user",
    Kind.GROUP: "Group",
    Kind.ROLE: "Role",
    Kind.POLICY: "Policy",
    Kind.SCP: "SCP",
    Kind.RCP: "RCP",
    ACCOUNT: "Account",
}
ICONS: dict[str, str] = {
    Kind.USER: "user-round",
    Kind.GROUP: "users",
    Kind.ROLE: "bot",
    Kind.POLICY: "scroll-text",
    Kind.INSTANCE_PROFILE: "server",
    ACCOUNT: "cloud",
}


@dataclass(frozen=True, slots=True)
class DriftLine:
    """A difference: its sign, its sentence with names, and its values before and after."""

    event: HistoryEvent
    css: str
    sign: str
    said: str
    names: list[NameLink]
    more: int

    @property
    def plain(self) -> str:
        """The sentence without links, for use after a colon."""
        names = ", ".join(link.name for link in self.names)
        more = f"and {self.more} more" if self.more else ""
        parts = (self.event.lead, names, more, self.event.tail)
        sentence = " ".join(part for part in parts if part)
        begins_with_acronym = sentence[:2].isupper()
        return sentence if begins_with_acronym else sentence[:1].lower() + sentence[1:]


@dataclass(frozen=True, slots=True)
class DriftCard:
    """A drift as a card."""

    drift: Drift
    name: str
    noun: str
    icon: str
    url: str
    mark: StateMark
    lines: list[DriftLine]
    level: RiskLabel
    risks: list[tuple[str, str]]
    calls: CallsBehind = UNKNOWN_CALLS

    @property
    def title(self) -> str:
        """What happened, in one line."""
        thing = f"{self.noun} {self.name}"
        for line in self.lines:
            if line.event.lead in WHOLE:
                return f"{thing} was {line.event.lead.lower()}"
        if not self.lines:
            return f"{thing} changed"
        if len(self.lines) == 1:
            return f"{thing}: {self.lines[0].plain}"
        return f"{thing} changed: {len(self.lines)} differences"


def rows_of(drifts: Sequence[tuple[Drift, What]], *, viewer: Viewer) -> list[DriftCard]:
    """Return the cards of the drifts with links; takes one query for viewers who don’t see whole accounts."""
    events = {drift.pk: _events(what) for drift, what in drifts}
    others = chain.from_iterable(event.others for event in chain.from_iterable(events.values()))
    pks = {other.pk for other in others}
    pks |= {drift.entity_id for drift, _ in drifts if drift.entity_id}
    numbers = {drift.account.account_id for drift, _ in drifts}
    open_to = openable_in(viewer, account_ids=numbers, pks=pks)
    users = {
        drift.entity_id: drift.name for drift, _ in drifts if drift.kind == Kind.USER and drift.entity_id
    }
    names = names_by_number(users)
    texts = given_texts([what for _, what in drifts if isinstance(what, ObservedSteps)])
    rows: list[DriftCard] = []
    for drift, what in drifts:
        risks = _risks(drift, what, texts) if isinstance(what, ObservedSteps) else []
        name = names.get(drift.entity_id or 0, drift.name)
        rows.append(_row(drift, events[drift.pk], open_to, risks=risks, name=name))
    return rows


def _events(what: What) -> list[HistoryEvent]:
    if isinstance(what, SettingChange):
        changes = setting_changes(what.fact, what.old, what.new)
        lead = f"{SETTINGS[what.fact]} changed"
        return [HistoryEvent(what.when, what.after, BECAME, EventTopic.SIGN_IN, lead, changes=changes)]
    return what.events() if what else []


def _risks(drift: Drift, happened: ObservedSteps, texts: Mapping[int, str]) -> list[tuple[str, str]]:
    """Return (label, tone) of each risk: from the effect on people or, if there is none yet, from the policy
    texts.
    """
    marks = [(WORDS[risk], risk_tone(risk)) for risk in drift.impact.get("risks", ()) if risk in WORDS]
    if marks:
        return marks
    flags_found: set[str] = set()
    for text in happened.texts_given(texts):
        flags_found.update(flags(text))
    marks = [mark for flag, mark in _FLAGS.items() if flag in flags_found]
    if happened.is_about_trust:
        marks.append(("Trust policy changed", "warn"))
    return marks


def _row(
    drift: Drift,
    events: Iterable[HistoryEvent],
    open_to: OpenableEntities,
    *,
    risks: list[tuple[str, str]],
    name: str,
) -> DriftCard:
    entity = drift.entity
    of_account = reverse("setup:account", args=[drift.account.account_id])
    url = _address(entity.kind, entity.pk, open_to) if entity else of_account
    return DriftCard(
        drift=drift,
        name=name,
        noun=_NOUNS.get(drift.kind) or Kind(drift.kind).label,
        icon=ICONS.get(drift.kind, "fingerprint"),
        url=url,
        mark=_MARKS[DriftState(drift.state)],
        # Creation or deletion of the entity itself comes first.
        lines=[_line(event, open_to) for event in sorted(events, key=lambda event: event.lead not in WHOLE)],
        level=level_shown(drift.impact.get("risk") or NORMAL),
        risks=risks,
    )


def _line(event: HistoryEvent, open_to: OpenableEntities) -> DriftLine:
    css, sign, label = _SIGNS.get(event.sign, ("", "~", "Changed"))
    names = [
        NameLink(named.name, _address(named.kind, named.pk, open_to))
        for named in event.others[:PREVIEW_NAMES]
    ]
    return DriftLine(event, css, sign, label, names, more=max(0, len(event.others) - PREVIEW_NAMES))


def _address(kind: str, pk: int, open_to: OpenableEntities) -> str:
    return reverse(SECTIONS[kind][2], args=[pk]) if kind in SECTIONS and pk in open_to else ""


def documents_of(row: DriftCard) -> list[TwoDocuments]:
    """Return the documents that changed, before and after."""
    tokens = [line.event.documents for line in row.lines if line.event.documents]
    entity = row.drift.entity
    if entity is None:
        return []
    pairs = (two_documents(entity, token=token) for token in dict.fromkeys(tokens))
    return [pair for pair in pairs if pair is not None]
