"""The root users of all accounts that one sees: whether each has MFA, as the credential report or the account summary says.

GetAccountSummary: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from iam.guard import Right, Viewer
from iam.mirror.models import NEVER, Account, AccountFact, Kind, valid_at
from iam.mirror.queries.accounts import visible_accounts
from iam.mirror.queries.visibility import visible_states


class RootStanding(StrEnum):
    """How a root user stands, the most urgent first."""

    NONE = "1"
    UNREAD = "2"
    UNCONNECTED = "3"
    ON = "4"
    ABSENT = "5"


@dataclass(frozen=True, slots=True)
class Root:
    """The root user of an account. `keys` are its access keys, `last_used` NEVER where AWS reports no use, `read_at` when AWS was seen so; all None where it is unknown."""

    account_id: str
    name: str
    standing: RootStanding
    keys: int | None = None
    last_used: datetime | None = None
    read_at: datetime | None = None


def roots(viewer: Viewer, *, account: Account | None = None) -> list[Root]:
    """Those without MFA first, then by name; also of accounts of the organization that are not connected. Three queries."""
    seen = visible_accounts(viewer) if account is None else Account.objects.filter(pk=account.pk)
    accounts = [one for one in seen if viewer.may(Right.SEE_ACCOUNT, account_id=one.account_id)]
    facts: dict[int, dict[str, AccountFact]] = {}
    wanted = AccountFact.objects.filter(
        valid_at(None), account__in=[one.pk for one in accounts], name__in=["summary", "root_credentials"]
    )
    for fact in wanted:
        facts.setdefault(fact.account_id, {})[fact.name] = fact
    found = [_root(one, facts.get(one.pk, {})) for one in accounts]
    if account is None:
        found += _unconnected(viewer, {one.account_id for one in accounts})
    return sorted(found, key=lambda one: (one.standing, one.name.lower(), one.account_id))


def _root(account: Account, facts: Mapping[str, AccountFact]) -> Root:
    """The newer of the two readings counts where they differ: AWS makes the report at most every four hours."""
    summary, report = facts.get("summary"), facts.get("root_credentials")
    told = [one for one in (report, summary) if one is not None and _mfa(one) is not None]
    if not told:
        return Root(account.account_id, account.name, RootStanding.UNREAD)
    newest = max(told, key=lambda one: one.observed_at)
    values: dict[str, Any] = (summary.value or {}) if summary else {}
    standing = RootStanding.ON if _mfa(newest) else RootStanding.NONE
    keys = _keys(summary, report)
    if values.get("AccountPasswordPresent") == 0 and not keys:
        standing = RootStanding.ABSENT
    return Root(account.account_id, account.name, standing, keys, _last_used(report), newest.observed_at)


def _mfa(fact: AccountFact) -> bool | None:
    values = fact.value or {}
    known = values.get("AccountMFAEnabled" if fact.name == "summary" else "mfa_active")
    return None if known is None else bool(known)


def _keys(summary: AccountFact | None, report: AccountFact | None) -> int | None:
    values = (report.value or {}) if report else {}
    if values:
        return sum(bool(values.get(f"access_key_{slot}_active")) for slot in (1, 2))
    present = ((summary.value or {}) if summary else {}).get("AccountAccessKeysPresent")
    return None if present is None else int(present)


def _last_used(report: AccountFact | None) -> datetime | None:
    values = (report.value or {}) if report else {}
    texts = [values.get(name) for name in ("password_last_used", "key_1_last_used", "key_2_last_used")]
    found = [datetime.fromisoformat(text) for text in texts if isinstance(text, str) and "T" in text]
    newest = max((one if one.tzinfo else one.replace(tzinfo=UTC) for one in found), default=NEVER)
    return newest if values else None


def _unconnected(viewer: Viewer, connected: set[str]) -> list[Root]:
    """Accounts that an organization has, and Gatehouse does not."""
    rows = visible_states(viewer, at=None, kinds=(Kind.ORG_ACCOUNT,)).filter(kind=Kind.ORG_ACCOUNT)
    found = dict(rows.values_list("entity__aws_id", "name"))
    return [
        Root(number, name, RootStanding.UNCONNECTED)
        for number, name in found.items()
        if number not in connected
    ]
