"""The quotas of an account, and how much of one an operation uses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from iam.changes.planning_cache import memoize
from iam.mirror.models import Account, AccountFact, valid_at


@dataclass(frozen=True, slots=True)
class QuotaUse:
    """The use of an AWS quota. `what` is the label of the count; `refusal` is shown if `after` is over the
    limit.
    """

    what: str
    used: int
    after: int
    limit: int
    refusal: str

    @property
    def body(self) -> dict[str, Any]:
        return {"what": self.what, "used": self.used, "after": self.after, "limit": self.limit}


def quota_of(account: Account, name: str, *, default: int) -> int:
    """Return an account's quota by its name in GetAccountSummary, or the default if the summary was not
    synced.
    """
    facts = AccountFact.objects.filter(valid_at(None), account=account, name="summary")
    summary = memoize(("summary", account.pk), facts.first)
    value = summary.value.get(name) if summary and isinstance(summary.value, dict) else None
    return int(value or default)
