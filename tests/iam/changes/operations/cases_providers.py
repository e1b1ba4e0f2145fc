"""Identity providers and server certificates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from iam.aws.reads import lists
from iam.changes.operations import Operation
from iam.changes.operations.oidc_provider import (
    ADD_CLIENT_ID,
    REMOVE_CLIENT_ID,
    Client,
    CreateOidcProvider,
    DeleteOidcProvider,
    SetThumbprints,
)
from iam.changes.operations.saml_provider import CreateSamlProvider, DeleteSamlProvider, UpdateSamlProvider
from iam.changes.operations.server_certificate import (
    PURPOSE,
    DeleteServerCertificate,
    UpdateServerCertificate,
    UploadServerCertificate,
)
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.documents import PolicyDocuments
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.pull.transform import inventory
from iam.mirror.refresh import reread_listed
from iam.sealed import services as sealed
from tests.iam.changes.operations.key_pairs import certificate, private_key
from tests.iam.changes.operations.stage import Stage, shown_or_none
from tests.iam.changes.operations.table import Case, nothing

TAGS = [{"Key": "team", "Value": "web"}]
OLD_PRINT, NEW_PRINT = "a" * 40, "b" * 40


def metadata(number: int) -> str:
    """What an identity provider gives out; AWS takes no less than 1,000 characters."""
    body = "".join(certificate(number).splitlines()[1:-1])
    return (
        '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'entityID="https://idp-{number}.example/">'
        '<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><KeyDescriptor '
        'use="signing">'
        '<KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><X509Data>'
        f"<X509Certificate>{body}</X509Certificate></X509Data></KeyInfo></KeyDescriptor>"
        '<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="https://idp-{number}.example/sso"/></IDPSSODescriptor></EntityDescriptor>'
    )


def read(stage: Stage, kind: Kind, aws_entity: FoundEntity) -> Entity:
    """Have the mirror read one."""
    entity = reread_listed(
        stage.account,
        kind=kind.value,
        name=aws_entity.name,
        aws_id=aws_entity.aws_id,
        aws_entity=aws_entity,
        at=datetime.now(tz=UTC),
        cause_id=None,
    )
    assert entity is not None
    return entity


def saml(stage: Stage, number: int = 1) -> Entity:
    """A SAML provider."""
    made = stage.iam.create_saml_provider(
        Name=stage.name("idp"), SAMLMetadataDocument=metadata(number), Tags=TAGS
    )
    stage.keep["arn"] = made["SAMLProviderArn"]
    documents = PolicyDocuments()
    record = lists.get_saml_provider(stage.scene.aws, arn=stage.keep["arn"])
    saml_provider = inventory.saml_provider(record, intern=documents.intern)
    documents.flush()
    return read(stage, Kind.SAML_PROVIDER, saml_provider)


def saml_shown(stage: Stage) -> Any:
    """A SAML provider: its metadata and tags."""
    answer = shown_or_none(stage.iam.get_saml_provider, SAMLProviderArn=stage.keep["arn"])
    return answer and (answer["SAMLMetadataDocument"], answer.get("Tags"))


def new_saml(stage: Stage) -> Operation:
    """One that is made."""
    operation = CreateSamlProvider.of(
        stage.account, name=stage.name("idp"), metadata=metadata(1), tags={"team": "web"}
    )
    stage.keep["arn"] = operation.arn
    return operation


def other_saml(stage: Stage) -> Operation:
    """One that gets other metadata."""
    return UpdateSamlProvider.of(saml(stage), metadata=metadata(2))


def doomed_saml(stage: Stage) -> Operation:
    """One that goes."""
    return DeleteSamlProvider.of(saml(stage))


def saml_by_hand(stage: Stage) -> None:
    """Somebody makes one of the name."""
    stage.iam.create_saml_provider(
        Name=stage.keep["arn"].rpartition("/")[2], SAMLMetadataDocument=metadata(3)
    )


def metadata_by_hand(stage: Stage) -> None:
    """Somebody gives it third metadata."""
    stage.iam.update_saml_provider(SAMLProviderArn=stage.keep["arn"], SAMLMetadataDocument=metadata(3))


def oidc(stage: Stage) -> Entity:
    """An OIDC provider with two audiences."""
    made = stage.iam.create_open_id_connect_provider(
        Url=f"https://{stage.name('oidc')}.example/id",
        ClientIDList=["console", "deploy"],
        ThumbprintList=[OLD_PRINT],
        Tags=TAGS,
    )
    stage.keep["arn"] = made["OpenIDConnectProviderArn"]
    record = lists.get_oidc_provider(stage.scene.aws, arn=stage.keep["arn"])
    return read(stage, Kind.OIDC_PROVIDER, inventory.oidc_provider(record))


def oidc_shown(stage: Stage) -> Any:
    """An OIDC provider: its audiences, thumbprints and tags."""
    arn = stage.keep["arn"]
    answer = shown_or_none(stage.iam.get_open_id_connect_provider, OpenIDConnectProviderArn=arn)
    return answer and (sorted(answer["ClientIDList"]), sorted(answer["ThumbprintList"]), answer.get("Tags"))


def new_oidc(stage: Stage) -> Operation:
    """One that is made."""
    operation = CreateOidcProvider.of(
        stage.account,
        url=f"https://{stage.name('oidc')}.example/id",
        clients=["deploy", "console"],
        thumbprints=[OLD_PRINT.upper()],
        tags={"team": "web"},
    )
    stage.keep["arn"] = operation.arn
    return operation


def oidc_made(stage: Stage, before: Any) -> Any:
    """What was asked for."""
    return (["console", "deploy"], [OLD_PRINT], TAGS)


def client_by_hand(stage: Stage) -> None:
    """Somebody adds an audience."""
    stage.iam.add_client_id_to_open_id_connect_provider(
        OpenIDConnectProviderArn=stage.keep["arn"], ClientID="by-hand"
    )


def oidc_by_hand(stage: Stage) -> None:
    """Somebody makes one of the address, with an audience of their own."""
    stage.iam.create_open_id_connect_provider(
        Url=f"https://{stage.keep['arn'].partition('oidc-provider/')[2]}",
        ClientIDList=["by-hand"],
        ThumbprintList=[OLD_PRINT],
    )


def oidc_goes_by_hand(stage: Stage) -> None:
    """Somebody deletes it."""
    stage.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=stage.keep["arn"])


def prints_by_hand(stage: Stage) -> None:
    """Somebody sets other thumbprints."""
    stage.iam.update_open_id_connect_provider_thumbprint(
        OpenIDConnectProviderArn=stage.keep["arn"], ThumbprintList=["c" * 40]
    )


def uploaded(stage: Stage) -> Entity:
    """A server certificate."""
    name = stage.name("tls")
    stage.iam.upload_server_certificate(
        ServerCertificateName=name, Path="/web/", CertificateBody=certificate(1), PrivateKey=private_key(1)
    )
    stage.keep.update(name=name, new=stage.name("tls"))
    record = lists.get_server_certificate(stage.scene.aws, name=name)
    return read(stage, Kind.SERVER_CERTIFICATE, inventory.server_certificate(record))


def certificate_shown(stage: Stage) -> Any:
    """A server certificate under either name."""
    for name in (stage.keep["name"], stage.keep.get("new", "")):
        certificate = (
            shown_or_none(stage.iam.get_server_certificate, ServerCertificateName=name) if name else None
        )
        if certificate:
            server_certificate = certificate["ServerCertificate"]
            about = server_certificate["ServerCertificateMetadata"]
            return (
                about["ServerCertificateName"],
                about["Path"],
                server_certificate["CertificateBody"],
                server_certificate.get("Tags"),
            )
    return None


def new_certificate(stage: Stage) -> Operation:
    """One that is uploaded, its key sealed."""
    name = stage.keep["name"] = stage.name("tls")
    key = sealed.seal(
        private_key(1),
        for_person=None,
        purpose=PURPOSE,
        ttl=timedelta(days=1),
        is_held=True,
        secret_id=uuid4(),
    )
    return UploadServerCertificate.of(
        stage.account, name=name, body=certificate(1), sealed_id=key, path="/web/", tags={"team": "web"}
    )


def was_uploaded(stage: Stage, before: Any) -> Any:
    """What was asked for."""
    return (stage.keep["name"], "/web/", certificate(1).rstrip(), TAGS)


def renamed(stage: Stage, before: Any) -> Any:
    """Elsewhere, and else the same."""
    return (stage.keep["new"], "/old/", *before[2:])


def upload_by_hand(stage: Stage) -> None:
    """Somebody uploads another of the name."""
    stage.iam.upload_server_certificate(
        ServerCertificateName=stage.keep["name"], CertificateBody=certificate(2), PrivateKey=private_key(2)
    )


def move_by_hand(stage: Stage) -> None:
    """Somebody moves it elsewhere."""
    stage.iam.update_server_certificate(ServerCertificateName=stage.keep["name"], NewPath="/third/")


CASES = (
    Case(
        "saml_provider.create",
        new_saml,
        saml_shown,
        after=lambda s, b: (metadata(1), TAGS),
        meddle=saml_by_hand,
    ),
    Case(
        "saml_provider.update",
        other_saml,
        saml_shown,
        after=lambda s, b: (metadata(2), b[1]),
        meddle=metadata_by_hand,
    ),
    Case("saml_provider.delete", doomed_saml, saml_shown, after=nothing, meddle=metadata_by_hand),
    Case("oidc_provider.create", new_oidc, oidc_shown, after=oidc_made, meddle=oidc_by_hand),
    Case(
        "oidc_provider.delete",
        lambda s: DeleteOidcProvider.of(oidc(s)),
        oidc_shown,
        after=nothing,
        meddle=client_by_hand,
    ),
    Case(
        "oidc_provider.add_client_id",
        lambda s: Client.of(ADD_CLIENT_ID, oidc(s), client="more"),
        oidc_shown,
        after=lambda s, b: ([*b[0], "more"], *b[1:]),
        meddle=oidc_goes_by_hand,
    ),
    Case(
        "oidc_provider.remove_client_id",
        lambda s: Client.of(REMOVE_CLIENT_ID, oidc(s), client="deploy"),
        oidc_shown,
        after=lambda s, b: (["console"], *b[1:]),
        meddle=oidc_goes_by_hand,
    ),
    Case(
        "oidc_provider.set_thumbprints",
        lambda s: SetThumbprints.of(oidc(s), thumbprints=[NEW_PRINT]),
        oidc_shown,
        after=lambda s, b: (b[0], [NEW_PRINT], b[2]),
        meddle=prints_by_hand,
    ),
    Case(
        "server_certificate.upload",
        new_certificate,
        certificate_shown,
        after=was_uploaded,
        meddle=upload_by_hand,
    ),
    Case(
        "server_certificate.update",
        lambda s: UpdateServerCertificate.of(uploaded(s), new_name=s.keep["new"], new_path="/old/"),
        certificate_shown,
        after=renamed,
        meddle=move_by_hand,
    ),
    Case(
        "server_certificate.delete",
        lambda s: DeleteServerCertificate.of(uploaded(s)),
        certificate_shown,
        after=nothing,
        is_reversible=False,
        meddle=move_by_hand,
    ),
)
