"""Limit the duration of sign-in sessions of a role or of a user with a console password, or reset the limit
to AWS's default.

AWS omits the limit from its responses if it is not set, and resets it with a parameter of its own. Images
have 0 then.
"""

from __future__ import annotations

from typing import Any, Final, Self

from iam.changes.access_effects import AccessEffect
from iam.changes.operations.base import Image, Operation
from iam.changes.operations.facts import EntityInMirror
from iam.changes.operations.login_profile import OnLoginProfile
from iam.changes.operations.params import Blank
from iam.changes.operations.principals import RoleSettings, SettingsParams, UpdateRole
from iam.changes.operations.spec import HIGH, NORMAL, SERVICE_LINKED, OperationSpec, refuse
from iam.changes.operations.user_credential import UserParams, credentials_row
from iam.mirror.models import Entity, EntityState, Kind
from iam.mirror.pull.transform.credentials import MAX_SIGN_IN
from iam.mirror.refresh.credentials import ReadCredentials

HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S
USUAL_S: Final = 12 * HOUR_S
"""The duration of sign-in sessions before AWS made it configurable."""


class LimitsSignIn(Operation):
    """Shared part of both operations. The parameter `max_sign_in` is in seconds, blank for not set."""

    @property
    def is_reset(self) -> bool:
        return not self.inputs.max_sign_in

    @property
    def max_sign_in_s(self) -> int | None:
        return None if self.is_reset else int(self.inputs.max_sign_in)

    def sensitivity(self, effect: AccessEffect) -> str:
        """High if sign-in sessions can be longer than `USUAL_S`."""
        return HIGH if (self.max_sign_in_s or 0) > USUAL_S else NORMAL

    @property
    def limit(self) -> str:
        return sign_in_words(self.max_sign_in_s or 0)

    def notes(self) -> tuple[str, ...]:
        """The previous limit, and which sessions the new one applies to."""
        subject = self.subject()
        former_s = sign_in_limit(subject) if subject else 0
        former = f"Until now: {sign_in_words(former_s)}." if former_s else "No former limit is known."
        return former, "Sign-in sessions that have begun already aren’t affected."


class RoleSignInParams(SettingsParams):
    """The role's current settings, because UpdateRole resets omitted ones to its defaults, and the
    new limit.
    """

    max_sign_in: Blank


class LimitRoleSignIn(UpdateRole, LimitsSignIn):
    spec = OperationSpec(
        slug="role.limit_sign_in",
        title="Set sign-in sessions of role {name}: {limit}",
        no_op="Sign-in sessions of role {name} already have this limit.",
        counted=("Limit the sign-in sessions of", "role"),
        state={"description": "description", "max_session": "max_session", "max_sign_in": "max_sign_in"},
        call="UpdateRole",
        parameters={
            "RoleName": "name",
            "Description": "description",
            "MaxSessionDuration": "seconds",
            "MaxSigninSessionDuration": "max_sign_in_s?",
            "ResetMaxSigninSessionDuration": "is_reset?",
        },
        sentence="Sign-in sessions of {name}: {limit}",
        inverse="role.limit_sign_in",
        requirements=(
            refuse(SERVICE_LINKED, "{name} is a service-linked role. People can’t sign in with it."),
        ),
    )

    initial = {**UpdateRole.initial, "max_sign_in": 0}
    inputs: RoleSignInParams

    @classmethod
    def on(cls, role: Entity, state: EntityState | None, *, seconds: int | None) -> Self:
        """Return the operation on a role of the mirror; `state` has the settings that stay the same."""
        return cls.of(role, **RoleSettings.from_state(state).params, max_sign_in=str(seconds or ""))


class UserSignInParams(UserParams):
    max_sign_in: Blank


class LimitUserSignIn(OnLoginProfile, LimitsSignIn):
    spec = OperationSpec(
        slug="login_profile.limit_sign_in",
        subject_kind=Kind.USER.value,
        title="Set sign-in sessions of {user_name}: {limit}",
        no_op="Sign-in sessions of {user_name} already have this limit.",
        counted=("Limit the sign-in sessions of", "user"),
        state={"max_sign_in": "max_sign_in"},
        call="UpdateLoginProfile",
        parameters={
            "UserName": "user_name",
            "MaxSigninSessionDuration": "max_sign_in_s?",
            "ResetMaxSigninSessionDuration": "is_reset?",
        },
        sentence="Sign-in sessions of {user_name}: {limit}",
        inverse="login_profile.limit_sign_in",
    )

    initial = None
    missing_message = "The user or its console password no longer exists in AWS, as of the last sync."
    inputs: UserSignInParams

    @classmethod
    def on(cls, user: Entity, *, seconds: int | None) -> Self:
        return cls.of(user, max_sign_in=str(seconds or ""))

    def image_of(self, subject: Entity) -> Image | None:
        row = credentials_row(subject)
        if row is None or row.has_password is False:
            return None
        return {"max_sign_in": sign_in_limit(subject)}

    def image_now(self, read: ReadCredentials) -> Image:
        """The limit; None if there is no longer a console password."""
        profile = read.records[0] if read.records else None
        return {"max_sign_in": (profile.max_sign_in_duration or 0) if profile else None}


def sign_in_limit(principal: Entity) -> int:
    """The maximum sign-in session duration of a role or user in the mirror, in seconds; 0 if not set or not
    synced.
    """
    if principal.kind == Kind.ROLE:
        return EntityInMirror(principal).max_sign_in_duration or 0
    row = credentials_row(principal)
    profile: Any = (row.report.get("login_profile") if row else None) or {}
    return profile.get(MAX_SIGN_IN) or 0


def sign_in_words(seconds: int) -> str:
    """The maximum sign-in session duration in words; 0 means not set."""
    if not seconds:
        return "AWS’s own limit"
    for unit, size in (("day", DAY_S), ("hour", HOUR_S), ("minute", 60)):
        number = seconds // size
        if number > 1 and seconds % size == 0:
            return f"at most {number:,} {unit}s"
    return "at most 1 hour" if seconds == HOUR_S else f"at most {seconds:,} seconds"
