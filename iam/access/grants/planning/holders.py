"""Plans how users, groups and roles get permissions directly: by an existing group or policy, a new policy,
or inline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import Final

from iam.access.grants.documents import TooLargeError, name_for, packed
from iam.access.grants.models import PermissionSort
from iam.access.grants.phrases import listed
from iam.access.grants.planning.account_context import DESCRIPTION, PATH, GrantSite
from iam.access.grants.planning.quota import ReceiverRoom, free_slots
from iam.access.grants.planning.reuse_existing import group_alike, is_made_for_a_grant, policy_alike
from iam.access.grants.plans import GrantWay, OtherWay, PartPlan, PlannedPermission, PlannedStep
from iam.access.grants.terms import WhatKind
from iam.changes.errors import RefusedError
from iam.changes.operations import (
    ADD_TO_GROUP,
    ATTACH_POLICY,
    Attachment,
    Membership,
    Operation,
    PutInlinePolicy,
)
from iam.changes.operations.managed_policy import CreatePolicy
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.transform.principals import document_digest
from iam.mirror.queries.visibility import visible_entities
from iam.phrases import counted
from iam.policy.lint import MANAGED

COPY: Final = (
    "A copy with its own end date wouldn’t follow changes of the policy. "
    "If the end date matters more, request the same permissions directly."
)


@dataclass(frozen=True, slots=True)
class ChosenWay:
    """The way chosen for one recipient, with the options that were rejected before it."""

    holder: Entity
    way: GrantWay
    why: str
    others: tuple[OtherWay, ...]
    quota: str
    steps: tuple[PlannedStep, ...]
    ends_only: bool = False


@dataclass
class WayChooser:
    """Chooses the way for each recipient in one account, and caches what all of them share."""

    site: GrantSite
    holders: Sequence[Entity]
    made: dict[str, CreatePolicy] = field(default_factory=dict)
    shares: bool = False

    @cached_property
    def free_slots(self) -> dict[int, ReceiverRoom]:
        """The quota left to each recipient, by primary key."""
        return free_slots(self.site.account, self.holders)

    @cached_property
    def given_policy(self) -> Entity | None:
        """The given managed policy in the mirror; None for an AWS managed policy that nothing in the account
        uses yet.

        Raises RefusedError if a customer managed policy is missing or hidden from the viewer.
        """
        what = self.site.terms.what
        if what.kind is not WhatKind.MANAGED:
            return None
        policy = self.site.current_entity(Kind.POLICY, what.policy_arn)
        is_theirs = ":iam::aws:" not in what.policy_arn
        if is_theirs and (policy is None or not _sees(self.site, policy)):
            raise RefusedError(f"The account has no policy {what.policy_arn.rpartition('/')[2]}.")
        return policy

    @cached_property
    def group(self) -> Entity | None:
        """A group that gives exactly this access, or None."""
        if self.site.terms.what.kind is WhatKind.MANAGED:
            return group_alike(self.site, policy=self.given_policy) if self.given_policy else None
        return group_alike(self.site, policy=None)

    @cached_property
    def identical_policy(self) -> Entity | None:
        """A customer managed policy that gives exactly this access, or None."""
        return policy_alike(self.site)

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The given permissions, with the end date, in as few policies as possible. Raises RefusedError."""
        try:
            return packed(self.site.documents_until)
        except TooLargeError as error:
            raise RefusedError(f"No managed policy holds this. {error} Split the statement.") from None

    @cached_property
    def inline(self) -> str:
        """The given permissions, with the end date, as one inline policy; "" if too long or unknown."""
        try:
            texts = packed(self.site.documents_until, limit=MANAGED.limit * 2)
        except TooLargeError:
            return ""
        return texts[0] if len(texts) == 1 else ""


def plan_holders(site: GrantSite, holders: Sequence[Entity]) -> PartPlan:
    """Plan the part of an account whose recipients hold the permissions directly.

    Raises RefusedError if a recipient has no quota left for any way.
    """
    choosing = WayChooser(site, holders)
    picks = [_pick(choosing, holder) for holder in holders]
    return _part(site, picks, made=list(choosing.made.values()))


def _pick(choosing: WayChooser, holder: Entity) -> ChosenWay:
    kind = choosing.site.terms.what.kind
    if kind is WhatKind.GROUP:
        return _join(choosing, holder, _named_group(choosing), why="You chose this group.")
    ways = (
        (_by_group, _by_policy, _by_inline)
        if kind is WhatKind.MANAGED
        else (_by_group, _by_alike, _by_made, _by_inline)
    )
    others: list[OtherWay] = []
    for way in ways:
        pick = way(choosing, holder, others)
        if isinstance(pick, ChosenWay):
            return pick
        others.append(pick)
    raise RefusedError(f"{holder.name} has no room for this. " + " ".join(other.why_not for other in others))


def _named_group(choosing: WayChooser) -> Entity:
    """The group that the terms name. A group that the viewer can't see is reported as missing, so that
    nothing is revealed.
    """
    site, arn = choosing.site, choosing.site.terms.what.group_arn
    group = site.required_entity(Kind.GROUP, arn)
    if not _sees(site, group):
        raise RefusedError(f"The account has no group {arn.rpartition('/')[2]}.")
    return group


def _sees(site: GrantSite, entity: Entity) -> bool:
    return site.is_whole or visible_entities(site.viewer).filter(pk=entity.pk).exists()


def _by_group(choosing: WayChooser, holder: Entity, others: list[OtherWay]) -> ChosenWay | OtherWay:
    site = choosing.site
    if holder.kind != Kind.USER:
        return OtherWay(
            GrantWay.GROUP, f"Only users can be members of groups, and {holder.name} is a {holder.kind}."
        )
    if not site.is_whole:
        return OtherWay(
            GrantWay.GROUP,
            "Not through a group, because you can’t see the whole account.",
        )
    if site.end is not None and site.terms.what.kind is not WhatKind.MANAGED:
        return OtherWay(
            GrantWay.GROUP, "A group membership has no end date in AWS. A policy created for the grant does."
        )
    group = choosing.group
    if group is None:
        return OtherWay(GrantWay.GROUP, "No group gives exactly this.")
    if not choosing.free_slots[holder.pk].for_group:
        room = choosing.free_slots[holder.pk]
        return OtherWay(
            GrantWay.GROUP, f"{holder.name} is in {room.groups} of {room.most_groups} groups already."
        )
    return _join(
        choosing,
        holder,
        group,
        why=f"The group {group.name} gives exactly this.",
        others=others,
    )


def _join(
    choosing: WayChooser, holder: Entity, group: Entity, *, why: str, others: Sequence[OtherWay] = ()
) -> ChosenWay:
    room = choosing.free_slots[holder.pk]
    if not room.for_group:
        raise RefusedError(
            f"{holder.name} is in {room.groups} of {room.most_groups} groups already. Remove them from one "
            "first."
        )
    step = PlannedStep(
        Membership.of(ADD_TO_GROUP, holder, group=group),
        (PlannedPermission(holder.arn, PermissionSort.MEMBER, group.arn),),
    )
    quota = f"groups: {room.groups + 1} of {room.most_groups}"
    return ChosenWay(holder, GrantWay.GROUP, why, tuple(others), quota, (step,), ends_only=True)


def _by_policy(choosing: WayChooser, holder: Entity, others: list[OtherWay]) -> ChosenWay | OtherWay:
    """Attach the requested managed policy itself."""
    site, room = choosing.site, choosing.free_slots[holder.pk]
    if not room.for_policies(1):
        return OtherWay(GrantWay.ATTACH, _full(holder, room))
    arn = site.policy_arn
    policy = choosing.given_policy
    operation = (
        Attachment.of(ATTACH_POLICY, holder, policy=policy)
        if policy
        else Attachment.by_arn(ATTACH_POLICY, holder, arn=arn)
    )
    if site.end is not None:
        others = [*others, OtherWay(GrantWay.POLICY, COPY)]
    why = f"{arn.rpartition('/')[2]} is attached directly, so that access follows when the policy changes."
    return _attached(choosing, holder, [operation], [arn], GrantWay.ATTACH, why, others, ends_only=True)


def _by_alike(choosing: WayChooser, holder: Entity, others: list[OtherWay]) -> ChosenWay | OtherWay:
    """Attach an existing policy with the same content. Only for permanent grants: it has no end date."""
    site = choosing.site
    if site.end is not None:
        return OtherWay(GrantWay.ATTACH, "An existing policy has no end date.")
    alike = choosing.identical_policy
    if alike is None:
        return OtherWay(GrantWay.ATTACH, "No existing policy gives exactly this.")
    if not choosing.free_slots[holder.pk].for_policies(1):
        return OtherWay(GrantWay.ATTACH, _full(holder, choosing.free_slots[holder.pk]))
    why = f"The policy {alike.name} already gives exactly this."
    operation = Attachment.of(ATTACH_POLICY, holder, policy=alike)
    pick = _attached(choosing, holder, [operation], [alike.arn], GrantWay.ATTACH, why, others)
    return _sharing(choosing, pick, alike)


def _sharing(choosing: WayChooser, pick: ChosenWay, policy: Entity) -> ChosenWay:
    """If another grant created the policy, record this grant as a second reason, so that the policy is kept
    until both end.

    Recorded once per account.
    """
    if choosing.shares or not is_made_for_a_grant(policy):
        return pick
    choosing.shares = True
    (step,) = pick.steps
    shared = PlannedPermission(policy.arn, PermissionSort.POLICY, policy.name)
    return replace(pick, steps=(replace(step, permissions=(*step.permissions, shared)),))


def _by_made(choosing: WayChooser, holder: Entity, others: list[OtherWay]) -> ChosenWay | OtherWay:
    """Attach new policies, which all recipients in the account share."""
    site, room = choosing.site, choosing.free_slots[holder.pk]
    if not site.is_whole:
        return OtherWay(GrantWay.POLICY, "The requester can’t create shared policies in this account.")
    texts = choosing.texts
    if not room.for_policies(len(texts)):
        return OtherWay(GrantWay.POLICY, _full(holder, room, wanted=len(texts)))
    for place, text in enumerate(texts):
        name = name_for(site.title, mark=_mark(site, text, place))
        if name not in choosing.made:
            choosing.made[name] = CreatePolicy.of(
                site.account, name=name, text=text, path=PATH, description=DESCRIPTION
            )
    arns = [create.inputs.subject_arn for create in choosing.made.values()]
    operations = [Attachment.by_arn(ATTACH_POLICY, holder, arn=arn) for arn in arns]
    why = (
        "A new policy, so that AWS ends the access."
        if site.end
        else "A new policy, because nothing that exists gives exactly this."
    )
    return _attached(choosing, holder, operations, arns, GrantWay.POLICY, why, others)


def _mark(site: GrantSite, text: str, place: int) -> str:
    """The mark in a created policy's name.

    Permanent grants use the digest of the content, so that they share the policy. With an end date the policy
    belongs to this grant alone.
    """
    if site.end is None:
        return document_digest(text)[:8]
    return f"{site.mark}-{place + 1}" if place else site.mark


def _attached(
    choosing: WayChooser,
    holder: Entity,
    operations: Sequence[Operation],
    arns: Sequence[str],
    way: GrantWay,
    why: str,
    others: Sequence[OtherWay],
    *,
    ends_only: bool = False,
) -> ChosenWay:
    room = choosing.free_slots[holder.pk]
    steps = tuple(
        PlannedStep(operation, (PlannedPermission(holder.arn, PermissionSort.ATTACHED, arn),))
        for operation, arn in zip(operations, arns, strict=True)
    )
    quota = f"managed policies: {room.attached + len(steps)} of {room.most_attached}"
    return ChosenWay(holder, way, why, tuple(others), quota, steps, ends_only=ends_only)


def _full(holder: Entity, room: ReceiverRoom, *, wanted: int = 1) -> str:
    needs = "" if wanted == 1 else f", and this takes {wanted}"
    return f"{holder.name} has {room.attached} of {room.most_attached} managed policies{needs}."


def _by_inline(choosing: WayChooser, holder: Entity, others: list[OtherWay]) -> ChosenWay | OtherWay:
    site, room, text = choosing.site, choosing.free_slots[holder.pk], choosing.inline
    if not text:
        return OtherWay(GrantWay.INLINE, "Its text is unknown, or too long for an inline policy.")
    size = MANAGED.size(text)
    if not room.for_inline(size):
        left = max(0, room.most_inline - room.inline)
        return OtherWay(
            GrantWay.INLINE,
            f"Its {size:,} characters don’t fit: the inline policies of {holder.name} have room for "
            f"{left:,}.",
        )
    name = name_for(site.title, mark=site.mark)
    step = PlannedStep(
        PutInlinePolicy.of(holder, name=name, text=text),
        (PlannedPermission(holder.arn, PermissionSort.INLINE, name),),
    )
    why = (
        f"Added directly to the {holder.get_kind_display()}. {others[-1].why_not if others else ''}".rstrip()
    )
    quota = f"inline policies: {room.inline + size:,} of {room.most_inline:,} characters"
    return ChosenWay(holder, GrantWay.INLINE, why, tuple(others), quota, (step,))


def _part(site: GrantSite, picks: Sequence[ChosenWay], *, made: Sequence[CreatePolicy]) -> PartPlan:
    """Combine all recipients of one account: created policies first, then a branch for each recipient."""
    ways = list(dict.fromkeys(pick.way for pick in picks))
    steps = [_made_step(operation, picks) for operation in made]
    for branch, pick in enumerate(picks, start=1):
        steps += [PlannedStep(step.operation, step.permissions, branch) for step in pick.steps]
    way, why = (ways[0], picks[0].why) if len(ways) == 1 else (GrantWay.SEVERAL, _whys(picks))
    others = dict.fromkeys(chain.from_iterable(pick.others for pick in picks))
    return PartPlan(
        account=site.account,
        way=way,
        why=why,
        others=tuple(others)[:8],
        quotas=tuple(_quotas(picks)),
        ends_only=_ends_only(site, picks),
        steps=tuple(steps),
    )


def _made_step(operation: CreatePolicy, picks: Sequence[ChosenWay]) -> PlannedStep:
    arn = operation.inputs.subject_arn
    return PlannedStep(operation, (PlannedPermission(arn, PermissionSort.POLICY, operation.inputs.name),))


def _whys(picks: Sequence[ChosenWay]) -> str:
    names_by_reason: dict[str, list[str]] = {}
    for pick in picks:
        names_by_reason.setdefault(pick.why, []).append(pick.holder.name)
    return " ".join(f"{listed(names)}: {why}" for why, names in names_by_reason.items())


def _quotas(picks: Sequence[ChosenWay]) -> list[str]:
    """Sentences on quotas; recipients with the same figures share one."""
    names_by_quota: dict[str, list[str]] = {}
    for pick in picks:
        names_by_quota.setdefault(pick.quota, []).append(pick.holder.name)
    return [f"{listed(names)}, {quota}" for quota, names in list(names_by_quota.items())[:8]]


def _ends_only(site: GrantSite, picks: Sequence[ChosenWay]) -> str:
    if site.end is None:
        return ""
    names = [pick.holder.name for pick in picks if pick.ends_only]
    if not names:
        return ""
    way = "a membership" if picks[0].way is GrantWay.GROUP else "an attached policy"
    who = listed(names) if len(names) < 4 else counted(len(names), "receiver")
    return (
        f"Ends only while Gatehouse runs: {way} has no end date in AWS, so Gatehouse has to remove it from "
        f"{who}."
    )
