"""A SAML identity provider that signs with its own certificates, and writes whatever a test wants it to."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.test import Client
from onelogin.saml2.utils import OneLogin_Saml2_Utils

IDP = "https://idp.example.com"
HERE = "https://gatehouse.example.com/sign-in/saml/company-saml"
HTTPS: dict[str, Any] = {"secure": True, "headers": {"host": "gatehouse.example.com"}}
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
SUBJECT_ID = "urn:oasis:names:tc:SAML:attribute:subject-id"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
ASSERTION_NAMESPACE = 'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
SAME = "same"


@cache
def keys(name: str = "idp") -> tuple[str, str]:
    """The key and certificate of that name, PEM; generated once in a test process."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(tz=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


def certificate_body(name: str) -> str:
    """The certificate as metadata has it."""
    return "".join(keys(name)[1].splitlines()[1:-1])


def metadata(*signing: str, encryption: tuple[str, ...] = (), entity_id: str = f"{IDP}/meta") -> str:
    """Metadata with the certificates of these names."""
    descriptors = "".join(
        f'<md:KeyDescriptor use="{use}"><ds:KeyInfo '
        'xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{certificate_body(name)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor>"
        for use, names in (("signing", signing), ("encryption", encryption))
        for name in names
    )
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{entity_id}">'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f'{descriptors}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{IDP}/sso"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )


@dataclass(frozen=True)
class Saml:
    """One response: right in every field unless a test says otherwise. None leaves something out."""

    request_id: str
    email: str | None = None
    name_id: str | None = "subject-1"
    name_id_format: str | None = PERSISTENT
    attributes: tuple[tuple[str, str], ...] = ()
    issuer: str = f"{IDP}/meta"
    audiences: tuple[str, ...] | None = (f"{HERE}/metadata/",)
    answers: str | None = SAME
    response_answers: str | None = SAME
    recipient: str | None = f"{HERE}/acs/"
    destination: str | None = f"{HERE}/acs/"
    minutes: int | None = 5
    status: str = SUCCESS
    signed_by: str | None = "idp"
    response_signed_by: str | None = None
    prolog: str = ""
    # Signature and digest; None are those of today.
    algorithms: tuple[str, str] | None = None

    def but(self, **fields: Any) -> Saml:
        return replace(self, **fields)

    def assertion(self) -> str:
        now = datetime.now(tz=UTC)
        values = [("email", self.email), *self.attributes] if self.email is not None else [*self.attributes]
        attributes = "".join(
            (
                "<saml:Attribute "
                f'Name="{name}"><saml:AttributeValue>{value}</saml:AttributeValue></saml:Attribute>'
            )
            for name, value in values
        )
        statement = f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement>" if attributes else ""
        form = f' Format="{self.name_id_format}"' if self.name_id_format else ""
        name_id = "" if self.name_id is None else f"<saml:NameID{form}>{self.name_id}</saml:NameID>"
        audiences = "".join(f"<saml:Audience>{each}</saml:Audience>" for each in self.audiences or ())
        restriction = (
            ""
            if self.audiences is None
            else f"<saml:AudienceRestriction>{audiences}</saml:AudienceRestriction>"
        )
        ends = None if self.minutes is None else stamp(now + timedelta(minutes=self.minutes))
        confirmation = _attributes(
            NotOnOrAfter=ends, Recipient=self.recipient, InResponseTo=self._answered(self.answers)
        )
        text = (
            f'<saml:Assertion {ASSERTION_NAMESPACE} ID="_a1" Version="2.0" IssueInstant="{stamp(now)}">'
            f"<saml:Issuer>{self.issuer}</saml:Issuer><saml:Subject>{name_id}"
            '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">'
            f"<saml:SubjectConfirmationData{confirmation}/></saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotBefore="{stamp(now - timedelta(minutes=5))}" '
            f'NotOnOrAfter="{stamp(now + timedelta(minutes=5))}">{restriction}</saml:Conditions>'
            f'<saml:AuthnStatement AuthnInstant="{stamp(now)}"><saml:AuthnContext><saml:AuthnContextClassRef>'
            "urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext>"
            f"</saml:AuthnStatement>{statement}</saml:Assertion>"
        )
        return _signed(text, self.signed_by, "<saml:Assertion", self.algorithms)

    def _answered(self, value: str | None) -> str | None:
        return self.request_id if value == SAME else value

    def xml(self) -> str:
        fields = _attributes(
            IssueInstant=stamp(datetime.now(tz=UTC)),
            Destination=self.destination,
            InResponseTo=self._answered(self.response_answers),
        )
        text = (
            '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r1" '
            f'Version="2.0"{fields}>'
            f"<saml:Issuer {ASSERTION_NAMESPACE}>{self.issuer}</saml:Issuer><samlp:Status>"
            f'<samlp:StatusCode Value="{self.status}"/></samlp:Status>{self.assertion()}</samlp:Response>'
        )
        return self.prolog + _signed(text, self.response_signed_by, "<samlp:Response")

    def packed(self) -> str:
        return packed(self.xml())


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def packed(xml: str) -> str:
    return base64.b64encode(xml.encode()).decode()


def _attributes(**fields: str | None) -> str:
    return "".join(f' {name}="{value}"' for name, value in fields.items() if value is not None)


def _signed(text: str, key_name: str | None, start: str, algorithms: tuple[str, str] | None = None) -> str:
    if key_name is None:
        return text
    signed: str = OneLogin_Saml2_Utils.add_sign(text, *keys(key_name), False, *(algorithms or ())).decode()
    return signed[signed.index(start) :]


def ask(client: Client) -> str:
    """Go to the identity provider; the ID of what was asked there."""
    there = client.post("/sign-in/saml/company-saml/login/?process=login", **HTTPS)
    assert there["Location"].startswith(f"{IDP}/sso?SAMLRequest="), there["Location"]
    request = parse_qs(urlsplit(there["Location"]).query)["SAMLRequest"][0]
    text = zlib.decompress(base64.b64decode(request), -15).decode()
    return text.split('ID="')[1].split('"')[0]


def come_back(client: Client, answer: str) -> Any:
    """The identity provider's page posts the answer; the page after the redirect."""
    posted = client.post("/sign-in/saml/company-saml/acs/", {"SAMLResponse": answer}, **HTTPS)
    assert posted.status_code == 302
    return client.get(posted["Location"], **HTTPS)
