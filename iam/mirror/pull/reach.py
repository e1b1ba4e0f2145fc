"""How a worker reaches an account, from the account's row."""

from __future__ import annotations

import os
from collections.abc import Callable

from django.conf import settings

from iam.aws.access import AccountAccess
from iam.aws.ratelimit import RateLimit
from iam.aws.session import Aws, connect
from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource

BURST = 100
"""The fast lane of a large account fits into it, so that only the detail lane is slowed down."""


_PREFIXES = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class UnreachableError(Exception):
    """There is no way into this account: it is known from an uploaded file, or was disconnected."""


def access_to(account: Account) -> AccountAccess:
    """The way in for reading; UnreachableError when there is none."""
    if account.source == AccountSource.EXPORT or account.removed_at is not None:
        raise UnreachableError(f"{account} isn’t connected: it comes from an uploaded file or was removed.")
    region = _home_region(account.partition)
    if account.source == AccountSource.ENVIRONMENT:
        return AccountAccess(account_id=account.account_id, partition=account.partition, region=region)
    return AccountAccess(
        account_id=account.account_id,
        partition=account.partition,
        mode="role",
        role_arn=account.role_arn,
        external_id=account.external_id or None,
        region=region,
    )


def _home_region(partition: str) -> str | None:
    """The region that AWS's own variables name, if it lies in the partition; None leaves it to the
    partition.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    lies_in = next((p for prefix, p in _PREFIXES.items() if region.startswith(prefix)), "aws")
    return region if region and lies_in == partition else None


def open_account(account: Account, *, on_call: Callable[[str], None] | None = None) -> Aws:
    """An open way into the account, within its share of calls a second."""
    rate = RateLimit(per_second=settings.AWS_RATE, burst=max(BURST, settings.AWS_RATE))
    return connect(access_to(account), rate=rate, on_call=on_call)
