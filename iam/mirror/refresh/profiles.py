"""Stores an instance profile or an EC2 instance as AWS returned it, right after a change."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from iam.aws.reads import instances
from iam.aws.reads.single_entities import EntityNow
from iam.aws.session import Aws
from iam.mirror.models import Account, EdgeKind, Kind
from iam.mirror.pull.facts import FoundEntity, by_name
from iam.mirror.pull.transform import inventory
from iam.mirror.refresh.listed_entities import reread_listed


def reread_profile(
    account: Account, *, name: str, now: EntityNow | None, at: datetime, cause_id: UUID | None
) -> None:
    """Update an instance profile in the mirror to what AWS returned, without a call. See reread_listed."""
    aws_entity = None if now is None else _roles_in_answer(now)
    kind = Kind.INSTANCE_PROFILE.value
    reread_listed(account, kind=kind, name=name, aws_entity=aws_entity, at=at, cause_id=cause_id)


def _roles_in_answer(now: EntityNow) -> FoundEntity:
    return FoundEntity(
        kind=Kind.INSTANCE_PROFILE.value,
        aws_id=now.aws_id,
        name=now.name,
        arn=now.arn,
        path=now.path,
        created_at=now.created_at,
        tags=dict(now.tags),
        edges=tuple((EdgeKind.PROFILE_ROLE.value, by_name(Kind.ROLE.value, role)) for role in now.roles),
    )


def reread_instance(
    account: Account, aws: Aws, *, instance_id: str, region: str, association_id: str, cause_id: UUID | None
) -> None:
    """Update an EC2 instance in the mirror to what AWS has now, with one call. Raises AwsError."""
    at = datetime.now(tz=UTC)
    record = instances.instance_now(
        aws, instance_id=instance_id, region=region, association_id=association_id or None
    )
    aws_entity = (
        inventory.instance(record, account_id=account.account_id, partition=account.partition)
        if record
        else None
    )
    reread_listed(
        account,
        kind=Kind.INSTANCE.value,
        name=instance_id,
        aws_id=instance_id,
        aws_entity=aws_entity,
        at=at,
        cause_id=cause_id,
    )
