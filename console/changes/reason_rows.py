"""Explains why a grant or removal of permissions changes nothing for someone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from iam.phrases import joined


def reasons(block: Mapping[str, Any], *, people: int) -> list[str]:
    """Return the sentences for a block of `people` principals."""
    return [
        *_held(block.get("already", ()), people=people, verbs=("already has", "already have")),
        *_held(block.get("keeps", ()), people=people, verbs=("keeps", "keep")),
        *_blocked(block.get("blocked", ()), people=people),
    ]


def _held(rows: Iterable[Mapping[str, Any]], *, people: int, verbs: tuple[str, str]) -> Iterator[str]:
    for row in rows:
        verb = verbs[row["people"] != 1]
        through = joined(row["through"])
        yield _capital(f"{_people_text(row['people'], people)}{verb} {_part_text(row)}, through {through}")


def _blocked(rows: Iterable[Mapping[str, Any]], *, people: int) -> Iterator[str]:
    for row in rows:
        by = joined(row["by"])
        stay = "stays" if row["actions"] == 1 else "stay"
        who = "" if row["people"] == people else f" to {row['people']:,} of {people:,}"
        yield _capital(f"{_part_text(row)} {stay} denied{who} by {by}")


def _people_text(number: int, people: int) -> str:
    if people == 1:
        return ""
    return f"All {people:,} " if number == people else f"{number:,} of {people:,} "


def _part_text(row: Mapping[str, Any]) -> str:
    """Return '5 of 6 actions'."""
    actions, of = row["actions"], row["of"]
    if actions == of:
        return "the action" if of == 1 else f"all {of:,} actions"
    return f"{actions:,} of {of:,} actions"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
