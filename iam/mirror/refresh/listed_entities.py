"""Stores an instance profile, provider, certificate or instance right after a change, with the loader of
pulls.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from iam.mirror.models import Account, Entity
from iam.mirror.pull.apply import apply_parts, lock_account
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.facts import FoundEntity, ObservationTimes, SectionPart
from iam.mirror.pull.freshness import SectionFreshness
from iam.mirror.pull.sections import KINDS
from iam.mirror.pull.sweep import LossLimit


def reread_listed(
    account: Account,
    *,
    kind: str,
    name: str,
    aws_id: str = "",
    aws_entity: FoundEntity | None,
    at: datetime,
    cause_id: UUID | None,
) -> Entity | None:
    """Update an entity of a listed section in the mirror to what AWS returned, without a call. Returns None
    if it was deleted.

    It is found by name, or by ID if names aren't unique. A new one is added, and `aws_entity` None ends the
    existing one. `at` is before AWS was read; an older read yields to a newer one. `cause_id` is the Change
    that caused it, None if unknown.
    """
    section = next(section for section, kinds in KINDS.items() if kind in kinds)
    with transaction.atomic():
        lock_account(account)
        census, freshness = EntityCache(account), SectionFreshness(account, None)

        def covers(known: EntityRow) -> bool:
            return known.kind == kind and (known.aws_id == aws_id if aws_id else known.name == name)

        before = [known for known in census.of_kind(kind) if covers(known)]
        if any(known.reread_at is not None and known.reread_at > at for known in before):
            return Entity.objects.get(pk=before[-1].id)
        members = [aws_entity] if aws_entity else []
        part = SectionPart(
            section=section,
            seen=ObservationTimes.after_change(at, after=freshness.observed_at(section), cause_id=cause_id),
            found=members,
            covers=covers,
            is_direct=True,
        )
        roster = apply_parts(census, [part], limit=LossLimit(percent=100, is_accepted=True)).roster
        touched = {known.id for known in before} | {known.id for known, _ in roster.members[section]}
        Entity.objects.filter(pk__in=touched).update(reread_at=at, source_digest=None)
        known = census.current.get((kind, aws_entity.aws_id)) if aws_entity else None
        return None if known is None else Entity.objects.get(pk=known.id)
