"""Reads single sign-on settings from the environment: one OpenID Connect issuer, one SAML identity provider,
or both.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_der_x509_certificate

from console import env

OIDC_ID = "company"
SAML_ID = "company-saml"
# Length of the column that stores the issuer or entity ID with each person's link to the provider.
MAX_KEY_LENGTH = 200


def providers(*, embedded: bool) -> dict[str, Any]:
    """Return allauth's SOCIALACCOUNT_PROVIDERS; empty if nothing is configured."""
    context: dict[str, Any] = {}
    if oidc := _oidc(embedded=embedded):
        # Our own provider always uses PKCE; this setting is what allauth's provider would read.
        context["openid_connect"] = {"OAUTH_PKCE_ENABLED": True, "APPS": [oidc]}
    if saml := _saml(embedded=embedded):
        context["saml"] = {"APPS": [saml]}
    return context


def form_targets(configured: dict[str, Any]) -> list[str]:
    """Return the origins to which the sign-in form may redirect, since Chromium checks the redirects after a
    POST against form-action.
    """
    origins = [_origin(address) for address in env.word_list("GATEHOUSE_SSO_HOSTS")]
    for app in configured.get("openid_connect", {}).get("APPS", []):
        origins.append(_origin(app["settings"]["server_url"]))
    for app in configured.get("saml", {}).get("APPS", []):
        idp = app["settings"]["idp"]
        origins.append(_origin(idp.get("sso_url") or idp["metadata_url"]))
    return sorted(set(origins))


def _oidc(*, embedded: bool) -> dict[str, Any] | None:
    issuer = env.text("GATEHOUSE_OIDC_ISSUER", "")
    if not issuer:
        return None
    _address("GATEHOUSE_OIDC_ISSUER", issuer, embedded=embedded)
    _key("GATEHOUSE_OIDC_ISSUER", issuer)
    if "/.well-known/" in issuer:
        raise env.ConfigurationError(
            "GATEHOUSE_OIDC_ISSUER names a discovery document: leave out /.well-known/ and what follows it."
        )
    return {
        "provider_id": OIDC_ID,
        "name": env.text("GATEHOUSE_OIDC_NAME", "company sign-in"),
        "client_id": env.text(
            "GATEHOUSE_OIDC_CLIENT_ID", why="Set the client ID from the identity provider."
        ),
        "secret": env.text(
            "GATEHOUSE_OIDC_CLIENT_SECRET",
            why="Set the client secret from the identity provider.",
        ),
        "settings": {"server_url": issuer.rstrip("/")},
    }


def _saml(*, embedded: bool) -> dict[str, Any] | None:
    address = env.text("GATEHOUSE_SAML_METADATA_URL", "")
    metadata = env.text("GATEHOUSE_SAML_METADATA", "")
    if not address and not metadata:
        return None
    if address and metadata:
        raise env.ConfigurationError(
            "Both GATEHOUSE_SAML_METADATA_URL and GATEHOUSE_SAML_METADATA_FILE are set: keep one of them."
        )
    return {
        # allauth compares the identity provider's own entity ID with this ID.
        "provider_id": SAML_ID,
        "client_id": SAML_ID,
        "name": env.text("GATEHOUSE_SAML_NAME", "company sign-in"),
        "settings": {
            "idp": _idp_by_address(address, embedded=embedded) if address else _idp_by_metadata(metadata),
            "attribute_mapping": {
                "uid": env.text("GATEHOUSE_SAML_UID", "urn:oasis:names:tc:SAML:attribute:subject-id"),
                "email": [
                    env.text("GATEHOUSE_SAML_EMAIL", "email"),
                    "mail",
                    "urn:oid:0.9.2342.19200300.100.1.3",
                    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
                ],
            },
            # Our own provider always requires these; the settings are what allauth's provider would read.
            "advanced": {
                "strict": True,
                "want_assertion_signed": True,
                "reject_deprecated_algorithm": True,
                "reject_idp_initiated_sso": True,
                "want_attribute_statement": False,
            },
        },
    }


def _idp_by_address(address: str, *, embedded: bool) -> dict[str, Any]:
    _address("GATEHOUSE_SAML_METADATA_URL", address, embedded=embedded)
    entity_id = env.text(
        "GATEHOUSE_SAML_ENTITY_ID", why="Set the entity ID of the identity provider in that metadata."
    )
    return {"metadata_url": address, "entity_id": _key("GATEHOUSE_SAML_ENTITY_ID", entity_id)}


def _idp_by_metadata(text: str) -> dict[str, Any]:
    try:
        idp = identity_provider(text.encode(), entity_id=env.text("GATEHOUSE_SAML_ENTITY_ID", ""))
    except UnusableMetadataError as error:
        raise env.ConfigurationError(f"GATEHOUSE_SAML_METADATA_FILE is unusable: {error}.") from None
    _key("The entity ID in GATEHOUSE_SAML_METADATA_FILE", idp["entity_id"])
    return idp


def shortest_rsa_key() -> int:
    """Return the minimum length in bits of a provider's RSA key: 2,048 is what providers use, and 3,072 is as
    strong as AES-128.
    """
    return env.number("GATEHOUSE_SSO_RSA_BITS", 2048, low=2048, high=8192)


class UnusableMetadataError(ValueError):
    """The SAML metadata doesn’t describe an identity provider that can be used to sign in; the message says
    why.
    """


def identity_provider(metadata: bytes, *, entity_id: str = "") -> dict[str, Any]:
    """Parse SAML metadata into `entity_id`, `sso_url` and `certificates` of an identity provider.

    The certificates are all signing certificates in base64 DER: two while keys are rotated. `entity_id`
    selects a provider if the metadata has several. Raises UnusableMetadataError.
    """
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser

    try:
        parsed = OneLogin_Saml2_IdPMetadataParser.parse(metadata, entity_id=entity_id or None)
    except Exception:  # noqa: BLE001 - the parser raises whatever its XML library raises
        raise UnusableMetadataError("it isn’t valid SAML metadata") from None
    idp = parsed.get("idp") or {}
    address = (idp.get("singleSignOnService") or {}).get("url")
    certificates = _signing_certificates(metadata, idp.get("entityId", ""))
    if not (idp.get("entityId") and address and certificates):
        raise UnusableMetadataError(
            "it names no identity provider with a sign-on address (HTTP-Redirect) and a signing certificate"
        )
    for certificate in certificates:
        _check_certificate(certificate)
    return {"entity_id": idp["entityId"], "sso_url": address, "certificates": certificates}


def _signing_certificates(metadata: bytes, entity_id: str) -> list[str]:
    """Return the signing certificates of the first identity provider with this entity ID.

    The parser also returns certificates that are only for encryption.
    """
    from onelogin.saml2.constants import OneLogin_Saml2_Constants
    from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

    certificates: dict[str, None] = {}
    for entity in OneLogin_Saml2_XML.query(OneLogin_Saml2_XML.to_etree(metadata), "//md:EntityDescriptor"):
        if entity.get("entityID") != entity_id:
            continue
        path = "md:IDPSSODescriptor/md:KeyDescriptor"
        for descriptor in entity.findall(path, namespaces=OneLogin_Saml2_Constants.NSMAP):
            if descriptor.get("use", "signing") != "signing":
                continue
            for node in descriptor.iterfind(
                ".//ds:X509Certificate", namespaces=OneLogin_Saml2_Constants.NSMAP
            ):
                certificates["".join((node.text or "").split())] = None
        break
    return [certificate for certificate in certificates if certificate]


def _check_certificate(text: str) -> None:
    try:
        key = load_der_x509_certificate(base64.b64decode(text, validate=True)).public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise UnusableMetadataError("one of its signing certificates can’t be read") from None
    bits = shortest_rsa_key()
    if isinstance(key, RSAPublicKey) and key.key_size < bits:
        raise UnusableMetadataError(
            f"a signing certificate has an RSA key of {key.key_size:,} bits, and {bits:,} are needed"
        )


def _key(name: str, value: str) -> str:
    """Return the ID of a provider that is stored with people's links; raise an error if it is too long."""
    if len(value) > MAX_KEY_LENGTH:
        raise env.ConfigurationError(f"{name} is longer than {MAX_KEY_LENGTH} characters.")
    return value


def _address(name: str, value: str, *, embedded: bool) -> None:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (embedded and parts.scheme == "http"):
        raise env.ConfigurationError(f"{name} is {value!r}: it must start with https://.")
    if not parts.hostname:
        raise env.ConfigurationError(f"{name} is {value!r}: it names no host.")


def _origin(address: str) -> str:
    with_scheme = address if "://" in address else f"https://{address}"
    parts = urlsplit(with_scheme)
    return f"{parts.scheme}://{parts.netloc}"
