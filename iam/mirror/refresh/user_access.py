"""Syncs everything that lets a user sign in, and their memberships, to verify that access has ended."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from django.conf import settings

from iam.aws.client_pool import pooled_client
from iam.aws.errors import AwsError
from iam.aws.parallel_reads import parallel_reads
from iam.aws.ratelimit import RateLimit
from iam.aws.session import Aws
from iam.mirror.models import Account, Edge, EdgeKind, Entity, InlinePolicy, valid_at
from iam.mirror.pull.reach import BURST, UnreachableError, access_to
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    LOGIN_PROFILES,
    SERVICE_CREDENTIALS,
    SIGNING_CERTIFICATES,
    SSH_KEYS,
    USER_MFA,
)
from iam.mirror.refresh.credentials import (
    ReadCredentials,
    is_news,
    read_credentials,
    reread_credentials,
    with_uses_of_new_keys,
)
from iam.mirror.refresh.holdings import (
    ReadInlinePolicy,
    read_attachments,
    read_inline,
    reread_attachments,
    reread_inline,
)
from iam.mirror.refresh.key_use import user_now
from iam.mirror.refresh.memberships import read_memberships, reread_memberships

CALLS: Final = {
    LOGIN_PROFILES: "iam:GetLoginProfile",
    ACCESS_KEYS: "iam:ListAccessKeys",
    SERVICE_CREDENTIALS: "iam:ListServiceSpecificCredentials",
    SSH_KEYS: "iam:ListSSHPublicKeys",
    SIGNING_CERTIFICATES: "iam:ListSigningCertificates",
    USER_MFA: "iam:ListMFADevices",
}
"""The call that reads each section of a user's credentials."""
GROUPS: Final = "iam:ListGroupsForUser"
ATTACHED: Final = "iam:ListAttachedUserPolicies"
INLINE: Final = "iam:GetUserPolicy"


class UnreadableUserError(Exception):
    """AWS did not answer, or the account can't be reached any more. The message says which."""


@dataclass(slots=True)
class UserAccess:
    """What AWS returned about a user, and when. `exists` means that the same user still exists. `new_name` is
    its name if it was renamed in AWS.
    """

    exists: bool = False
    new_name: str = ""
    credentials: dict[str, ReadCredentials] = field(default_factory=dict)
    groups: frozenset[str] = frozenset()
    attached: frozenset[str] = frozenset()
    texts: dict[str, str] = field(default_factory=dict)
    at: dict[str, datetime] = field(default_factory=dict)


def reread_user_access(account: Account, user: Entity, *, policies: tuple[str, ...] = ()) -> UserAccess:
    """Read the access of a user and update the mirror where it differs, which means loading the account's
    rows. `policies` are the names of inline policies to read. About ten calls. Raises UnreadableUserError.
    """
    rate = RateLimit(per_second=settings.AWS_RATE, burst=max(BURST, settings.AWS_RATE))
    try:
        with pooled_client(access_to(account), rate=rate, width=settings.AWS_READS_AT_ONCE) as aws:
            return _read(aws, account, user, policies)
    except (AwsError, UnreachableError) as error:
        raise UnreadableUserError(str(error)) from error


def _read(aws: Aws, account: Account, user: Entity, policies: tuple[str, ...]) -> UserAccess:
    access = UserAccess(at={"iam:GetUser": datetime.now(tz=UTC)})
    current = user_now(aws, account, user)
    if current is None:
        return access
    access.exists = True
    access.new_name = current.name if current.name != user.name else ""
    user = current
    # One time for all reads: a read that seems older than another wouldn't be stored.
    at = datetime.now(tz=UTC)
    with parallel_reads(aws) as ask:
        named = {"kind": user.kind, "name": user.name}
        texts = [ask(partial(read_inline, aws, **named, policy_name=name)) for name in policies]
        sections = [
            ask(partial(read_credentials, aws, user_name=user.name, section=section)) for section in CALLS
        ]
        groups = ask(partial(read_memberships, aws, user_name=user.name))
        policies_held = ask(partial(read_attachments, aws, **named))
        inline = [answer()._replace(at=at) for answer in texts]
        credentials = [replace(answer(), at=at) for answer in sections]
        memberships, attached = groups()._replace(at=at), policies_held()._replace(at=at)
    access.at |= dict.fromkeys((*CALLS.values(), GROUPS, ATTACHED, *([INLINE] if policies else [])), at)
    _inline(account, user, inline, access)
    for read in credentials:
        access.credentials[read.section] = read
        if is_news(user, read):
            read_with_uses = with_uses_of_new_keys(aws, user, read)
            reread_credentials(account, user, read_with_uses, cause_id=None)
    access.groups, access.attached = memberships.group_ids, attached.arns
    if access.groups != _tied(user, EdgeKind.MEMBER, "target__aws_id"):
        reread_memberships(account, aws, user, cause_id=None, read=memberships)
    if access.attached != _tied(user, EdgeKind.ATTACHED, "target__arn"):
        reread_attachments(account, aws, user, cause_id=None, read=attached)
    return access


def _tied(user: Entity, kind: EdgeKind, name: str) -> set[str]:
    """Return the targets of the user's connections in the mirror."""
    return set(Edge.objects.filter(valid_at(None), kind=kind, source=user).values_list(name, flat=True))


def _inline(account: Account, user: Entity, read: list[ReadInlinePolicy], access: UserAccess) -> None:
    for policy in read:
        if policy.text is not None:
            access.texts[policy.name] = policy.text
    rows = InlinePolicy.objects.filter(valid_at(None), owner=user, name__in=[policy.name for policy in read])
    if dict(rows.values_list("name", "document__text")) != access.texts:
        reread_inline(account, user, cause_id=None, read=read)
