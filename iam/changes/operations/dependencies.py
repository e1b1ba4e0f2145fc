"""Lists what must be removed before AWS deletes a user, group, role, managed policy or instance profile, as
operations in order.

Reversible removals come first, so that a set that fails halfway has removed as little as possible
permanently.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from iam.changes.operations.base import REGISTRY, Operation, operation_on
from iam.changes.operations.holder import WORDS
from iam.changes.operations.user_credential import credentials_row
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, Kind, valid_at
from iam.mirror.refresh.credentials import is_virtual

_REMOVALS: Final[Mapping[str, tuple[str, str]]] = {
    EdgeKind.MEMBER: ("group_membership.remove", "group"),
    EdgeKind.PROFILE_ROLE: ("instance_profile.remove_role", "role"),
    EdgeKind.ATTACHED: ("attachment.detach", "policy"),
}
"""Kind of edge → the operation that removes its target from its source, and that operation's name for the
target.
"""
_EDGES: Final[Mapping[str, tuple[tuple[str, EdgeKind], ...]]] = {
    Kind.USER: (("source", EdgeKind.MEMBER), ("source", EdgeKind.ATTACHED)),
    Kind.GROUP: (("target", EdgeKind.MEMBER), ("source", EdgeKind.ATTACHED)),
    Kind.ROLE: (("target", EdgeKind.PROFILE_ROLE), ("source", EdgeKind.ATTACHED)),
    Kind.POLICY: (("target", EdgeKind.ATTACHED),),
    Kind.INSTANCE_PROFILE: (("source", EdgeKind.PROFILE_ROLE),),
}
"""Kind of entity → the edges that must be removed first, and the side of the edge on which the entity is.

The deletion of a policy removes its versions itself. Policies that are used as a permissions boundary are not
removed from their holders: that must be requested separately.
"""


def dependencies_of(entity: Entity) -> list[Operation]:
    """Return the operations that remove what an entity has and what would keep AWS from deleting it; none for
    other kinds.
    """
    operations = list(_taken_from_edges(entity))
    if entity.kind in WORDS:
        operations += _inline_policies_of(entity)
    if entity.kind == Kind.USER:
        operations += _credentials_of(entity)
    return operations


def remaining_dependencies(entity: Entity, earlier: Sequence[Operation]) -> list[Operation]:
    """Return the dependencies that the earlier operations of a set do not remove."""
    done = [_matter(operation) for operation in earlier]
    exactly = {tuple(sorted(dependency.items())) for dependency in done}
    left = []
    for operation in dependencies_of(entity):
        matter = _matter(operation)
        # The exact comparison is fast enough for groups with hundreds of members. The second one is slow, and
        # is needed only for what the set itself creates.
        if tuple(sorted(matter.items())) not in exactly and not any(
            _is_same(matter, other) for other in done
        ):
            left.append(operation)
    return left


def _matter(operation: Operation) -> dict[str, str]:
    """What an operation removes, regardless of how: two operations that remove the same credential count as
    equal.
    """
    area = operation.slug.partition(".")[0]
    verb = {"": operation.slug} if "credential_id" not in operation.params else {"": area}
    return verb | {key: str(value) for key, value in operation.params.items()}


def _is_same(dependency: dict[str, str], other: dict[str, str]) -> bool:
    """Compare two removals. IDs are blank for what the set itself creates."""
    return dependency.keys() == other.keys() and all(
        value == other[key] or (key.endswith("_id") and "" in (value, other[key]))
        for key, value in dependency.items()
    )


def _taken_from_edges(entity: Entity) -> Iterator[Operation]:
    for side, kind in _EDGES.get(entity.kind, ()):
        slug, taken = _REMOVALS[kind]
        edges = Edge.objects.filter(valid_at(None), kind=kind, **{side: entity})
        edges = edges.select_related("source__account", "target__account")
        for edge in edges.order_by("source__name", "target__name"):
            yield operation_on(slug, edge.source, **{taken: edge.target})


def _inline_policies_of(holder: Entity) -> Iterator[Operation]:
    names = InlinePolicy.objects.filter(valid_at(None), owner=holder).order_by("name")
    for name in names.values_list("name", flat=True):
        yield operation_on("inline_policy.delete", holder, policy_name=name)


def _credentials_of(user: Entity) -> Iterator[Operation]:
    row = credentials_row(user)
    if row is not None and row.has_password:
        yield operation_on("login_profile.delete", user)
    owned = Entity.objects.filter(owner=user, gone_at__isnull=True).select_related(
        "account", "owner__account"
    )
    for entity in owned.order_by("kind", "aws_id"):
        is_hardware = entity.kind == Kind.MFA_DEVICE and not is_virtual(entity.aws_id)
        slug = "mfa_device.deactivate" if is_hardware else f"{entity.kind.replace('-', '_')}.delete"
        if slug in REGISTRY:
            yield operation_on(slug, entity)
