"""Check each entity of an uploaded export field by field and convert it to a record."""

from __future__ import annotations

import re
from collections.abc import Callable

from iam.aws.export_nodes import ExportError, ExportNode
from iam.aws.reads.decode import is_aws_managed
from iam.aws.records import (
    GroupRecord,
    InlinePolicyRecord,
    InstanceProfileRecord,
    LastUsed,
    PolicyRecord,
    PolicyVersionRecord,
    Record,
    RoleRecord,
    UserRecord,
)

_NAME = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_ID = re.compile(r"[A-Z0-9]{16,128}")
_PATH = re.compile(r"/|/[\x21-\x7e]{1,510}/")
_ARN = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:(?:\d{12}|aws)?:[\x21-\x7e]+")
_VERSION = re.compile(r"v[1-9][0-9]*")


def _arn(node: ExportNode, key: str = "Arn") -> str:
    return node.text(key, longest=2048, pattern=_ARN)


def _name(node: ExportNode, key: str) -> str:
    return node.text(key, longest=128, pattern=_NAME)


def _path(node: ExportNode) -> str:
    return node.text("Path", longest=512, pattern=_PATH)


def _tags(node: ExportNode) -> dict[str, str]:
    return {tag.text("Key", longest=128): tag.text("Value", longest=256) for tag in node.nodes("Tags")}


def _inline(node: ExportNode, key: str) -> tuple[InlinePolicyRecord, ...]:
    policies = (
        InlinePolicyRecord(_name(item, "PolicyName"), item.document("PolicyDocument"))
        for item in node.nodes(key)
    )
    return tuple(sorted(policies))


def _attached(node: ExportNode) -> tuple[str, ...]:
    return tuple(sorted(_arn(item, "PolicyArn") for item in node.nodes("AttachedManagedPolicies")))


def _boundary(node: ExportNode) -> str | None:
    if not node.has_value("PermissionsBoundary"):
        return None
    return _arn(node.node("PermissionsBoundary"), "PermissionsBoundaryArn")


def _last_used(node: ExportNode) -> LastUsed | None:
    if not node.has_value("RoleLastUsed") or not node.node("RoleLastUsed").has_value("LastUsedDate"):
        return None
    used = node.node("RoleLastUsed")
    return LastUsed(used.moment("LastUsedDate"), used.optional("Region", longest=64))


def _user(node: ExportNode) -> UserRecord:
    return UserRecord(
        aws_id=node.text("UserId", longest=128, pattern=_ID),
        name=_name(node, "UserName"),
        path=_path(node),
        arn=_arn(node),
        created_at=node.moment("CreateDate"),
        tags=_tags(node),
        groups=tuple(sorted(node.texts("GroupList", longest=128, pattern=_NAME))),
        inline=_inline(node, "UserPolicyList"),
        attached=_attached(node),
        boundary=_boundary(node),
    )


def _group(node: ExportNode) -> GroupRecord:
    return GroupRecord(
        aws_id=node.text("GroupId", longest=128, pattern=_ID),
        name=_name(node, "GroupName"),
        path=_path(node),
        arn=_arn(node),
        created_at=node.moment("CreateDate"),
        inline=_inline(node, "GroupPolicyList"),
        attached=_attached(node),
    )


def _role(node: ExportNode) -> RoleRecord:
    last_used = _last_used(node)
    last_used_at, last_used_region = (last_used.at, last_used.region) if last_used else (None, None)
    return RoleRecord(
        aws_id=node.text("RoleId", longest=128, pattern=_ID),
        name=_name(node, "RoleName"),
        path=_path(node),
        arn=_arn(node),
        created_at=node.moment("CreateDate"),
        tags=_tags(node),
        inline=_inline(node, "RolePolicyList"),
        attached=_attached(node),
        boundary=_boundary(node),
        trust=node.document("AssumeRolePolicyDocument"),
        instance_profiles=tuple(sorted(_arn(profile) for profile in node.nodes("InstanceProfileList"))),
        last_used_at=last_used_at,
        last_used_region=last_used_region,
    )


def instance_profiles_of(role: ExportNode) -> tuple[InstanceProfileRecord, ...]:
    """Return the instance profiles that contain a role of the file. An export describes no others."""
    role_name = _name(role, "RoleName")
    return tuple(_instance_profile(profile, role_name) for profile in role.nodes("InstanceProfileList"))


def _instance_profile(node: ExportNode, role_name: str) -> InstanceProfileRecord:
    return InstanceProfileRecord(
        aws_id=node.text("InstanceProfileId", longest=128, pattern=_ID),
        name=_name(node, "InstanceProfileName"),
        path=_path(node),
        arn=_arn(node),
        created_at=node.moment("CreateDate"),
        roles=(role_name,),
    )


def _version(node: ExportNode) -> PolicyVersionRecord:
    return PolicyVersionRecord(
        version_id=node.text("VersionId", longest=16, pattern=_VERSION),
        document=node.document("Document"),
        is_default=node.flag("IsDefaultVersion", default=False),
        created_at=node.moment("CreateDate"),
    )


def _policy(node: ExportNode) -> PolicyRecord:
    arn = _arn(node)
    record = PolicyRecord(
        aws_id=node.text("PolicyId", longest=128, pattern=_ID),
        name=_name(node, "PolicyName"),
        path=_path(node),
        arn=arn,
        created_at=node.moment("CreateDate"),
        updated_at=node.moment("UpdateDate"),
        description=node.optional("Description", longest=1000) or "",
        versions=tuple(_version(version) for version in node.nodes("PolicyVersionList")),
        default_version_id=node.text("DefaultVersionId", longest=16, pattern=_VERSION),
        attachment_count=node.integer("AttachmentCount", default=0),
        boundary_count=node.integer("PermissionsBoundaryUsageCount", default=0),
        is_attachable=node.flag("IsAttachable", default=True),
        is_aws_managed=is_aws_managed(arn),
    )
    if record.default_version_id not in {version.version_id for version in record.versions}:
        raise ExportError(
            f"{node.at('PolicyVersionList')} does not have the default version {record.default_version_id}."
        )
    return record


BUILDERS: dict[str, Callable[[ExportNode], Record]] = {
    "user": _user,
    "group": _group,
    "role": _role,
    "policy": _policy,
}
