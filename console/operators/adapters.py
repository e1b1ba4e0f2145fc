"""Adapters that customize allauth: no sign-up, locks in the database, encrypted secrets, and single sign-on
only for known people.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.stagekit import clear_login
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.httpkit import clean_client_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django import forms
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.encoding import force_bytes

from console.operators import locks
from console.operators.attempts import begin, failed, succeeded
from console.operators.backends import OperatorBackend
from console.operators.factors import is_required_of
from console.operators.first_page import landing
from console.operators.hosts import passkeys_work_on
from console.operators.mail import hand_over
from console.operators.models import Operator
from console.operators.recency import is_recent
from console.operators.single_sign_on import bindings
from console.operators.single_sign_on.failures import SignInFailedError, failure_page
from console.web.qr import svg_of
from iam.journal.services import NOT_SIGNED_IN, record

CONFIRMATIONS = {
    "reauthenticate": "Use your password",
    "mfa_reauthenticate": "Use a code of your app, or a recovery code",
    "mfa_reauthenticate:webauthn": "Use a passkey or security key",
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Account adapter for password sign-in."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": "Wrong username or password.",
        "username_password_mismatch": "Wrong username or password.",
        "incorrect_password": "Wrong password.",
        "incorrect_code": "Wrong code. Codes change every 30 seconds; enter the newest one.",
        "account_inactive": "This sign-in is deactivated. Ask an administrator.",
        "enter_current_password": "Enter your current password.",
        "invalid_login": "Wrong username or password.",
        "invalid_or_expired_key": "This link was used before, or is too old. Request a new one.",
        "invalid_password_reset": "This link was used before, or is too old. Request a new one.",
        "same_as_current": "Choose a value other than the current one.",
        "unknown_email": "No one has this email address.",
        "too_many_login_attempts": "Too many attempts. Try again in a few minutes.",
        "rate_limited": "Too many attempts. Try again in a few minutes.",
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address as our own proxies report it; without all of them, the address of the
        sender.
        """
        try:
            address: str = super().get_client_ip(request)
        except (ImproperlyConfigured, PermissionDenied):
            address = clean_client_ip(request.META.get("REMOTE_ADDR", "")) or "0.0.0.0"  # noqa: S104
        return address

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: only administrators add people."""
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count the attempt before the password is compared, and refuse it while the sign-in is locked."""
        operator = _known_operator(credentials)
        until = begin(request, key=_key(credentials, operator), operator=operator, method="password")
        if until:
            raise forms.ValidationError(locks.sentence(until), code="locked")
        super().pre_authenticate(request, **credentials)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """Return the operator if the password is right."""
        user = super().authenticate(request, **credentials)
        if user:
            succeeded(request, key=_key(credentials, _known_operator(credentials)))
        return user

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Record the failure; the attempt that exceeds the limit shows the lock."""
        operator = _known_operator(credentials)
        until = failed(request, key=_key(credentials, operator), operator=operator, method="password")
        if until:
            raise forms.ValidationError(locks.sentence(until), code="locked")

    def pre_login(self, request: HttpRequest, user: Any, **kwargs: Any) -> HttpResponse | None:
        """Refuse people who may not sign in, whichever method they used."""
        if OperatorBackend().user_can_authenticate(user):
            return None
        clear_login(request)
        record(
            kind="sign_in.failed",
            actor=NOT_SIGNED_IN,
            subject=user.email,
            data={
                "method": "inactive sign-in",
                "reason": "inactive",
                "cause": "The sign-in is deactivated.",
            },
        )
        response: HttpResponse = self.respond_user_inactive(request, user)
        return response

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Return False if the person signed in or re-authenticated recently."""
        return not is_recent(self.request)

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return the first page after the sign-in."""
        return landing(request)

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link in the mail, with our own base URL whatever host the request named."""
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": "UID", "key": "KEY"})
        return settings.BASE_URL + path.replace("UID-KEY", quote(key))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send the mail in the background; see console.operators.mail."""
        send = super().send_mail
        hand_over(lambda: send(template_prefix, email, context))

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the methods to re-authenticate with our labels; passkeys only where browsers support
        them.
        """
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not passkeys_work_on(self.request.get_host()):
            methods = [method for method in methods if method["id"] != "mfa_reauthenticate:webauthn"]
        return [method | {"description": CONFIRMATIONS[method["id"]]} for method in methods]

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Return the address of the profile."""
        return reverse("profile")

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        """Lift the locks of someone who reset their password, since they have proved that they read their
        email.
        """
        super()._delete_login_attempts_cached_email(request, **credentials)
        operator = _known_operator(credentials)
        if operator:
            locks.forget(locks.operator_key(operator))


def _typed(credentials: dict[str, Any]) -> str:
    return str(credentials.get("email") or credentials.get("username") or "").strip()


def _key(credentials: dict[str, Any], operator: Operator | None) -> str:
    """Return the lock key of an operator, the same for user name and email address; for an unknown name, the
    hashed input.
    """
    return locks.operator_key(operator) if operator else locks.login_key(_typed(credentials))


def _known_operator(credentials: dict[str, Any]) -> Operator | None:
    """Return the operator with the entered name, even if they may not sign in."""
    for user in filter_users_by_email(_typed(credentials)) if "@" in _typed(credentials) else ():
        if isinstance(user, Operator):
            return user
    operator = get_user_by_username(_typed(credentials))
    return operator if isinstance(operator, Operator) else None


def _seal() -> MultiFernet:
    """Return the ciphers for stored secrets, from the current key and former ones."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    derived = (
        HKDF(algorithm=SHA256(), length=32, salt=None, info=b"gatehouse second factors").derive(
            force_bytes(key)
        )
        for key in keys
    )
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in derived])


class MfaAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """MFA adapter: encrypts secrets of second factors in the database, and sets labels and rules."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": "Wrong code. Codes change every 30 seconds; enter the newest one.",
        "cannot_generate_recovery_codes": (
            "Add an authenticator app or a passkey first. Recovery codes replace one that is lost."
        ),
        "cannot_delete_authenticator": (
            "Your role needs a second factor. Add another one before you remove this one."
        ),
    }

    def encrypt(self, text: str) -> str:
        """Encrypt a secret."""
        return _seal().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a secret; raises an error if the installation's key was lost."""
        try:
            return _seal().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            raise RuntimeError(
                "A second factor was encrypted with another GATEHOUSE_SECRET_KEY. Its owner must set it up "
                "again."
            ) from None

    def build_totp_svg(self, url: str) -> str:
        """Return the QR code as one SVG path."""
        return svg_of(url)

    def get_totp_label(self, user: Any) -> str:
        """Return the account name in the authenticator app."""
        return str(user.email or user.username)

    def get_public_key_credential_user_entity(self, user: Any) -> dict[str, Any]:
        """Return what the browser shows for the passkey."""
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return entity | {"display_name": user.person.name if user.person else user.username}

    def generate_authenticator_name(self, user: Any, type: Any) -> str:
        """Return the default name of a new passkey."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count()
        return f"Key {number + 1}" if number else "My key"

    def _get_site_name(self) -> str:
        return "Gatehouse"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Return whether the second factor can be deleted; the last one can’t if one is required."""
        if not is_required_of(authenticator.user.person):
            return True
        others = Authenticator.objects.filter(
            user=authenticator.user, type__in=[Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]
        ).exclude(pk=authenticator.pk)
        return bool(others.exists())


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Single sign-on adapter: the provider identifies people, and Gatehouse decides who has access."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Return False: single sign-on creates no one."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Bind the identity, once, to the known active person with that verified address; refuse everyone
        else.
        """
        try:
            bindings.admit(request, sociallogin)
        except SignInFailedError as failure:
            page = failure_page(request, failure, provider=sociallogin.account.provider)
            raise ImmediateHttpResponse(page) from None
