"""What a grant allows, as blocks of a page: one per group of accounts with the same effect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from console.web.moments import moment_text
from iam.access.grants.effects import GrantEffect, effects_of
from iam.access.grants.models import Grant, GrantState
from iam.access.grants.phrases import duration, listed
from iam.access.grants.terms import GrantTerms
from iam.guard import Viewer
from iam.mirror.models import Account
from iam.phrases import counted
from iam.policy.sentences import PolicySentence

LINES: Final = 6
"""Number of sentences of a block that are shown at first."""
NAMED: Final = 3
NOT_YET: Final = (GrantState.PREPARING, GrantState.WAITING, GrantState.APPLYING)


@dataclass(frozen=True, slots=True)
class EffectBlock:
    """Accounts with the same effect; `where` names or counts them, and `names` lists all if they are only
    counted.
    """

    where: str
    names: tuple[str, ...]
    lead: str
    lines: Sequence[PolicySentence]
    more_lines: Sequence[PolicySentence]
    note: str


@dataclass(frozen=True, slots=True)
class GrantEnd:
    """When a grant ends: a label, and a moment or a text."""

    label: str
    at: datetime | None
    words: str

    @property
    def text(self) -> str:
        """For sentences: "until 5 Dec 2026, 13:26", "for 8 hours after approval", "permanently"."""
        return f"until {moment_text(self.at)}" if self.at else self.words


PERMANENT: Final = "permanently"


def end_of(grant: Grant) -> GrantEnd:
    """Return the end of a grant; used by all lists, pages, cards and mails."""
    if grant.ended_at:
        return GrantEnd("Ended", grant.ended_at, "")
    if grant.begins_at:
        note = "" if grant.ends_at else PERMANENT
        return GrantEnd("Ends", grant.ends_at, note)
    end = end_of_terms(grant.agreed)
    return replace(end, label="Requested end") if grant.is_over else end


def effect_heading(grant: Grant, *, who: str, is_altered: bool) -> str:
    """Return the heading of the effects, which doesn’t claim access that ended, didn’t begin yet or never
    began.

    `is_altered`: AWS no longer shows everything that the grant gave.
    """
    if grant.is_over:
        return f"What {who} could do" if grant.begins_at else "What was requested"
    if grant.state in NOT_YET:
        return f"What {who} will be able to do"
    if is_altered or grant.state == GrantState.PARTLY:
        return f"What {who} should be able to do"
    return f"What {who} can do"


def end_of_terms(terms: GrantTerms) -> GrantEnd:
    """Return the requested end; a moment only if it was chosen as a date."""
    if terms.until:
        return GrantEnd("Ends", terms.until, "")
    if terms.lasts:
        return GrantEnd("Ends", None, f"for {duration(terms.lasts)} after approval")
    return GrantEnd("Ends", None, PERMANENT)


def blocks_of(terms: GrantTerms, *, accounts: Sequence[Account]) -> list[EffectBlock]:
    """Return a block for each different effect."""
    return [_block(effect) for effect in effects_of(terms, accounts=accounts)]


def _block(effect: GrantEffect) -> EffectBlock:
    names = effect.accounts
    is_cut = len(names) > NAMED
    where = counted(len(names), "account") if is_cut else listed(names)
    names_shown = names if is_cut else ()
    return EffectBlock(
        where=where,
        names=names_shown,
        lead=effect.lead,
        lines=effect.sentences[:LINES],
        more_lines=effect.sentences[LINES:],
        note=effect.note,
    )


def effect_context(
    viewer: Viewer, terms: GrantTerms, *, accounts: Sequence[Account], end: GrantEnd
) -> dict[str, Any]:
    """Return the context of `access/grants/_effect.html`: who can do what, where, and until when."""
    return {
        "effect_blocks": blocks_of(terms, accounts=accounts),
        "effect_end": end,
        "effect_is_plain": not viewer.sees_accounts,
    }


def accounts_of_terms(terms: GrantTerms) -> list[Account]:
    """Return the connected accounts of the terms, in their order."""
    rows = {row.account_id: row for row in Account.objects.filter(account_id__in=terms.accounts)}
    return [rows[number] for number in terms.accounts if number in rows]
