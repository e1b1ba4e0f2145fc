"""Forms of passkeys: what a browser says of its key is looked at before allauth works with it.

allauth takes a falsy value for no answer at all, and keeps it as a key; other shapes break its parser.
"""

from __future__ import annotations

import struct
from typing import Any

from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from fido2.webauthn import AuthenticationResponse, RegistrationResponse

LONGEST_NAME = 100
# An attestation is a few kilobytes.
LONGEST_ANSWER = 64 * 1024
# What the parsers of JSON, CBOR and keys raise over text that is none of theirs.
UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError, struct.error)


class AnswerField(forms.JSONField):
    """The JSON of a PublicKeyCredential; https://www.w3.org/TR/webauthn-2/#iface-pkcredential"""

    default_error_messages = {
        "unreadable": "We can’t read the response of this security key. Try again, or use another key."
    }

    def __init__(self, kind: type[RegistrationResponse] | type[AuthenticationResponse]) -> None:
        super().__init__(widget=forms.HiddenInput)
        self.kind = kind

    def clean(self, value: Any) -> Any:
        """The answer, if it has the shape of one."""
        try:
            if len(value or "") > LONGEST_ANSWER:
                raise ValueError
            answer = super().clean(value)
            self.kind.from_dict(answer)
        except UNREADABLE:
            raise forms.ValidationError(self.error_messages["unreadable"], code="unreadable") from None
        return answer

    def bound_data(self, data: Any, initial: Any) -> Any:
        """An answer serves once, and is not sent back with the form."""
        return None

    def prepare_value(self, value: Any) -> Any:
        """See bound_data."""
        return ""


def _name(*, required: bool) -> forms.CharField:
    return forms.CharField(required=required, max_length=LONGEST_NAME)


class AddKeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A new passkey."""

    name = _name(required=False)
    credential = AnswerField(RegistrationResponse)


class RenameKeyForm(EditWebAuthnForm):  # type: ignore[misc]
    """Another name for a passkey."""

    name = _name(required=True)


class KeyAsSecondStepForm(AuthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey after the password."""

    credential = AnswerField(AuthenticationResponse)


class KeyAloneForm(LoginWebAuthnForm):  # type: ignore[misc]
    """A passkey instead of a password."""

    credential = AnswerField(AuthenticationResponse)


class KeyAgainForm(ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey that confirms who sits there."""

    credential = AnswerField(AuthenticationResponse)
