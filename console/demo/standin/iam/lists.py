"""Lists of users, groups, roles, policies and instance profiles, in pages and in AWS's short shapes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from moto.core.responses import ActionResult
from moto.iam.models import AWSManagedPolicy

from console.demo.standin.iam import shapes
from console.demo.standin.overlay import ResponseOverlay


def _name(entity: Any) -> str:
    return str(entity.name)


class ListCalls(ResponseOverlay):
    """Calls that list entities of the account, or what belongs to one of them."""

    def _under_path(self, entities: Iterable[Any]) -> list[Any]:
        prefix = self._get_param("PathPrefix") or "/"
        return [entity for entity in entities if entity.path.startswith(prefix)]

    def list_users(self) -> ActionResult:
        """List users. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html"""
        users = self._under_path(self.backend.users.values())
        return self._page("Users", users, name=_name, shape=shapes.user)

    def list_groups(self) -> ActionResult:
        """List groups. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroups.html"""
        groups = self._under_path(self.backend.groups.values())
        return self._page("Groups", groups, name=_name, shape=shapes.group)

    def list_roles(self) -> ActionResult:
        """List roles. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html"""
        roles = self._under_path(self.backend.roles.values())
        return self._page("Roles", roles, name=_name, shape=shapes.role)

    def list_policies(self) -> ActionResult:
        """List managed policies. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicies.html"""
        usage = shapes.PolicyUsage.count_in(self.backend)
        scope = self._get_param("Scope") or "All"
        counts = {"PermissionsPolicy": usage.attachments, "PermissionsBoundary": usage.boundaries}
        counted = counts.get(self._get_param("PolicyUsageFilter") or "PermissionsPolicy", usage.attachments)
        policies = [
            p
            for p in self._under_path(self.backend.managed_policies.values())
            if scope == "All" or (scope == "AWS") == isinstance(p, AWSManagedPolicy)
        ]
        if self._get_param("OnlyAttached") or self._get_param("PolicyUsageFilter"):
            policies = [p for p in policies if counted[p.arn]]
        return self._page("Policies", policies, name=lambda p: p.arn, shape=lambda p: shapes.policy(p, usage))

    def list_policy_versions(self) -> ActionResult:
        """List the versions of a policy, the newest first, without documents."""
        versions = shapes.versions(self.backend.get_policy(self._get_param("PolicyArn")))
        order = {v.version_id: f"{index:04d}" for index, v in enumerate(versions)}
        return self._page(
            "Versions",
            versions,
            name=lambda v: order[v.version_id],
            shape=lambda v: shapes.version(v, document=False),
        )

    def list_instance_profiles(self) -> ActionResult:
        """List instance profiles.
        https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfiles.html
        """
        profiles = self._under_path(self.backend.instance_profiles.values())
        return self._page("InstanceProfiles", profiles, name=_name, shape=shapes.instance_profile)

    def list_instance_profiles_for_role(self) -> ActionResult:
        """List the instance profiles that contain the role."""
        role = self.backend.get_role(self._get_param("RoleName"))
        profiles = [p for p in self.backend.instance_profiles.values() if role in p.roles]
        return self._page("InstanceProfiles", profiles, name=_name, shape=shapes.instance_profile)

    def list_groups_for_user(self) -> ActionResult:
        """List the groups of the user."""
        groups = self.backend.get_groups_for_user(self._get_param("UserName"))
        return self._page("Groups", groups, name=_name, shape=shapes.group)

    def list_user_policies(self) -> ActionResult:
        """List the names of the user's inline policies."""
        return self._inline_names(self.backend.get_user(self._get_param("UserName")))

    def list_group_policies(self) -> ActionResult:
        """List the names of the group's inline policies."""
        return self._inline_names(self.backend.get_group(self._get_param("GroupName")))

    def list_role_policies(self) -> ActionResult:
        """List the names of the role's inline policies."""
        return self._inline_names(self.backend.get_role(self._get_param("RoleName")))

    def list_attached_user_policies(self) -> ActionResult:
        """List the managed policies of the user."""
        return self._attached(self.backend.get_user(self._get_param("UserName")))

    def list_attached_group_policies(self) -> ActionResult:
        """List the managed policies of the group."""
        return self._attached(self.backend.get_group(self._get_param("GroupName")))

    def list_attached_role_policies(self) -> ActionResult:
        """List the managed policies of the role."""
        return self._attached(self.backend.get_role(self._get_param("RoleName")))

    def _inline_names(self, entity: Any) -> ActionResult:
        return self._page("PolicyNames", entity.policies, name=str)

    def _attached(self, entity: Any) -> ActionResult:
        policies = self._under_path(entity.managed_policies.values())
        return self._page(
            "AttachedPolicies",
            policies,
            name=_name,
            shape=lambda p: {"PolicyName": p.name, "PolicyArn": p.arn},
        )

    def list_entities_for_policy(self) -> ActionResult:
        """List the users, groups and roles that have the policy attached or as their permissions boundary."""
        arn = self.backend.get_policy(self._get_param("PolicyArn")).arn
        wanted = self._get_param("EntityFilter")
        use = self._get_param("PolicyUsageFilter")
        sources = {"User": self.backend.users, "Group": self.backend.groups, "Role": self.backend.roles}
        attached_to = []
        for kind, entities in sources.items():
            if wanted in (None, kind):
                for entity in self._under_path(entities.values()):
                    if _has(kind, entity, arn, use):
                        attached_to.append((kind, entity))
        chosen, marker = self._cut(
            sorted(attached_to, key=lambda pair: f"{pair[0]}/{pair[1].name}"),
            name=lambda pair: f"{pair[0]}/{pair[1].name}",
        )
        result: dict[str, Any] = {f"Policy{kind}s": [] for kind in sources}
        for kind, entity in chosen:
            result[f"Policy{kind}s"].append({f"{kind}Name": entity.name, f"{kind}Id": entity.id})
        return ActionResult(result | {"IsTruncated": marker is not None, "Marker": marker})


def _has(kind: str, entity: Any, arn: str, use: str | None) -> bool:
    attached = use in (None, "PermissionsPolicy") and arn in entity.managed_policies
    return attached or (use in (None, "PermissionsBoundary") and shapes.boundary_arn(kind, entity) == arn)
