"""Rows of an access comparison for its page and its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any, Final

from django.urls import reverse

from console.access.bars import KEYS, bar
from console.access.effective_rows import GRADES, short_name
from console.changes.witness_rows import WitnessShown, witness_text, witnesses_shown
from console.web.query import QueryPairs
from iam.access.compare import (
    AccessComparison,
    DifferenceCause,
    DifferenceGroup,
    DifferenceSort,
    ServiceDifference,
)
from iam.access.effective import AccessGrade, patterns_of
from iam.policy.catalogue import AccessLevel
from iam.policy.sentences.conditions import conditions_in_words

PREVIEW_ACTIONS: Final = 8
MAX_CAUSES: Final = 3
SIGNS: Final = {
    DifferenceSort.ONLY_RIGHT: ("add", "+", "Only on the right"),
    DifferenceSort.ONLY_LEFT: ("del", "−", "Only on the left"),
    DifferenceSort.WIDER: ("", "↑", "Wider on the right"),
    DifferenceSort.NARROWER: ("", "↓", "Narrower on the right"),
    DifferenceSort.ALTERED: ("", "~", "Each side allows requests that the other doesn’t"),
}
BADGES: Final = {
    DifferenceSort.ONLY_RIGHT: ("+{:,}", "ok"),
    DifferenceSort.ONLY_LEFT: ("−{:,}", "bad"),
    DifferenceSort.WIDER: ("{:,} wider", "warn"),
    DifferenceSort.NARROWER: ("{:,} narrower", ""),
    DifferenceSort.ALTERED: ("{:,} different", ""),
}
DOTS: Final = {AccessLevel.PERMISSIONS: "perm", AccessLevel.TAGGING: "tag"}
BOUNDED: Final = "Permissions boundaries, SCPs or RCPs differ"
VARIABLES: Final = "Policy variables resolve to each principal’s own values"


@dataclass(frozen=True, slots=True)
class DifferenceReason:
    """A reason for a difference: a policy with effect and side, or a sentence if the policies are alike."""

    text: str
    url: str
    verb: str


@dataclass(frozen=True, slots=True)
class ComparedServiceRow:
    """A service: the bars of both sides, the differences and their causes."""

    title: str
    url: str
    left: str
    right: str
    badges: list[tuple[str, str]]
    because: list[DifferenceReason]
    more: int


@dataclass(frozen=True, slots=True)
class ActionGroupRow:
    """Actions with the same difference; `rest` are those shown on demand."""

    css: str
    sign: str
    spoken: str
    names: tuple[str, ...]
    rest: tuple[str, ...]
    level: str
    dot: str
    extent: str
    because: list[DifferenceReason]
    notes: tuple[str, ...]
    is_risky: bool
    witnesses: list[WitnessShown]


def service_row(
    comparison: AccessComparison, service: ServiceDifference, *, query: QueryPairs
) -> ComparedServiceRow:
    """Return a row of the table of services."""
    because = _because(comparison.causes_of(service.prefix), query) if service.differs else []
    return ComparedServiceRow(
        title=service.title,
        url=f"{query.with_values(service=service.prefix)}#actions",
        left=bar(service.left)[0],
        right=bar(service.right)[0],
        badges=list(_badges(service)),
        because=because[:MAX_CAUSES]
        or ([_elsewhere(comparison, _only_sort(service))] if service.differs else []),
        more=max(0, len(because) - MAX_CAUSES),
    )


def _badges(service: ServiceDifference) -> Iterator[tuple[str, str]]:
    for sort, number in service.numbers.items():
        text, tone = BADGES[sort]
        if number:
            yield text.format(number), tone
    for sort, number in service.unlisted.items():
        text, tone = BADGES[sort]
        if number:
            yield f"{text.format(number)} not in AWS’s list", tone


def group_rows(comparison: AccessComparison, prefix: str, *, query: QueryPairs) -> list[ActionGroupRow]:
    """Return the differing actions of a service, grouped by difference."""
    return [_group_row(comparison, group, query) for group in comparison.groups(prefix)]


def _only_sort(service: ServiceDifference) -> DifferenceSort | None:
    """Return the type of difference if all actions of the service have the same, else None."""
    counts = chain(service.numbers.items(), service.unlisted.items())
    sorts = list(dict.fromkeys(sort for sort, number in counts if number))
    return sorts[0] if len(sorts) == 1 else None


def _elsewhere(comparison: AccessComparison, sort: DifferenceSort | None) -> DifferenceReason:
    """Return the cause of a difference whose statements are the same on both sides."""
    are_two_principals = comparison.left.moment.who.number != comparison.right.moment.who.number
    text = VARIABLES if are_two_principals and sort is DifferenceSort.ALTERED else BOUNDED
    return DifferenceReason(text, "", "")


def _group_row(comparison: AccessComparison, group: DifferenceGroup, query: QueryPairs) -> ActionGroupRow:
    css, sign, spoken = SIGNS[group.sort]
    bare = [group.names[0], *(name.partition(":")[2] for name in group.names[1:])]
    spoken_in_full = f"{spoken}, risky" if group.is_risky else spoken
    level = str(group.level) if group.level else "Not in AWS’s list of actions"
    dot = DOTS.get(group.level, KEYS[group.level]) if group.level else ""
    return ActionGroupRow(
        css=css,
        sign=sign,
        spoken=spoken_in_full,
        names=tuple(bare[:PREVIEW_ACTIONS]),
        rest=tuple(bare[PREVIEW_ACTIONS:]),
        level=level,
        dot=dot,
        extent=_extent(group),
        because=_because(group.causes, query) or [_elsewhere(comparison, group.sort)],
        notes=tuple(_cause_notes(group.causes)),
        is_risky=group.is_risky,
        witnesses=witnesses_shown(map(asdict, comparison.witnesses(group.names[0]))),
    )


def _extent(group: DifferenceGroup) -> str:
    """Return how far the actions are allowed: 'some resources → all resources'."""
    left = GRADES[group.left][0].lower() if group.left else "not"
    right = GRADES[group.right][0].lower() if group.right else "not"
    if group.sort is DifferenceSort.ONLY_RIGHT:
        return right
    if group.sort is DifferenceSort.ONLY_LEFT or left == right:
        return left
    return f"{left} → {right}"


def _cause_notes(causes: Iterable[DifferenceCause]) -> Iterator[str]:
    """Yield the resources and conditions of statements that don’t cover all resources unconditionally."""
    for cause in causes:
        statement = cause.applicable.statement
        names = tuple(map(short_name, patterns_of(statement)))
        where = ", ".join(names[:MAX_CAUSES]) + (
            f" and {len(names) - MAX_CAUSES} more" if len(names) > MAX_CAUSES else ""
        )
        when = " and ".join(conditions_in_words(statement))
        if where != "All resources" or when:
            yield f"{'' if statement.allows else 'denied '}on {where}{f', only when {when}' if when else ''}"


def _because(causes: Iterable[DifferenceCause], query: QueryPairs) -> list[DifferenceReason]:
    """Return the policies of the statements, each once for an effect and a side."""
    fields = dict(query.pairs)
    because_by_rule: dict[tuple[int | None, str, str], DifferenceReason] = {}
    for cause in causes:
        holding = cause.applicable.held
        text = holding.policy.name
        if holding.group:
            text = f"{text} of {holding.group.name}"
        effect = "allows" if cause.applicable.statement.allows else "denies"
        side = "right" if cause.is_right else "left"
        verb = f"{effect} on the {side}"
        address = ""
        if holding.policy.pk:
            url = reverse("identities:policy", args=[holding.policy.pk])
            moment_field = "b-at" if cause.is_right else "a-at"
            moment = fields.get(moment_field, "")
            address = f"{url}{QueryPairs.from_pairs([('as-of', moment)])}".rstrip("?")
        because_by_rule[holding.policy.pk, text, verb] = DifferenceReason(text, address, verb)
    return list(because_by_rule.values())


def file_rows(comparison: AccessComparison) -> Iterator[dict[str, Any]]:
    """Yield every action that differs, for a file."""
    for service in comparison.services:
        for group in comparison.groups(service.prefix) if service.differs else ():
            for name in group.names:
                yield {
                    "service": service.prefix,
                    "service_name": service.title,
                    "action": name,
                    "access_level": str(group.level or ""),
                    "difference": str(group.sort),
                    "left": _grade_word(group.left),
                    "right": _grade_word(group.right),
                    "because": [f"{why.text} {why.verb}" for why in _because(group.causes, QueryPairs())]
                    or [_elsewhere(comparison, group.sort).text],
                    "example": [
                        witness_text(witness)
                        for witness in witnesses_shown(map(asdict, comparison.witnesses(name)))
                    ],
                    "risky": group.is_risky,
                }


def _grade_word(grade: AccessGrade | None) -> str:
    return str(grade) if grade else "no"
