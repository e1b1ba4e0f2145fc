"""The operations that take a permission of the ledger away, as the mirror stands; none where it is gone already."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from iam.access.grants.models import LedgerEntry, Sort
from iam.access.grants.trusting import closed, sids_of, users_of
from iam.changes.errors import RefusedError
from iam.changes.operations import DeleteInlinePolicy, DetachPolicy, Operation, RemoveFromGroup
from iam.changes.operations.managed_policy import DeletePolicy
from iam.changes.operations.role import DeleteRole
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.operations.trust_policy import ReplaceTrustPolicy
from iam.mirror.models import Account, Edge, EdgeKind, Entity, EntityState, InlinePolicy, Kind, valid_at


def taking(entry: LedgerEntry) -> Iterator[Operation]:
    """At most a few, in order."""
    holder = _living(entry.account, entry.holder_arn)
    if holder is None:
        return
    if entry.sort == Sort.MEMBER:
        yield from _membership(entry, holder)
    elif entry.sort == Sort.ATTACHED:
        yield from _attachment(entry, holder)
    elif entry.sort == Sort.INLINE:
        yield from _inline(entry, holder)
    elif entry.sort == Sort.TRUST:
        yield from _trust(entry, holder)
    elif entry.sort == Sort.POLICY:
        yield DeletePolicy.of(holder)
    elif entry.sort == Sort.ROLE:
        yield DeleteRole.of(holder)


def _living(account: Account, arn: str) -> Entity | None:
    found = Entity.objects.filter(account=account, arn=arn, gone_at__isnull=True)
    return found.select_related("account").first()


def _tied(kind: EdgeKind, source: Entity, target: Entity) -> bool:
    return Edge.objects.filter(valid_at(None), kind=kind, source=source, target=target).exists()


def _membership(entry: LedgerEntry, user: Entity) -> Iterator[Operation]:
    group = _living(entry.account, entry.target)
    if group is not None and _tied(EdgeKind.MEMBER, user, group):
        yield RemoveFromGroup.of(user, group=group)


def _attachment(entry: LedgerEntry, holder: Entity) -> Iterator[Operation]:
    policy = Entity.objects.filter(
        account=entry.account, kind=Kind.POLICY, arn=entry.target, gone_at__isnull=True
    ).first()
    if policy is not None and _tied(EdgeKind.ATTACHED, holder, policy):
        yield DetachPolicy.of(holder, policy=policy)


def _inline(entry: LedgerEntry, holder: Entity) -> Iterator[Operation]:
    if InlinePolicy.objects.filter(valid_at(None), owner=holder, name=entry.target).exists():
        yield DeleteInlinePolicy.of(holder, name=entry.target)


def _trust(entry: LedgerEntry, role: Entity) -> Iterator[Operation]:
    state = EntityState.objects.filter(valid_at(None), entity=role).select_related("document").first()
    text = state.document.text if state and state.document else ""
    if not text or entry.target not in sids_of(text):
        return
    left = closed(text, sid=entry.target)
    if left is None:
        raise RefusedError(
            f"{role.name} would trust nobody, which AWS does not allow. Delete the role, or name somebody else first."
        )
    yield ReplaceTrustPolicy.of(role, text=left)
    now = datetime.now(tz=UTC)
    for name in users_of(text, sid=entry.target):
        yield RevokeSessions.of_session_name(role, session_name=name, at=now)
