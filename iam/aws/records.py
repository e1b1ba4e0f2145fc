"""What AWS says about an entity, in the shape that the mirror takes; documents are decoded, exact text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class InlinePolicyRecord(NamedTuple):
    """A policy that lives inside of one user, group or role."""

    name: str
    document: str


class PolicyVersionRecord(NamedTuple):
    """One of at most five versions of a managed policy."""

    version_id: str
    document: str
    is_default: bool
    created_at: datetime


class LastUsed(NamedTuple):
    """When a role was last used, and in which region; AWS follows this for 400 days."""

    at: datetime
    region: str | None


@dataclass(frozen=True, slots=True)
class UserRecord:
    """An IAM user. `groups` and `attached` are sorted; `groups` holds names, `attached` policy ARNs."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    tags: Mapping[str, str]
    groups: tuple[str, ...]
    inline: tuple[InlinePolicyRecord, ...]
    attached: tuple[str, ...]
    boundary: str | None


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """An IAM group. AWS has no tags and no boundary for groups."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    inline: tuple[InlinePolicyRecord, ...]
    attached: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RoleRecord:
    """An IAM role. `max_session_duration` (seconds) and `description` are None where the bulk answer was read:
    it does not have them, ListRoles has. `instance_profiles` holds ARNs."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    tags: Mapping[str, str]
    inline: tuple[InlinePolicyRecord, ...]
    attached: tuple[str, ...]
    boundary: str | None
    trust: str
    instance_profiles: tuple[str, ...]
    last_used_at: datetime | None
    last_used_region: str | None
    max_session_duration: int | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyRecord:
    """A managed policy with all its versions, newest first as AWS lists them. `tags` is None where the bulk answer
    was read: it has none, ListPolicyTags has."""

    aws_id: str
    name: str
    path: str
    arn: str
    created_at: datetime
    updated_at: datetime
    description: str
    versions: tuple[PolicyVersionRecord, ...]
    default_version_id: str
    attachment_count: int
    boundary_count: int
    is_attachable: bool
    is_aws_managed: bool
    tags: Mapping[str, str] | None = None


Record = UserRecord | GroupRecord | RoleRecord | PolicyRecord
