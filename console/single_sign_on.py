"""Single sign-on as the environment describes it: one OpenID Connect issuer, one SAML identity provider, or both."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from console import env

OIDC_ID = "company"
SAML_ID = "company-saml"


def providers(*, embedded: bool) -> dict[str, Any]:
    """What allauth reads as SOCIALACCOUNT_PROVIDERS; empty when nothing is configured."""
    found: dict[str, Any] = {}
    if oidc := _oidc(embedded=embedded):
        found["openid_connect"] = {"OAUTH_PKCE_ENABLED": True, "APPS": [oidc]}
    if saml := _saml(embedded=embedded):
        found["saml"] = {"APPS": [saml]}
    return found


def form_targets(configured: dict[str, Any]) -> list[str]:
    """Origins to which the sign-in form may lead: Chromium checks the redirects that follow a POST against form-action."""
    origins = [_origin(address) for address in env.words("GATEHOUSE_SSO_HOSTS")]
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
        "settings": {"server_url": issuer.rstrip("/"), "fetch_userinfo": True},
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
        # allauth matches what the identity provider says of itself with this id.
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
            "advanced": {
                "strict": True,
                "want_assertion_signed": True,
                "reject_deprecated_algorithm": True,
                "reject_idp_initiated_sso": True,
                "want_attribute_statement": False,
            },
        },
    }


def _idp_by_address(address: str, *, embedded: bool) -> dict[str, str]:
    _address("GATEHOUSE_SAML_METADATA_URL", address, embedded=embedded)
    return {
        "metadata_url": address,
        "entity_id": env.text(
            "GATEHOUSE_SAML_ENTITY_ID", why="Set the entity ID of the identity provider in that metadata."
        ),
    }


def _idp_by_metadata(text: str) -> dict[str, str]:
    from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
    from onelogin.saml2.xml_utils import OneLogin_Saml2_XML

    try:
        OneLogin_Saml2_XML.to_etree(text.encode())
        idp = OneLogin_Saml2_IdPMetadataParser.parse(text.encode()).get("idp") or {}
    except Exception as error:  # noqa: BLE001 - the parser raises whatever its XML library raises
        raise env.ConfigurationError(
            f"GATEHOUSE_SAML_METADATA_FILE isn’t valid SAML metadata: {error}."
        ) from None
    certificate = idp.get("x509cert") or next(
        iter((idp.get("x509certMulti") or {}).get("signing") or []), None
    )
    if not (idp.get("entityId") and idp.get("singleSignOnService", {}).get("url") and certificate):
        raise env.ConfigurationError(
            "GATEHOUSE_SAML_METADATA_FILE names no identity provider with a sign-on address and a certificate."
        )
    return {
        "entity_id": idp["entityId"],
        "sso_url": idp["singleSignOnService"]["url"],
        "x509cert": certificate,
    }


def _address(name: str, value: str, *, embedded: bool) -> None:
    parts = urlsplit(value)
    if parts.scheme != "https" and not (embedded and parts.scheme == "http"):
        raise env.ConfigurationError(f"{name} is {value!r}: it must start with https://.")
    if not parts.hostname:
        raise env.ConfigurationError(f"{name} is {value!r}: it names no host.")


def _origin(address: str) -> str:
    parts = urlsplit(address if "://" in address else f"https://{address}")
    return f"{parts.scheme}://{parts.netloc}"
