"""The root users of all accounts that a viewer can see, and whether each has MFA according to the credential
report or the account summary.

GetAccountSummary: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple

from django.db.models import BigAutoField, FilteredRelation, Q

from iam.compiled_queries import SCOPES_KEPT, CompiledQuery
from iam.guard import Right, Viewer, ViewerScope
from iam.mirror.models import NEVER, Account, Kind, valid_at
from iam.mirror.queries.accounts import accounts_within
from iam.mirror.queries.visibility import visible_states
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam

SUMMARY: Final = "summary"
REPORT: Final = "root_credentials"


class RootUserFact(NamedTuple):
    """A fact about a root user from one of the two sources."""

    name: str
    value: dict[str, Any] | None
    observed_at: datetime


class RootStanding(StrEnum):
    """The status of a root user, most urgent first."""

    NONE = "1"
    UNREAD = "2"
    UNCONNECTED = "3"
    ON = "4"
    ABSENT = "5"


@dataclass(frozen=True, slots=True)
class RootUserFacts:
    """The root user of an account. `keys` is the number of access keys, `last_used` is NEVER if AWS reports
    no use, and `read_at` is the time of the data. Unknown values are None.
    """

    account_id: str
    name: str
    standing: RootStanding
    keys: int | None = None
    last_used: datetime | None = None
    read_at: datetime | None = None


def roots(viewer: Viewer, *, account: Account | None = None) -> list[RootUserFacts]:
    """Return the root users, those without MFA first, then by name. Accounts of the organization that aren't
    connected are included. Two queries.
    """
    facts: dict[tuple[str, str], dict[str, RootUserFact]] = {}
    for number, name, *fact in root_reads(viewer, account=account)[0].rows():
        known = facts.setdefault((number, name), {})
        if fact[0] is not None:
            known[fact[0]] = RootUserFact(*fact)
    seen = {fact: facts[fact] for fact in facts if viewer.may(Right.SEE_ACCOUNT, account_id=fact[0])}
    roots = [root_of(number, name, known) for (number, name), known in seen.items()]
    if account is None:
        roots += _unconnected(viewer, {number for number, _ in seen})
    return sorted(roots, key=lambda root: (root.standing, root.name.lower(), root.account_id))


def root_reads(viewer: Viewer, *, account: Account | None) -> list[PlannedRead]:
    """Return the reads of `roots`: accounts with facts, and for all accounts those of organizations."""
    if account is not None:
        return [_accounts_and_facts(None).planned(account=account.pk)]
    return [_accounts_and_facts(viewer.scope).planned(), _accounts_of_organizations(viewer).planned()]


@lru_cache(maxsize=SCOPES_KEPT)
def _accounts_and_facts(scope: ViewerScope | None) -> CompiledQuery:
    """Return the query for ID and name of each account within a scope, or (None) of the account in the
    parameter `account`, with one row for each `RootUserFact` of its root user.
    """
    accounts = Account.objects.filter(pk=QueryParam("account", BigAutoField()))
    accounts = accounts_within(scope) if scope is not None else accounts
    facts_of_root = FilteredRelation(
        "facts", condition=valid_at(None, prefix="facts__") & Q(facts__name__in=[SUMMARY, REPORT])
    )
    columns = ("account_id", "name", "told__name", "told__value", "told__observed_at")
    return CompiledQuery(lambda: accounts.annotate(told=facts_of_root).values_list(*columns))


def root_of(number: str, name: str, facts: Mapping[str, RootUserFact]) -> RootUserFacts:
    """Return the state of a root user. If the two sources differ, the newer one counts, because AWS creates
    the report at most every four hours.
    """
    summary, report = facts.get(SUMMARY), facts.get(REPORT)
    known_facts = [fact for fact in (report, summary) if fact is not None and _mfa(fact) is not None]
    if not known_facts:
        return RootUserFacts(number, name, RootStanding.UNREAD)
    newest = max(known_facts, key=lambda fact: fact.observed_at)
    values: dict[str, Any] = (summary.value or {}) if summary else {}
    standing = RootStanding.ON if _mfa(newest) else RootStanding.NONE
    keys = _keys(summary, report)
    if values.get("AccountPasswordPresent") == 0 and not keys:
        standing = RootStanding.ABSENT
    return RootUserFacts(number, name, standing, keys, _last_used(report), newest.observed_at)


def _mfa(fact: RootUserFact) -> bool | None:
    values = fact.value or {}
    name = "AccountMFAEnabled" if fact.name == SUMMARY else "mfa_active"
    known = values.get(name)
    return None if known is None else bool(known)


def _keys(summary: RootUserFact | None, report: RootUserFact | None) -> int | None:
    values = (report.value or {}) if report else {}
    if values:
        return sum(bool(values.get(f"access_key_{slot}_active")) for slot in (1, 2))
    present = ((summary.value or {}) if summary else {}).get("AccountAccessKeysPresent")
    return None if present is None else int(present)


def _last_used(report: RootUserFact | None) -> datetime | None:
    values = (report.value or {}) if report else {}
    texts = [values.get(name) for name in ("password_last_used", "key_1_last_used", "key_2_last_used")]
    uses = []
    for text in texts:
        if isinstance(text, str) and "T" in text:
            used_at = datetime.fromisoformat(text)
            if not used_at.tzinfo:
                used_at = used_at.replace(tzinfo=UTC)
            uses.append(used_at)
    return max(uses, default=NEVER) if values else None


def _unconnected(viewer: Viewer, connected: set[str]) -> list[RootUserFacts]:
    """Return accounts that are in an organization but not connected to Gatehouse."""
    names = dict(root_reads(viewer, account=None)[1].rows())
    return [
        RootUserFacts(number, name, RootStanding.UNCONNECTED)
        for number, name in names.items()
        if number not in connected
    ]


@lru_cache(maxsize=SCOPES_KEPT)
def _accounts_of_organizations(viewer: Viewer) -> CompiledQuery:
    rows = visible_states(viewer, at=None, kinds=(Kind.ORG_ACCOUNT,)).filter(kind=Kind.ORG_ACCOUNT)
    return CompiledQuery(lambda: rows.values_list("entity__aws_id", "name"))
