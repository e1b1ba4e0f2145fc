"""What a principal holds: groups, managed and inline policies, and its boundary."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from console.identities.details import labels
from console.identities.details.frame import ShownEntity
from iam.mirror.models import EdgeKind, InlinePolicy
from iam.mirror.queries import entities
from iam.mirror.queries.entities import EntityTie, OpenableEntities

HOLDING_KINDS = (EdgeKind.MEMBER, EdgeKind.ATTACHED, EdgeKind.BOUNDARY)


@dataclass(slots=True)
class HeldTies:
    """The ties of a principal, by type."""

    groups: list[EntityTie] = field(default_factory=list)
    policies: list[EntityTie] = field(default_factory=list)
    boundary: EntityTie | None = None

    @property
    def pks(self) -> list[int]:
        """The entity IDs of all ties."""
        boundary = [self.boundary] if self.boundary else []
        return [tie.pk for tie in (*self.groups, *self.policies, *boundary)]


@dataclass(frozen=True, slots=True)
class HeldPolicyRow:
    """A policy of a principal: managed or inline, attached directly or through a group (`through`)."""

    name: str
    sort: str
    url: str = ""
    through: str = ""
    through_url: str = ""
    since: datetime | None = None
    after: datetime | None = None
    document: str = ""
    edit: str = ""


def held_by(shown: ShownEntity) -> HeldTies:
    """Return the ties of the principal at the moment; takes one query."""
    holding = HeldTies()
    for tie in entities.targets(shown.entity, kinds=HOLDING_KINDS, at=shown.at):
        if tie.tie == EdgeKind.MEMBER:
            holding.groups.append(tie)
        elif tie.tie == EdgeKind.ATTACHED:
            holding.policies.append(tie)
        else:
            holding.boundary = tie
    return holding


def address(name: str, tie: EntityTie | None, open_to: OpenableEntities) -> str:
    """Return the address of an entity's page; "" if the viewer can’t open it."""
    return reverse(name, args=[tie.pk]) if tie and tie.pk in open_to else ""


def managed(
    tie: EntityTie, open_to: OpenableEntities, *, through: str = "", through_url: str = ""
) -> HeldPolicyRow:
    """Return the row of a managed policy."""
    return HeldPolicyRow(
        name=tie.name,
        sort=labels.POLICY_TYPES.get(tie.category, "Managed"),
        url=address("identities:policy", tie, open_to),
        through=through,
        through_url=through_url,
        since=tie.since,
        after=tie.after,
    )


def own_policies(
    holding: HeldTies, inline: Iterable[InlinePolicy], open_to: OpenableEntities, *, edits: bool = False
) -> list[HeldPolicyRow]:
    """Return the principal's own policies: managed ones, then inline ones with documents.

    If the viewer can edit them (`edits`), inline policies have an edit link.
    """
    rows = [managed(tie, open_to) for tie in holding.policies]
    for policy in inline:
        edit = act_address("put-inline", policy.owner_id, policy=policy.name) if edits else ""
        rows.append(
            HeldPolicyRow(
                policy.name,
                "Inline",
                since=policy.valid_from,
                after=policy.after,
                document=policy.document.text,
                edit=edit,
            )
        )
    return rows


def act_address(slug: str, pk: int, **about: str) -> str:
    """Return the address to request an act (`iam.changes.acts`) on an entity."""
    return f"{reverse('changes:act', args=[slug])}?{urlencode({'on': pk, **about})}"
