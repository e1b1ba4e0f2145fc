"""Stores what AWS returned about an entity, right after a change."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from iam.mirror.models import Account, Edge, EdgeKind, Entity, Section, valid_at
from iam.mirror.pull import temporal
from iam.mirror.pull.apply import lock_account
from iam.mirror.pull.authorization import SECTION_OF
from iam.mirror.pull.facts import ObservationTimes
from iam.mirror.pull.sections import TAGS


@contextmanager
def loading(
    account: Account, entity: Entity, *, at: datetime, cause_id: UUID | None
) -> Iterator[ObservationTimes | None]:
    """Lock the account meanwhile. Yields None if the entity was read since. The next pull decodes
    it again.
    """
    with transaction.atomic():
        lock_account(account)
        known = Entity.objects.get(pk=entity.pk)
        if known.reread_at is not None and known.reread_at > at:
            yield None
            return
        section = Section.objects.filter(account=account, name=SECTION_OF.get(known.kind, TAGS)).first()
        earlier = [known.reread_at, section.observed_at if section else None]
        after = max((moment for moment in earlier if moment is not None), default=None)
        yield ObservationTimes.after_change(at, after=after, cause_id=cause_id)
        Entity.objects.filter(pk=entity.pk).update(reread_at=at, source_digest=None)


def load_ties(source: Entity, kind: EdgeKind, targets: QuerySet[Entity], *, seen: ObservationTimes) -> None:
    """Set the connections of one kind of an entity to these targets. Other kinds are unchanged."""
    others = Edge.objects.filter(valid_at(None), source=source).exclude(kind=kind)
    rows: dict[temporal.Key, temporal.Values] = {}
    for other_kind, target in others.values_list("kind", "target_id"):
        rows[other_kind, target] = ()
    # Queried now, because a target may have been added by the read.
    for target in targets.values_list("pk", flat=True):
        rows[kind.value, target] = ()
    temporal.load(temporal.EDGES, wanted={source.pk: rows}, account_id=source.account_id, seen=seen)
