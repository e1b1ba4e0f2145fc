"""Single sign-on by SAML: assertions that the company's identity provider signed, for what was asked, and
nothing else.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from console import single_sign_on
from console.operators.models import Operator
from tests.console.operators.saml_provider import HTTPS, Saml, ask, come_back, metadata

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.console.operators.single_sign_on_urls")]


@pytest.fixture
def saml(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """SAML, configured by the metadata of the identity provider."""
    monkeypatch.setenv("GATEHOUSE_SAML_METADATA", metadata("idp"))
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(embedded=False)
    settings.ALLOWED_HOSTS = ["gatehouse.example.com"]


def test_a_known_person_comes_in_by_a_signed_assertion(client: Client, saml: None, kwame: Operator) -> None:
    response = come_back(client, Saml(ask(client), email=kwame.email).packed())
    assert response["Location"] == "/"
    assert client.get("/profile/", **HTTPS).status_code == 200
    assert SocialAccount.objects.get().uid == "subject-1"


def test_an_unknown_person_stays_out(client: Client, saml: None, kwame: Operator) -> None:
    response = come_back(client, Saml(ask(client), email="stranger@example.com").packed())
    assert response.status_code == 403
    assert Operator.objects.count() == 1


def test_an_unsigned_or_forged_or_unasked_assertion_is_refused(
    client: Client, saml: None, kwame: Operator
) -> None:
    signed = Saml(ask(client), email="someone-else@example.com").packed()
    altered = base64.b64encode(
        base64.b64decode(signed).replace(b"someone-else@example.com", kwame.email.encode())
    ).decode()
    for answer in (
        Saml(ask(client), email=kwame.email, signed_by=None).packed(),
        altered,
        Saml("_never-asked", email=kwame.email).packed(),
        "bm8geG1s",
    ):
        response = come_back(client, answer)
        page = response.content.decode()
        assert "The sign-in failed" in page or "You can’t do this" in page
        assert client.get("/profile/", **HTTPS).status_code == 302
    assert not SocialAccount.objects.exists()


def test_the_identity_provider_is_told_about_us(client: Client, saml: None) -> None:
    text = client.get("/sign-in/saml/company-saml/metadata/", **HTTPS).content.decode()
    assert "https://gatehouse.example.com/sign-in/saml/company-saml/acs/" in text
