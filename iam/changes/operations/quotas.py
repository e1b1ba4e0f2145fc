"""The quotas of an account, and what an operation draws of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from iam.changes.planning_cache import memoize
from iam.mirror.models import Account, AccountFact, valid_at


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """Room under a quota of AWS. `refusal` is said where `after` is beyond the limit; `what` names the
    count that follows."""

    what: str
    used: int
    after: int
    limit: int
    refusal: str

    @property
    def body(self) -> dict[str, Any]:
        return {"what": self.what, "used": self.used, "after": self.after, "limit": self.limit}


def quota_of(account: Account, name: str, *, default: int) -> int:
    """A quota of an account by its name in the summary (GetAccountSummary), or the default where that has
    not been read."""
    facts = AccountFact.objects.filter(valid_at(None), account=account, name="summary")
    summary = memoize(("summary", account.pk), facts.first)
    value = summary.value.get(name) if summary and isinstance(summary.value, dict) else None
    return int(value or default)
