"""The quotas of an account."""

from __future__ import annotations

from iam.changes.planning_cache import memoize
from iam.mirror.models import Account, AccountFact, valid_at


def quota_of(account: Account, name: str, *, default: int) -> int:
    """A quota of an account by its name in the summary (GetAccountSummary), or the default where that has
    not been read."""
    facts = AccountFact.objects.filter(valid_at(None), account=account, name="summary")
    summary = memoize(("summary", account.pk), facts.first)
    value = summary.value.get(name) if summary and isinstance(summary.value, dict) else None
    return int(value or default)
