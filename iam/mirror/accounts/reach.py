"""The worker's own credentials as an account access for the AWS layer."""

from __future__ import annotations

import os

from iam.aws.access import AccountAccess

ANY_ACCOUNT = "000000000000"
"""Placeholder for the account of the worker's own credentials until AWS has told which one it is."""


def own_access() -> AccountAccess:
    """Return the access with the worker's own credentials, in the partition of its Region."""
    return AccountAccess(
        account_id=ANY_ACCOUNT,
        partition=own_partition(),
        mode="environment",
        session_name="gatehouse-setup",
    )


def own_partition() -> str:
    """Return the partition of the Region in the environment. Credentials are only valid in their own
    partition.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
