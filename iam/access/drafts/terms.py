"""Parses the terms of a grant from a draft: what is filled in, and what is wrong, by step. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from iam.access.grants.terms import GrantContent, GrantTerms, TermsError, WhoKind, WhoTerms

LASTS: Final[Mapping[str, tuple[str, timedelta]]] = {
    "1h": ("1 hour", timedelta(hours=1)),
    "8h": ("8 hours", timedelta(hours=8)),
    "1d": ("1 day", timedelta(days=1)),
    "7d": ("7 days", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "90d": ("90 days", timedelta(days=90)),
}
DATE, NEVER = "date", "never"
UNTIL_FORMAT: Final = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True, slots=True)
class DraftEnds:
    """How the end was chosen: one of LASTS, `date` with a time in UTC, or `never`; "" if not chosen yet."""

    choice: str = ""
    until: str = ""

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> DraftEnds:
        """Parse the body of a draft."""
        return cls(str(body.get("ends", "")), str(body.get("until", "")))

    def fields(self) -> dict[str, Any]:
        """The fields of GrantTerms. Raises TermsError."""
        if self.choice in LASTS:
            return {"lasts": int(LASTS[self.choice][1].total_seconds())}
        if self.choice == DATE:
            return {"until": _moment(self.until)}
        if self.choice == NEVER:
            return {}
        raise TermsError("Choose a duration.", part="until")


def _moment(text: str) -> datetime:
    """The value of a date and time field, which has no time zone and means UTC."""
    try:
        instant = datetime.fromisoformat(text.strip())
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise TermsError(
            "Enter the end as a date and time, such as 2026-12-31 18:00.", part="until"
        ) from None


def who_of(body: Mapping[str, Any]) -> WhoTerms:
    """The recipients chosen so far. The draft keeps choices of each kind, of which one is selected."""
    try:
        kind = WhoKind(str(body.get("kind", WhoKind.USERS)))
    except ValueError:
        kind = WhoKind.USERS
    texts = body.get("who", {}).get(kind.value, {})
    return WhoTerms.from_json({**texts, "kind": kind.value})


def what_of(body: Mapping[str, Any]) -> GrantContent | None:
    """The chosen access; None if nothing is chosen."""
    what = body.get("what")
    return GrantContent.from_json(what) if isinstance(what, dict) and what else None


def accounts_of(body: Mapping[str, Any], who: WhoTerms) -> tuple[str, ...]:
    """The accounts of recipients named by ARN, else the chosen ones."""
    if who.arns:
        return tuple(dict.fromkeys(arn.split(":")[4] for arn in who.arns))
    return tuple(str(account) for account in body.get("accounts", []))


def terms_of(body: Mapping[str, Any], *, now: datetime) -> GrantTerms:
    """The complete, checked terms. Raises TermsError, whose `part` is the step to fix."""
    who, what = who_of(body), what_of(body)
    who.check()
    if what is None:
        raise TermsError("Choose permissions.", part="what")
    terms = GrantTerms(
        who=who,
        what=what,
        accounts=accounts_of(body, who),
        why=str(body.get("why", "")).strip(),
        **DraftEnds.from_json(body).fields(),
    )
    terms.check(now=now)
    return terms


def with_end(terms: GrantTerms, ends: DraftEnds) -> GrantTerms:
    """The terms with another end. Raises TermsError."""
    return replace(terms, **{"until": None, "lasts": 0, **ends.fields()})


def body_of(terms: GrantTerms) -> dict[str, Any]:
    """The draft body for existing terms; an end date that the page can't offer is left out."""
    lasts = {int(span.total_seconds()): choice for choice, (_, span) in LASTS.items()}
    body = {
        "kind": terms.who.kind.value,
        "who": {terms.who.kind.value: terms.who.body},
        "what": terms.what.body,
        "accounts": list(terms.accounts),
        "why": terms.why,
    }
    if terms.until:
        return body | {"ends": DATE, "until": terms.until.astimezone(UTC).strftime(UNTIL_FORMAT)}
    return body | {"ends": lasts.get(terms.lasts, "") if terms.lasts else NEVER}
