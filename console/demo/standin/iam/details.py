"""GetAccountAuthorizationDetails as AWS answers it: filters, pages of up to 1,000, all versions, last use.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import AWSManagedPolicy

from console.demo.standin.errors import AnswerError
from console.demo.standin.iam import shapes
from console.demo.standin.overlay import ResponseOverlay

FILTERS = ("User", "Group", "Role", "LocalManagedPolicy", "AWSManagedPolicy")
LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}


class AuthorizationDetails(ResponseOverlay):
    """The one call that returns a whole account."""

    def get_account_authorization_details(self) -> ActionResult:
        """Return users, groups, roles, customer managed policies and the AWS managed policies in use, in this
        order.
        """
        wanted = self._get_param("Filter") or list(FILTERS)
        if unknown := set(wanted) - set(FILTERS):
            raise AnswerError("ValidationError", f"Invalid value for Filter: {', '.join(sorted(unknown))}")
        backend, usage = self.backend, shapes.PolicyUsage.count_in(self.backend)
        of_kinds = (_of_kind(backend, kind, usage) for kind in FILTERS if kind in wanted)
        entities = list(chain.from_iterable(of_kinds))
        chosen, marker = self._cut(entities, name=_position)
        describe = _describers(backend, usage)
        result: dict[str, Any] = {name: [] for name in LISTS.values()}
        for kind, entity in chosen:
            result[LISTS[kind]].append(describe[kind](entity))
        result["IsTruncated"] = marker is not None
        if marker is not None:
            result["Marker"] = marker
        return ActionResult(result)


def _of_kind(backend: Any, kind: str, usage: shapes.PolicyUsage) -> list[tuple[str, Any]]:
    """Return (kind, entity) pairs, sorted by name."""
    if kind in {"User", "Group", "Role"}:
        entities = {"User": backend.users, "Group": backend.groups, "Role": backend.roles}[kind].values()
    else:
        ours = kind == "LocalManagedPolicy"
        entities = [
            p
            for p in backend.managed_policies.values()
            if (ours and not isinstance(p, AWSManagedPolicy))
            or (not ours and isinstance(p, AWSManagedPolicy) and usage.is_used(p.arn))
        ]
    return [(kind, entity) for entity in sorted(entities, key=lambda entity: str(entity.name))]


def _position(pair: tuple[str, Any]) -> str:
    return f"{FILTERS.index(pair[0])}/{pair[1].name}"


def _describers(backend: Any, usage: shapes.PolicyUsage) -> dict[str, Callable[[Any], shapes.Shape]]:
    groups_of: dict[str, list[str]] = {}
    for group in backend.groups.values():
        for member in group.users:
            groups_of.setdefault(member.name, []).append(group.name)
    profiles_of: dict[str, list[Any]] = {}
    for profile in backend.instance_profiles.values():
        for role in profile.roles:
            profiles_of.setdefault(role.name, []).append(profile)
    return {
        "User": lambda u: _user(u, sorted(groups_of.get(u.name, ()))),
        "Group": _group,
        "Role": lambda r: _role(r, profiles_of.get(r.name, [])),
        "LocalManagedPolicy": lambda p: _policy(p, usage),
        "AWSManagedPolicy": lambda p: _policy(p, usage),
    }


def _user(user: Any, groups: list[str]) -> shapes.Shape:
    full = shapes.user_full(user)
    del full["PasswordLastUsed"]
    return full | {
        "Tags": user.tags or [],
        "UserPolicyList": shapes.inline(user) or None,
        "GroupList": groups,
        "AttachedManagedPolicies": shapes.attached(user),
    }


def _group(group: Any) -> shapes.Shape:
    return shapes.group(group) | {
        "GroupPolicyList": shapes.inline(group),
        "AttachedManagedPolicies": shapes.attached(group),
    }


def _role(role: Any, profiles: list[Any]) -> shapes.Shape:
    return shapes.role_in_profile(role) | {
        "InstanceProfileList": [shapes.instance_profile(p) for p in profiles],
        "RolePolicyList": shapes.inline(role),
        "AttachedManagedPolicies": shapes.attached(role),
        "PermissionsBoundary": shapes.boundary(role.permissions_boundary_arn),
        "Tags": role.tags,
        "RoleLastUsed": shapes.last_used(role),
    }


def _policy(policy: Any, usage: shapes.PolicyUsage) -> shapes.Shape:
    return shapes.policy(policy, usage) | {
        "Description": policy.description or None,
        "PolicyVersionList": [shapes.version(v, document=True) for v in shapes.versions(policy)],
    }
