"""Forms of sign-in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.account.forms import ResetPasswordKeyForm as AllauthResetPasswordForm
from allauth.account.forms import SetPasswordForm as AllauthSetPasswordForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter as get_mfa_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.totp.forms import ActivateTOTPForm as AllauthActivateTotpForm
from django import forms

from console.operators import locks
from console.operators.attempts import begin, failed, succeeded
from console.operators.totp import authenticator_of, step_of


class LoginForm(AllauthLoginForm):  # type: ignore[misc]
    """Name and password, with our labels."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        login, password = self.fields["login"], self.fields["password"]
        login.label, login.widget.attrs = (
            "Email or user name",
            {"autocomplete": "username webauthn", "class": "input lg", "maxlength": 254},
        )
        login.max_length = 254
        password.label, password.help_text = "Password", ""
        password.widget.attrs = {"autocomplete": "current-password", "class": "input lg", "maxlength": 128}


class _TwoPasswords:
    """Two fields for a new password, with our labels."""

    def add_error(self, field: str | None, error: Any) -> None:
        """Replace allauth's message that both passwords must be equal."""
        if field == "password2" and not isinstance(error, forms.ValidationError):
            error = "The two passwords differ. Type the same one twice."
        super().add_error(field, error)  # type: ignore[misc]


class SetPasswordForm(_TwoPasswords, AllauthSetPasswordForm):  # type: ignore[misc]
    """A first password for someone who signs in through single sign-on."""


class ResetPasswordForm(_TwoPasswords, AllauthResetPasswordForm):  # type: ignore[misc]
    """A new password for someone with a reset link."""


class ChangePasswordForm(_TwoPasswords, AllauthChangePasswordForm):  # type: ignore[misc]
    """A new password for someone who knows the old one."""

    def clean_oldpassword(self) -> str:
        """Check the old password; failures count toward the lock, so that no one guesses it in an unattended
        session.
        """
        password: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("enter_current_password")
        return password


class _LockedCode:
    """Base form for codes: wrong ones count toward a lock of the second factor, and each right code works
    once.
    """

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        """Return the code if it is right and the factor isn’t locked."""
        key = locks.code_key(self.user)
        if until := begin(context.request, key=key, operator=self.user, method="code"):
            raise forms.ValidationError(locks.sentence(until), code="locked")
        code: str = self.cleaned_data["code"]
        authenticator = authenticator_of(self.user, code)
        if authenticator is None:
            if until := failed(context.request, key=key, operator=self.user, method="code"):
                raise forms.ValidationError(locks.sentence(until), code="locked")
            raise get_mfa_adapter().validation_error("incorrect_code")
        succeeded(context.request, key=key)
        self.authenticator = authenticator
        return code


class CodeForm(_LockedCode, AuthenticateForm):  # type: ignore[misc]
    """The second step of the sign-in."""


class ReauthenticateCodeForm(_LockedCode, ReauthenticateForm):  # type: ignore[misc]
    """A code for re-authentication."""


class ActivateTotpForm(AllauthActivateTotpForm):  # type: ignore[misc]
    """The first code of a new authenticator app; `step` is the time step that it uses up."""

    step: int

    def clean_code(self) -> str:
        """Return the code if it is right."""
        code: str = super().clean_code()
        step = step_of(self.secret, code)
        if step is None:
            raise get_mfa_adapter().validation_error("incorrect_code")
        self.step = step
        return code
