"""Create a SAML provider, replace its metadata document, or delete it.

The mirror keeps every metadata document, so a former one can be restored. Private keys for decrypting
assertions are not handled: AWS never shows them.
"""

from __future__ import annotations

from iam.aws.reads.lists import get_saml_provider
from iam.aws.records import SamlProviderRecord
from iam.changes.operations.facts import state_of
from iam.changes.operations.lifecycle import account_quota, creation, removal
from iam.changes.operations.provider import CreateProvider, DeleteProvider, OnProvider, UpdateProvider
from iam.changes.operations.spec import HIGH, OperationSpec
from iam.changes.operations.subject import SubjectParams
from iam.changes.saml_metadata import provider_sentence, refusal_of
from iam.mirror.models import Document, Kind
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.pull.transform import inventory
from iam.mirror.pull.transform.principals import document_digest


class OnSaml(OnProvider):
    get = staticmethod(get_saml_provider)
    facts = ("metadata", "tags")

    def found_of(self, record: SamlProviderRecord) -> FoundEntity:
        """Store the document first, because the entity refers to it."""
        digest = document_digest(record.metadata)
        Document.objects.get_or_create(digest=digest, defaults={"text": record.metadata})
        return inventory.saml_provider(record, intern=document_digest)


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
