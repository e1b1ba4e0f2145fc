"""Forms of sign-in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ChangePasswordForm as AllauthChangePasswordForm
from allauth.account.forms import LoginForm as AllauthLoginForm
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms

from console.operators import locks
from console.operators.attempts import failed


class LoginForm(AllauthLoginForm):  # type: ignore[misc]
    """Name and password in the words of the design."""

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


class ChangePasswordForm(AllauthChangePasswordForm):  # type: ignore[misc]
    """A new password for whoever knows the old one."""

    def clean_oldpassword(self) -> str:
        """The old password; wrong ones lock as they do at the sign-in, so that nobody guesses it from a session left open."""
        password: str = self.cleaned_data["oldpassword"]
        if not get_adapter().reauthenticate(self.user, password):
            raise get_adapter().validation_error("enter_current_password")
        return password


class _LockedCode:
    """Wrong codes lock the second factor as wrong passwords lock the first."""

    user: Any

    def clean_code(self) -> str:
        """The code, when it is right and the factor is not locked."""
        key = locks.code_key(self.user)
        if until := locks.locked_until(key):
            raise forms.ValidationError(locks.sentence(until), code="locked")
        try:
            code: str = super().clean_code()  # type: ignore[misc]
        except forms.ValidationError:
            if until := failed(context.request, key=key, operator=self.user, method="code"):
                raise forms.ValidationError(locks.sentence(until), code="locked") from None
            raise
        locks.forget(key)
        return code


class CodeForm(_LockedCode, AuthenticateForm):  # type: ignore[misc]
    """The second step of a sign-in."""


class ReauthenticateCodeForm(_LockedCode, ReauthenticateForm):  # type: ignore[misc]
    """A code that confirms who sits there."""
