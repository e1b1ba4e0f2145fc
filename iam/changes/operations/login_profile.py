"""Create, reset or delete a user's console password, or require a change at next sign-in.

A generated password is created when the call is sent, and sealed for one person; an entered one is sealed for
the worker. AWS doesn't show whether a password has changed, so a call whose response was lost is left to a
person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image, Operation
from iam.changes.operations.inline_policy import is_denied_all
from iam.changes.operations.params import NO, YES, IdText, YesNo
from iam.changes.operations.sealed_secret import WITHHELD, accepted, new_password, seal_for, sealed_text, used
from iam.changes.operations.spec import HIGH, OperationSpec, PermanentLoss
from iam.changes.operations.user_credential import OfUser, UserParams, credentials_row
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import LOGIN_PROFILES
from iam.mirror.refresh.credentials import ReadCredentials
from iam.sealed import services as sealed


class OnLoginProfile(OfUser):
    initial: ClassVar[Image | None] = {"has_password": False}
    section = LOGIN_PROFILES
    is_assumed: ClassVar[bool] = False
    """The value of `has_password` if it is unknown to the mirror. AWS is read when the change runs."""

    def image_of(self, subject: Entity) -> Image | None:
        row = credentials_row(subject)
        has_password = row.has_password if row else None
        return {"has_password": self.is_assumed if has_password is None else has_password}

    def image_now(self, read: ReadCredentials) -> Image:
        return {"has_password": bool(read.records)}


class RequirementParams(UserParams):
    must_change: YesNo


class RequirePasswordChange(OnLoginProfile):
    spec = OperationSpec(
        slug="login_profile.require_change",
        subject_kind=Kind.USER.value,
        counted=("Require a new console password of", "user"),
        state={"must_change": "is_reset_required"},
        call="UpdateLoginProfile",
        parameters={"UserName": "user_name", "PasswordResetRequired": "is_reset_required"},
        sentence="{user_name} {does}",
    )

    initial = None
    missing_message = "The user or its console password no longer exists in AWS, as of the last sync."
    inputs: RequirementParams

    @property
    def is_reset_required(self) -> bool:
        return self.inputs.must_change == YES

    @property
    def does(self) -> str:
        return "must change the password at next sign-in" if self.is_reset_required else "keeps the password"

    @property
    def title(self) -> str:
        name = self.inputs.user_name
        if self.is_reset_required:
            return f"Require {name} to change the password at next sign-in"
        return f"Don’t require {name} to change the password"

    @property
    def noop_message(self) -> str:
        return (
            f"{self.inputs.user_name} already {'has to' if self.is_reset_required else 'does not have to'} "
            "change the password."
        )

    def image_of(self, subject: Entity) -> Image | None:
        """If the profile was not synced, assume the opposite of what is wanted; AWS is read when the change
        runs.
        """
        row = credentials_row(subject)
        profile = row.report.get("login_profile") if row else None
        if row is None or row.has_password is False:
            return None
        known = (
            profile.get("PasswordResetRequired") if isinstance(profile, dict) else not self.is_reset_required
        )
        return {"must_change": bool(known)}

    def image_now(self, read: ReadCredentials) -> Image:
        return {"must_change": read.records[0].is_reset_required if read.records else None}

    def restoration(self, before: Image) -> Operation | None:
        required_before = NO if self.is_reset_required else YES
        return self.with_params(must_change=required_before)


class DeleteLoginProfile(OnLoginProfile):
    spec = OperationSpec(
        slug="login_profile.delete",
        subject_kind=Kind.USER.value,
        title="Delete console password of {user_name}",
        no_op="{user_name} has no console password.",
        counted=("Delete the console password of", "user"),
        state={"has_password": False},
        call="DeleteLoginProfile",
        parameters={"UserName": "user_name"},
        sentence="{user_name} can no longer sign in to the AWS console",
        loss=PermanentLoss(
            "Delete a console password",
            "AWS never shows a password, so this one can’t be restored. You can create a new one.",
            "Attach AWSDenyAll instead: the password stays, but the user can’t do anything "
            "until you detach it.",
        ),
    )

    is_assumed = True
    _is_denied = False
    """True if an earlier operation of the set denies the user everything."""

    def with_preceding(self, earlier: Sequence[Operation]) -> None:
        """Note whether the set denies the user everything: the notes and the alternative don't apply then."""
        self._is_denied = is_denied_all(self, earlier)

    def notes(self) -> tuple[str, ...]:
        name = self.inputs.user_name
        goes_on = f"Current sessions of {name} continue until they expire. Access keys aren’t affected."
        return () if self._is_denied else (goes_on,)

    @property
    def alternative(self) -> str:
        return "" if self._is_denied else super().alternative


PURPOSE: Final = "login_profile.password"
TYPED: Final = "login_profile.typed_password"
_GONE: Final = "The entered password has expired. Enter it again in a new request."


class PasswordParams(UserParams):
    """The seal of the password.

    `typed` (yes, no): it was entered and is sealed for the worker; otherwise it is generated, and the
    recipient can read it. `must_change` (yes, no): AWS requires the user to change it at the first sign-in.
    """

    sealed_id: IdText
    recipient_id: IdText
    recipient_name: str
    typed: YesNo
    must_change: YesNo


class SetPassword(OnLoginProfile):
    excluded = ("login_profile.create", "login_profile.update")
    inputs: PasswordParams

    @classmethod
    def of(
        cls, user: Entity, /, *more: Any, is_typed: bool = False, must_change: bool = True, **rest: Any
    ) -> Self:
        """Return the operation on a user of the mirror; `rest` has `recipient` and `sealed_id`."""
        return super().of(user, typed=is_typed, must_change=must_change, **rest)

    @property
    def is_typed(self) -> bool:
        return self.inputs.typed == YES

    @property
    def is_reset_required(self) -> bool:
        return self.inputs.must_change == YES

    def satisfied(self, image: Image) -> bool:
        """AWS shows only that there is a password; the seal tells whether it is this one."""
        return bool(image["has_password"]) and accepted(self.inputs.sealed_id) is not None

    shown_password = WITHHELD

    def resolve_params(self, call: AwsCall) -> Mapping[str, Any]:
        """Add the entered password, or a new one, which stays sealed and unreadable until AWS has accepted
        it.
        """
        if self.is_typed:
            return {**call.params, "Password": sealed_text(self.inputs.sealed_id, purpose=TYPED, gone=_GONE)}
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

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """Let the recipient read the password from now on, or destroy an entered one."""
        if self.is_typed:
            used(self.inputs.sealed_id)
        else:
            sealed.release(UUID(self.inputs.sealed_id))
        return {}

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Take the time at which the password was set from the seal, because AWS doesn't tell it."""
        secret = accepted(self.inputs.sealed_id)
        if self._read is not None and self._read.records and secret is not None:
            self._read = replace(self._read, set_at=secret.released_at)
        super().read_back(aws, cause_id=cause_id)

    def notes(self) -> tuple[str, ...]:
        choose = "The password must be changed at the first sign-in." if self.is_reset_required else ""
        reads = (
            "Uses the password that was entered. No one can read it in Gatehouse."
            if self.is_typed
            else f"Only {self.inputs.recipient_name} can read the password, in one browser, within 24 hours."
        )
        return tuple(note for note in (reads, choose) if note)


class CreateLoginProfile(SetPassword):
    spec = OperationSpec(
        slug="login_profile.create",
        subject_kind=Kind.USER.value,
        title="Create console password for {user_name}",
        no_op="This password is already set.",
        counted=("Create a console password for", "user"),
        state={"has_password": True},
        call="CreateLoginProfile",
        parameters={
            "UserName": "user_name",
            "Password": "shown_password",
            "PasswordResetRequired": "is_reset_required",
        },
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
        return None if before["has_password"] else self.beside("login_profile.delete")

    def refusal(self) -> str:
        """Refuse if the user already has another password: that isn't the same request, but a reset."""
        user = self.subject()
        row = credentials_row(user) if user else None
        if row is not None and row.has_password and accepted(self.inputs.sealed_id) is None:
            return f"{self.inputs.user_name} already has a console password. Reset it instead."
        return ""


class UpdateLoginProfile(SetPassword):
    spec = replace(
        CreateLoginProfile.spec,
        slug="login_profile.update",
        title="Reset console password of {user_name}",
        counted=("Reset the console password of", "user"),
        call="UpdateLoginProfile",
        sentence="{user_name} signs in with a new password",
        loss=PermanentLoss(
            "Reset a console password",
            "AWS never shows the old password, so it can’t be restored.",
            "Require a change at next sign-in instead: the current password works until then.",
        ),
    )

    initial = None
    missing_message = "The user or its console password no longer exists in AWS, as of the last sync."

    def image_of(self, subject: Entity) -> Image | None:
        row = credentials_row(subject)
        return None if row is not None and row.has_password is False else {"has_password": True}
