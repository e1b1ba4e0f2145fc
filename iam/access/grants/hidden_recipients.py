"""Who of a grant is not seen by a viewer who sees a part of it: they are told as a number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from iam.access.grants.models import Grant, LedgerEntry, PermissionSort
from iam.guard import Viewer
from iam.mirror.queries.visibility import visible_entities

MADE: Final = (PermissionSort.POLICY, PermissionSort.ROLE)
"""What a grant makes holds itself, and is nobody."""


def hidden_in(grants: Iterable[Grant], *, viewer: Viewer) -> dict[UUID, set[str]]:
    """The ARNs of those of each grant whom the viewer does not see: they are told as a number. At most two
    queries.
    """
    if viewer.scope.sees_everything:
        return {}
    others = [grant.pk for grant in grants if grant.requested_by != viewer.person_id]
    entries = LedgerEntry.objects.filter(part__grant__in=others).exclude(sort__in=MADE)
    holders = entries.values_list("part__grant", "account__account_id", "entity_id", "holder_arn")
    rows = list(holders) if others else []
    apart = [row for row in rows if not viewer.scope.sees_account(row[1])]
    pks = {pk for _, _, pk, _ in apart if pk}
    seen = set(visible_entities(viewer).filter(pk__in=pks).values_list("pk", flat=True)) if pks else set()
    hidden: dict[UUID, set[str]] = defaultdict(set)
    for grant, _, pk, arn in apart:
        if pk not in seen:
            hidden[grant].add(arn)
    return hidden


def hidden_holders(grant: Grant, *, viewer: Viewer) -> set[str]:
    """The same of one grant."""
    return hidden_in([grant], viewer=viewer).get(grant.pk, set())


def seen_holders(grant: Grant, *, hidden: Collection[str], most: int = 4) -> list[str]:
    """The ARNs of the first who hold something of it, without those who are hidden."""
    rows = LedgerEntry.objects.filter(part__grant=grant).exclude(sort__in=MADE)
    arns = rows.exclude(holder_arn__in=list(hidden)).order_by("pk").values_list("holder_arn", flat=True)
    return list(dict.fromkeys(arns[: most * 10]))[:most]
