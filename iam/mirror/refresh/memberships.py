"""Syncs a user's groups right after a change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from iam.aws.reads import identity
from iam.aws.session import Aws
from iam.mirror.models import Account, EdgeKind, Entity, Kind
from iam.mirror.refresh.single_entity import load_ties, loading


class ObservedMemberships(NamedTuple):
    """The unique IDs of a user's groups in AWS. `at` is before the call."""

    at: datetime
    group_ids: frozenset[str]


def read_memberships(aws: Aws, *, user_name: str) -> ObservedMemberships:
    """Read the groups, with one call. Raises AwsError."""
    at = datetime.now(tz=UTC)
    return ObservedMemberships(at, frozenset(identity.group_ids_of_user(aws, name=user_name)))


def reread_memberships(
    account: Account,
    aws: Aws,
    user: Entity,
    *,
    cause_id: UUID | None,
    read: ObservedMemberships | None = None,
) -> None:
    """Update the user's memberships in the mirror to those in AWS, caused by the change (None: cause
    unknown).

    One call, or none if they have just been `read`. A pull that began earlier doesn't undo it
    (`Entity.reread_at`), an older re-read yields to a newer one, and the next pull decodes the user again. A
    group that the mirror lacks is added by that pull. Raises AwsError.
    """
    at, group_ids = read or read_memberships(aws, user_name=user.name)
    groups = Entity.objects.filter(
        account=account, kind=Kind.GROUP, aws_id__in=group_ids, gone_at__isnull=True
    )
    with loading(account, user, at=at, cause_id=cause_id) as seen:
        if seen is not None:
            load_ties(user, EdgeKind.MEMBER, groups, seen=seen)
