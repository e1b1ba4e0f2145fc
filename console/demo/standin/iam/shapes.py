"""The shapes of IAM entities in AWS's responses, each in its short form (lists) and its full form (gets).

https://docs.aws.amazon.com/IAM/latest/APIReference/API_Types.html
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any
from urllib.parse import quote

from console.demo.standin.iam.extras import user_extras

Shape = dict[str, Any]


def encoded(document: str) -> str:
    """Return a policy document URL-encoded by RFC 3986, as in every response of IAM."""
    return quote(document, safe="")


def boundary(arn: str | None) -> Shape | None:
    """Return a permissions boundary as AWS does. AWS never sends the longer type name of the API model."""
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None


def boundary_arn(kind: str, entity: Any) -> str | None:
    """Return the ARN of the boundary of a user or role; None without one. Groups have none."""
    if kind == "User":
        return user_extras(entity).boundary
    return entity.permissions_boundary_arn if kind == "Role" else None


def _head(entity: Any, kind: str) -> Shape:
    return {
        "Path": entity.path,
        f"{kind}Name": entity.name,
        f"{kind}Id": entity.id,
        "Arn": entity.arn,
        "CreateDate": entity.create_date,
    }


def user(entity: Any) -> Shape:
    """Return a user as in ListUsers: without tags and boundary."""
    used = entity.password_last_used if entity.password else None
    return _head(entity, "User") | {"PasswordLastUsed": used}


def user_full(entity: Any) -> Shape:
    """Return a user as in GetUser."""
    return user(entity) | {
        "PermissionsBoundary": boundary(user_extras(entity).boundary),
        "Tags": entity.tags or None,
    }


def group(entity: Any) -> Shape:
    """Return a group as in every call. Groups have no tags and no boundary."""
    return _head(entity, "Group")


def role(entity: Any) -> Shape:
    """Return a role as in ListRoles: without tags, boundary and last use."""
    return role_in_profile(entity) | {
        "Description": entity.description or None,
        "MaxSessionDuration": int(entity.max_session_duration or 3600),
        "MaxSigninSessionDuration": getattr(entity, "gatehouse_max_sign_in", None),
    }


def role_full(entity: Any) -> Shape:
    """Return a role as in GetRole."""
    return role(entity) | {
        "PermissionsBoundary": boundary(entity.permissions_boundary_arn),
        "Tags": entity.tags or None,
        "RoleLastUsed": last_used(entity),
    }


def role_in_profile(entity: Any) -> Shape:
    """Return a role as in an instance profile."""
    return _head(entity, "Role") | {"AssumeRolePolicyDocument": encoded(entity.assume_role_policy_document)}


def last_used(entity: Any) -> Shape:
    """Return when a role was last used; an empty structure if never."""
    if not entity.last_used:
        return {}
    return {"LastUsedDate": entity.last_used, "Region": entity.last_used_region}


def instance_profile(entity: Any, *, tags: bool = False) -> Shape:
    """Return an instance profile. Only GetInstanceProfile returns its tags."""
    shape = _head(entity, "InstanceProfile") | {"Roles": [role_in_profile(r) for r in entity.roles]}
    return shape | {"Tags": entity.tags or None} if tags else shape


@dataclass(frozen=True)
class PolicyUsage:
    """How often each managed policy is attached, and how often it is used as a boundary, in an account."""

    attachments: Counter[str]
    boundaries: Counter[str]

    @classmethod
    def count_in(cls, backend: Any) -> PolicyUsage:
        """Count over all users, groups and roles of the account."""
        principals = [*backend.users.values(), *backend.groups.values(), *backend.roles.values()]
        boundaries = [user_extras(u).boundary for u in backend.users.values()]
        boundaries += [r.permissions_boundary_arn for r in backend.roles.values()]
        return cls(
            Counter(chain.from_iterable(principal.managed_policies for principal in principals)),
            Counter(arn for arn in boundaries if arn),
        )

    def is_used(self, arn: str) -> bool:
        """True if the policy is attached or used as a boundary in the account."""
        return bool(self.attachments[arn] or self.boundaries[arn])


def policy(entity: Any, usage: PolicyUsage) -> Shape:
    """Return a managed policy as in ListPolicies."""
    return _head(entity, "Policy") | {
        "DefaultVersionId": entity.default_version_id,
        "AttachmentCount": usage.attachments[entity.arn],
        "PermissionsBoundaryUsageCount": usage.boundaries[entity.arn],
        "IsAttachable": True,
        "UpdateDate": entity.update_date,
    }


def policy_full(entity: Any, usage: PolicyUsage) -> Shape:
    """Return a managed policy as in GetPolicy."""
    return policy(entity, usage) | {
        "Description": entity.description or None,
        "Tags": entity.get_tags() or None,
    }


def version(entity: Any, *, document: bool) -> Shape:
    """Return a version of a managed policy. Lists omit the document."""
    shape: Shape = {
        "VersionId": entity.version_id,
        "IsDefaultVersion": entity.is_default,
        "CreateDate": entity.create_date,
    }
    return shape | {"Document": encoded(entity.document)} if document else shape


def versions(entity: Any) -> list[Any]:
    """Return the versions of a managed policy, the newest first."""
    return sorted(entity.versions, key=lambda v: -int(v.version_id[1:]))


def attached(entity: Any) -> list[Shape]:
    """Return the managed policies of a principal, by name."""
    policies = [{"PolicyName": p.name, "PolicyArn": p.arn} for p in entity.managed_policies.values()]
    return sorted(policies, key=lambda p: str(p["PolicyName"]))


def inline(entity: Any) -> list[Shape]:
    """Return the inline policies of a principal with their documents, by name."""
    return [
        {"PolicyName": name, "PolicyDocument": encoded(document)}
        for name, document in sorted(entity.policies.items())
    ]


def stamp(moment: datetime) -> str:
    """Format a date as in the credential report."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
