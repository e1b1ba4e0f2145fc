"""Reads one user, group, role or policy on its own, right after a change, into the same tables with the same
loader.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import details
from iam.aws.records import Record
from iam.aws.session import Aws
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.pull.apply import apply_parts, lock_account
from iam.mirror.pull.authorization import SECTION_OF
from iam.mirror.pull.credentials import MFA_READ_AT, EvidenceTimes, derive
from iam.mirror.pull.documents import PolicyDocuments
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.facts import FoundEntity, ObservationTimes, SectionPart
from iam.mirror.pull.freshness import SectionFreshness
from iam.mirror.pull.renames import can_be_renamed, other_name
from iam.mirror.pull.sweep import LossLimit
from iam.mirror.pull.transform.principals import found_of
from iam.mirror.pull.usage import load_usage

_READS: dict[str, Callable[[Aws, str, str], Record]] = {
    Kind.USER: lambda aws, name, arn: details.get_user(aws, name=name),
    Kind.GROUP: lambda aws, name, arn: details.get_group(aws, name=name),
    Kind.ROLE: lambda aws, name, arn: details.get_role(aws, name=name),
    Kind.POLICY: lambda aws, name, arn: details.get_policy(aws, arn=arn),
}


class SubjectReading(NamedTuple):
    """What was just read about one of them, None if it does not exist; `at` is the time before the read."""

    at: datetime
    record: Record | None


class MadeUser(NamedTuple):
    """A user that a call of ours created, with the ID from AWS; `at` is AWS's time of creation, when the user
    had no MFA device.
    """

    aws_id: str
    at: datetime


def reread_entity(
    account: Account,
    aws: Aws,
    *,
    kind: str,
    name: str,
    arn: str = "",
    cause_id: UUID | None,
    read: SubjectReading | None = None,
    made: MadeUser | None = None,
    is_deleted: bool = False,
) -> Entity | None:
    """Make the mirror of one user, group, role or policy agree with AWS. Returns None if it no longer exists.

    The entity is found by name (a policy by ARN), so a new one is added and a deleted one is ended. A user or
    group that no longer has its name is looked for by its ID first: it may have been renamed in AWS.
    `cause_id` is the Change that caused it; None means an unknown cause. `made` is given for a user whom that
    change has just made, and `is_deleted` for an entity that it has just deleted. A pull that began before
    does not overwrite the result, a re-read that is older than another one does nothing, and the next pull
    decodes the entity again.

    Makes four calls or more, none if `read` is given. Raises AwsError if AWS can't be read, and then writes
    nothing.
    """
    at, record = read or SubjectReading(timezone.now(), _read(aws, kind, name, arn))
    if record is None and can_be_renamed(kind) and not is_deleted:
        record = _renamed(account, aws, kind, name)
    documents = PolicyDocuments()
    aws_entity = (
        found_of(record, account_id=account.account_id, digest=None, intern=documents.intern)
        if record
        else None
    )
    documents.flush()
    with transaction.atomic():
        lock_account(account)
        return _apply(account, _SubjectRead(kind, name, arn, aws_entity, at, cause_id, made))


def _read(aws: Aws, kind: str, name: str, arn: str) -> Record | None:
    try:
        return _READS[kind](aws, name, arn)
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return None
        raise


def _renamed(account: Account, aws: Aws, kind: str, name: str) -> Record | None:
    """Read the entity that the mirror knows by this name under its new name; None if it is deleted."""
    known = Entity.objects.filter(account=account, kind=kind, name=name, gone_at__isnull=True).first()
    current = known and other_name(account, kind=kind, aws_id=known.aws_id, name=name)
    return _read(aws, kind, current, "") if current else None


class _SubjectRead:
    """What was read, and about which subject."""

    def __init__(
        self,
        kind: str,
        name: str,
        arn: str,
        aws_entity: FoundEntity | None,
        at: datetime,
        cause_id: UUID | None,
        made: MadeUser | None,
    ) -> None:
        self.kind, self.name, self.arn = kind, name, arn
        self.found, self.at, self.cause_id, self.made = aws_entity, at, cause_id, made

    def covers(self, known: EntityRow) -> bool:
        """True for the entity itself, and for any other with its name, since names are unique in AWS."""
        if known.kind != self.kind:
            return False
        return known.arn == self.arn if self.kind == Kind.POLICY else known.name == self.name


def _apply(account: Account, read: _SubjectRead) -> Entity | None:
    census, freshness = EntityCache(account), SectionFreshness(account, None)
    before = [known for known in census.current.values() if read.covers(known)]
    if any(known.reread_at is not None and known.reread_at > read.at for known in before):
        return Entity.objects.get(pk=before[-1].id)
    section = SECTION_OF[read.kind]
    members = [read.found] if read.found else []
    part = SectionPart(
        section=section,
        seen=ObservationTimes.after_change(
            read.at, after=freshness.observed_at(section), cause_id=read.cause_id
        ),
        found=members,
        covers=read.covers,
        is_direct=True,
    )
    roster = apply_parts(census, [part], limit=LossLimit(percent=100, is_accepted=True)).roster
    touched = {known.id for known in before} | {known.id for known, _ in roster.members.get(section, ())}
    Entity.objects.filter(pk__in=touched).update(reread_at=read.at, source_digest=None)
    known = census.current.get((read.kind, read.found.aws_id)) if read.found else None
    if known is None:
        return None
    _complete(census, known, part.seen, freshness, made=read.made)
    return Entity.objects.get(pk=known.id)


def _complete(
    census: EntityCache,
    known: EntityRow,
    seen: ObservationTimes,
    freshness: SectionFreshness,
    *,
    made: MadeUser | None,
) -> None:
    """Give a new user or role its rows of credentials and usage."""
    if known.kind in (Kind.USER, Kind.ROLE):
        load_usage(census.account.pk, entities=[known], uses={}, observed_at=seen.at)
    if known.kind == Kind.USER:
        clock = EvidenceTimes.of_single_read(seen, freshness)
        read_alone = {}
        if made is not None and made.aws_id == known.aws_id:
            read_alone[MFA_READ_AT] = made.at.isoformat()
        derive(census, [known], reported=None, clock=clock, read_alone=read_alone)
