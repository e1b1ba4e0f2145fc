"""Read the groups of one user on their own, straight after a change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from iam.aws.reads import identity
from iam.aws.session import Aws
from iam.mirror.models import Account, EdgeKind, Entity, Kind
from iam.mirror.refresh.single_entity import load_ties, loading


class ObservedMemberships(NamedTuple):
    """The unique ids of the groups that AWS showed a user in; `at` is before the reading."""

    at: datetime
    group_ids: frozenset[str]


def read_memberships(aws: Aws, *, user_name: str) -> ObservedMemberships:
    """Read them; one call. Raises AwsError."""
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
    """Make the user's memberships in the mirror what AWS shows now, caused by the change (None: cause
    unknown).

    One call, none if they have just been `read`. A pull that began before does not undo it
    (`Entity.reread_at`), an older re-read steps back before a newer one, and the next pull decodes the user
    anew. A group that the mirror does not know yet comes with that pull. Raises AwsError.
    """
    at, group_ids = read or read_memberships(aws, user_name=user.name)
    groups = Entity.objects.filter(
        account=account, kind=Kind.GROUP, aws_id__in=group_ids, gone_at__isnull=True
    )
    with loading(account, user, at=at, cause_id=cause_id) as seen:
        if seen is not None:
            load_ties(user, EdgeKind.MEMBER, groups, seen=seen)
