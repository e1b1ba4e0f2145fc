"""Writes on policies, roles and instance profiles that moto handles incorrectly: IDs, dates, quotas and
conflicts.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-versioning.html
"""

from __future__ import annotations

import re
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import AWSManagedPolicy
from moto.iam.policy_validation import IAMTrustPolicyDocumentValidator

from console.demo.standin import clock, ids
from console.demo.standin.errors import AnswerError, StandinRefusedError
from console.demo.standin.iam import shapes
from console.demo.standin.iam.account import QUOTAS
from console.demo.standin.iam.gets import no_such
from console.demo.standin.iam.sign_ins import asked_sign_in
from console.demo.standin.iam.tags import add_tags, checked_tags, drop_tags
from console.demo.standin.iam.users import conflict
from console.demo.standin.overlay import ResponseOverlay

ATTACHED_QUOTA = 10
WHITE_SPACE = re.compile(r"\s")


class PolicyCalls(ResponseOverlay):
    """Writes on managed policies, inline policies and attachments."""

    def create_policy(self) -> ActionResult:
        """Create a customer managed policy with version v1."""
        self._check_size(self._get_param("PolicyDocument"), "PolicySizeQuota")
        policy = self.backend.create_policy(
            self._get_param("Description"),
            self._get_param("Path") or "/",
            self._get_param("PolicyDocument"),
            self._get_param("PolicyName"),
            checked_tags(self._get_param("Tags") or []),
        )
        policy.id = ids.fresh("ANPA", self.backend.account_id)
        return ActionResult({"Policy": shapes.policy(policy, shapes.PolicyUsage.count_in(self.backend))})

    def create_policy_version(self) -> ActionResult:
        """Create a version and, if requested, make it the default. Refuses a sixth version."""
        self._check_size(self._get_param("PolicyDocument"), "PolicySizeQuota")
        policy = self._customer_policy()
        version = self.backend.create_policy_version(
            policy.arn, self._get_param("PolicyDocument"), bool(self._get_param("SetAsDefault"))
        )
        policy.update_date = clock.utcnow()
        return ActionResult({"PolicyVersion": shapes.version(version, document=False)})

    def set_default_policy_version(self) -> ActionResult:
        """Make an existing version the default."""
        policy = self._customer_policy()
        wanted = self._get_param("VersionId")
        if wanted not in {v.version_id for v in policy.versions}:
            raise AnswerError(
                "NoSuchEntity", f"Policy {policy.arn} version {wanted} does not exist or is not attachable."
            )
        for version in policy.versions:
            version.is_default = version.version_id == wanted
        policy.default_version_id, policy.update_date = wanted, clock.utcnow()
        return EmptyResult()

    def delete_policy(self) -> ActionResult:
        """Delete a policy that isn't attached and has only its default version."""
        policy = self._customer_policy()
        if shapes.PolicyUsage.count_in(self.backend).is_used(policy.arn):
            raise AnswerError("DeleteConflict", "Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise AnswerError(
                "DeleteConflict",
                "This policy has more than one version. "  # wording: keep
                "Before you delete a policy, you must delete the policy's versions. "
                "The default version is deleted with the policy.",
            )
        del self.backend.managed_policies[policy.arn]
        return EmptyResult()

    def tag_policy(self) -> ActionResult:
        """Add tags to a customer managed policy."""
        policy = self._customer_policy()
        self._set_tags(policy, add_tags(policy.get_tags(), self._get_param("Tags")))
        return EmptyResult()

    def untag_policy(self) -> ActionResult:
        """Remove tags from a customer managed policy."""
        policy = self._customer_policy()
        self._set_tags(policy, drop_tags(policy.get_tags(), self._get_param("TagKeys")))
        return EmptyResult()

    @staticmethod
    def _set_tags(policy: Any, tags: list[dict[str, str]]) -> None:
        policy.tags = {tag["Key"].lower(): tag for tag in tags}

    def _customer_policy(self) -> Any:
        policy = self.backend.get_policy(self._get_param("PolicyArn"))
        if isinstance(policy, AWSManagedPolicy):
            raise StandinRefusedError("AccessDenied", f"AWS managed policy {policy.arn} cannot be changed.")
        return policy

    @staticmethod
    def _check_size(document: str, quota: str) -> None:
        if len(WHITE_SPACE.sub("", document)) > QUOTAS[quota]:
            raise AnswerError("LimitExceeded", f"Cannot exceed quota for PolicySize: {QUOTAS[quota]}")

    def attach_user_policy(self) -> ActionResult:
        """Attach a managed policy to a user. If it is attached already, nothing changes."""
        return self._attach(self.backend.get_user(self._get_param("UserName")), "User")

    def attach_group_policy(self) -> ActionResult:
        """Attach a managed policy to a group."""
        return self._attach(self.backend.get_group(self._get_param("GroupName")), "Group")

    def attach_role_policy(self) -> ActionResult:
        """Attach a managed policy to a role."""
        role = self.backend.get_role(self._get_param("RoleName"))
        refuse_service_linked(role)
        return self._attach(role, "Role")

    def _attach(self, entity: Any, kind: str) -> ActionResult:
        policy = self.backend.managed_policies.get(self._get_param("PolicyArn"))
        if policy is None:
            raise AnswerError(
                "NoSuchEntity", f"Policy {self._get_param('PolicyArn')} does not exist or is not attachable."
            )
        if policy.arn in entity.managed_policies:
            return EmptyResult()
        if len(entity.managed_policies) >= ATTACHED_QUOTA:
            raise AnswerError("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind}: {ATTACHED_QUOTA}")
        policy.attach_to(entity)
        return EmptyResult()

    def put_user_policy(self) -> ActionResult:
        """Create or replace an inline policy of a user."""
        user = self.backend.get_user(self._get_param("UserName"))
        self._check_inline(user, "UserPolicySizeQuota")
        self.backend.put_user_policy(
            user.name, self._get_param("PolicyName"), self._get_param("PolicyDocument")
        )
        return EmptyResult()

    def put_group_policy(self) -> ActionResult:
        """Create or replace an inline policy of a group."""
        group = self.backend.get_group(self._get_param("GroupName"))
        self._check_inline(group, "GroupPolicySizeQuota")
        self.backend.put_group_policy(
            group.name, self._get_param("PolicyName"), self._get_param("PolicyDocument")
        )
        return EmptyResult()

    def put_role_policy(self) -> ActionResult:
        """Create or replace an inline policy of a role."""
        role = self.backend.get_role(self._get_param("RoleName"))
        refuse_service_linked(role)
        self._check_inline(role, "RolePolicySizeQuota")
        self.backend.put_role_policy(
            role.name, self._get_param("PolicyName"), self._get_param("PolicyDocument")
        )
        return EmptyResult()

    def _check_inline(self, entity: Any, quota: str) -> None:
        """Check the quota that all inline policies of a principal share. White space doesn't count."""
        others = {k: v for k, v in entity.policies.items() if k != self._get_param("PolicyName")}
        self._check_size("".join(others.values()) + self._get_param("PolicyDocument"), quota)


class RoleCalls(ResponseOverlay):
    """Writes on roles and instance profiles."""

    def create_role(self) -> ActionResult:
        """Create a role with trust policy, tags and boundary."""
        name = self._get_param("RoleName")
        if name.lower() in {role.name.lower() for role in self.backend.roles.values()}:
            raise AnswerError("EntityAlreadyExists", f"Role with name {name} already exists.")
        IAMTrustPolicyDocumentValidator(self._get_param("AssumeRolePolicyDocument")).validate()
        boundary = self._get_param("PermissionsBoundary")
        if boundary:
            self.backend.get_policy(boundary)
        role = self.backend.create_role(
            name,
            self._get_param("AssumeRolePolicyDocument"),
            self._get_param("Path") or "/",
            boundary,
            self._get_param("Description") or "",
            checked_tags(self._get_param("Tags") or []),
            self._get_param("MaxSessionDuration") or 3600,
        )
        role.gatehouse_max_sign_in = self._get_param("MaxSigninSessionDuration")
        return ActionResult({"Role": shapes.role_full(role)})

    def update_role(self) -> ActionResult:
        """Change the description, or the maximum session or sign-in duration. Parameters that are not given
        change nothing.
        """
        role = self.backend.get_role(self._get_param("RoleName"))
        is_set, seconds = asked_sign_in(self._get_param)
        if is_set:
            refuse_service_linked(role)
            role.gatehouse_max_sign_in = seconds
        if (description := self._get_param("Description")) is not None:
            role.description = description
        role.max_session_duration = self._get_param("MaxSessionDuration") or role.max_session_duration
        return EmptyResult()

    def delete_role(self) -> ActionResult:
        """Delete a role without policies and instance profiles. Refuses service-linked roles, which only
        their service can delete.
        """
        role = self.backend.get_role(self._get_param("RoleName"))
        refuse_service_linked(role)
        self.backend.delete_role(role.name)
        return EmptyResult()

    def put_role_permissions_boundary(self) -> ActionResult:
        """Set the permissions boundary of a role."""
        role = self.backend.get_role(self._get_param("RoleName"))
        refuse_service_linked(role)
        role.permissions_boundary_arn = self.backend.get_policy(self._get_param("PermissionsBoundary")).arn
        return EmptyResult()

    def delete_role_permissions_boundary(self) -> ActionResult:
        """Remove the permissions boundary of a role. Raises NoSuchEntity if there is none."""
        role = self.backend.get_role(self._get_param("RoleName"))
        if role.permissions_boundary_arn is None:
            raise no_such("permissions boundary of role", role.name)
        role.permissions_boundary_arn = None
        return EmptyResult()

    def tag_role(self) -> ActionResult:
        """Add tags to a role."""
        role = self.backend.get_role(self._get_param("RoleName"))
        role.tags = add_tags(role.tags, self._get_param("Tags"))
        return EmptyResult()

    def untag_role(self) -> ActionResult:
        """Remove tags from a role."""
        role = self.backend.get_role(self._get_param("RoleName"))
        role.tags = drop_tags(role.tags, self._get_param("TagKeys"))
        return EmptyResult()

    def create_instance_profile(self) -> ActionResult:
        """Create an empty instance profile."""
        profile = self.backend.create_instance_profile(
            self._get_param("InstanceProfileName"),
            self._get_param("Path") or "/",
            role_names=[],
            tags=checked_tags(self._get_param("Tags") or []),
        )
        profile.id = ids.fresh("AIPA", self.backend.account_id)
        return ActionResult({"InstanceProfile": shapes.instance_profile(profile, tags=True)})

    def delete_instance_profile(self) -> ActionResult:
        """Delete an instance profile that contains no role."""
        profile = self.backend.get_instance_profile(self._get_param("InstanceProfileName"))
        if profile.roles:
            raise conflict("remove roles from instance profile")
        del self.backend.instance_profiles[profile.name]
        return EmptyResult()


def refuse_service_linked(role: Any) -> None:
    """Raise UnmodifiableEntity if the role is service-linked."""
    if role.path.startswith("/aws-service-role/"):
        raise AnswerError(
            "UnmodifiableEntity",
            f"Cannot perform the operation on the protected role '{role.name}' - this role is only "
            "modifiable by AWS",
        )
