"""Writes on users and groups that moto handles incorrectly or lacks: boundaries, passwords, names and
deletion.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_users_manage.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, EmptyResult

from console.demo.standin import calls, clock, ids
from console.demo.standin.errors import AnswerError, StandinRefusedError
from console.demo.standin.iam import shapes
from console.demo.standin.iam.account import QUOTAS
from console.demo.standin.iam.extras import devices_of, user_extras
from console.demo.standin.iam.sign_ins import asked_sign_in
from console.demo.standin.iam.tags import add_tags, checked_tags, drop_tags
from console.demo.standin.overlay import ResponseOverlay


def conflict(what: str) -> AnswerError:
    """Return AWS's error for deleting an entity that still has parts."""
    return AnswerError("DeleteConflict", f"Cannot delete entity, must {what} first.")


class UserCalls(ResponseOverlay):
    """Writes on users."""

    def create_user(self) -> ActionResult:
        """Create a user with path, tags and boundary."""
        name = self._get_param("UserName")
        if name.lower() in {present.lower() for present in self.backend.users}:
            raise AnswerError("EntityAlreadyExists", f"User with name {name} already exists.")
        boundary = self._get_param("PermissionsBoundary")
        if boundary:
            self.backend.get_policy(boundary)
        tags = checked_tags(self._get_param("Tags") or [])
        user = self.backend.create_user(self.backend.region_name, name, self._get_param("Path") or "/", tags)
        user.id = ids.fresh("AIDA", self.backend.account_id)
        user_extras(user).boundary = boundary
        return ActionResult({"User": shapes.user_full(user)})

    def update_user(self) -> ActionResult:
        """Rename or move a user together with everything that belongs to it."""
        user = self.backend.get_user(self._get_param("UserName"))
        old_name = user.name
        name = self._get_param("NewUserName") or old_name
        others = {other.lower() for other in self.backend.users if other != old_name}
        if name != old_name and name.lower() in others:
            raise AnswerError("EntityAlreadyExists", f"User with name {name} already exists.")
        tags = user.tags or []
        self.backend.tagger.delete_all_tags_for_resource(user.arn)
        user.name = name
        user.path = self._get_param("NewPath") or user.path
        self.backend.users[name] = self.backend.users.pop(old_name)
        self.backend.tagger.tag_resource(user.arn, tags)
        for key in user.access_keys:
            key.user_name = name
        return EmptyResult()

    def delete_user(self) -> ActionResult:
        """Delete a user without parts. Raises DeleteConflict if it has any."""
        user = self.backend.get_user(self._get_param("UserName"))
        extras = user_extras(user)
        parts = {
            "detach all policies": user.managed_policies,
            "delete policies": user.policies,
            "remove users from group": self.backend.get_groups_for_user(user.name),
            "delete access keys": user.access_keys,
            "delete login profile": user.password,
            "deactivate MFA device": devices_of(self.backend, user),
            "delete signing certificate": user.signing_certificates,
            "delete SSH public keys": user.ssh_public_keys,
            "delete service specific credentials": extras.service_credentials,
        }
        for step, left in parts.items():
            if left:
                raise conflict(step)
        self.backend.tagger.delete_all_tags_for_resource(user.arn)
        del self.backend.users[user.name]
        return EmptyResult()

    def put_user_permissions_boundary(self) -> ActionResult:
        """Set the permissions boundary of a user. It replaces the previous one."""
        user = self.backend.get_user(self._get_param("UserName"))
        user_extras(user).boundary = self.backend.get_policy(self._get_param("PermissionsBoundary")).arn
        return EmptyResult()

    def delete_user_permissions_boundary(self) -> ActionResult:
        """Remove the permissions boundary. Raises NoSuchEntity if there is none."""
        user = self.backend.get_user(self._get_param("UserName"))
        if user_extras(user).boundary is None:
            raise AnswerError("NoSuchEntity", f"User {user.name} does not have a permissions boundary.")
        user_extras(user).boundary = None
        return EmptyResult()

    def tag_user(self) -> ActionResult:
        """Add or change tags of a user."""
        return self._retag(lambda present: add_tags(present, self._get_param("Tags")))

    def untag_user(self) -> ActionResult:
        """Remove tags from a user."""
        return self._retag(lambda present: drop_tags(present, self._get_param("TagKeys")))

    def _retag(self, change: Any) -> ActionResult:
        user = self.backend.get_user(self._get_param("UserName"))
        tags = change(user.tags or [])
        self.backend.tagger.delete_all_tags_for_resource(user.arn)
        self.backend.tagger.tag_resource(user.arn, tags)
        return EmptyResult()

    def create_login_profile(self) -> ActionResult:
        """Set a user's first password. Only a keyed digest of it is stored."""
        user = self.backend.get_user(self._get_param("UserName"))
        if user.password:
            raise AnswerError("EntityAlreadyExists", f"Login Profile for user {user.name} already exists.")
        password = self._get_param("Password") or calls.derive("password").hex()
        self._check_length(password)
        user.password = calls.verifier(password)
        user.password_reset_required = bool(self._get_param("PasswordResetRequired"))
        user.password_last_used = None
        extras = user_extras(user)
        extras.login_created = extras.password_changed = clock.utcnow()
        extras.max_sign_in = self._get_param("MaxSigninSessionDuration")
        return ActionResult({"LoginProfile": self._login(user)})

    def get_login_profile(self) -> ActionResult:
        """Return when the password was created, and whether it must be changed. Raises NoSuchEntity if there
        is none.
        """
        return ActionResult({"LoginProfile": self._login(self._with_password())})

    def update_login_profile(self) -> ActionResult:
        """Change a user's password, whether it must be changed, or the maximum sign-in duration."""
        user = self._with_password()
        is_set, seconds = asked_sign_in(self._get_param)
        if is_set:
            user_extras(user).max_sign_in = seconds
        if password := self._get_param("Password"):
            self._check_length(password)
            user.password = calls.verifier(password)
            user_extras(user).password_changed = clock.utcnow()
        if (reset := self._get_param("PasswordResetRequired")) is not None:
            user.password_reset_required = bool(reset)
        return EmptyResult()

    def delete_login_profile(self) -> ActionResult:
        """Delete the password."""
        user = self._with_password()
        user.password, user.password_last_used, user.password_reset_required = None, None, False
        user_extras(user).login_created = user_extras(user).password_changed = None
        user_extras(user).max_sign_in = None
        return EmptyResult()

    def change_password(self) -> ActionResult:
        """Change the caller's own password. Raises AccessDenied if the old one is wrong."""
        call = calls.current()
        assert call is not None
        user = self.backend.get_user(call.caller.user_name)
        if not user.password or user.password != calls.verifier(self._get_param("OldPassword")):
            raise StandinRefusedError("AccessDenied", "The old password was incorrect.")
        self._check_length(self._get_param("NewPassword"))
        user.password, user.password_reset_required = calls.verifier(self._get_param("NewPassword")), False
        user_extras(user).password_changed = clock.utcnow()
        return EmptyResult()

    def _with_password(self) -> Any:
        name = self._get_param("UserName")
        call = calls.current()
        user = self.backend.get_user(name or (call.caller.user_name if call else ""))
        if not user.password:
            raise AnswerError("NoSuchEntity", f"Login Profile for User {user.name} cannot be found.")
        return user

    def _login(self, user: Any) -> shapes.Shape:
        return {
            "UserName": user.name,
            "CreateDate": user_extras(user).login_created or user.create_date,
            "PasswordResetRequired": user.password_reset_required,
            "MaxSigninSessionDuration": user_extras(user).max_sign_in,
        }

    def _check_length(self, password: str) -> None:
        if password.startswith(calls.VERIFIER):
            return
        policy = self.backend.account_password_policy
        shortest = policy.minimum_password_length if policy else 8
        if len(password) < shortest:
            raise AnswerError(
                "PasswordPolicyViolation", f"Password should have a minimum length of {shortest}"
            )


class GroupCalls(ResponseOverlay):
    """Writes on groups and memberships."""

    def create_group(self) -> ActionResult:
        """Create a group."""
        name = self._get_param("GroupName")
        if name.lower() in {present.lower() for present in self.backend.groups}:
            raise AnswerError("EntityAlreadyExists", f"Group with name {name} already exists.")
        group = self.backend.create_group(name, self._get_param("Path") or "/")
        group.id = ids.fresh("AGPA", self.backend.account_id)
        return ActionResult({"Group": shapes.group(group)})

    def update_group(self) -> ActionResult:
        """Rename or move a group."""
        group = self.backend.get_group(self._get_param("GroupName"))
        old_name = group.name
        name = self._get_param("NewGroupName") or old_name
        others = {other.lower() for other in self.backend.groups if other != old_name}
        if name != old_name and name.lower() in others:
            raise AnswerError("EntityAlreadyExists", f"Group with name {name} already exists.")
        self.backend.groups[name] = self.backend.groups.pop(old_name)
        group.name = name
        group.path = self._get_param("NewPath") or group.path
        return EmptyResult()

    def delete_group(self) -> ActionResult:
        """Delete a group without members and policies."""
        group = self.backend.get_group(self._get_param("GroupName"))
        parts = {
            "remove users from group": group.users,
            "detach all policies": group.managed_policies,
            "delete policies": group.policies,
        }
        for step, left in parts.items():
            if left:
                raise conflict(step)
        del self.backend.groups[group.name]
        return EmptyResult()

    def add_user_to_group(self) -> ActionResult:
        """Add a user to a group. If the user is in the group already, nothing changes."""
        group = self.backend.get_group(self._get_param("GroupName"))
        user = self.backend.get_user(self._get_param("UserName"))
        if user in group.users:
            return EmptyResult()
        if len(self.backend.get_groups_for_user(user.name)) >= QUOTAS["GroupsPerUserQuota"]:
            raise AnswerError(
                "LimitExceeded", f"Cannot exceed quota for GroupsPerUser: {QUOTAS['GroupsPerUserQuota']}"
            )
        group.users.append(user)
        return EmptyResult()
