"""Stores the tags or the permissions boundary of an entity as AWS returned them, right after a change."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from iam.aws.session import Aws
from iam.mirror.models import Account, EdgeKind, Entity, Kind
from iam.mirror.pull import temporal
from iam.mirror.pull.subject import reread_entity
from iam.mirror.pull.upsert_entities import search_text
from iam.mirror.refresh.single_entity import load_ties, loading


def reread_tags(
    account: Account, entity: Entity, *, tags: Mapping[str, str], at: datetime, cause_id: UUID | None
) -> None:
    """Set the tags of an entity in the mirror, caused by the change (None: cause unknown), without a call.

    `at` is before AWS was read. A pull that began earlier doesn't undo it, and an older re-read yields to a
    newer one.
    """
    with loading(account, entity, at=at, cause_id=cause_id) as seen:
        if seen is None:
            return
        rows: dict[temporal.Key, temporal.Values] = {(): (dict(tags),)} if tags else {}
        temporal.load(temporal.TAGS, wanted={entity.pk: rows}, account_id=account.pk, seen=seen)
        if entity.kind == Kind.USER:
            text = search_text(entity, dict(tags))
            Entity.objects.filter(pk=entity.pk).update(search=text)


def reread_boundary(
    account: Account, aws: Aws, holder: Entity, *, arn: str, at: datetime, cause_id: UUID | None
) -> None:
    """Set or remove the permissions boundary of a user or role in the mirror; see reread_tags.

    It only makes a call for a policy that the mirror lacks, such as an unused AWS policy. Raises AwsError.
    """
    policies = Entity.objects.filter(account=account, kind=Kind.POLICY, arn=arn, gone_at__isnull=True)
    if arn and not policies.exists():
        name = arn.rpartition("/")[2]
        reread_entity(account, aws, kind=Kind.POLICY.value, name=name, arn=arn, cause_id=cause_id)
    with loading(account, holder, at=at, cause_id=cause_id) as seen:
        if seen is None:
            return
        load_ties(holder, EdgeKind.BOUNDARY, policies, seen=seen)
