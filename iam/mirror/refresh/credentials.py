"""Read some of the credentials of one user on their own, straight after a change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import details
from iam.aws.session import Aws
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.pull.apply import apply_parts, lock_account
from iam.mirror.pull.credentials import (
    KEYS_READ_AT,
    MFA_READ_AT,
    PASSWORD_SET_AT,
    PROFILE_READ_AT,
    EvidenceTimes,
    derive,
)
from iam.mirror.pull.entity_cache import EntityCache, EntityRow
from iam.mirror.pull.facts import FoundEntity, ObservationTimes, SectionPart
from iam.mirror.pull.freshness import SectionFreshness
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    KINDS,
    LOGIN_PROFILES,
    MFA_DEVICES,
    SERVICE_CREDENTIALS,
    SIGNING_CERTIFICATES,
    SSH_KEYS,
    USER_MFA,
)
from iam.mirror.pull.sweep import LossLimit
from iam.mirror.pull.transform import credentials as transform
from iam.mirror.pull.transform.credentials import VIRTUAL
from iam.mirror.pull.usage import load_usage

Records = Sequence[Any]
_READS: dict[str, Callable[..., Records]] = {
    ACCESS_KEYS: details.access_keys,
    USER_MFA: details.mfa_devices,
    SSH_KEYS: details.ssh_keys,
    SIGNING_CERTIFICATES: details.signing_certificates,
    SERVICE_CREDENTIALS: details.service_credentials,
}
_FOUND_ENTITIES: dict[str, Callable[..., FoundEntity]] = {
    ACCESS_KEYS: transform.access_key,
    USER_MFA: transform.own_device,
    SSH_KEYS: transform.ssh_key,
    SIGNING_CERTIFICATES: transform.signing_certificate,
    SERVICE_CREDENTIALS: lambda record, user_id: transform.service_credential(record),
}
_READ_AT = {ACCESS_KEYS: KEYS_READ_AT, USER_MFA: MFA_READ_AT, LOGIN_PROFILES: PROFILE_READ_AT}


@dataclass(frozen=True, slots=True)
class ReadCredentials:
    """One section of a user's credentials as AWS showed it; `at` is before the reading.

    `records` are whole. Of a login profile there is one or none; `set_at` is when a change set its password,
    which AWS does not tell. `spare` are virtual MFA devices that are there and assigned to nobody.
    """

    section: str
    at: datetime
    records: Records
    spare: tuple[str, ...] = ()
    set_at: datetime | None = None


def read_credentials(aws: Aws, *, user_name: str, section: str) -> ReadCredentials:
    """Read one section (`iam.mirror.pull.sections`) of a user; one call and a call for each further page.
    Raises AwsError.
    """
    at = datetime.now(tz=UTC)
    if section == LOGIN_PROFILES:
        profile = details.login_profile(aws, user_name=user_name)
        records = [profile] if profile else []
        return ReadCredentials(section, at, records)
    return ReadCredentials(section, at, _READS[section](aws, user_name=user_name))


def device_exists(aws: Aws, *, serial_number: str) -> bool:
    """Whether AWS has this virtual MFA device, anyone who it is assigned to; one call. Raises AwsError."""
    try:
        details.mfa_device_tags(aws, serial_number=serial_number)
    except AwsError as error:
        if error.kind is ErrorKind.NOT_FOUND:
            return False
        raise
    return True


def reread_credentials(
    account: Account, user: Entity, read: ReadCredentials, *, cause_id: UUID | None
) -> None:
    """Make what the mirror holds of a section of a user's credentials what was `read`, caused by the change
    (None: cause unknown).

    No call to AWS. A pull that began before does not undo it, and a credential report that AWS made before
    does not either: the facts of the user's credentials say when keys, devices and the password were read on
    their own.
    """
    with transaction.atomic():
        lock_account(account)
        census, freshness = EntityCache(account), SectionFreshness(account, None)
        known = census.by_pk.get(user.pk)
        if known is None:
            return
        after = freshness.observed_at(read.section)
        seen = ObservationTimes.after_change(read.at, after=after, cause_id=cause_id)
        touched = _apply(census, known, read, seen) if read.section in KINDS else set()
        if read.section in _READ_AT:
            _derive(census, known, read, seen, freshness)
        Entity.objects.filter(pk__in={known.id} | touched).update(reread_at=read.at, source_digest=None)


def _apply(census: EntityCache, user: EntityRow, read: ReadCredentials, seen: ObservationTimes) -> set[int]:
    """Enter the credentials, and end those that AWS does not show any more; the ids of all of them."""
    kinds = KINDS[read.section]
    before = {known.id for known in census.of_kind(*kinds) if known.owner_id == user.id}
    part = SectionPart(
        section=read.section,
        seen=seen,
        found=[
            *(_FOUND_ENTITIES[read.section](record, user_id=user.aws_id) for record in read.records),
            *(spare_device(serial) for serial in read.spare),
        ],
        covers=lambda known: known.kind in kinds and known.owner_id == user.id,
        is_direct=True,
    )
    roster = apply_parts(census, [part], limit=LossLimit(percent=100, is_accepted=True)).roster
    members = [known for known, _ in roster.members.get(read.section, ())]
    load_usage(
        census.account.pk,
        entities=[known for known in members if known.kind == Kind.ACCESS_KEY],
        uses={},
        observed_at=seen.at,
    )
    return before | {known.id for known in members}


def spare_device(serial_number: str) -> FoundEntity:
    """A virtual MFA device that is assigned to nobody."""
    return FoundEntity(
        kind=Kind.MFA_DEVICE.value,
        aws_id=serial_number,
        name=serial_number.rpartition("/")[2],
        arn=serial_number,
        category="virtual",
        attrs={"UserName": "", "IsRoot": False},
    )


def _derive(
    census: EntityCache,
    user: EntityRow,
    read: ReadCredentials,
    seen: ObservationTimes,
    freshness: SectionFreshness,
) -> None:
    """The row that says whether the user has a password, MFA and keys."""
    user.reread_at = read.at
    clock = EvidenceTimes.of_single_read(seen, freshness)
    profiles: dict[int, dict[str, Any] | None] = {}
    if read.section == LOGIN_PROFILES:
        profiles[user.id] = transform.login_profile(read.records[0]) if read.records else None
    derive(
        census,
        [user],
        reported=None,
        clock=clock,
        login_profiles=profiles,
        read_alone={_READ_AT[read.section]: read.at.isoformat()}
        | ({PASSWORD_SET_AT: read.set_at.isoformat()} if read.set_at else {}),
    )


def is_virtual(serial_number: str) -> bool:
    """Whether a device of this serial number is a virtual one."""
    return VIRTUAL in serial_number


def reread_spare_device(account: Account, aws: Aws, *, serial_number: str, cause_id: UUID | None) -> None:
    """End a virtual MFA device of the mirror that belongs to nobody, when AWS does not have it any more. One
    call; raises AwsError.
    """
    at = datetime.now(tz=UTC)
    exists = device_exists(aws, serial_number=serial_number)
    with transaction.atomic():
        lock_account(account)
        census, freshness = EntityCache(account), SectionFreshness(account, None)
        known = census.current.get((Kind.MFA_DEVICE.value, serial_number))
        if known is None or exists:
            return
        after = freshness.observed_at(MFA_DEVICES)
        part = SectionPart(
            section=MFA_DEVICES,
            seen=ObservationTimes.after_change(at, after=after, cause_id=cause_id),
            found=[],
            covers=lambda device: device.id == known.id,
            is_direct=True,
        )
        apply_parts(census, [part], limit=LossLimit(percent=100, is_accepted=True))
        Entity.objects.filter(pk=known.id).update(reread_at=at)
