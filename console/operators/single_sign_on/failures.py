"""Failures of single sign-on: a page for the person, and a journal entry with the cause for
administrators.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from console.operators.models import Operator
from iam.journal.services import NOT_SIGNED_IN, record

_AGAIN = (
    "Start again from the sign-in page. An answer of your company’s sign-in works once, for ten minutes, in "
    "the same browser."
)
_LATER = "Your company’s sign-in isn’t answering right now. Try again in a few minutes."
_TELL = (
    "Your company’s sign-in sent an answer that Gatehouse can’t accept. Try again. If it fails again, tell "
    "an "
    "administrator of Gatehouse the time: the journal has the cause."
)


class FailureReason(NamedTuple):
    """The cause for the journal, and what the person can do."""

    cause: str
    advice: str
    # The provider identified the person, but Gatehouse doesn't admit them.
    is_refusal: bool = False


REASONS: Final[dict[str, FailureReason]] = {
    # The exchange of the code.
    "not_requested": FailureReason(
        "This browser didn’t start the sign-in, or the answer was used before or came too late.", _AGAIN
    ),
    "cancelled": FailureReason("The sign-in was cancelled at the identity provider.", _AGAIN),
    "provider_error": FailureReason("The identity provider reported the error {detail}.", _TELL),
    "no_code": FailureReason("The identity provider sent no code.", _TELL),
    # The identity provider.
    "unreachable": FailureReason("The {what} of the identity provider can’t be reached ({detail}).", _LATER),
    "too_slow": FailureReason("The {what} of the identity provider didn’t answer within {detail}.", _LATER),
    "bad_status": FailureReason("The {what} of the identity provider answered with status {detail}.", _LATER),
    "too_large": FailureReason(
        "The answer of the {what} of the identity provider is larger than {detail}.", _TELL
    ),
    "not_json": FailureReason("The {what} of the identity provider didn’t answer with a JSON object.", _TELL),
    "bad_discovery": FailureReason(
        "The discovery document of the identity provider is unusable: {detail}.", _TELL
    ),
    "bad_metadata": FailureReason("The SAML metadata of the identity provider is unusable: {detail}.", _TELL),
    "no_access_token": FailureReason(
        "The token endpoint of the identity provider sent no access token.", _TELL
    ),
    # The ID token.
    "no_id_token": FailureReason("The identity provider sent no ID token.", _TELL),
    "bad_id_token": FailureReason(
        "The ID token can’t be read, or a required claim is missing or malformed.", _TELL
    ),
    "weak_algorithm": FailureReason("The ID token isn’t signed with an accepted algorithm.", _TELL),
    "bad_signature": FailureReason("The ID token isn’t signed with a key that the issuer publishes.", _TELL),
    "wrong_issuer": FailureReason(
        "The ID token or the answer has another issuer than the configured one.", _TELL
    ),
    "wrong_audience": FailureReason("The ID token was issued to another application.", _TELL),
    "wrong_authorized_party": FailureReason("The ID token’s authorized party (azp) isn’t Gatehouse.", _TELL),
    "expired_id_token": FailureReason("The ID token has expired.", _TELL),
    "early_id_token": FailureReason(
        "The ID token isn’t valid yet: compare the clocks of both servers.", _TELL
    ),
    "wrong_nonce": FailureReason(
        "The ID token belongs to another sign-in: its nonce is missing or different.", _TELL
    ),
    "no_subject": FailureReason("The identity provider sent no usable subject.", _TELL),
    "other_subject": FailureReason("Userinfo and the ID token have different subjects.", _TELL),
    # SAML.
    "no_saml_response": FailureReason("The SAML response is missing or isn’t base64.", _TELL),
    "bad_saml_xml": FailureReason("The SAML response isn’t acceptable XML: {detail}.", _TELL),
    "bad_saml_response": FailureReason("The SAML response is invalid: {detail}.", _TELL),
    "no_audience": FailureReason("The SAML assertion isn’t restricted to Gatehouse as its audience.", _TELL),
    "not_in_response": FailureReason(
        "The signed SAML assertion doesn’t answer what Gatehouse asked (InResponseTo, Recipient or "
        "NotOnOrAfter).",
        _TELL,
    ),
    "no_name_id": FailureReason("The SAML assertion names no person: its NameID is missing or empty.", _TELL),
    "transient_name_id": FailureReason(
        "The SAML NameID is transient, and the attribute of GATEHOUSE_SAML_UID is missing.",
        "Your company’s sign-in sends a different identifier each time, so Gatehouse can’t recognize you. "
        "Ask an "
        "administrator to have the identity provider send a persistent identifier.",
    ),
    # The person.
    "unknown": FailureReason(
        "No one in Gatehouse has this address.",
        "Your company sign-in works, but you haven’t been added to Gatehouse with that verified address. "
        "Ask an "
        "administrator of Gatehouse.",
        is_refusal=True,
    ),
    "unverified_address": FailureReason(
        "The identity provider sent no address, or doesn’t vouch for it (email_verified isn’t true).",
        "Your company sign-in works, but it doesn’t confirm that your email address is verified. Verify it "
        "there, or "
        "ask an administrator of Gatehouse.",
        is_refusal=True,
    ),
    "inactive": FailureReason(
        "The sign-in is deactivated.",
        "Your sign-in is deactivated. An administrator of Gatehouse can reactivate it.",
        is_refusal=True,
    ),
    "other_identity": FailureReason(
        "The person is already linked to another identity of this provider.",
        "Your address is already linked to another company identity. Ask an administrator of Gatehouse to "
        "check this.",
        is_refusal=True,
    ),
}


class SignInFailedError(Exception):
    """A single sign-on was refused: a key of REASONS, and values for its cause."""

    def __init__(
        self, reason: str, *, operator: Operator | None = None, what: str = "", detail: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.operator = operator
        self.cause = REASONS[reason].cause.format(what=what, detail=detail)


def failure_page(request: HttpRequest, failure: SignInFailedError, *, provider: str) -> HttpResponse:
    """Record the failure with its cause, and tell the person what to do.

    Never includes a secret, a token or free text of the provider.
    """
    operator = failure.operator
    subject = operator.email if operator else ""
    record(
        kind="sign_in.failed",
        actor=NOT_SIGNED_IN,
        subject=subject,
        data={
            "method": "single sign-on",
            "provider": provider,
            "reason": failure.reason,
            "cause": failure.cause,
        },
    )
    reason = REASONS[failure.reason]
    template = (
        "socialaccount/refused.html" if reason.is_refusal else "socialaccount/authentication_error.html"
    )
    if failure.reason == "cancelled":
        template = "socialaccount/login_cancelled.html"
    context: dict[str, Any] = {"advice": reason.advice, "reason": failure.reason}
    status = 403 if reason.is_refusal else 401
    response: HttpResponse = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response
