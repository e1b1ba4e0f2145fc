"""Read the groups of one user on their own, straight after a change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from iam.aws.reads import identity
from iam.aws.session import Aws
from iam.mirror.models import Account, Cause, Edge, EdgeKind, Entity, Kind, Section, valid_at
from iam.mirror.pull import temporal
from iam.mirror.pull.apply import lock_account
from iam.mirror.pull.facts import ObservationTimes


class ObservedMemberships(NamedTuple):
    """The unique ids of the groups that AWS showed a user in; `at` is before the reading."""

    at: datetime
    group_ids: frozenset[str]


def read_memberships(aws: Aws, *, user_name: str) -> ObservedMemberships:
    """Read them; one call. Raises AwsError."""
    at = datetime.now(tz=UTC)
    return ObservedMemberships(at, frozenset(identity.group_ids_of_user(aws, name=user_name)))


def reread_memberships(
    account: Account,
    aws: Aws,
    user: Entity,
    *,
    cause_id: UUID | None,
    read: ObservedMemberships | None = None,
) -> None:
    """Make the user's memberships in the mirror what AWS shows now, caused by the change (None: cause
    unknown).

    One call, none if they have just been `read`. A pull that began before does not undo it
    (`Entity.reread_at`), an older re-read steps back before a newer one, and the next pull decodes the user
    anew. A group that the mirror does not know yet comes with that pull. Raises AwsError.
    """
    at, group_ids = read or read_memberships(aws, user_name=user.name)
    with transaction.atomic():
        lock_account(account)
        last = Entity.objects.values_list("reread_at", flat=True).get(pk=user.pk)
        if last is not None and last > at:
            return
        cause = Cause.CHANGE if cause_id else Cause.UNKNOWN
        seen = ObservationTimes(
            at, after=_last_seen(account, last), cause_kind=cause.value, cause_id=cause_id
        )
        wanted = {user.pk: dict.fromkeys(_wanted_edges(account, user, aws_ids=group_ids), ())}
        temporal.load(temporal.EDGES, wanted=wanted, account_id=account.pk, seen=seen)
        Entity.objects.filter(pk=user.pk).update(reread_at=at, source_digest=None)


def _last_seen(account: Account, reread_at: datetime | None) -> datetime | None:
    sections = Section.objects.filter(account=account, name="users")
    moments = [*sections.values_list("observed_at", flat=True), reread_at]
    return max((moment for moment in moments if moment is not None), default=None)


def _wanted_edges(account: Account, user: Entity, *, aws_ids: frozenset[str]) -> list[tuple[str, int]]:
    """The user's other edges as they are, and the memberships that AWS shows."""
    others = Edge.objects.filter(valid_at(None), source=user).exclude(kind=EdgeKind.MEMBER)
    groups = Entity.objects.filter(account=account, kind=Kind.GROUP, aws_id__in=aws_ids, gone_at__isnull=True)
    return [
        *others.values_list("kind", "target_id"),
        *((EdgeKind.MEMBER.value, pk) for pk in groups.values_list("pk", flat=True)),
    ]
