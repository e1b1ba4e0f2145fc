"""Calls that return single IAM entities in full, with documents URL-encoded as by AWS."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult

from console.demo.standin import calls
from console.demo.standin.errors import AnswerError
from console.demo.standin.iam import shapes
from console.demo.standin.overlay import ResponseOverlay


def no_such(kind: str, name: str) -> AnswerError:
    """Return AWS's NoSuchEntity error for an entity that is looked up by name."""
    return AnswerError("NoSuchEntity", f"The {kind} with name {name} cannot be found.")


class GetCalls(ResponseOverlay):
    """Calls that return one entity."""

    def get_user(self) -> ActionResult:
        """Return the named user, or the caller if no name is given."""
        name = self._get_param("UserName")
        if not name:
            call = calls.current()
            assert call is not None
            if call.caller.kind != "IAMUser" or not call.caller.known:
                raise AnswerError(
                    "ValidationError", "Must specify userName when calling with non-User credentials"
                )
            name = call.caller.user_name
        return ActionResult({"User": shapes.user_full(self.backend.get_user(name))})

    def get_group(self) -> ActionResult:
        """Return a group with its members, in pages."""
        group = self.backend.get_group(self._get_param("GroupName"))
        return self._page(
            "Users", group.users, name=lambda u: u.name, shape=shapes.user, Group=shapes.group(group)
        )

    def get_role(self) -> ActionResult:
        """Return a role with its tags, boundary and last use."""
        return ActionResult({"Role": shapes.role_full(self.backend.get_role(self._get_param("RoleName")))})

    def get_policy(self) -> ActionResult:
        """Return a managed policy with description and tags."""
        policy = self.backend.get_policy(self._get_param("PolicyArn"))
        return ActionResult({"Policy": shapes.policy_full(policy, shapes.PolicyUsage.count_in(self.backend))})

    def get_policy_version(self) -> ActionResult:
        """Return a policy version with its document."""
        version = self.backend.get_policy_version(self._get_param("PolicyArn"), self._get_param("VersionId"))
        return ActionResult({"PolicyVersion": shapes.version(version, document=True)})

    def get_instance_profile(self) -> ActionResult:
        """Return an instance profile with its tags."""
        profile = self.backend.get_instance_profile(self._get_param("InstanceProfileName"))
        return ActionResult({"InstanceProfile": shapes.instance_profile(profile, tags=True)})

    def get_user_policy(self) -> ActionResult:
        """Return an inline policy of a user."""
        return self._inline("User", self.backend.get_user(self._get_param("UserName")))

    def get_group_policy(self) -> ActionResult:
        """Return an inline policy of a group."""
        return self._inline("Group", self.backend.get_group(self._get_param("GroupName")))

    def get_role_policy(self) -> ActionResult:
        """Return an inline policy of a role."""
        return self._inline("Role", self.backend.get_role(self._get_param("RoleName")))

    def _inline(self, kind: str, entity: Any) -> ActionResult:
        name = self._get_param("PolicyName")
        if name not in entity.policies:
            raise no_such(f"{kind.lower()} policy", name)
        return ActionResult(
            {
                f"{kind}Name": entity.name,
                "PolicyName": name,
                "PolicyDocument": shapes.encoded(entity.policies[name]),
            }
        )
