"""Forms of passkeys, which validate the browser's answer before allauth uses it.

allauth treats a falsy value as no answer, but stores it as a key; other unexpected shapes break its parser.
"""

from __future__ import annotations

import struct
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth
from django import forms
from fido2.utils import websafe_decode
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

from console.operators.attempts import refused
from console.operators.models import Operator

MAX_NAME_LENGTH = 100
# An attestation has a few kilobytes.
MAX_ANSWER_LENGTH = 64 * 1024
# Errors of the JSON, CBOR and key parsers for invalid input.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, struct.error)

KEY_UNKNOWN = (
    "This passkey isn’t registered with Gatehouse. It may have been removed. Use another one, or sign in "
    "another way."
)
KEY_FAILED = "The passkey didn’t match, or it took too long. Try again."
ADDING_FAILED = "The passkey couldn’t be verified, or it took too long. Try again."


class PasskeyAnswerField(forms.JSONField):
    """The JSON of a PublicKeyCredential; https://www.w3.org/TR/webauthn-2/#iface-pkcredential"""

    default_error_messages = {
        "unreadable": "We can’t read the response of this security key. Try again, or use another key."
    }

    def __init__(self, kind: type[RegistrationResponse] | type[AuthenticationResponse]) -> None:
        super().__init__(widget=forms.HiddenInput)
        self.kind = kind

    def clean(self, value: Any) -> Any:
        """Return the answer if its shape is valid."""
        try:
            if len(value or "") > MAX_ANSWER_LENGTH:
                raise ValueError
            answer = super().clean(value)
            self.kind.from_dict(answer)
        except UNREADABLE:
            raise forms.ValidationError(self.error_messages["unreadable"], code="unreadable") from None
        return answer

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return nothing, because an answer works once and isn’t rendered again."""
        return None

    def prepare_value(self, value: Any) -> Any:
        """Return nothing; see bound_data."""
        return ""


def _name(*, required: bool) -> forms.CharField:
    return forms.CharField(required=required, max_length=MAX_NAME_LENGTH)


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Add a passkey."""

    name = _name(required=False)
    credential = PasskeyAnswerField(RegistrationResponse)

    def clean(self) -> Any:
        """Check that the answer belongs to this page's challenge."""
        try:
            return super().clean()
        except forms.ValidationError as error:
            if error.code != "incorrect_code":
                raise
            raise forms.ValidationError(ADDING_FAILED, code="incorrect_key") from None


class RenameKeyForm(EditWebAuthnForm):  # type: ignore[misc]
    """Rename a passkey."""

    name = _name(required=True)


class _KnownKey:
    """Base form for signing in with a passkey. allauth reports every failure as an incorrect code."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Authenticator:
        """Return the registered passkey whose answer belongs to this page's challenge; other attempts are
        recorded with their cause.
        """
        answer = self.cleaned_data["credential"]
        try:
            authenticator: Authenticator = super().clean_credential()  # type: ignore[misc]
        except forms.ValidationError as error:
            if error.code != "incorrect_code":
                raise
            operator = self.user or _owner_of(answer)
            is_known = operator is not None and _is_registered(operator, answer)
            reason = "wrong_passkey" if is_known else "unknown_passkey"
            refused(operator=operator, method="passkey", reason=reason)
            text = KEY_FAILED if is_known else KEY_UNKNOWN
            raise forms.ValidationError(text, code="incorrect_key") from None
        return authenticator


def _owner_of(answer: dict[str, Any]) -> Operator | None:
    try:
        owner = auth.extract_user_from_response(answer)
    except (forms.ValidationError, *UNREADABLE):
        return None
    return owner if isinstance(owner, Operator) else None


def _is_registered(operator: Operator, answer: dict[str, Any]) -> bool:
    try:
        key = websafe_decode(answer["rawId"])
    except UNREADABLE:
        return False
    return auth.get_authenticator_by_credential_id(operator, key) is not None


class KeyAsSecondStepForm(_KnownKey, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey as the second factor."""

    credential = PasskeyAnswerField(AuthenticationResponse)


class KeyAloneForm(_KnownKey, LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of a password."""

    credential = PasskeyAnswerField(AuthenticationResponse)


class KeyAgainForm(_KnownKey, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey for re-authentication."""

    credential = PasskeyAnswerField(AuthenticationResponse)
