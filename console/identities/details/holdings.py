"""What a principal holds: its groups, its managed and inline policies, its boundary, as rows of its page."""

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
    """What a principal is tied to, split by how."""

    groups: list[EntityTie] = field(default_factory=list)
    policies: list[EntityTie] = field(default_factory=list)
    boundary: EntityTie | None = None

    @property
    def pks(self) -> list[int]:
        """The entities of all ties."""
        boundary = [self.boundary] if self.boundary else []
        return [tie.pk for tie in (*self.groups, *self.policies, *boundary)]


@dataclass(frozen=True, slots=True)
class HeldPolicyRow:
    """A policy that reaches a principal: managed or inline, attached to itself or (`through`) to a group of
    it.
    """

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
    """The ties of the principal at the moment: one query."""
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
    """The page of an entity, where the viewer may open it; else nothing."""
    return reverse(name, args=[tie.pk]) if tie and tie.pk in open_to else ""


def managed(
    tie: EntityTie, open_to: OpenableEntities, *, through: str = "", through_url: str = ""
) -> HeldPolicyRow:
    """A managed policy as a row."""
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
    """The principal's own policies: the managed ones, then the inline ones with their documents, and where
    one asks for another text of them, if the viewer `edits` such.
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
    """Where one asks for an act (`iam.changes.acts`) on an entity."""
    return f"{reverse('changes:act', args=[slug])}?{urlencode({'on': pk, **about})}"
