"""What AWS wants gone before it deletes a user, a group, a role, a managed policy or an instance profile, as
operations, in order.

What can be undone goes first, so that a set which fails half way has ended as little as possible for good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from iam.changes.operations.base import REGISTRY, Operation, operation_on
from iam.changes.operations.user_credential import credentials_row
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, Kind, valid_at
from iam.mirror.refresh.credentials import is_virtual


def dependencies_of(entity: Entity) -> list[Operation]:
    """The operations that take away what an entity of the mirror has, and without which AWS does not
    delete it; none for other kinds."""
    parts = _PARTS.get(entity.kind)
    return list(parts(entity)) if parts else []


def remaining_dependencies(entity: Entity, earlier: Sequence[Operation]) -> list[Operation]:
    """Those of its parts that the earlier operations of a set do not take away."""
    done = [_matter(operation) for operation in earlier]
    exactly = {tuple(sorted(dependency.items())) for dependency in done}
    left = []
    for operation in dependencies_of(entity):
        matter = _matter(operation)
        # A group of hundreds is told apart by the first question: the second is slow, and only what the set
        # itself makes takes it.
        if tuple(sorted(matter.items())) not in exactly and not any(
            _is_same(matter, other) for other in done
        ):
            left.append(operation)
    return left


def _matter(operation: Operation) -> dict[str, str]:
    """What an operation is about, without how it is called: two ways to take a device away are as good as
    each other."""
    area = operation.slug.partition(".")[0]
    verb = {"": operation.slug} if "credential_id" not in operation.params else {"": area}
    return verb | {key: str(value) for key, value in operation.params.items()}


def _is_same(dependency: dict[str, str], other: dict[str, str]) -> bool:
    """Ids are blank for what the set itself has made."""
    return dependency.keys() == other.keys() and all(
        value == other[key] or (key.endswith("_id") and "" in (value, other[key]))
        for key, value in dependency.items()
    )


def _of_user(user: Entity) -> Iterator[Operation]:
    for edge in _edges(EdgeKind.MEMBER, source=user):
        yield operation_on("group_membership.remove", user, group=edge.target)
    yield from _policies_of(user)
    yield from _credentials_of(user)


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


def _of_group(group: Entity) -> Iterator[Operation]:
    for edge in _edges(EdgeKind.MEMBER, target=group):
        yield operation_on("group_membership.remove", edge.source, group=group)
    yield from _policies_of(group)


def _of_role(role: Entity) -> Iterator[Operation]:
    for edge in _edges(EdgeKind.PROFILE_ROLE, target=role):
        yield operation_on("instance_profile.remove_role", edge.source, role=role)
    yield from _policies_of(role)


def _of_policy(policy: Entity) -> Iterator[Operation]:
    """Its versions go with it, in the operation itself; a boundary is nobody's to take away in passing."""
    for edge in _edges(EdgeKind.ATTACHED, target=policy):
        yield operation_on("attachment.detach", edge.source, policy=policy)


def _of_profile(profile: Entity) -> Iterator[Operation]:
    for edge in _edges(EdgeKind.PROFILE_ROLE, source=profile):
        yield operation_on("instance_profile.remove_role", profile, role=edge.target)


def _policies_of(holder: Entity) -> Iterator[Operation]:
    for edge in _edges(EdgeKind.ATTACHED, source=holder):
        yield operation_on("attachment.detach", holder, policy=edge.target)
    names = InlinePolicy.objects.filter(valid_at(None), owner=holder).order_by("name")
    for name in names.values_list("name", flat=True):
        yield operation_on("inline_policy.delete", holder, policy_name=name)


def _edges(kind: EdgeKind, **side: Entity) -> Iterable[Edge]:
    edges = Edge.objects.filter(valid_at(None), kind=kind, **side)
    return edges.select_related("source__account", "target__account").order_by("source__name", "target__name")


_PARTS: Final[dict[str, Callable[[Entity], Iterator[Operation]]]] = {
    Kind.USER: _of_user,
    Kind.GROUP: _of_group,
    Kind.ROLE: _of_role,
    Kind.POLICY: _of_policy,
    Kind.INSTANCE_PROFILE: _of_profile,
}
