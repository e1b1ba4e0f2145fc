"""Converts users, groups, roles and managed policies from the bulk response, a re-read, or an uploaded
export.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b

from iam.aws.records import GroupRecord, PolicyRecord, Record, RoleListing, RoleRecord, UserRecord
from iam.mirror.models import EdgeKind, Kind
from iam.mirror.pull.facts import EntityRef, FoundEntity, ReadPolicyVersion, by_arn, by_name
from iam.mirror.pull.trust import trust_category

Intern = Callable[[str], str]
"""Takes the text of a document, has it stored, and returns its digest."""

ROLE_LIST_ATTRS = ("MaxSessionDuration", "Description", "MaxSigninSessionDuration")
"""Attributes of roles that the bulk response lacks; the section `role_list` fills them. A maximum sign-in
session duration that is not set is null; one that was never read is missing.
"""


def role_list_attrs(record: RoleListing | RoleRecord) -> dict[str, object]:
    """These attributes of a role."""
    values = (record.max_session_duration, record.description or "", record.max_sign_in_duration)
    return dict(zip(ROLE_LIST_ATTRS, values, strict=True))


def document_digest(text: str) -> str:
    """The key of a document: BLAKE2b-128 of its exact text, in hex."""
    return blake2b(text.encode(), digest_size=16).hexdigest()


def found_of(record: Record, *, account_id: str, digest: bytes | None, intern: Intern) -> FoundEntity:
    """Convert any of the four records for the loader; `digest` is None if the record was not read in bulk."""
    if isinstance(record, UserRecord):
        return _user(record, digest, intern)
    if isinstance(record, GroupRecord):
        return _group(record, digest, intern)
    if isinstance(record, RoleRecord):
        return _role(record, digest, intern, account_id)
    return _policy(record, digest, intern)


def _user(record: UserRecord, digest: bytes | None, intern: Intern) -> FoundEntity:
    members = tuple((EdgeKind.MEMBER.value, by_name(Kind.GROUP.value, name)) for name in record.groups)
    return FoundEntity(
        kind=Kind.USER.value,
        aws_id=record.aws_id,
        name=record.name,
        arn=record.arn,
        path=record.path,
        created_at=record.created_at,
        category="user",
        source_digest=digest,
        tags=dict(record.tags),
        edges=members + _attached(record.attached) + _boundary(record.boundary),
        inline={policy.name: intern(policy.document) for policy in record.inline},
    )


def _group(record: GroupRecord, digest: bytes | None, intern: Intern) -> FoundEntity:
    return FoundEntity(
        kind=Kind.GROUP.value,
        aws_id=record.aws_id,
        name=record.name,
        arn=record.arn,
        path=record.path,
        created_at=record.created_at,
        source_digest=digest,
        edges=_attached(record.attached),
        inline={policy.name: intern(policy.document) for policy in record.inline},
    )


def _role(record: RoleRecord, digest: bytes | None, intern: Intern, account_id: str) -> FoundEntity:
    attrs: dict[str, object] = {}
    if record.max_session_duration is not None:
        attrs = role_list_attrs(record)
    return FoundEntity(
        kind=Kind.ROLE.value,
        aws_id=record.aws_id,
        name=record.name,
        arn=record.arn,
        path=record.path,
        created_at=record.created_at,
        category=trust_category(record.trust, path=record.path, account_id=account_id),
        document=intern(record.trust),
        attrs=attrs,
        keeps=ROLE_LIST_ATTRS,
        source_digest=digest,
        tags=dict(record.tags),
        edges=_attached(record.attached) + _boundary(record.boundary),
        inline={policy.name: intern(policy.document) for policy in record.inline},
    )


def _policy(record: PolicyRecord, digest: bytes | None, intern: Intern) -> FoundEntity:
    """A managed policy without its attachment counts: they equal the number of edges, and would make a new
    state of each attachment.
    """
    category = "aws" if record.is_aws_managed else "customer"
    tags = None if record.tags is None else dict(record.tags)
    return FoundEntity(
        kind=Kind.POLICY.value,
        aws_id=record.aws_id,
        name=record.name,
        arn=record.arn,
        path=record.path,
        created_at=record.created_at,
        category=category,
        attrs={
            "Description": record.description,
            "DefaultVersionId": record.default_version_id,
            "IsAttachable": record.is_attachable,
            "UpdateDate": record.updated_at.isoformat().replace("+00:00", "Z"),
        },
        source_digest=digest,
        tags=tags,
        versions=tuple(
            ReadPolicyVersion(v.version_id, intern(v.document), v.is_default, v.created_at)
            for v in record.versions
        ),
    )


def _attached(arns: tuple[str, ...]) -> tuple[tuple[str, EntityRef], ...]:
    return tuple((EdgeKind.ATTACHED.value, by_arn(Kind.POLICY.value, arn)) for arn in arns)


def _boundary(arn: str | None) -> tuple[tuple[str, EntityRef], ...]:
    return ((EdgeKind.BOUNDARY.value, by_arn(Kind.POLICY.value, arn)),) if arn else ()
