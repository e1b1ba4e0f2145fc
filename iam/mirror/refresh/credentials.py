"""Syncs some of a user's credentials right after a change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import details
from iam.aws.session import Aws
from iam.mirror.mfa import has_mfa
from iam.mirror.models import Account, Entity, EntityState, Kind, UserCredentials, valid_at
from iam.mirror.pull.apply import apply_parts, lock_account
from iam.mirror.pull.credentials import (
    KEYS_READ_AT,
    MFA_READ_AT,
    PASSWORD_SET_AT,
    PROFILE_READ_AT,
    EvidenceTimes,
    derive,
)
from iam.mirror.pull.detail_reads import read_key_use
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
from iam.mirror.pull.usage import LastUse, load_usage

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
_IDS: dict[str, tuple[str, Kind]] = {
    ACCESS_KEYS: ("key_id", Kind.ACCESS_KEY),
    SERVICE_CREDENTIALS: ("credential_id", Kind.SERVICE_CREDENTIAL),
    SSH_KEYS: ("key_id", Kind.SSH_KEY),
    SIGNING_CERTIFICATES: ("certificate_id", Kind.SIGNING_CERTIFICATE),
    USER_MFA: ("serial_number", Kind.MFA_DEVICE),
}
_READ_AT = {ACCESS_KEYS: KEYS_READ_AT, USER_MFA: MFA_READ_AT, LOGIN_PROFILES: PROFILE_READ_AT}


@dataclass(frozen=True, slots=True)
class ReadCredentials:
    """A section of a user's credentials as AWS returned it. `at` is before the call.

    `records` are complete. There is at most one login profile; `set_at` is when a change set its password,
    which AWS doesn't return. `spare` are unassigned virtual MFA devices. `uses` are the last uses of access
    keys that the mirror doesn't know, by key ID, as far as they are known.
    """

    section: str
    at: datetime
    records: Records
    spare: tuple[str, ...] = ()
    set_at: datetime | None = None
    uses: Mapping[str, LastUse] = field(default_factory=dict)


def read_credentials(aws: Aws, *, user_name: str, section: str) -> ReadCredentials:
    """Read a section (`iam.mirror.pull.sections`) of a user, with one call per page. Raises AwsError."""
    at = datetime.now(tz=UTC)
    if section == LOGIN_PROFILES:
        profile = details.login_profile(aws, user_name=user_name)
        records = [profile] if profile else []
        return ReadCredentials(section, at, records)
    return ReadCredentials(section, at, _READS[section](aws, user_name=user_name))


def with_uses_of_new_keys(aws: Aws, user: Entity, read: ReadCredentials) -> ReadCredentials:
    """Return access keys with the last uses of those that the mirror doesn't know, with one call for each.
    A use that AWS doesn't tell stays unknown. Other credentials are returned as they are.
    """
    if read.section != ACCESS_KEYS:
        return read
    known = set(Entity.objects.filter(kind=Kind.ACCESS_KEY, owner=user).values_list("aws_id", flat=True))
    uses = {}
    for key in read.records:
        if key.key_id not in known:
            with suppress(AwsError):
                uses[key.key_id] = read_key_use(aws, key_id=key.key_id)
    return replace(read, uses=uses)


def with_unused(read: ReadCredentials, *, key_ids: Iterable[str]) -> ReadCredentials:
    """Return access keys with the last use of those that were just created: never."""
    return replace(read, uses={key_id: LastUse() for key_id in key_ids})


def is_news(user: Entity, read: ReadCredentials) -> bool:
    """Return True if the mirror shows anything else than what was read: in the credentials themselves, or in
    what it says of the user. Updating it then means loading the account's rows.
    """
    row = UserCredentials.objects.filter(valid_at(None), user=user).first()
    if row is None:
        return True
    if read.section == LOGIN_PROFILES:
        return bool(read.records) or row.has_password is not False
    field, kind = _IDS[read.section]
    states = EntityState.objects.filter(
        valid_at(None), kind=kind, entity__owner=user, entity__gone_at__isnull=True
    )
    known = dict(states.values_list("entity__aws_id", "category"))
    if kind == Kind.MFA_DEVICE:
        serials = {getattr(device, field) for device in read.records}
        return set(known) != serials or has_mfa(row.mfa) is not bool(serials)
    statuses = {getattr(credential, field): credential.status for credential in read.records}
    if kind == Kind.ACCESS_KEY:
        active = sum(status == "Active" for status in statuses.values())
        if (row.active_keys, row.keys) != (active, len(statuses)):
            return True
    return known != statuses


def device_exists(aws: Aws, *, serial_number: str) -> bool:
    """Return True if AWS has this virtual MFA device, assigned or not, with one call. Raises AwsError."""
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
    """Update a section of a user's credentials in the mirror to what was `read`, caused by the change (None:
    cause unknown).

    It calls nothing in AWS. A pull that began earlier doesn't undo it, nor does an older credential report,
    because the user's facts record when keys, devices and the password were read separately.
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
    """Add the credentials, end those missing in AWS, and return the ids of all."""
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
    keys = [known for known in members if known.kind == Kind.ACCESS_KEY]
    uses = {key.id: read.uses[key.aws_id] for key in keys if key.aws_id in read.uses}
    load_usage(census.account.pk, entities=keys, uses=uses, observed_at=seen.at)
    return before | {known.id for known in members}


def spare_device(serial_number: str) -> FoundEntity:
    """Return an unassigned virtual MFA device."""
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
    """Update the row that says whether the user has a password, MFA and keys."""
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
    """Return True if the serial number is that of a virtual device."""
    return VIRTUAL in serial_number


def reread_spare_device(account: Account, aws: Aws, *, serial_number: str, cause_id: UUID | None) -> None:
    """End an unassigned virtual MFA device in the mirror if AWS no longer has it. One call;
    raises AwsError.
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
