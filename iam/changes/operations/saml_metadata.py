"""A SAML metadata document: whether it can be one, and whom it speaks of. Nothing of it is resolved or
fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

LEAST: Final = 1000
MAX_LENGTH: Final = 500_000
"""Characters. AWS takes no shorter one, and longer ones than people have."""
_NS: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_CERTIFICATE: Final = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"


@dataclass(frozen=True, slots=True)
class Metadata:
    """Who signs people in, at which addresses, and how many certificates they sign with."""

    entity_id: str
    addresses: tuple[str, ...]
    certificates: int


class UnfitError(ValueError):
    """It is no metadata document of an identity provider; the message says why, for a person."""


def read(text: str) -> Metadata:
    """What the document says. Raises UnfitError."""
    if len(text) < LEAST:
        raise UnfitError(f"The metadata has {len(text):,} characters. AWS requires at least {LEAST:,}.")
    if len(text) > MAX_LENGTH:
        raise UnfitError(f"The metadata has {len(text):,} characters. The limit is {MAX_LENGTH:,}.")
    # Declarations of entities and document types have no place in metadata, and are how XML does harm.
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
