"""Read one user, group, role or policy in full, into the same records as the bulk answer: the re-read
after a change."""

from __future__ import annotations

from typing import Any

from iam.aws.reads.decode import is_aws_managed
from iam.aws.reads.lists import tag_dictionary
from iam.aws.reads.pages import members, one
from iam.aws.records import (
    GroupRecord,
    InlinePolicyRecord,
    PolicyRecord,
    PolicyVersionRecord,
    RoleRecord,
    UserRecord,
)
from iam.aws.session import Aws


def get_user(aws: Aws, *, name: str) -> UserRecord:
    """A user with groups, policies, boundary and tags; AwsError (not_found) when there is none. 4 calls
    and more."""
    user = one(aws, operation="GetUser", UserName=name)["User"]
    return UserRecord(
        aws_id=user["UserId"],
        name=user["UserName"],
        path=user["Path"],
        arn=user["Arn"],
        created_at=user["CreateDate"],
        tags=tag_dictionary(user.get("Tags", ())),
        groups=groups_for_user(aws, name=name),
        inline=_inline(aws, entity="User", name=name),
        attached=_attached(aws, entity="User", name=name),
        boundary=_boundary(user),
    )


def groups_for_user(aws: Aws, *, name: str) -> tuple[str, ...]:
    """The sorted names of the groups that a user is in."""
    found = members(aws, operation="ListGroupsForUser", key="Groups", UserName=name)
    return tuple(sorted(group["GroupName"] for group in found))


def get_group(aws: Aws, *, name: str) -> GroupRecord:
    """A group with its policies; AwsError (not_found) when there is none."""
    group = one(aws, operation="GetGroup", GroupName=name, MaxItems=1)["Group"]
    return GroupRecord(
        aws_id=group["GroupId"],
        name=group["GroupName"],
        path=group["Path"],
        arn=group["Arn"],
        created_at=group["CreateDate"],
        inline=_inline(aws, entity="Group", name=name),
        attached=_attached(aws, entity="Group", name=name),
    )


def group_members(aws: Aws, *, name: str) -> tuple[str, ...]:
    """The sorted names of the users in a group."""
    return tuple(
        sorted(user["UserName"] for user in members(aws, operation="GetGroup", key="Users", GroupName=name))
    )


def get_role(aws: Aws, *, name: str) -> RoleRecord:
    """A role with trust, policies, boundary, tags, duration, description; AwsError (not_found) when there
    is none."""
    role = one(aws, operation="GetRole", RoleName=name)["Role"]
    profiles = members(aws, operation="ListInstanceProfilesForRole", key="InstanceProfiles", RoleName=name)
    last_used = role.get("RoleLastUsed", {})
    return RoleRecord(
        aws_id=role["RoleId"],
        name=role["RoleName"],
        path=role["Path"],
        arn=role["Arn"],
        created_at=role["CreateDate"],
        tags=tag_dictionary(role.get("Tags", ())),
        inline=_inline(aws, entity="Role", name=name),
        attached=_attached(aws, entity="Role", name=name),
        boundary=_boundary(role),
        trust=role["AssumeRolePolicyDocument"],
        instance_profiles=tuple(sorted(profile["Arn"] for profile in profiles)),
        last_used_at=last_used.get("LastUsedDate"),
        last_used_region=last_used.get("Region"),
        max_session_duration=role.get("MaxSessionDuration", 3600),
        description=role.get("Description", ""),
    )


def get_policy(aws: Aws, *, arn: str) -> PolicyRecord:
    """A managed policy with all versions and tags; AwsError (not_found) when there is none."""
    policy = one(aws, operation="GetPolicy", PolicyArn=arn)["Policy"]
    listed = members(aws, operation="ListPolicyVersions", key="Versions", PolicyArn=arn)
    return PolicyRecord(
        aws_id=policy["PolicyId"],
        name=policy["PolicyName"],
        path=policy["Path"],
        arn=arn,
        created_at=policy["CreateDate"],
        updated_at=policy["UpdateDate"],
        description=policy.get("Description", ""),
        versions=tuple(_version(aws, arn=arn, version_id=version["VersionId"]) for version in listed),
        default_version_id=policy["DefaultVersionId"],
        attachment_count=policy.get("AttachmentCount", 0),
        boundary_count=policy.get("PermissionsBoundaryUsageCount", 0),
        is_attachable=policy.get("IsAttachable", True),
        is_aws_managed=is_aws_managed(arn),
        tags=tag_dictionary(policy.get("Tags", ())),
    )


def _version(aws: Aws, *, arn: str, version_id: str) -> PolicyVersionRecord:
    version = one(aws, operation="GetPolicyVersion", PolicyArn=arn, VersionId=version_id)["PolicyVersion"]
    return PolicyVersionRecord(
        version_id=version["VersionId"],
        document=version["Document"],
        is_default=version["IsDefaultVersion"],
        created_at=version["CreateDate"],
    )


def _inline(aws: Aws, *, entity: str, name: str) -> tuple[InlinePolicyRecord, ...]:
    owner: dict[str, Any] = {f"{entity}Name": name}
    names = sorted(members(aws, operation=f"List{entity}Policies", key="PolicyNames", **owner))
    return tuple(
        InlinePolicyRecord(
            policy, one(aws, operation=f"Get{entity}Policy", PolicyName=policy, **owner)["PolicyDocument"]
        )
        for policy in names
    )


def _attached(aws: Aws, *, entity: str, name: str) -> tuple[str, ...]:
    owner: dict[str, Any] = {f"{entity}Name": name}
    found = members(aws, operation=f"ListAttached{entity}Policies", key="AttachedPolicies", **owner)
    return tuple(sorted(policy["PolicyArn"] for policy in found))


def _boundary(entity: dict[str, Any]) -> str | None:
    boundary: str | None = entity.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return boundary
