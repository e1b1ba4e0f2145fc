"""Presents the events in the history of a finding: a line names the affected, as far as the viewer sees."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from iam.audit.findings.affected import affected_words
from iam.audit.findings.models import AuditFinding, FindingEvent, FindingEventKind
from iam.phrases import joined

EVENT_MARKS: Final[Mapping[str, tuple[str, str]]] = {
    FindingEventKind.OPENED: ("triangle-alert", "warn"),
    FindingEventKind.REOPENED: ("triangle-alert", "warn"),
    FindingEventKind.FIXED: ("check", "ok"),
    FindingEventKind.REQUESTED: ("clock", ""),
    FindingEventKind.ACCEPTED: ("shield-check", ""),
    FindingEventKind.DECLINED: ("x", ""),
    FindingEventKind.ENDED: ("triangle-alert", "warn"),
    FindingEventKind.SEVERITY: ("arrow-up-right", ""),
    FindingEventKind.CERTAINTY: ("arrow-up-right", ""),
    FindingEventKind.AFFECTS: ("plus", "warn"),
    FindingEventKind.UNAFFECTED: ("minus", ""),
}
CALCULATED: Final = frozenset({FindingEventKind.SEVERITY, FindingEventKind.CERTAINTY})
"""Events whose reason is a sentence of Gatehouse, not of a person."""


@dataclass(frozen=True, slots=True)
class FindingHistoryLine:
    """An event with its mark.

    `names` are rows of the affected, with links. `others` says how many more there are, or the number of all
    where the viewer sees no names.
    """

    event: Any
    icon: str
    tone: str
    names: tuple[Mapping[str, str], ...] = ()
    others: str = ""


def lines_of(
    finding: AuditFinding,
    events: Iterable[FindingEvent],
    *,
    sees_names: bool,
    rows: Mapping[str, Mapping[str, str]],
) -> list[FindingHistoryLine]:
    """Return the lines of events; `rows` are those of the affected by ARN."""
    lines = []
    for event in events:
        icon, tone = EVENT_MARKS[event.kind]
        names, others = shown_names(finding, event, sees_names=sees_names)
        shown = []
        separators = _separators(len(names), has_others=others != "")
        for name, after in zip(names, separators, strict=True):
            row = rows.get(name, {"name": short_name(name)})
            shown.append({**row, "after": after})
        lines.append(FindingHistoryLine(event, icon, tone, tuple(shown), others))
    return lines


def _separators(number: int, *, has_others: bool) -> list[str]:
    """Return what follows each name: commas, and " and" before the last part."""
    parts = number + has_others
    gaps = [*[","] * (parts - 2), " and"] if parts > 1 else []
    return [*gaps, ""][:number]


def shown_names(finding: AuditFinding, event: FindingEvent, *, sees_names: bool) -> tuple[list[str], str]:
    """Return the names that the viewer sees, and words for the others: "25 more"."""
    names = event.names if sees_names else []
    if not event.number:
        return [], ""
    if not names:
        return [], affected_words(finding.kind, event.number)
    others = event.number - len(names)
    return names, f"{others:,} more" if others else ""


def happened_words(finding: AuditFinding, event: FindingEvent, *, sees_names: bool) -> str:
    """Return an event as a sentence for the list: "Also affects maya, tomas and 25 more"."""
    label = str(FindingEventKind(event.kind).label)
    if event.kind in CALCULATED:
        return f"{label} {event.reason[:1].lower()}{event.reason[1:]}"
    names, others = shown_names(finding, event, sees_names=sees_names)
    parts = [short_name(name) for name in names]
    if others:
        parts.append(others)
    return f"{label} {joined(parts)}".rstrip()


def short_name(arn: str) -> str:
    """Return the name in an ARN; anything else as it is."""
    return arn.rpartition("/")[2] or arn
