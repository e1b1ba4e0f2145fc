"""Add a user to an IAM group or remove one, and list the policies that the user gains or loses.

Both are idempotent: adding a member again and removing a user who is not in the group change nothing (the
latter may return NoSuchEntity).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final
from uuid import UUID

from iam.aws.parallel_reads import parallel_reads
from iam.aws.reads import identity
from iam.aws.session import Aws
from iam.changes.access_effects import AccessEffect, PolicyRef
from iam.changes.documents import flags
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.holder import effect_of
from iam.changes.operations.identity import find_current_entity, found_or_none, lost_identity
from iam.changes.operations.inline_policy import is_denied_all
from iam.changes.operations.params import Blank, Params
from iam.changes.operations.spec import NORMAL, OperationSpec, Quota
from iam.changes.world import ChangeWorld
from iam.mirror.models import Document, Edge, EdgeKind, Entity, InlinePolicy, Kind, PolicyVersion, valid_at
from iam.mirror.refresh import ObservedMemberships, read_memberships, reread_memberships


def _key_of(policy: PolicyRef) -> str:
    """What makes two policies the same for a user: the managed policy's ARN, or the text of an
    inline policy.
    """
    return policy.arn or f"inline:{policy.digest}"


def policies_given(user: Entity, *, group: Entity) -> tuple[list[PolicyRef], str]:
    """Return the policies of a group by name, each with the user's other ways to it, and the user's boundary.

    Five queries: the user's groups, attached policies and boundary, default versions, inline policies, and
    the texts of the group's policies.
    """
    now = valid_at(None)
    names = {
        edge.target_id: edge.target.name
        for edge in Edge.objects.filter(now, source=user, kind=EdgeKind.MEMBER).select_related("target")
    }
    owners = {user.pk, group.pk, *names}
    policies_by_holder: dict[int, list[PolicyRef]] = defaultdict(list)
    boundary = ""
    edges = Edge.objects.filter(now, source__in=owners, kind__in=[EdgeKind.ATTACHED, EdgeKind.BOUNDARY])
    attached = []
    for edge in edges.select_related("target"):
        if edge.kind == EdgeKind.ATTACHED:
            attached.append(edge)
        elif edge.source_id == user.pk:
            boundary = edge.target.name
    digests = dict(
        PolicyVersion.objects.filter(
            now, policy__in={e.target_id for e in attached}, is_default=True
        ).values_list("policy_id", "document_id")
    )
    inlines = list(InlinePolicy.objects.filter(now, owner__in=owners))
    wanted = {digests.get(e.target_id, "") for e in attached if e.source_id == group.pk}
    wanted |= {i.document_id for i in inlines if i.owner_id == group.pk}
    marks = {d.digest: flags(d.text) for d in Document.objects.filter(digest__in=wanted)}
    for edge in attached:
        digest = digests.get(edge.target_id, "")
        known = {"digest": digest, "entity_id": edge.target_id, "flags": marks.get(digest, ())}
        policies_by_holder[edge.source_id].append(
            PolicyRef.managed(edge.target.name, edge.target.arn, **known)
        )
    for inline in inlines:
        digest = inline.document_id
        policies_by_holder[inline.owner_id].append(
            PolicyRef("inline", inline.name, digest=digest, owner="group", flags=marks.get(digest, ()))
        )
    ways: dict[str, set[str]] = defaultdict(set)
    for policy in policies_by_holder[user.pk]:
        ways[_key_of(policy)].add("directly")
    for pk, name in names.items():
        for policy in policies_by_holder[pk] if pk != group.pk else ():
            ways[_key_of(policy)].add(f"through {name}")
    policies = sorted(policies_by_holder[group.pk], key=lambda policy: (policy.kind, policy.name))
    return [replace(policy, ways=tuple(sorted(ways[_key_of(policy)]))) for policy in policies], boundary


class MembershipParams(Params):
    """The user and the group: names for the AWS calls, and their unique IDs and ARNs at the time of the
    request.
    """

    NAMES = {"name": "user_name", "arn": "user_arn", "aws_id": "user_id"}

    user_name: str
    user_id: Blank
    user_arn: str
    group_name: str
    group_id: Blank
    group_arn: str


ADD_TO_GROUP: Final = OperationSpec(
    slug="group_membership.add",
    subject_kind=Kind.USER.value,
    title="Add {user_name} to {group_name}",
    no_op="{user_name} is already in {group_name}.",
    counted=("Add", "group membership"),
    state={"member": "adds"},
    call="AddUserToGroup",
    parameters={"GroupName": "group_name", "UserName": "user_name"},
    sentence="{user_name} joins {group_name}",
    quota=Quota(
        "Groups afterwards",
        "{user_name} is in {used} groups, and AWS allows {limit} per user. Remove the user from one first.",
        usual=10,
        name="GroupsPerUserQuota",
    ),
    inverse="group_membership.remove",
)
REMOVE_FROM_GROUP: Final = ADD_TO_GROUP.opposite(
    slug="group_membership.remove",
    title="Remove {user_name} from {group_name}",
    no_op="{user_name} isn’t in {group_name}.",
    counted=("Remove", "group membership"),
    call="RemoveUserFromGroup",
    sentence="{user_name} leaves {group_name}",
)


class Membership(Operation):
    SPECS = (ADD_TO_GROUP, REMOVE_FROM_GROUP)
    can_observe_concurrently = True
    initial = {"member": False}
    missing_message = "The user or group no longer exists in AWS, as of the last sync."
    inputs: MembershipParams
    _read: ObservedMemberships | None = None
    _is_denied = False

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        """Note whether the set denies the user everything."""
        self._is_denied = not self.spec.adds and is_denied_all(self, earlier)

    def sensitivity(self, effect: AccessEffect) -> str:
        """Normal if the same set denies the user everything: a deny of the group that the user loses doesn't
        matter then.
        """
        return NORMAL if self._is_denied else super().sensitivity(effect)

    def modified_arns(self) -> tuple[str, ...]:
        return self.inputs.user_arn, self.inputs.group_arn

    def group(self) -> Entity | None:
        """The mirror's row of the group, found by ARN if its set has created it."""
        group_id, arn = self.inputs.group_id, self.inputs.group_arn
        return find_current_entity(self.account, kind=Kind.GROUP, aws_id=group_id, arn=arn)

    def state_in_mirror(self) -> Image | None:
        user, group = self.subject(), self.group()
        if user is None or group is None:
            return None
        member = Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source=user, target=group)
        return {"member": member.exists()}

    def used_by(self, user: Entity) -> int:
        return Edge.objects.filter(valid_at(None), kind=EdgeKind.MEMBER, source=user).count()

    def identity_error(self, aws: Aws) -> str:
        """Two calls."""
        params = self.inputs
        with parallel_reads(aws) as ask:
            group_id = ask(partial(identity.group_id, aws, name=params.group_name))
            user_id = found_or_none(lambda: identity.user_id(aws, name=params.user_name))
            user, group = f"The user {params.user_name}", f"The group {params.group_name}"
            lost = lost_identity(user, user_id, expected=params.user_id)
            return lost or lost_identity(group, found_or_none(group_id), expected=params.group_id)

    def observe(self, aws: Aws) -> Image:
        self._read = read_memberships(aws, user_name=self.inputs.user_name)
        return {"member": self.inputs.group_id in self._read.group_ids}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        user = self.subject()
        if user is not None:
            reread_memberships(self.account, aws, user, cause_id=cause_id, read=self._read)

    def effect(self) -> AccessEffect:
        user, group = self.subject(), self.group()
        if user is None or group is None:
            return AccessEffect()
        policies, boundary = policies_given(user, group=group)
        side = "gives" if self.spec.adds else "takes"
        return effect_of(**{side: policies}, boundary=boundary)

    def simulate(self, world: ChangeWorld) -> None:
        number = world.number(self.inputs.group_arn)
        if number is None:
            return
        grants = world.grants(self.inputs.user_arn)
        others = tuple(group for group in grants.groups if group != number)
        groups = (*others, number) if self.spec.adds else others
        world.set_holdings(self.inputs.user_arn, replace(grants, groups=groups))
