"""Finds the recipients of a grant that a viewer of part of it can't see; pages show only their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from iam.access.grants.models import Grant, LedgerEntry, PermissionSort
from iam.guard import Viewer
from iam.mirror.queries.visibility import visible_entities

MADE: Final = (PermissionSort.POLICY, PermissionSort.ROLE)
"""Policies and roles that a grant creates are recorded as holders, but are not recipients."""


def hidden_in(grants: Iterable[Grant], *, viewer: Viewer) -> dict[UUID, set[str]]:
    """The ARNs of the recipients of each grant that the viewer cannot see. At most two queries."""
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
    """The ARNs of the recipients of one grant that the viewer cannot see."""
    return hidden_in([grant], viewer=viewer).get(grant.pk, set())


def seen_holders(grant: Grant, *, hidden: Collection[str], most: int = 4) -> list[str]:
    """The ARNs of the first recipients of a grant, without the hidden ones."""
    rows = LedgerEntry.objects.filter(part__grant=grant).exclude(sort__in=MADE)
    arns = rows.exclude(holder_arn__in=list(hidden)).order_by("pk").values_list("holder_arn", flat=True)
    return list(dict.fromkeys(arns[: most * 10]))[:most]
