"""IAM entities as AWS writes them, each in its short form (lists) and its full form (gets).

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
    """A policy document URL-encoded by RFC 3986, as every IAM answer carries it."""
    return quote(document, safe="")


def boundary(arn: str | None) -> Shape | None:
    """A permissions boundary as AWS answers it; the API model's longer type name is never sent."""
    return {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn} if arn else None


def boundary_arn(kind: str, entity: Any) -> str | None:
    """The boundary of a user or role; groups have none."""
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
    """A user as ListUsers gives it: no tags and no boundary."""
    used = entity.password_last_used if entity.password else None
    return _head(entity, "User") | {"PasswordLastUsed": used}


def user_full(entity: Any) -> Shape:
    """A user as GetUser gives it."""
    return user(entity) | {
        "PermissionsBoundary": boundary(user_extras(entity).boundary),
        "Tags": entity.tags or None,
    }


def group(entity: Any) -> Shape:
    """A group as every call gives it; groups have neither tags nor a boundary."""
    return _head(entity, "Group")


def role(entity: Any) -> Shape:
    """A role as ListRoles gives it: no tags, no boundary, no last use."""
    return role_in_profile(entity) | {
        "Description": entity.description or None,
        "MaxSessionDuration": int(entity.max_session_duration or 3600),
        "MaxSigninSessionDuration": getattr(entity, "gatehouse_max_sign_in", None),
    }


def role_full(entity: Any) -> Shape:
    """A role as GetRole gives it."""
    return role(entity) | {
        "PermissionsBoundary": boundary(entity.permissions_boundary_arn),
        "Tags": entity.tags or None,
        "RoleLastUsed": last_used(entity),
    }


def role_in_profile(entity: Any) -> Shape:
    """A role inside an instance profile."""
    return _head(entity, "Role") | {"AssumeRolePolicyDocument": encoded(entity.assume_role_policy_document)}


def last_used(entity: Any) -> Shape:
    """When a role was last used; an empty structure when never."""
    if not entity.last_used:
        return {}
    return {"LastUsedDate": entity.last_used, "Region": entity.last_used_region}


def instance_profile(entity: Any, *, tags: bool = False) -> Shape:
    """An instance profile; its tags come only with GetInstanceProfile."""
    shape = _head(entity, "InstanceProfile") | {"Roles": [role_in_profile(r) for r in entity.roles]}
    return shape | {"Tags": entity.tags or None} if tags else shape


@dataclass(frozen=True)
class PolicyUsage:
    """How often each managed policy is attached and used as a boundary in one account."""

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
        """Whether anything in the account has the policy."""
        return bool(self.attachments[arn] or self.boundaries[arn])


def policy(entity: Any, usage: PolicyUsage) -> Shape:
    """A managed policy as ListPolicies gives it."""
    return _head(entity, "Policy") | {
        "DefaultVersionId": entity.default_version_id,
        "AttachmentCount": usage.attachments[entity.arn],
        "PermissionsBoundaryUsageCount": usage.boundaries[entity.arn],
        "IsAttachable": True,
        "UpdateDate": entity.update_date,
    }


def policy_full(entity: Any, usage: PolicyUsage) -> Shape:
    """A managed policy as GetPolicy gives it."""
    return policy(entity, usage) | {
        "Description": entity.description or None,
        "Tags": entity.get_tags() or None,
    }


def version(entity: Any, *, document: bool) -> Shape:
    """One version of a managed policy; lists leave the document out."""
    shape: Shape = {
        "VersionId": entity.version_id,
        "IsDefaultVersion": entity.is_default,
        "CreateDate": entity.create_date,
    }
    return shape | {"Document": encoded(entity.document)} if document else shape


def versions(entity: Any) -> list[Any]:
    """The versions of a managed policy, the newest first."""
    return sorted(entity.versions, key=lambda v: -int(v.version_id[1:]))


def attached(entity: Any) -> list[Shape]:
    """The managed policies of a principal, by name."""
    policies = [{"PolicyName": p.name, "PolicyArn": p.arn} for p in entity.managed_policies.values()]
    return sorted(policies, key=lambda p: str(p["PolicyName"]))


def inline(entity: Any) -> list[Shape]:
    """The inline policies of a principal with their documents, by name."""
    return [
        {"PolicyName": name, "PolicyDocument": encoded(document)}
        for name, document in sorted(entity.policies.items())
    ]


def stamp(moment: datetime) -> str:
    """A date as the credential report writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")
