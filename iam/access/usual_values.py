"""Chooses defaults for what a question leaves open: the Region, and the account of a resource whose ARN has
none.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from django.db.models import Count

from iam.mirror.models import Account, InlinePolicy, PolicyVersion, Usage, valid_at
from iam.mirror.queries.result_cache import KeptResults, state_of
from iam.policy.letter_case import fold

HOME_REGION: Final = "us-east-1"
GLOBAL_SERVICES: Final = frozenset(
    {
        "account",
        "aws-portal",
        "billing",
        "budgets",
        "ce",
        "cloudfront",
        "cur",
        "globalaccelerator",
        "health",
        "iam",
        "organizations",
        "route53",
        "route53domains",
        "shield",
        "support",
        "tax",
        "trustedadvisor",
        "waf",
    }
)
"""Requests to these services always go to us-east-1.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion
"""
MAX_REGIONS: Final = 12
MAX_TEXTS: Final = 400
Scope = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class AccountCandidate:
    """An account whose policies name a resource, with their number."""

    account: str
    name: str
    policies: int


_regions = KeptResults[list[str]]()
_naming = KeptResults[list["AccountCandidate"]]()


def forget() -> None:
    """Clear the caches."""
    _regions.forget()
    _naming.forget()


def usual_regions(accounts: Scope) -> list[str]:
    """The Regions in which users and roles of these accounts were last active, most frequent first.

    Cached while the mirror is unchanged.
    """
    about = (accounts, state_of(accounts))
    return list(_regions.get_or_make(about, lambda: _usual_regions(accounts)))


def _usual_regions(accounts: Scope) -> list[str]:
    rows = Usage.objects.exclude(region="").filter(entity__gone_at__isnull=True)
    if accounts is not None:
        rows = rows.filter(account__account_id__in=accounts)
    counted = rows.values("region").annotate(many=Count("pk")).order_by("-many", "region")
    return list(counted.values_list("region", flat=True)[:MAX_REGIONS])


def region_of(action: str, resource: str, usual: list[str]) -> str:
    """The Region of a request: that of the ARN, us-east-1 for global services, else the most frequent one; ""
    if unknown.
    """
    parts = resource.split(":", 5)
    if len(parts) == 6 and parts[3] and "*" not in parts[3] and "?" not in parts[3]:
        return parts[3]
    if fold(action.partition(":")[0]) in GLOBAL_SERVICES:
        return HOME_REGION
    return usual[0] if usual else ""


def accounts_naming(resource: str, accounts: Scope) -> list[AccountCandidate]:
    """The accounts whose policies name a resource that has no account in its ARN, most frequent first.

    Cached while the mirror is unchanged.
    """
    start = named_part(resource)
    if not start:
        return []
    about = (start, accounts, state_of(accounts))
    return list(_naming.get_or_make(about, lambda: _accounts_naming(start, accounts)))


def _accounts_naming(start: str, accounts: Scope) -> list[AccountCandidate]:
    exact = re.compile(rf'"{re.escape(start)}["/*:?]')
    counted: Counter[tuple[str, str]] = Counter()
    for model, extra in ((PolicyVersion, {"is_default": True}), (InlinePolicy, {})):
        rows = model.objects.filter(
            valid_at(None), document__text__contains=start, account__removed_at__isnull=True, **extra
        )
        if accounts is not None:
            rows = rows.filter(account__account_id__in=accounts)
        columns = ("account__account_id", "account__name", "document__text")
        for number, name, text in rows.values_list(*columns)[:MAX_TEXTS]:
            if exact.search(text):
                counted[number, name] += 1
    ordered = sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))
    return [AccountCandidate(number, name, many) for (number, name), many in ordered]


def named_part(resource: str) -> str:
    """`arn:aws:s3:::pay-ledger` for `arn:aws:s3:::pay-ledger/x`; "" if the ARN has an account or no plain
    name.
    """
    parts = resource.split(":", 5)
    if len(parts) < 6 or parts[4]:
        return ""
    name = parts[5].partition("/")[0]
    return "" if not name or "*" in name or "?" in name else ":".join([*parts[:5], name])


def likely_owner(candidates: list[AccountCandidate]) -> str:
    """The account with the most policies that name the resource; "" if several share the first place."""
    if not candidates:
        return ""
    first, *others = candidates
    is_tied = bool(others) and others[0].policies == first.policies
    return "" if is_tied else first.account


def connected_accounts(accounts: Scope) -> list[tuple[str, str]]:
    """(account ID, name) of the connected accounts. One query."""
    rows = Account.objects.filter(removed_at__isnull=True).order_by("name", "account_id")
    if accounts is not None:
        rows = rows.filter(account_id__in=accounts)
    return list(rows.values_list("account_id", "name"))
