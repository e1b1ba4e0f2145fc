"""Limit how long a sign-in to AWS may last, for a role or for a user with a console password, or leave that
to AWS.

Not set is no value of its own: AWS leaves it out of its answers, and a call of its own goes back to it. In
images it is 0.
"""

from __future__ import annotations

from typing import Any, Final, Self

from iam.changes.operations.base import AccessEffect, Image, Operation
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
"""So long sign-in sessions were before AWS let anyone choose."""


class LimitsSignIn(Operation):
    """What both share. The parameter `max_sign_in` is in seconds, blank for not set."""

    @property
    def is_reset(self) -> bool:
        return not self.inputs.max_sign_in

    @property
    def max_sign_in_s(self) -> int | None:
        return None if self.is_reset else int(self.inputs.max_sign_in)

    def sensitivity(self, effect: AccessEffect) -> str:
        """High when a sign-in may outlast a working day by far."""
        return HIGH if (self.max_sign_in_s or 0) > USUAL_S else NORMAL

    @property
    def limit(self) -> str:
        return sign_in_words(self.max_sign_in_s or 0)

    def notes(self) -> tuple[str, ...]:
        """The limit that it replaces, and for whom it counts."""
        subject = self.subject()
        former_s = sign_in_limit(subject) if subject else 0
        former = f"Until now: {sign_in_words(former_s)}." if former_s else "No former limit is known."
        return former, "Sign-in sessions that have begun already aren’t affected."


class RoleSignInParams(SettingsParams):
    """The settings as they stay, since AWS’s call would set what it isn’t told to its defaults; and how long
    a sign-in may last.
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
        """The operation on a role of the mirror, whose state tells what stays as it is."""
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
        """None where there is no console password any more."""
        profile = read.records[0] if read.records else None
        return {"max_sign_in": (profile.max_sign_in_duration or 0) if profile else None}


def sign_in_limit(principal: Entity) -> int:
    """The seconds that a sign-in of a role or user may last, by the mirror; 0: not set or not read."""
    if principal.kind == Kind.ROLE:
        return EntityInMirror(principal).max_sign_in_duration or 0
    row = credentials_row(principal)
    profile: Any = (row.report.get("login_profile") if row else None) or {}
    return profile.get(MAX_SIGN_IN) or 0


def sign_in_words(seconds: int) -> str:
    """How long a sign-in may last; 0: not set."""
    if not seconds:
        return "AWS’s own limit"
    for unit, size in (("day", DAY_S), ("hour", HOUR_S), ("minute", 60)):
        number = seconds // size
        if number > 1 and seconds % size == 0:
            return f"at most {number:,} {unit}s"
    return "at most 1 hour" if seconds == HOUR_S else f"at most {seconds:,} seconds"
