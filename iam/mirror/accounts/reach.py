"""The worker's own credentials, in the terms of the AWS layer."""

from __future__ import annotations

import os

from iam.aws.access import AccountAccess

ANY_ACCOUNT = "000000000000"
"""Stands for the account of the worker's own credentials until AWS has said which one it is."""


def own_access() -> AccountAccess:
    """The way of the worker's own credentials, in the partition that its region belongs to."""
    return AccountAccess(
        account_id=ANY_ACCOUNT,
        partition=own_partition(),
        mode="environment",
        session_name="gatehouse-setup",
    )


def own_partition() -> str:
    """The partition of the region that the environment names; credentials of one partition are unknown in
    another.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
