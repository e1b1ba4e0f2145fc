"""The calls of the detail lane by section, and the conversion of their results for the loader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from iam.aws.reads import details
from iam.aws.reads.credential_report import CredentialRow
from iam.aws.records import AccessKeyRecord
from iam.aws.session import Aws
from iam.mirror.models import Kind
from iam.mirror.pull.credentials import use_of_slot
from iam.mirror.pull.entity_cache import EntityRow
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.pull.sections import (
    ACCESS_KEYS,
    LOGIN_PROFILES,
    SIGNING_CERTIFICATES,
    SSH_KEYS,
    TAGS,
    USER_MFA,
)
from iam.mirror.pull.transform import credentials as transform
from iam.mirror.pull.usage import LastUse


@dataclass
class DetailResults:
    """The results of a batch of visits: entities by section; tags and login profiles by entity; uses of keys
    by key ID.

    `lines` are those of the credential report, which has the last use of most keys without a call.
    """

    lines: Mapping[int, CredentialRow]

    found: dict[str, list[FoundEntity]] = field(default_factory=dict)
    read: dict[str, set[int]] = field(default_factory=dict)
    tags: dict[int, dict[str, str]] = field(default_factory=dict)
    login_profiles: dict[int, dict[str, Any] | None] = field(default_factory=dict)
    uses: dict[str, LastUse] = field(default_factory=dict)

    def add(self, section: str, known: EntityRow, aws_entities: list[FoundEntity]) -> None:
        """Note that a section of an entity was read completely."""
        self.found.setdefault(section, []).extend(aws_entities)
        self.read.setdefault(section, set()).add(known.id)


def read_section(aws: Aws, section: str, known: EntityRow, answers: DetailResults) -> None:
    """Read one section of one entity from AWS. Raises AwsError, and then adds nothing."""
    _READS[section](aws, known, answers)


def _access_keys(aws: Aws, user: EntityRow, answers: DetailResults) -> None:
    records = details.access_keys(aws, user_name=user.name)
    for record in records:
        answers.uses[record.key_id] = _use(aws, record, answers.lines.get(user.id))
    answers.add(ACCESS_KEYS, user, [transform.access_key(r, user_id=user.aws_id) for r in records])


def _use(aws: Aws, record: AccessKeyRecord, line: CredentialRow | None) -> LastUse:
    slots = [key for key in line.keys if key.last_rotated == record.created_at] if line else []
    if len(slots) == 1:
        return use_of_slot(slots[0])
    return read_key_use(aws, key_id=record.key_id)


def read_key_use(aws: Aws, *, key_id: str) -> LastUse:
    """Return the last use of an access key, with one call. Raises AwsError."""
    used = details.access_key_last_used(aws, key_id=key_id)
    return LastUse(at=used.at, region=used.region or "", service=used.service or "")


def _user_mfa(aws: Aws, user: EntityRow, answers: DetailResults) -> None:
    """Virtual devices are left out: the account-wide list has them, including unassigned ones."""
    records = details.mfa_devices(aws, user_name=user.name)
    devices = [transform.own_device(r, user_id=user.aws_id) for r in records]
    answers.add(USER_MFA, user, [device for device in devices if device.category != "virtual"])


def _login_profile(aws: Aws, user: EntityRow, answers: DetailResults) -> None:
    record = details.login_profile(aws, user_name=user.name)
    answers.login_profiles[user.id] = transform.login_profile(record) if record else None
    answers.add(LOGIN_PROFILES, user, [])


def _ssh_keys(aws: Aws, user: EntityRow, answers: DetailResults) -> None:
    records = details.ssh_keys(aws, user_name=user.name)
    answers.add(SSH_KEYS, user, [transform.ssh_key(r, user_id=user.aws_id) for r in records])


def _signing_certificates(aws: Aws, user: EntityRow, answers: DetailResults) -> None:
    records = details.signing_certificates(aws, user_name=user.name)
    answers.add(
        SIGNING_CERTIFICATES, user, [transform.signing_certificate(r, user_id=user.aws_id) for r in records]
    )


def _tags(aws: Aws, known: EntityRow, answers: DetailResults) -> None:
    answers.tags[known.id] = _TAG_READS[known.kind](aws, known)
    answers.add(TAGS, known, [])


_READS: dict[str, Callable[[Aws, EntityRow, DetailResults], None]] = {
    ACCESS_KEYS: _access_keys,
    USER_MFA: _user_mfa,
    LOGIN_PROFILES: _login_profile,
    SSH_KEYS: _ssh_keys,
    SIGNING_CERTIFICATES: _signing_certificates,
    TAGS: _tags,
}
_TAG_READS: dict[str, Callable[[Aws, EntityRow], dict[str, str]]] = {
    Kind.POLICY: lambda aws, known: details.policy_tags(aws, policy_arn=known.arn),
    Kind.INSTANCE_PROFILE: lambda aws, known: details.instance_profile_tags(aws, name=known.name),
    Kind.MFA_DEVICE: lambda aws, known: details.mfa_device_tags(aws, serial_number=known.aws_id),
    Kind.SERVER_CERTIFICATE: lambda aws, known: details.server_certificate_tags(aws, name=known.name),
}
