"""Read one user, group, role or policy in full after a change, into the same records as
GetAccountAuthorizationDetails.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from operator import itemgetter
from typing import Any, TypeVar

from iam.aws.calls import build_all
from iam.aws.parallel_reads import parallel_reads
from iam.aws.reads.decode import is_aws_managed
from iam.aws.reads.lists import tag_dictionary
from iam.aws.reads.pages import each, members, read_all, read_one
from iam.aws.records import (
    GroupRecord,
    InlinePolicyRecord,
    PolicyRecord,
    PolicyVersionRecord,
    RoleRecord,
    UserRecord,
)
from iam.aws.session import Aws

T = TypeVar("T")


def get_user(aws: Aws, *, name: str) -> UserRecord:
    """Return a user with groups, policies, boundary and tags. AwsError (not_found) if it does not exist. At
    least 4 calls.
    """
    with parallel_reads(aws) as ask:
        groups = ask(partial(groups_for_user, aws, name=name))
        inline = ask(partial(_inline, aws, entity="User", name=name))
        attached = ask(partial(_attached, aws, entity="User", name=name))
        return _built(
            aws,
            "GetUser",
            {"UserName": name},
            lambda user: UserRecord(
                aws_id=user["UserId"],
                name=user["UserName"],
                path=user["Path"],
                arn=user["Arn"],
                created_at=user["CreateDate"],
                tags=tag_dictionary(user.get("Tags", ())),
                groups=groups(),
                inline=inline(),
                attached=attached(),
                boundary=_boundary(user),
            ),
        )


def groups_for_user(aws: Aws, *, name: str) -> tuple[str, ...]:
    """Return the sorted names of a user's groups."""
    name_of = itemgetter("GroupName")
    return tuple(sorted(read_all(aws, "ListGroupsForUser", key="Groups", build=name_of, UserName=name)))


def get_group(aws: Aws, *, name: str) -> GroupRecord:
    """Return a group with its policies. AwsError (not_found) if it does not exist."""
    with parallel_reads(aws) as ask:
        inline = ask(partial(_inline, aws, entity="Group", name=name))
        attached = ask(partial(_attached, aws, entity="Group", name=name))
        return _built(
            aws,
            "GetGroup",
            {"GroupName": name, "MaxItems": 1},
            lambda group: GroupRecord(
                aws_id=group["GroupId"],
                name=group["GroupName"],
                path=group["Path"],
                arn=group["Arn"],
                created_at=group["CreateDate"],
                inline=inline(),
                attached=attached(),
            ),
        )


def group_members(aws: Aws, *, name: str) -> tuple[str, ...]:
    """Return the sorted names of the users in a group."""
    name_of = itemgetter("UserName")
    return tuple(sorted(read_all(aws, "GetGroup", key="Users", build=name_of, GroupName=name)))


def get_role(aws: Aws, *, name: str) -> RoleRecord:
    """Return a role with its trust policy, policies, boundary, tags, duration and description. AwsError
    (not_found) if it does not exist.
    """
    with parallel_reads(aws) as ask:
        inline = ask(partial(_inline, aws, entity="Role", name=name))
        attached = ask(partial(_attached, aws, entity="Role", name=name))
        profiles = ask(partial(_profiles, aws, role_name=name))
        return _built(
            aws,
            "GetRole",
            {"RoleName": name},
            lambda role: RoleRecord(
                aws_id=role["RoleId"],
                name=role["RoleName"],
                path=role["Path"],
                arn=role["Arn"],
                created_at=role["CreateDate"],
                tags=tag_dictionary(role.get("Tags", ())),
                inline=inline(),
                attached=attached(),
                boundary=_boundary(role),
                trust=role["AssumeRolePolicyDocument"],
                instance_profiles=profiles(),
                last_used_at=role.get("RoleLastUsed", {}).get("LastUsedDate"),
                last_used_region=role.get("RoleLastUsed", {}).get("Region"),
                max_session_duration=role.get("MaxSessionDuration", 3600),
                description=role.get("Description", ""),
                max_sign_in_duration=role.get("MaxSigninSessionDuration"),
            ),
        )


def get_policy(aws: Aws, *, arn: str) -> PolicyRecord:
    """Return a managed policy with all versions and tags. AwsError (not_found) if it does not exist."""
    with parallel_reads(aws) as ask:
        versions = ask(partial(_versions, aws, arn=arn))
        return _built(
            aws,
            "GetPolicy",
            {"PolicyArn": arn},
            lambda policy: PolicyRecord(
                aws_id=policy["PolicyId"],
                name=policy["PolicyName"],
                path=policy["Path"],
                arn=arn,
                created_at=policy["CreateDate"],
                updated_at=policy["UpdateDate"],
                description=policy.get("Description", ""),
                versions=versions(),
                default_version_id=policy["DefaultVersionId"],
                attachment_count=policy.get("AttachmentCount", 0),
                boundary_count=policy.get("PermissionsBoundaryUsageCount", 0),
                is_attachable=policy.get("IsAttachable", True),
                is_aws_managed=is_aws_managed(arn),
                tags=tag_dictionary(policy.get("Tags", ())),
            ),
        )


def _built(aws: Aws, operation: str, parameters: dict[str, Any], build: Callable[[Any], T]) -> T:
    """Return the result of `build` for the entity of a Get call. The response field has the name of the
    entity.
    """
    entity = read_one(aws, operation, key=operation.removeprefix("Get"), **parameters)
    return build_all([entity], build, action=f"iam:{operation}")[0]


def _versions(aws: Aws, *, arn: str) -> tuple[PolicyVersionRecord, ...]:
    ids = read_all(aws, "ListPolicyVersions", key="Versions", build=itemgetter("VersionId"), PolicyArn=arn)

    def read(version_id: str) -> Any:
        return read_one(aws, "GetPolicyVersion", key="PolicyVersion", PolicyArn=arn, VersionId=version_id)

    versions = (version for _, version in each(aws, ids, read))
    return build_all(versions, _version, action="iam:GetPolicyVersion")


def _version(version: dict[str, Any]) -> PolicyVersionRecord:
    return PolicyVersionRecord(
        version_id=version["VersionId"],
        document=version["Document"],
        is_default=version["IsDefaultVersion"],
        created_at=version["CreateDate"],
    )


def _profiles(aws: Aws, *, role_name: str) -> tuple[str, ...]:
    operation, arn_of = "ListInstanceProfilesForRole", itemgetter("Arn")
    return tuple(sorted(read_all(aws, operation, key="InstanceProfiles", build=arn_of, RoleName=role_name)))


def _inline(aws: Aws, *, entity: str, name: str) -> tuple[InlinePolicyRecord, ...]:
    owner: dict[str, Any] = {f"{entity}Name": name}
    names = sorted(members(aws, f"List{entity}Policies", key="PolicyNames", **owner))

    def read(policy: str) -> Any:
        return read_one(aws, f"Get{entity}Policy", key="PolicyDocument", PolicyName=policy, **owner)

    return tuple(InlinePolicyRecord(policy, document) for policy, document in each(aws, names, read))


def _attached(aws: Aws, *, entity: str, name: str) -> tuple[str, ...]:
    owner: dict[str, Any] = {f"{entity}Name": name}
    operation, arn_of = f"ListAttached{entity}Policies", itemgetter("PolicyArn")
    return tuple(sorted(read_all(aws, operation, key="AttachedPolicies", build=arn_of, **owner)))


def _boundary(entity: dict[str, Any]) -> str | None:
    boundary: str | None = entity.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return boundary
