"""How a worker accesses an account for reading, according to the account's row."""

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
"""Large enough for the fast lane of a large account, so that only the detail lane is slowed down."""


_PREFIXES = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}


class UnreachableError(Exception):
    """Raised if the account can't be accessed: it comes from an uploaded file, or was disconnected."""


def access_to(account: Account) -> AccountAccess:
    """The access for reading. Raises UnreachableError if there is none."""
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
    """The region from AWS's own environment variables if it is in the partition; None leaves the choice to
    the partition.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    lies_in = next((p for prefix, p in _PREFIXES.items() if region.startswith(prefix)), "aws")
    return region if region and lies_in == partition else None


def open_account(account: Account, *, on_call: Callable[[str], None] | None = None) -> Aws:
    """Open a client for the account, within its limit of calls per second. Raises UnreachableError."""
    rate = RateLimit(per_second=settings.AWS_RATE, burst=max(BURST, settings.AWS_RATE))
    return connect(access_to(account), rate=rate, on_call=on_call)
