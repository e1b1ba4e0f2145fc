"""Single sign-on by SAML: assertions that the company's identity provider signed, for what was asked, and nothing else."""

from __future__ import annotations

import base64
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.test import Client
from onelogin.saml2.utils import OneLogin_Saml2_Utils

from console import single_sign_on
from console.operators.models import Operator

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.operators.single_sign_on_urls")]

IDP = "https://idp.example.com"


@pytest.fixture(scope="module")
def idp_keys() -> tuple[str, str]:
    """The identity provider's key and certificate, PEM."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return (
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
    )


@pytest.fixture
def saml(settings: Any, idp_keys: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """SAML, configured by the metadata of the identity provider."""
    body = "".join(idp_keys[1].splitlines()[1:-1])
    monkeypatch.setenv(
        "GATEHOUSE_SAML_METADATA",
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{IDP}/meta">'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        '<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{IDP}/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>',
    )
    settings.SOCIALACCOUNT_PROVIDERS = single_sign_on.providers(embedded=False)
    settings.ALLOWED_HOSTS = ["gatehouse.example.com"]


def _assertion(request_id: str, *, email: str, subject: str = "subject-1") -> str:
    now = datetime.now(tz=UTC)
    stamp = lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: E731
    here = "https://gatehouse.example.com/sign-in/saml/company-saml"
    return (
        '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a1" Version="2.0" '
        f'IssueInstant="{stamp(now)}"><saml:Issuer>{IDP}/meta</saml:Issuer><saml:Subject>'
        f'<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">{subject}</saml:NameID>'
        '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData '
        f'NotOnOrAfter="{stamp(now + timedelta(minutes=5))}" Recipient="{here}/acs/" InResponseTo="{request_id}"/>'
        f'</saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{stamp(now - timedelta(minutes=5))}" '
        f'NotOnOrAfter="{stamp(now + timedelta(minutes=5))}"><saml:AudienceRestriction><saml:Audience>{here}/metadata/'
        "</saml:Audience></saml:AudienceRestriction></saml:Conditions>"
        f'<saml:AuthnStatement AuthnInstant="{stamp(now)}"><saml:AuthnContext><saml:AuthnContextClassRef>'
        "urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>"
        f'</saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="email"><saml:AttributeValue>{email}'
        "</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"
    )


def _answer(request_id: str, keys: tuple[str, str] | None, **fields: str) -> str:
    assertion = _assertion(request_id, **fields)
    if keys:
        assertion = OneLogin_Saml2_Utils.add_sign(assertion, *keys).decode()
        assertion = assertion[assertion.index("<saml:Assertion") :]
    now = datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    response = (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" Version="2.0" '
        f'IssueInstant="{now}" Destination="https://gatehouse.example.com/sign-in/saml/company-saml/acs/" '
        f'InResponseTo="{request_id}"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">{IDP}/meta'
        '</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>'
        f"</samlp:Status>{assertion}</samlp:Response>"
    )
    return base64.b64encode(response.encode()).decode()


HTTPS: dict[str, Any] = {"secure": True, "headers": {"host": "gatehouse.example.com"}}


def _ask(client: Client) -> str:
    """Go to the identity provider; the id of what was asked there."""
    there = client.post("/sign-in/saml/company-saml/login/?process=login", **HTTPS)
    assert there["Location"].startswith(f"{IDP}/sso?SAMLRequest=")
    packed = parse_qs(urlsplit(there["Location"]).query)["SAMLRequest"][0]
    text = zlib.decompress(base64.b64decode(packed), -15).decode()
    return text.split('ID="')[1].split('"')[0]


def _come_back(client: Client, answer: str) -> Any:
    posted = client.post("/sign-in/saml/company-saml/acs/", {"SAMLResponse": answer}, **HTTPS)
    assert posted.status_code == 302
    return client.get(posted["Location"], **HTTPS)


def test_a_known_person_comes_in_by_a_signed_assertion(
    client: Client, saml: None, kwame: Operator, idp_keys: tuple[str, str]
) -> None:
    response = _come_back(client, _answer(_ask(client), idp_keys, email=kwame.email))
    assert response["Location"] == "/"
    assert client.get("/profile/", **HTTPS).status_code == 200
    assert SocialAccount.objects.get().uid == "subject-1"


def test_an_unknown_person_stays_out(
    client: Client, saml: None, kwame: Operator, idp_keys: tuple[str, str]
) -> None:
    response = _come_back(client, _answer(_ask(client), idp_keys, email="stranger@example.com"))
    assert response.status_code == 403
    assert Operator.objects.count() == 1


def test_an_unsigned_or_forged_or_unasked_assertion_is_refused(
    client: Client, saml: None, kwame: Operator, idp_keys: tuple[str, str]
) -> None:
    signed = _answer(_ask(client), idp_keys, email="someone-else@example.com")
    altered = base64.b64encode(
        base64.b64decode(signed).replace(b"someone-else@example.com", kwame.email.encode())
    ).decode()
    for answer in (
        _answer(_ask(client), None, email=kwame.email),
        altered,
        _answer("_never-asked", idp_keys, email=kwame.email),
        "bm8geG1s",
    ):
        response = _come_back(client, answer)
        page = response.content.decode()
        assert "The sign-in failed" in page or "You can’t do this" in page
        assert client.get("/profile/", **HTTPS).status_code == 302
    assert not SocialAccount.objects.exists()


def test_the_identity_provider_is_told_about_us(client: Client, saml: None) -> None:
    text = client.get("/sign-in/saml/company-saml/metadata/", **HTTPS).content.decode()
    assert "https://gatehouse.example.com/sign-in/saml/company-saml/acs/" in text
