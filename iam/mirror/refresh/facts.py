"""Enter the tags or the permissions boundary of one entity as AWS has just shown them, straight after a
change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction

from iam.aws.session import Aws
from iam.mirror.models import Account, Cause, Edge, EdgeKind, Entity, Kind, Section, valid_at
from iam.mirror.pull import temporal
from iam.mirror.pull.apply import lock_account
from iam.mirror.pull.authorization import SECTION_OF
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.pull.sections import TAGS
from iam.mirror.pull.subject import reread_entity
from iam.mirror.pull.upsert_entities import search_text


def reread_tags(
    account: Account, entity: Entity, *, tags: Mapping[str, str], at: datetime, cause_id: UUID | None
) -> None:
    """Make the tags of an entity in the mirror these, caused by the change (None: cause unknown); no call.

    `at` is before AWS was read. A pull that began before does not undo it, and an older re-read steps back
    before a newer one.
    """
    with _loading(account, entity, at=at, cause_id=cause_id) as seen:
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
    """Make the permissions boundary of a user or role in the mirror this policy, or none; see reread_tags.

    No call, but for a policy that the mirror lacks, such as one of AWS that nobody had. Raises AwsError.
    """
    policies = Entity.objects.filter(account=account, kind=Kind.POLICY, arn=arn, gone_at__isnull=True)
    if arn and not policies.exists():
        name = arn.rpartition("/")[2]
        reread_entity(account, aws, kind=Kind.POLICY.value, name=name, arn=arn, cause_id=cause_id)
    with _loading(account, holder, at=at, cause_id=cause_id) as seen:
        if seen is None:
            return
        other_edges = Edge.objects.filter(valid_at(None), source=holder).exclude(kind=EdgeKind.BOUNDARY)
        rows: dict[temporal.Key, temporal.Values] = {}
        for kind, target in other_edges.values_list("kind", "target_id"):
            rows[kind, target] = ()
        # Asked again: the policy may not have been there before it was read.
        for boundary in policies.all().values_list("pk", flat=True):
            rows[EdgeKind.BOUNDARY.value, boundary] = ()
        temporal.load(temporal.EDGES, wanted={holder.pk: rows}, account_id=account.pk, seen=seen)


@contextmanager
def _loading(
    account: Account, entity: Entity, *, at: datetime, cause_id: UUID | None
) -> Iterator[ObservationTimes | None]:
    """Hold the account meanwhile; None when the entity has been read since. The next pull decodes it anew."""
    with transaction.atomic():
        lock_account(account)
        known = Entity.objects.get(pk=entity.pk)
        if known.reread_at is not None and known.reread_at > at:
            yield None
            return
        section = Section.objects.filter(account=account, name=SECTION_OF.get(known.kind, TAGS)).first()
        earlier = [known.reread_at, section.observed_at if section else None]
        after = max((moment for moment in earlier if moment is not None), default=None)
        cause = Cause.CHANGE if cause_id else Cause.UNKNOWN
        yield ObservationTimes(at, after=after, cause_kind=cause.value, cause_id=cause_id)
        Entity.objects.filter(pk=entity.pk).update(reread_at=at, source_digest=None)
