"""Tells what a finding affects, and what changed about that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from iam.audit.findings.models import AuditFinding, FindingEventKind
from iam.audit.findings.rule import MAX_RELATED

NAMED: Final = 5
"""The maximum number of names in an event; the count includes all."""
OTHER_THINGS: Final[Mapping[str, tuple[str, str]]] = {
    "instance-role-can-escalate": ("EC2 instance", "EC2 instances"),
    "pod-identity-administrator": ("pod identity association", "pod identity associations"),
    "roles-anywhere-profile-unrestricted": ("IAM role", "IAM roles"),
    "key-used-from-instance": ("EC2 instance", "EC2 instances"),
}
"""What a finding of a kind affects (singular, plural), if it isn’t users and roles."""
PRINCIPALS: Final = ("user/", "role/")
HOLDERS: Final = (*PRINCIPALS, "group/")


class AffectedChange(NamedTuple):
    """What a finding has come to affect, or no longer affects: the first names, and how many there are."""

    kind: FindingEventKind
    names: list[str]
    number: int


def is_principal(arn: str) -> bool:
    """True for a user or role. Groups and policies give access but aren’t affected."""
    return arn.rpartition(":")[2].startswith(PRINCIPALS)


def affected_words(kind: str, number: int) -> str:
    """The number and type of what findings of a kind affect."""
    singular, plural = OTHER_THINGS.get(kind, ("IAM user or role", "IAM users and roles"))
    return f"1 {singular}" if number == 1 else f"{number:,} {plural}"


def changes_of(row: AuditFinding, values: Mapping[str, Any]) -> list[AffectedChange]:
    """Compare a stored finding with its new columns.

    Of more than MAX_RELATED, only the number is known, so the change has no names.
    """
    before, was_whole = _affected(row.kind, row.related, row.affected)
    after, is_whole = _affected(row.kind, values["related"], values["affected"])
    changes: list[AffectedChange] = []
    if was_whole and is_whole:
        _add(changes, FindingEventKind.AFFECTS, _missing(after, before))
        _add(changes, FindingEventKind.UNAFFECTED, _missing(before, after))
    elif values["affected"] > row.affected:
        more = values["affected"] - row.affected
        changes.append(AffectedChange(FindingEventKind.AFFECTS, [], more))
    elif values["affected"] < row.affected:
        fewer = row.affected - values["affected"]
        changes.append(AffectedChange(FindingEventKind.UNAFFECTED, [], fewer))
    return changes


def _affected(kind: str, related: Sequence[str], number: int) -> tuple[Sequence[str], bool]:
    """Return the affected ones among those that are related, and whether these are all."""
    names = related
    if kind not in OTHER_THINGS:
        kinds = PRINCIPALS if number else HOLDERS
        names = [arn for arn in related if arn.rpartition(":")[2].startswith(kinds)]
    is_whole = len(names) == number if number else len(related) < MAX_RELATED
    return names, is_whole


def _missing(names: Sequence[str], others: Sequence[str]) -> list[str]:
    known = set(others)
    return [name for name in dict.fromkeys(names) if name not in known]


def _add(changes: list[AffectedChange], kind: FindingEventKind, names: list[str]) -> None:
    if names:
        changes.append(AffectedChange(kind, names[:NAMED], len(names)))
