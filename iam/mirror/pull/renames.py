"""Finds users, groups and server certificates that no longer have their names: they were renamed in AWS, or
deleted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from django.conf import settings

from iam.aws.client_pool import pooled_client
from iam.aws.ratelimit import RateLimit
from iam.aws.reads.pages import members
from iam.aws.session import Aws
from iam.mirror.models import Account, Kind
from iam.mirror.pull.reach import BURST, access_to

IdName = tuple[str, str]


def _users(aws: Aws) -> Iterator[IdName]:
    for user in members(aws, operation="ListUsers", key="Users", MaxItems=1000):
        yield user["UserId"], user["UserName"]


def _groups(aws: Aws) -> Iterator[IdName]:
    """Read groups with the call of every sync, because the role that reads may make no other."""
    details = members(
        aws,
        operation="GetAccountAuthorizationDetails",
        key="GroupDetailList",
        Filter=["Group"],
        MaxItems=1000,
    )
    for group in details:
        yield group["GroupId"], group["GroupName"]


def _certificates(aws: Aws) -> Iterator[IdName]:
    key = "ServerCertificateMetadataList"
    for certificate in members(aws, operation="ListServerCertificates", key=key, MaxItems=1000):
        yield certificate["ServerCertificateId"], certificate["ServerCertificateName"]


_LISTS: Final[dict[str, Callable[[Aws], Iterator[IdName]]]] = {
    Kind.USER: _users,
    Kind.GROUP: _groups,
    Kind.SERVER_CERTIFICATE: _certificates,
}


def can_be_renamed(kind: str) -> bool:
    """Return True if AWS can rename such an entity. Roles and policies keep their names."""
    return kind in _LISTS


def other_name(account: Account, *, kind: str, aws_id: str, name: str) -> str | None:
    """Return the name that such an entity has in AWS now, None if it has `name` or doesn't exist.

    One call for each 1,000 entities, with the role that reads. Raises AwsError and UnreachableError.
    """
    rate = RateLimit(per_second=settings.AWS_RATE, burst=max(BURST, settings.AWS_RATE))
    with pooled_client(access_to(account), rate=rate, width=1) as aws:
        names = dict(_LISTS[kind](aws))
    current = names.get(aws_id)
    # A list can be a moment behind, and still show what was just deleted.
    return current if current != name else None
