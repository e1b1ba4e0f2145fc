"""No default text of the sign-in library reaches a reader: pages, messages, mails, errors and labels are
ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import allauth
import pytest
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core import mail
from django.template.loader import get_template
from django.test import Client
from django.urls import NoReverseMatch, reverse

from console.audit.entry_sentences import words_of
from console.operators.adapters import AccountAdapter, MfaAdapter
from console.operators.models import Operator
from iam.journal.models import Entry
from iam.journal.services import record
from tests.console.operators.conftest import PASSWORD, sign_in
from tests.console.operators.test_factors import enrol

SHIPPED = Path(allauth.__file__).parent / "templates"
OURS = Path(settings.BASE_DIR) / "templates"
# Templates of pages that Gatehouse has no address for, by the name of the address that would show them.
OF_MISSING_PAGES = {
    "account_email": (
        r"account/(email\.html|email_change\.html|messages/(cannot_delete|email_|primary_|unverified_).*)"
    ),
    "account_confirm_email": r"account/(email_confirm\.html|email/email_.*)",
    "account_email_verification_sent": (
        r"account/(verification_sent|verified_email_required|confirm_email_.*)\.html"
    ),
    "account_verify_phone": r"account/(confirm_phone.*|phone_change\.html|messages/phone_.*)",
    "account_request_login_code": (
        r"account/(request_login_code\.html|email/login_code.*|messages/login_code.*)"
    ),
    "account_confirm_login_code": r"account/confirm_login_code\.html",
    "account_confirm_password_reset_code": (
        r"account/(confirm_password_reset_code\.html|email/password_reset_code.*)"
    ),
    "account_signup": r"account/(signup\.html|email/(account_already_exists|unknown_account).*)",
    "account_signup_by_passkey": r"(account/signup_by_passkey|mfa/webauthn/signup_form)\.html",
    "mfa_signup_webauthn": r"mfa/webauthn/signup_form\.html",
    "mfa_trust": r"mfa/trust\.html",
    "socialaccount_connections": (
        r"socialaccount/(connections\.html|messages/.*|email/account_disconnected.*)"
    ),
    "socialaccount_signup": r"socialaccount/signup\.html",
    "usersessions_list": r"usersessions/.*",
}
# Parts that only the library's own pages include, each of which is replaced or has no address.
PARTS = re.compile(
    r"(account/snippets|socialaccount/snippets|mfa/webauthn/snippets)/.*|socialaccount/login_redirect\.html"
    r"|(account|mfa)/(\w+/)?base(_\w+)?\.html"
)


def _shipped() -> Iterator[str]:
    for folder in ("account", "mfa", "socialaccount"):
        for file in sorted((SHIPPED / folder).rglob("*.*")):
            yield file.relative_to(SHIPPED).as_posix()


def _has_text(source: str) -> bool:
    bare = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", "", source, flags=re.DOTALL)
    return bool(re.search(r"\w", bare)) or "trans" in source


@pytest.mark.parametrize("name", list(_shipped()))
def test_every_template_with_a_text_is_ours_or_has_no_address(name: str) -> None:
    origin = Path(get_template(name).origin.name)
    if origin.is_relative_to(OURS) or not _has_text((SHIPPED / name).read_text()):
        return
    if PARTS.fullmatch(name):
        including = [file for file in OURS.rglob("*.*") if name in file.read_text()]
        assert not including, f"{including} include {name}"
        return
    pages = [page for page, pattern in OF_MISSING_PAGES.items() if re.fullmatch(pattern, name)]
    assert pages, f"{name} can be shown in the words of the library"
    for page in pages:
        for arguments in ([], ["x"]):
            with pytest.raises(NoReverseMatch):
                reverse(page, args=arguments)


def test_the_redirecting_page_of_the_library_is_not_used() -> None:
    """It belongs to a view that ours replaced."""
    for name in ("openid_connect", "saml"):
        source = Path(str(import_module(f"console.operators.single_sign_on.{name}").__file__)).read_text()
        assert "OAuth2CallbackView" not in source


UNREACHABLE_ERRORS = {
    # Of sign-up, of changing one's address or phone, and of one-time codes by mail: there are no such pages.
    *("cannot_remove_primary_email", "duplicate_email", "phone_password_mismatch", "email_taken"),
    *("max_email_addresses", "phone_taken", "unknown_phone", "unverified_primary_email", "select_only_one"),
    *("username_blacklisted", "username_taken", "add_email_blocked", "unverified_email"),
}


@pytest.mark.parametrize(
    ("default", "ours"), [(DefaultAccountAdapter, AccountAdapter), (DefaultMFAAdapter, MfaAdapter)]
)
def test_every_error_that_can_occur_is_ours(default: Any, ours: Any) -> None:
    kept = {code for code, text in default.error_messages.items() if ours.error_messages[code] == text}
    assert kept <= UNREACHABLE_ERRORS


@pytest.fixture
def addressed(kwame: Operator) -> Operator:
    EmailAddress.objects.create(user=kwame, email=kwame.email, verified=True, primary=True)
    return kwame


@pytest.mark.django_db(transaction=True)
class TestInUse:
    """What people read when they change something, walked through."""

    def test_messages_and_mails_of_second_factors(self, client: Client, addressed: Operator) -> None:
        sign_in(client, addressed.email)
        from datetime import UTC, datetime

        enrol(client, when=datetime.now(tz=UTC))
        client.post("/sign-in/factors/recovery-codes/generate/")
        client.post("/sign-in/factors/totp/deactivate/")
        page = client.get("/profile/").content.decode()
        assert "The authenticator app is removed." in page
        subjects = [message.subject for message in mail.outbox]
        assert subjects == [
            "[Gatehouse] Authenticator app added",
            "[Gatehouse] New recovery codes",
            "[Gatehouse] Authenticator app removed",
        ]

    def test_mails_of_passwords(self, client: Client, addressed: Operator) -> None:
        sign_in(client, addressed.email)
        new = "another horse battery staple"
        form = {"oldpassword": PASSWORD, "password1": new, "password2": "different"}
        page = client.post("/sign-in/password/change/", form).content.decode()
        assert "The two passwords differ." in page
        client.post("/sign-in/password/change/", form | {"password2": new})
        assert mail.outbox[-1].subject == "[Gatehouse] Password changed"


@pytest.mark.django_db
class TestPasskeys:
    """A passkey is offered where there is one, and a removed one is called so."""

    HOST: dict[str, Any] = {"headers": {"host": "localhost"}}

    def _key(self, operator: Operator) -> Authenticator:
        return Authenticator.objects.create(user=operator, type="webauthn", data={"name": "My key"})

    def test_the_sign_in_page_offers_none_where_nobody_has_one(self, client: Client, kwame: Operator) -> None:
        assert "Use a passkey" not in client.get("/sign-in/", **self.HOST).content.decode()
        self._key(kwame)
        assert "Use a passkey" in client.get("/sign-in/", **self.HOST).content.decode()

    def test_the_second_step_offers_what_the_person_has(self, client: Client, kwame: Operator) -> None:
        Authenticator.objects.create(user=kwame, type="totp", data={"secret": "x"})
        sign_in(client, kwame.email, **self.HOST)
        page = client.get("/sign-in/factors/authenticate/", **self.HOST).content.decode()
        assert "Enter the code of your authenticator app." in page
        assert "passkey" not in page

    def test_a_removed_passkey_is_called_so(self, client: Client, kwame: Operator) -> None:
        Authenticator.objects.create(user=kwame, type="totp", data={"secret": "x"})
        sign_in(client, kwame.email, **self.HOST)
        client.get("/sign-in/factors/authenticate/", **self.HOST)
        answer = (
            '{"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {"clientDataJSON": '
            '"eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFBQSIs'
            'Im9yaWdpbiI6Imh0dHBzOi8vZXhhbXBsZS5jb20ifQ", '
            '"authenticatorData": "' + "A" * 43 + 'BAAAAAQ", "signature": "AA"}}'
        )
        page = client.post(
            "/sign-in/factors/authenticate/", {"credential": answer}, **self.HOST
        ).content.decode()
        assert "This passkey isn’t registered with Gatehouse." in page
        assert "code" not in page.partition("isn’t registered")[2].partition("</")[0]
        entry = Entry.objects.filter(kind="sign_in.failed").latest("id")
        assert words_of(entry) == (
            f"A sign-in failed (passkey), {kwame.email}: The passkey isn’t registered, or was removed."
        )


@pytest.mark.django_db
def test_second_factors_have_the_names_that_people_use(
    client: Client, ines: Operator, kwame: Operator
) -> None:
    for type_ in ("totp", "webauthn", "recovery_codes"):
        Authenticator.objects.create(user=kwame, type=type_, data={"name": "x", "secret": "x"})
        record(kind="factor.add", actor=kwame.person, data={"type": type_})
        record(kind="sign_in.succeeded", actor=kwame.person, data={"by": ["socialaccount", type_]})
    client.force_login(ines)
    page = client.get(f"/operators/{kwame.person_id}/").content.decode()
    assert "Authenticator app, Passkey" in page
    client.force_login(kwame)
    pages = page + client.get("/profile/").content.decode()
    sentences = " ".join(words_of(entry) for entry in Entry.objects.all())
    assert "Kwame Boateng signed in (single sign-on and passkey)" in sentences
    for word in ("socialaccount", "WebAuthn", "webauthn", "totp", "TOTP Authenticator"):
        assert word not in sentences
        assert f">{word}" not in pages


@pytest.mark.django_db
class TestCauses:
    """The journal says why somebody was not let in."""

    def test_of_passwords(self, client: Client, kwame: Operator) -> None:
        sign_in(client, kwame.email, "wrong")
        sign_in(client, "nobody@example.com", "wrong")
        reasons = [entry.data["reason"] for entry in Entry.objects.filter(kind="sign_in.failed")]
        assert sorted(reasons) == ["unknown", "wrong_password"]
        assert all(entry.data["cause"] for entry in Entry.objects.filter(kind="sign_in.failed"))

    def test_while_locked(self, client: Client, kwame: Operator) -> None:
        for _ in range(settings.LOCK_FAILURES):
            sign_in(client, kwame.email, "wrong")
        sign_in(client, kwame.email)
        assert Entry.objects.filter(kind="sign_in.failed").latest("id").data["reason"] == "locked"
