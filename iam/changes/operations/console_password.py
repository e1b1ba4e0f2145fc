"""Give a user a console password, or another one.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateLoginProfile.html
https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateLoginProfile.html
The password is made when it is sent, and sealed for one person; or somebody has typed it, and it was sealed
for the worker. AWS does not show whether a password is another than before, so a call of which the answer was
lost is left to a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.login_profile import NO, YES, DeleteLoginProfile, OnLoginProfile
from iam.changes.operations.sealed_secret import (
    WITHHELD,
    Recipient,
    accepted,
    check_ids,
    look,
    new_password,
    seal_for,
    used,
)
from iam.changes.operations.spec import HIGH, Loss, OperationSpec
from iam.changes.operations.user_credential import UserParams, credentials_row, names_of
from iam.mirror.models import Entity, Kind
from iam.sealed import services as sealed

PURPOSE: Final = "login_profile.password"
TYPED: Final = "login_profile.typed_password"
PASSWORD_PARAMETERS: Final = {
    "UserName": "user_name",
    "Password": "shown_password",
    "PasswordResetRequired": "is_reset_required",
}
_GONE: Final = "The entered password has expired. Enter it again in a new request."


@dataclass(frozen=True, slots=True)
class PasswordParams(UserParams):
    """Under which seal the password is. `typed` (yes, no): somebody typed it, for the worker; else it is
    made, for the recipient to read. `must_change` (yes, no): AWS has the user choose another at the
    first sign-in."""

    sealed_id: str
    recipient_id: str
    recipient_name: str
    typed: str
    must_change: str

    def __post_init__(self) -> None:
        UserParams.__post_init__(self)
        check_ids(self.sealed_id, self.recipient_id)
        if not {self.typed, self.must_change} <= {YES, NO}:
            raise ValueError("typed and must_change are yes or no.")


class SetPassword(OnLoginProfile):
    """What share the ways to give a password."""

    params_type = PasswordParams
    inputs: PasswordParams

    @classmethod
    def of(
        cls,
        user: Entity,
        *,
        recipient: Recipient,
        sealed_id: UUID,
        is_typed: bool = False,
        must_change: bool = True,
    ) -> Self:
        """The operation on a user of the mirror."""
        typed = YES if is_typed else NO
        change_required = YES if must_change else NO
        params = PasswordParams(
            **names_of(user),
            sealed_id=str(sealed_id),
            recipient_id=str(recipient.person_id),
            recipient_name=recipient.name,
            typed=typed,
            must_change=change_required,
        )
        return cls(user.account, params)

    @property
    def is_typed(self) -> bool:
        """Whether somebody typed it."""
        return self.inputs.typed == YES

    @property
    def is_reset_required(self) -> bool:
        """Whether the user has to choose another at the first sign-in."""
        return self.inputs.must_change == YES

    def desired_state(self) -> Image:
        return {"has_password": True}

    def satisfied(self, image: Image) -> bool:
        """AWS shows that there is a password; the seal says whether it is this one."""
        return bool(image["has_password"]) and accepted(self.inputs.sealed_id) is not None

    @property
    def shown_password(self) -> str:
        """What stands for the password in calls that are shown."""
        return WITHHELD

    def resolve_params(self, call: AwsCall) -> Mapping[str, Any]:
        """The password that was typed, or a new one, which waits sealed until AWS has taken it."""
        if self.is_typed:
            return {**call.params, "Password": look(self.inputs.sealed_id, purpose=TYPED, gone=_GONE)}
        password = new_password(self.account)
        seal_for(
            self.inputs,
            password,
            account=self.account,
            purpose=PURPOSE,
            label=f"console password of {self.inputs.user_name}",
            is_held=True,
        )
        return {**call.params, "Password": password}

    def handle_response(
        self, call: AwsCall, response: Mapping[str, Any], *, change_id: UUID
    ) -> dict[str, Any]:
        """From now on its person can read it."""
        if self.is_typed:
            used(self.inputs.sealed_id)
        else:
            sealed.release(UUID(self.inputs.sealed_id))
        return {}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """AWS does not tell when a password was set, so the seal does."""
        secret = accepted(self.inputs.sealed_id)
        if self._read is not None and self._read.records and secret is not None:
            self._read = replace(self._read, set_at=secret.released_at)
        super().read_back(aws, cause_id=cause_id)

    def excludes(self, slug: str, params: Mapping[str, Any]) -> bool:
        """One password at a time."""
        return slug in (CreateLoginProfile.spec.slug, UpdateLoginProfile.spec.slug)

    def notes(self) -> tuple[str, ...]:
        choose = "The password must be changed at the first sign-in." if self.is_reset_required else ""
        reads = (
            "Uses the password that was entered. No one can read it in Gatehouse."
            if self.is_typed
            else f"Only {self.inputs.recipient_name} can read the password, once, within 24 hours."
        )
        return tuple(note for note in (reads, choose) if note)


class CreateLoginProfile(SetPassword):
    """Gives a user who has none a password."""

    spec = OperationSpec(
        slug="login_profile.create",
        family="login-profile",
        subject_kind=Kind.USER.value,
        title="Create console password for {user_name}",
        no_op="This password is already set.",
        counted=("Create a console password for", "user"),
        call="CreateLoginProfile",
        parameters=PASSWORD_PARAMETERS,
        sentence="{user_name} can sign in to the AWS console",
        is_idempotent=False,
        weight=HIGH,
    )

    def drift_message(self, image: Image, *, before: Image) -> str:
        return (
            f"{self.inputs.user_name} now has a console password, but had none when this was "
            "requested. AWS doesn’t say who set it: "
            "reset it."
        )

    def inverse(self, before: Image) -> Operation | None:
        if before["has_password"]:
            return None
        names = UserParams(self.inputs.user_name, self.inputs.user_arn, self.inputs.user_id)
        return DeleteLoginProfile(self.account, names)

    def problems(self) -> list[str]:
        """That there is one already is no twin, but another matter."""
        user = self.subject()
        row = credentials_row(user) if user else None
        if row is not None and row.has_password and accepted(self.inputs.sealed_id) is None:
            return [f"{self.inputs.user_name} already has a console password. Reset it instead."]
        return super().problems()


class UpdateLoginProfile(SetPassword):
    """Gives a user another password."""

    spec = OperationSpec(
        slug="login_profile.update",
        family="login-profile",
        subject_kind=Kind.USER.value,
        title="Reset console password of {user_name}",
        no_op="This password is already set.",
        counted=("Reset the console password of", "user"),
        call="UpdateLoginProfile",
        parameters=PASSWORD_PARAMETERS,
        sentence="{user_name} signs in with a new password",
        is_idempotent=False,
        weight=HIGH,
        loss=Loss(
            "Reset a console password",
            "AWS never shows the old password, so it can’t be restored.",
            "Require a change at next sign-in instead: the current password works until then.",
        ),
    )

    missing_message = "The user or its console password no longer exists in AWS, as of the last sync."

    def image_of(self, user: Entity) -> Image | None:
        row = credentials_row(user)
        return None if row is not None and row.has_password is False else {"has_password": True}

    def initial_state(self) -> Image | None:
        """There is none to set another for."""
        return None
