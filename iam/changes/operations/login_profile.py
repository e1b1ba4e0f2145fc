"""Take the console password of a user away, or have them choose another.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateLoginProfile.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteLoginProfile.html
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Self

from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.spec import Loss, OperationSpec
from iam.changes.operations.user_credential import OfUser, UserParams, credentials_row, names_of
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import LOGIN_PROFILES
from iam.mirror.refresh.credentials import ReadCredentials

YES: Final = "yes"
NO: Final = "no"


class OnLoginProfile(OfUser):
    """What all of them share."""

    section = LOGIN_PROFILES

    def image_of(self, user: Entity) -> Image | None:
        """Where nothing has been read of it, AWS is looked at when the change runs."""
        row = credentials_row(user)
        return {"has_password": bool(row and row.has_password)}

    def image_now(self, read: ReadCredentials) -> Image:
        return {"has_password": bool(read.records)}

    def initial_state(self) -> Image | None:
        """Nobody has a password from birth."""
        return {"has_password": False}


@dataclass(frozen=True, slots=True)
class RequirementParams(UserParams):
    """Whether the user must choose another password at the next sign-in (yes, no)."""

    must_change: str

    def __post_init__(self) -> None:
        UserParams.__post_init__(self)
        if self.must_change not in (YES, NO):
            raise ValueError("must_change is yes or no.")


class RequirePasswordChange(OnLoginProfile):
    """Has a user choose another password at the next sign-in, or not."""

    spec = OperationSpec(
        slug="login_profile.require_change",
        family="login-profile",
        subject_kind=Kind.USER.value,
        counted=("Require a new console password of", "user"),
    )

    missing_message = "The user or its console password no longer exists in AWS, as of the last sync."
    params_type = RequirementParams
    inputs: RequirementParams

    @classmethod
    def of(cls, user: Entity, *, must_change: bool = True) -> Self:
        """The operation on a user of the mirror."""
        change_required = YES if must_change else NO
        return cls(user.account, RequirementParams(**names_of(user), must_change=change_required))

    @property
    def must_change(self) -> bool:
        """Whether they have to."""
        return self.inputs.must_change == YES

    @property
    def title(self) -> str:
        name = self.inputs.user_name
        if self.must_change:
            return f"Require {name} to change the password at next sign-in"
        return f"Don’t require {name} to change the password"

    @property
    def noop_message(self) -> str:
        return (
            f"{self.inputs.user_name} already {'has to' if self.must_change else 'does not have to'} "
            "change the password."
        )

    def desired_state(self) -> Image:
        return {"must_change": self.must_change}

    def image_of(self, user: Entity) -> Image | None:
        """Where the profile has not been read, as though it were the other way round: AWS is looked at
        when the change runs."""
        row = credentials_row(user)
        profile = row.report.get("login_profile") if row else None
        if row is None or row.has_password is False:
            return None
        known = profile.get("PasswordResetRequired") if isinstance(profile, dict) else not self.must_change
        return {"must_change": bool(known)}

    def image_now(self, read: ReadCredentials) -> Image:
        return {"must_change": read.records[0].is_reset_required if read.records else None}

    def initial_state(self) -> Image | None:
        """There is no password yet."""
        return None

    def calls(self) -> tuple[AwsCall, ...]:
        does = "must change the password at next sign-in" if self.must_change else "keeps the password"
        return (
            self.call(
                "UpdateLoginProfile",
                sentence=f"{self.inputs.user_name} {does}",
                PasswordResetRequired=self.must_change,
            ),
        )

    def inverse(self, before: Image) -> Operation | None:
        if before["must_change"] == self.must_change:
            return None
        required_before = NO if self.must_change else YES
        return RequirePasswordChange(self.account, replace(self.inputs, must_change=required_before))


class DeleteLoginProfile(OnLoginProfile):
    """Takes the password away."""

    spec = OperationSpec(
        slug="login_profile.delete",
        family="login-profile",
        subject_kind=Kind.USER.value,
        title="Delete console password of {user_name}",
        no_op="{user_name} has no console password.",
        counted=("Delete the console password of", "user"),
        notes=("Current sessions of {user_name} continue until they expire. Access keys aren’t affected.",),
        call="DeleteLoginProfile",
        parameters={"UserName": "user_name"},
        sentence="{user_name} can no longer sign in to the AWS console",
        loss=Loss(
            "Delete a console password",
            "AWS never shows a password, so this one can’t be restored. You can create a new one.",
            "Attach AWSDenyAll instead: the password stays, but the user can’t do anything "
            "until you detach it.",
        ),
    )

    @classmethod
    def of(cls, user: Entity) -> Self:
        """The operation on a user of the mirror."""
        return cls(user.account, UserParams(**names_of(user)))

    def desired_state(self) -> Image:
        return {"has_password": False}

    def image_of(self, user: Entity) -> Image:
        """Where nothing has been read of it, AWS is looked at when the change runs."""
        row = credentials_row(user)
        return {"has_password": row is None or row.has_password is not False}
