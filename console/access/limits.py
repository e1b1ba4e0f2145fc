"""Describes the limits of an analysis in one list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from iam.guard import Viewer
from iam.mirror.queries.accounts import visible_accounts
from iam.policy.index.question import AnswerLimitation

MAX_NAMED: Final = 6


@dataclass(frozen=True, slots=True)
class LimitRow:
    """A limit of the analysis, and the accounts it applies to."""

    text: str
    where: str = ""


def limit_rows(limitations: Iterable[AnswerLimitation], *, viewer: Viewer) -> list[LimitRow]:
    """Return the engine's limitations; only accounts that the viewer sees are named."""
    return [LimitRow(limitation.text, _where(limitation.accounts, viewer)) for limitation in limitations]


def unread_rows(unread: Mapping[str, Sequence[str]], *, viewer: Viewer) -> list[LimitRow]:
    """Return what was not synced, grouped by text; `unread` has texts by account."""
    by_clause: dict[str, list[str]] = {}
    for number, clauses in sorted(unread.items()):
        for clause in clauses:
            by_clause.setdefault(clause, []).append(number)
    return [
        LimitRow(
            f"{clause[:1].upper()}{clause[1:]}, so answers there are unconfirmed.", _where(numbers, viewer)
        )
        for clause, numbers in by_clause.items()
    ]


def _where(numbers: Sequence[str], viewer: Viewer) -> str:
    if not numbers:
        return ""
    shown = numbers[:MAX_NAMED]
    names = dict(visible_accounts(viewer).filter(account_id__in=shown).values_list("account_id", "name"))
    words = [names.get(number) or number for number in shown]
    if len(numbers) > MAX_NAMED:
        return f"Applies to {len(numbers):,} accounts, such as {words[0]}."
    return f"Applies to {', '.join(words)}."
