"""Access to an account for writing, with its write role or the worker's own credentials."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from django.conf import settings

from iam.aws.access import AccountAccess
from iam.aws.client_pool import pooled_client
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.ratelimit import RateLimit
from iam.aws.session import Aws
from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource

SESSION_NAME = "gatehouse-changes"


def lent_for_writing(
    account: Account, *, on_call: Callable[[str], None] | None = None
) -> AbstractContextManager[Aws]:
    """Return a context manager with a client for the account, within its limit of calls per second. Raises
    AwsError (credentials) if the account has no write access.
    """
    if account.removed_at is not None or not account.is_writable:
        raise AwsError(
            f"{account} has no write role.",
            kind=ErrorKind.CREDENTIALS,
            action="sts:AssumeRole",
            code="NoWriteRole",
        )
    if account.source == AccountSource.ENVIRONMENT and not account.write_role_arn:
        access = AccountAccess(
            account_id=account.account_id, partition=account.partition, session_name=SESSION_NAME
        )
    else:
        access = AccountAccess(
            account_id=account.account_id,
            partition=account.partition,
            mode="role",
            role_arn=account.write_role_arn,
            external_id=account.external_id or None,
            session_name=SESSION_NAME,
        )
    rate = RateLimit(per_second=settings.AWS_RATE, burst=max(100, settings.AWS_RATE))
    return pooled_client(access, rate=rate, on_call=on_call, width=settings.AWS_READS_AT_ONCE)
