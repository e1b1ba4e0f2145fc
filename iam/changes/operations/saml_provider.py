"""Create a SAML provider, replace its metadata, or delete it; and parse its metadata document. Nothing in the
document is resolved or fetched.

The mirror keeps every metadata document, so a former one can be restored. Private keys for decrypting
assertions are not handled: AWS never shows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from iam.aws.reads.lists import get_saml_provider
from iam.aws.records import SamlProviderRecord
from iam.changes.operations.facts import state_of
from iam.changes.operations.lifecycle import account_quota, creation, removal
from iam.changes.operations.provider import CreateProvider, DeleteProvider, OnProvider, UpdateProvider
from iam.changes.operations.spec import HIGH, OperationSpec
from iam.changes.operations.subject import SubjectParams
from iam.mirror.models import Document, Kind
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.pull.transform import inventory
from iam.mirror.pull.transform.principals import document_digest

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


class OnSaml(OnProvider):
    get = staticmethod(get_saml_provider)
    facts = ("metadata", "tags")

    def found_of(self, record: SamlProviderRecord) -> FoundEntity:
        """Store the document first, because the entity refers to it."""
        digest = document_digest(record.metadata)
        Document.objects.get_or_create(digest=digest, defaults={"text": record.metadata})
        return inventory.saml_provider(record, intern=document_digest)


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


class NewSamlParams(SubjectParams):
    metadata: str
    tags: dict[str, str]


class CreateSamlProvider(OnSaml, CreateProvider):
    spec = creation(
        Kind.SAML_PROVIDER,
        state={"metadata": "metadata", "tags": "tags"},
        parameters={"Name": "name", "SAMLMetadataDocument": "metadata", "Tags": "tag_list?"},
        weight=HIGH,
        quota=account_quota("SAML providers", name="SAMLProvidersQuota", usual=100),
    )

    inputs: NewSamlParams

    def refusal(self) -> str:
        return refusal_of(self.inputs.metadata) or super().refusal()

    def notes(self) -> tuple[str, ...]:
        return *filter(None, [provider_sentence(self.inputs.metadata)]), *super().notes()


class MetadataParams(SubjectParams):
    metadata: str


class UpdateSamlProvider(OnSaml, UpdateProvider):
    spec = OperationSpec(
        slug="saml_provider.update",
        title="Replace metadata of SAML provider {name}",
        no_op="{name} already has this metadata.",
        counted=("Replace the metadata of", "SAML provider"),
        state={"metadata": "metadata"},
        call="UpdateSAMLProvider",
        parameters={"SAMLProviderArn": "arn", "SAMLMetadataDocument": "metadata"},
        sentence="Replaces the metadata of {name}. Gatehouse keeps the previous metadata",
        inverse="saml_provider.update",
        weight=HIGH,
    )

    inputs: MetadataParams

    def refusal(self) -> str:
        return refusal_of(self.inputs.metadata)

    def notes(self) -> tuple[str, ...]:
        """Also the identity providers in the new and the previous metadata."""
        subject = self.subject()
        state = state_of(subject) if subject else None
        former = provider_sentence(state.document.text) if state and state.document else ""
        notes = [provider_sentence(self.inputs.metadata)]
        if former:
            notes.append(f"Until then {former}")
        return *filter(None, notes), *super().notes()


class DeleteSamlProvider(OnSaml, DeleteProvider):
    spec = removal(
        CreateSamlProvider.spec,
        sentence="Deletes SAML provider {name}. Gatehouse keeps its metadata",
        weight=HIGH,
        undo_caveat=(
            "It is recreated with its metadata and tags. A private key for decrypting assertions and "
            "a link to IAM Identity Center can’t be restored."
        ),
    )

    def notes(self) -> tuple[str, ...]:
        """Also warn about a private key: AWS never returns it, and Gatehouse does not sync whether there is
        one.
        """
        lost = (
            "If AWS decrypts assertions for it, the private key for that is deleted too, and "
            "undoing can’t restore it."
        )
        return *super().notes(), lost
