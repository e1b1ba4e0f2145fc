"""Parses the metadata document of a SAML identity provider. Nothing in it is resolved or fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

LEAST: Final = 1000
MAX_LENGTH: Final = 500_000
"""The minimum and maximum length in characters; LEAST is AWS's minimum, and MAX_LENGTH is more than real
documents have.
"""
_NS: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_CERTIFICATE: Final = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"


@dataclass(frozen=True, slots=True)
class Metadata:
    """The identity provider's entity ID, its sign-in URLs, and its number of signing certificates."""

    entity_id: str
    addresses: tuple[str, ...]
    certificates: int


class UnfitError(ValueError):
    """The text is not the metadata of an identity provider; the message says why, for people."""


def read_metadata(text: str) -> Metadata:
    """Parse a metadata document. Raises UnfitError."""
    if len(text) < LEAST:
        raise UnfitError(f"The metadata has {len(text):,} characters. AWS requires at least {LEAST:,}.")
    if len(text) > MAX_LENGTH:
        raise UnfitError(f"The metadata has {len(text):,} characters. The limit is {MAX_LENGTH:,}.")
    # Metadata needs no entity or document type declarations, which are how XML attacks work.
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UnfitError("The metadata declares a document type, which Gatehouse doesn’t accept.")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314
    except (ElementTree.ParseError, ValueError) as error:
        raise UnfitError(f"The metadata isn’t valid XML: {error}.") from None
    return _found(root)


def _found(root: ElementTree.Element) -> Metadata:
    if root.tag != f"{_NS}EntityDescriptor":
        raise UnfitError(
            "The metadata isn’t a SAML 2.0 EntityDescriptor. Download it from the identity provider."
        )
    provider = root.find(f"{_NS}IDPSSODescriptor")
    if provider is None:
        raise UnfitError(
            "The metadata describes a service, not an identity provider: it has no IDPSSODescriptor."
        )
    certificates = sum(bool((element.text or "").strip()) for element in provider.iter(_CERTIFICATE))
    if not certificates:
        raise UnfitError("The metadata has no certificate to verify sign-ins with.")
    services = provider.findall(f"{_NS}SingleSignOnService")
    return Metadata(
        entity_id=root.get("entityID", ""),
        addresses=tuple(dict.fromkeys(element.get("Location", "") for element in services)),
        certificates=certificates,
    )


def refusal_of(metadata: str) -> str:
    """What is wrong with a metadata document, as a sentence; "" if nothing is."""
    try:
        read_metadata(metadata)
    except UnfitError as unfit:
        return str(unfit)
    return ""


def provider_sentence(metadata: str) -> str:
    """A sentence on the identity provider that a metadata document describes; empty if it can't be parsed."""
    try:
        document_read = read_metadata(metadata)
    except UnfitError:
        return ""
    where = f", at {document_read.addresses[0]}" if document_read.addresses else ""
    how = "1 certificate" if document_read.certificates == 1 else f"{document_read.certificates} certificates"
    return f"{document_read.entity_id} signs people in{where}. AWS verifies its sign-ins with {how}."
