"""The terms of a grant: who gets what, in which accounts, until when and why. Pure; converts to and from
JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from iam.access.grants.grant_content import GrantContent, WhatKind
from iam.access.grants.phrases import listed
from iam.access.grants.term_errors import TermsError, texts_of
from iam.access.grants.who import NUMBER, WhoKind, WhoTerms

__all__ = ["GrantContent", "GrantTerms", "TermsError", "WhatKind", "WhoKind", "WhoTerms"]

MAX_ACCOUNTS: Final = 200
SHORTEST: Final = timedelta(minutes=5)
MAX_DURATION: Final = timedelta(days=3 * 365)
SHORTEST_SESSION: Final = timedelta(hours=1)
MAX_SESSION: Final = timedelta(hours=12)
MAX_WHY: Final = 1000


@dataclass(frozen=True, slots=True)
class GrantTerms:
    """Who gets what, in which accounts (by account ID), until when and why.

    The grant ends at `until`, or `lasts` seconds after approval; without both it is permanent. `session` is
    the maximum session duration, in seconds, of a role that is created for it.
    """

    who: WhoTerms
    what: GrantContent
    accounts: tuple[str, ...]
    why: str
    until: datetime | None = None
    lasts: int = 0
    session: int = 3600

    @property
    def ends(self) -> bool:
        """True if the grant has an end date or a duration."""
        return bool(self.until or self.lasts)

    def end_when(self, *, begun: datetime) -> datetime | None:
        """The end date if the grant is approved at `begun`, to the second; None if permanent."""
        end = self.until or (begun + timedelta(seconds=self.lasts) if self.lasts else None)
        return end.astimezone(UTC).replace(microsecond=0) if end else None

    @property
    def body(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "who": self.who.body,
            "what": self.what.body,
            "accounts": list(self.accounts),
            "why": self.why,
            "until": self.until.isoformat() if self.until else None,
            "lasts": self.lasts,
            "session": self.session,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Self:
        """Parse the JSON form. Raises TermsError if it is invalid."""
        who, what = body.get("who"), body.get("what")
        if not isinstance(who, dict):
            raise TermsError("Choose who gets access.", part="who")
        if not isinstance(what, dict):
            raise TermsError("Choose permissions.", part="what")
        lasts, session = body.get("lasts", 0), body.get("session", 3600)
        if not isinstance(lasts, int) or not isinstance(session, int):
            raise TermsError("How long it lasts is a number of seconds.", part="until")
        return cls(
            who=WhoTerms.from_json(who),
            what=GrantContent.from_json(what),
            accounts=texts_of(body, "accounts", part="accounts"),
            why=str(body.get("why", "")),
            until=_moment(body.get("until")),
            lasts=lasts,
            session=session,
        )

    def check(self, *, now: datetime) -> None:
        """Check that the terms are valid, regardless of what the accounts contain. Raises TermsError."""
        _check_storable(self.body)
        self.who.check()
        self.what.check()
        self._check_fit()
        self._check_accounts()
        self._check_until(now)
        check_why(self.why)

    def _check_fit(self) -> None:
        joins = self.what.kind is WhatKind.GROUP
        if joins and self.who.kind not in (WhoKind.USERS, WhoKind.TEAM):
            raise TermsError("Only users can be members of a group.", part="what")
        if self.what.kind is WhatKind.ROLE and self.who.kind is WhoKind.GROUP:
            raise TermsError("A role can’t trust a group. Choose people or a team.", part="who")

    def _check_accounts(self) -> None:
        if not self.accounts:
            raise TermsError("Choose the accounts.", part="accounts")
        if len(self.accounts) > MAX_ACCOUNTS:
            raise TermsError(
                f"A grant can have up to {MAX_ACCOUNTS} accounts. You selected {len(self.accounts)}.",
                part="accounts",
            )
        wrong = [number for number in self.accounts if not NUMBER.fullmatch(number)]
        if wrong:
            raise TermsError(f"{listed(wrong)} isn’t an account ID. Enter 12 digits.", part="accounts")
        if len(set(self.accounts)) < len(self.accounts):
            raise TermsError("An account is listed twice.", part="accounts")
        if self.who.kind in (WhoKind.ACCOUNT, WhoKind.PARTNER) and self.who.account_id in self.accounts:
            raise TermsError(f"Account {self.who.account_id} can’t get access to itself.", part="accounts")

    def _check_until(self, now: datetime) -> None:
        if self.until is not None and self.lasts:
            raise TermsError("Choose a date or a duration, not both.", part="until")
        if self.until is not None and self.until.tzinfo is None:
            raise TermsError("The end date needs a time zone.", part="until")
        check_end(self.until, self.lasts, now=now)
        if not SHORTEST_SESSION <= timedelta(seconds=self.session) <= MAX_SESSION:
            raise TermsError("A role session lasts between 1 and 12 hours.", part="until")


def check_why(why: str, *, readers: str = "Approvers and auditors read it.") -> None:
    """Raises TermsError if there is no reason, or a too long one."""
    length = len(why.strip())
    if not length:
        raise TermsError(f"Enter a reason. {readers}", part="why")
    if length > MAX_WHY:
        raise TermsError(f"The reason is {length:,} characters long. The limit is {MAX_WHY:,}.", part="why")


def check_end(until: datetime | None, lasts: int, *, now: datetime) -> None:
    """Raises TermsError if the end is too near or too far. Neither date nor duration means permanent."""
    left = until - now if until else timedelta(seconds=lasts)
    if (until or lasts) and left < SHORTEST:
        raise TermsError("The end must be at least five minutes away.", part="until")
    if left > MAX_DURATION:
        raise TermsError(
            "The longest duration is three years. Choose “Permanent” for access without an end.", part="until"
        )


def _check_storable(body: Mapping[str, Any]) -> None:
    """Raises TermsError for characters that the database can't store."""
    text = json.dumps(body, ensure_ascii=False)
    if "\\u0000" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise TermsError("The text has an invalid character. Remove it and try again.", part="why")


def _moment(value: object) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise TermsError(f"“{value}” isn’t a date and time.", part="until") from None
