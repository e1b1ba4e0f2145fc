"""Collects the warnings that approvers of a grant accept. They are stored with the request."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from iam.access.grants.checks import CheckTone, GrantCheck, warning_checks
from iam.access.grants.effects import GrantEffect, effects_of
from iam.access.grants.plans import GrantPlan
from iam.access.grants.terms import GrantTerms
from iam.changes.summary import LINES, SummaryBlock, where_words
from iam.mirror.models import Account

MAX_NAMES: Final = 200
MAX_WARNINGS: Final = 40
"""How many warnings are kept; one more sentence gives the number of the rest."""


def accepted_with(plan: GrantPlan) -> list[str]:
    """The plan's warnings, failed checks and notes of its parts, without duplicates."""
    warning_texts = list(dict.fromkeys([*plan.warnings, *_checked(plan), *_of_parts(plan)]))
    if len(warning_texts) > MAX_WARNINGS:
        return [
            *warning_texts[:MAX_WARNINGS],
            f"And {len(warning_texts) - MAX_WARNINGS} more, on the page of the grant.",
        ]
    return warning_texts


def summary_for(plan: GrantPlan) -> list[SummaryBlock]:
    """What a plan allows in which accounts; accounts with the same effect share a block."""
    return effect_blocks(plan.terms, accounts=[part.account for part in plan.parts])


def effect_blocks(
    terms: GrantTerms, *, accounts: Sequence[Account], until: datetime | None = None
) -> list[SummaryBlock]:
    """What these terms allow in which accounts; accounts with the same effect share a block.

    `until` is an end date that belongs to the request rather than the terms.
    """
    numbers = {account.name: account.account_id for account in accounts}
    return [_block(effect, numbers, until) for effect in effects_of(terms, accounts=accounts)]


def _block(effect: GrantEffect, numbers: Mapping[str, str], until: datetime | None) -> SummaryBlock:
    texts = [sentence.text for sentence in effect.sentences]
    words = [sentence.plain for sentence in effect.sentences]
    lines = list(filter(None, [effect.lead, *texts, effect.note]))
    plain = list(filter(None, [effect.lead, *words, effect.note]))
    said_plainly = tuple(plain[:LINES]) if plain != lines else ()
    return SummaryBlock(
        what=tuple(lines[:LINES]),
        accounts=tuple((numbers.get(name, ""), name) for name in effect.accounts),
        more=len(lines[LINES:]),
        until=until,
        plain=said_plainly,
    )


def _checked(plan: GrantPlan) -> Iterator[str]:
    for check in warning_checks(plan):
        if check.tone is not CheckTone.OK:
            yield " ".join(filter(None, [f"{check.text}.", check.note, _people(check)]))


def _people(check: GrantCheck) -> str:
    """A sentence that lists the people a check concerns; "" if it lists none."""
    counts = Counter(name for _, name in check.people)
    names = []
    for name, count in counts.items():
        how_many = "" if count == 1 else f" ({count} IAM users)"
        names.append(f"{name}{how_many}")
    if not names:
        return ""
    more = f" and {len(names) - MAX_NAMES:,} more" if len(names) > MAX_NAMES else ""
    return f"They are {', '.join(names[:MAX_NAMES])}{more}."


def _of_parts(plan: GrantPlan) -> Iterator[str]:
    """The notes of all parts; a note that several accounts share appears once, with their names."""
    places: dict[str, list[str]] = defaultdict(list)
    for part in plan.parts:
        for note in part.notes:
            places[note].append(part.account.name)
    for note, names in places.items():
        yield f"{where_words(names)}: {note}"
