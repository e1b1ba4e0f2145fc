"""Single sign-on: configured by the environment, for known people only, each bound to one company
identity.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from console import env, single_sign_on
from console.operators.models import Operator
from iam.directory.models import Person, Role
from iam.journal.models import Entry
from tests import factories
from tests.console.operators.conftest import is_signed_in, sign_in
from tests.console.operators.issuer import Issuer, through

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.operators.single_sign_on_urls")]

OIDC = {
    "GATEHOUSE_OIDC_ISSUER": "https://login.example.com/realms/northline/",
    "GATEHOUSE_OIDC_CLIENT_ID": "gatehouse",
    "GATEHOUSE_OIDC_CLIENT_SECRET": "s3cret",
}


class TestSettings:
    """What the environment may say."""

    @pytest.fixture(autouse=True)
    def _nothing_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.set = lambda values: [monkeypatch.setenv(*pair) for pair in values.items()]

    def test_nothing_is_configured_by_default(self) -> None:
        assert single_sign_on.providers(embedded=False) == {}
        assert single_sign_on.form_targets({}) == []

    def test_an_issuer_is_configured_with_pkce(self) -> None:
        self.set(OIDC | {"GATEHOUSE_OIDC_NAME": "Northline"})
        providers = single_sign_on.providers(embedded=False)
        assert providers["openid_connect"]["OAUTH_PKCE_ENABLED"] is True
        app = providers["openid_connect"]["APPS"][0]
        assert (app["name"], app["client_id"], app["secret"]) == ("Northline", "gatehouse", "s3cret")
        assert app["settings"]["server_url"] == "https://login.example.com/realms/northline"
        assert single_sign_on.form_targets(providers) == ["https://login.example.com"]

    def test_the_secret_comes_from_a_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        file = tmp_path / "secret"
        file.write_text("from-a-file\n")
        self.set({k: v for k, v in OIDC.items() if not k.endswith("SECRET")})
        monkeypatch.setenv("GATEHOUSE_OIDC_CLIENT_SECRET_FILE", str(file))
        app = single_sign_on.providers(embedded=False)["openid_connect"]["APPS"][0]
        assert app["secret"] == "from-a-file"

    def test_further_hosts_of_the_sign_in_can_be_named(self) -> None:
        self.set(OIDC | {"GATEHOUSE_SSO_HOSTS": "mfa.example.com, http://localhost:9000"})
        providers = single_sign_on.providers(embedded=False)
        assert single_sign_on.form_targets(providers) == [
            "http://localhost:9000",
            "https://login.example.com",
            "https://mfa.example.com",
        ]

    @pytest.mark.parametrize(
        ("values", "complaint"),
        [
            ({"GATEHOUSE_OIDC_ISSUER": "https://x.example"}, "GATEHOUSE_OIDC_CLIENT_ID is not set"),
            (OIDC | {"GATEHOUSE_OIDC_ISSUER": "http://x.example"}, "must start with https://"),
            (OIDC | {"GATEHOUSE_OIDC_ISSUER": "https://"}, "names no host"),
            (OIDC | {"GATEHOUSE_OIDC_ISSUER": f"https://{'x' * 200}.example"}, "longer than 200"),
            (
                OIDC | {"GATEHOUSE_OIDC_ISSUER": "https://x.example/.well-known/openid-configuration"},
                "leave out",
            ),
            ({"GATEHOUSE_SAML_METADATA_URL": "https://x.example/m"}, "GATEHOUSE_SAML_ENTITY_ID is not set"),
            ({"GATEHOUSE_SAML_METADATA": "no xml"}, "isn’t valid SAML metadata"),
            ({"GATEHOUSE_SAML_METADATA": "<a/>"}, "names no identity provider"),
            (
                {"GATEHOUSE_SAML_METADATA": "<a/>", "GATEHOUSE_SAML_METADATA_URL": "https://x.example/m"},
                "keep one of them",
            ),
        ],
    )
    def test_a_mistake_is_named(self, values: dict[str, str], complaint: str) -> None:
        self.set(values)
        with pytest.raises(env.ConfigurationError, match=complaint):
            single_sign_on.providers(embedded=False)

    def test_saml_by_address(self) -> None:
        self.set(
            {
                "GATEHOUSE_SAML_METADATA_URL": "https://idp.example.com/metadata",
                "GATEHOUSE_SAML_ENTITY_ID": "urn:northline",
            }
        )
        providers = single_sign_on.providers(embedded=False)
        settings = providers["saml"]["APPS"][0]["settings"]
        assert settings["idp"] == {
            "metadata_url": "https://idp.example.com/metadata",
            "entity_id": "urn:northline",
        }
        assert settings["advanced"]["want_assertion_signed"] is True
        assert settings["advanced"]["reject_idp_initiated_sso"] is True
        assert single_sign_on.form_targets(providers) == ["https://idp.example.com"]


def test_a_known_person_comes_in_and_is_bound(client: Client, issuer: Issuer, kwame: Operator) -> None:
    assert "Continue with Northline" in client.get("/sign-in/").content.decode()
    response = through(client, issuer, sub="s-1", email=kwame.email.upper(), email_verified=True)
    assert response["Location"] == "/profile/"
    assert is_signed_in(client)
    assert SocialAccount.objects.get().user == kwame
    kinds = list(Entry.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["sign_in.linked", "sign_in.succeeded"]
    assert Entry.objects.get(kind="sign_in.succeeded").data == {"by": ["socialaccount"]}


def test_once_bound_the_subject_counts_and_not_the_address(
    client: Client, issuer: Issuer, kwame: Operator
) -> None:
    through(client, issuer, sub="s-1", email=kwame.email, email_verified=True)
    client.post("/sign-in/out/")
    through(client, issuer, sub="s-1", email="renamed@example.com", email_verified=True)
    assert is_signed_in(client)
    impostor = Client()
    response = through(impostor, issuer, sub="s-2", email=kwame.email, email_verified=True)
    assert response.status_code == 403
    assert "another company identity" in response.content.decode()
    assert not is_signed_in(impostor)
    assert Entry.objects.latest("id").data["reason"] == "other_identity"


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "stranger@example.com", "email_verified": True},
        {"email": "kwame.boateng@example.com", "email_verified": False},
        {"email": "kwame.boateng@example.com"},
        {},
    ],
)
def test_nobody_else_comes_in_and_nobody_is_created(
    client: Client, issuer: Issuer, kwame: Operator, claims: dict[str, Any]
) -> None:
    response = through(client, issuer, sub="s-1", **claims)
    assert response.status_code == 403
    assert "You don’t have access" in response.content.decode()
    assert not is_signed_in(client)
    assert (Operator.objects.count(), Person.objects.count()) == (1, 1)
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("bound", [True, False])
def test_a_deactivated_person_stays_out(client: Client, issuer: Issuer, kwame: Operator, bound: bool) -> None:
    claims = {"sub": "s-1", "email": kwame.email, "email_verified": True}
    if bound:
        through(Client(), issuer, **claims)
    Person.objects.filter(pk=kwame.person_id).update(is_active=False)
    response = through(client, issuer, **claims)
    assert response.status_code == 403
    assert not is_signed_in(client)


def test_an_enrolled_second_factor_is_asked_for_after_single_sign_on(
    client: Client, issuer: Issuer, kwame: Operator
) -> None:
    Authenticator.objects.create(user=kwame, type=Authenticator.Type.TOTP, data={"secret": "x"})
    response = through(client, issuer, sub="s-1", email=kwame.email, email_verified=True)
    assert response["Location"] == "/sign-in/factors/authenticate/"
    assert not is_signed_in(client)


def test_an_answer_that_nobody_asked_for_is_refused(client: Client, issuer: Issuer, kwame: Operator) -> None:
    issuer.claims = {"sub": "s-1", "email": kwame.email, "email_verified": True}
    there = client.post("/sign-in/oidc/company/login/?process=login")
    answer = issuer.authorize(there["Location"])
    other = Client()
    response = other.get("/sign-in/oidc/company/login/callback/", answer)
    assert "The sign-in failed" in response.content.decode()
    assert not is_signed_in(other)
    issuer.challenge = "of-another-browser"
    response = client.get("/sign-in/oidc/company/login/callback/", answer)
    assert "The sign-in failed" in response.content.decode()
    assert issuer.refusals == ["code_verifier"]
    assert Entry.objects.filter(kind="sign_in.failed", data_json__contains="single sign-on").count() == 2


def test_a_get_does_not_start_the_sign_in(client: Client, issuer: Issuer) -> None:
    response = client.get("/sign-in/oidc/company/login/")
    assert response.status_code == 200
    assert "You’ll continue to Northline" in response.content.decode()


def test_passwords_still_work_beside_it(client: Client, issuer: Issuer, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    assert is_signed_in(client)


def test_the_pages_from_which_people_leave_allow_the_providers_host() -> None:
    """Asked of a process that was started with an issuer: the policy is chosen once, at the start."""
    code = (
        "import django; django.setup(); from django.test import Client; "
        "from django.core.management import call_command; call_command('migrate', verbosity=0); "
        "print(*[Client().get(path)['Content-Security-Policy'] for path in "
        "('/sign-in/', '/sign-in/oidc/company/login/', '/sign-in/password/reset/')], sep='\\n')"
    )
    environment = (
        os.environ
        | OIDC
        | {
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "DATABASE_URL": "sqlite:///:memory:",
        }
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    sign_in_page, confirmation, reset = done.stdout.strip().splitlines()[-3:]
    assert "form-action 'self' https://login.example.com" in sign_in_page
    assert "form-action 'self' https://login.example.com" in confirmation
    assert "login.example.com" not in reset


def test_approvers_by_single_sign_on_need_a_factor_where_it_is_demanded(
    client: Client, issuer: Issuer, settings: Any
) -> None:
    settings.REQUIRE_MFA = True
    hana = factories.operator(Role.APPROVER, name="Hana Sato")
    through(client, issuer, sub="s-9", email=hana.email, email_verified=True)
    assert client.get("/profile/")["Location"].startswith("/sign-in/factors/")
