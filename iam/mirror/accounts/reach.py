"""The worker's own credentials, in the terms of the AWS layer."""

from __future__ import annotations

from iam.aws.session import Access

ANY_ACCOUNT = "000000000000"
"""Stands for the account of the worker's own credentials until AWS has said which one it is."""


def own_access(*, account_id: str = ANY_ACCOUNT, partition: str = "aws") -> Access:
    """The way of the worker's own credentials."""
    return Access(
        account_id=account_id, partition=partition, mode="environment", session_name="gatehouse-setup"
    )
