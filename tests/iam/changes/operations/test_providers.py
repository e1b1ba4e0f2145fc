"""What is refused and told of identity providers and server certificates, and that no private key stays
anywhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps

from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.oidc_provider import ADD_CLIENT_ID, Client, CreateOidcProvider, SetThumbprints
from iam.changes.operations.saml_provider import CreateSamlProvider, DeleteSamlProvider, UpdateSamlProvider
from iam.changes.operations.server_certificate import DeleteServerCertificate
from iam.changes.services import reject
from iam.changes.services.certificates import NewCertificate, request_upload
from iam.changes.services.plans import examine
from iam.mirror.models import Account, Document, Entity, Kind
from iam.sealed.models import Secret, SecretState
from tests import factories
from tests.iam.changes.conftest import Scene
from tests.iam.changes.operations.cases_providers import certificate_shown, metadata, uploaded
from tests.iam.changes.operations.key_pairs import certificate, private_key
from tests.iam.changes.operations.stage import Stage, applied


@pytest.fixture
def account(db: None) -> Account:
    """An account that nothing reaches: planning does not call AWS."""
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/writer")


def provider(account: Account, kind: Kind, **fields: Any) -> Entity:
    """A provider of the mirror, which is known by its ARN."""
    made = factories.entity(account, kind, "Okta", **fields)
    Entity.objects.filter(pk=made.pk).update(aws_id=made.arn)
    made.refresh_from_db()
    return made


def why_not(operation: Operation) -> str:
    """The words by which it is refused."""
    with pytest.raises(RefusedError) as refused:
        examine(operation)
    return refused.value.message


def padded(text: str) -> str:
    """As long as AWS wants it."""
    return text + f"<!--{'x' * 1000}-->"


SP_ONLY = (
    '<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><SPSSODescriptor/></EntityDescriptor>'
)
BOMB = '<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><EntityDescriptor>&c;</EntityDescriptor>'


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<EntityDescriptor/>", "AWS requires at least 1,000"),
        ("x" * 500_001, "The limit is 500,000"),
        (padded("<EntityDescriptor>"), "isn’t valid XML"),
        (padded("<html/>"), "isn’t a SAML 2.0 EntityDescriptor"),
        (padded(SP_ONLY), "a service, not an identity provider"),
        (padded(BOMB), "declares a document type"),
        (padded(SP_ONLY.replace("SPSSO", "IDPSSO")), "no certificate to verify sign-ins with"),
    ],
)
def test_what_can_be_no_metadata_is_refused(account: Account, text: str, why: str) -> None:
    assert why in why_not(CreateSamlProvider.of(account, name="Okta", metadata=text))
    okta = provider(account, Kind.SAML_PROVIDER, document=factories.document(metadata(1)))
    assert why in why_not(UpdateSamlProvider.of(okta, metadata=text))


def test_the_receipt_tells_who_signs_people_in_and_which_roles_trust_it(account: Account) -> None:
    okta = provider(account, Kind.SAML_PROVIDER, document=factories.document(metadata(1)))
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Federated": okta.arn}, "Action": "sts:AssumeRoleWithSAML"}
        ],
    }
    update = UpdateSamlProvider.of(okta, metadata=metadata(2))
    assert (update.risks(), update.effect().notes[-1]) == (
        (),
        "No role trusts it, so no one can sign in with it.",
    )

    factories.role(account, "engineer", trust=trust)

    receipt = examine(update).receipt.body
    notes = receipt["effect"]["notes"]
    assert notes[0].startswith("https://idp-2.example/ signs people in, at https://idp-2.example/sso.")
    assert notes[1].startswith("Until then https://idp-1.example/ signs people in")
    assert notes[2].startswith("This role trusts it: engineer. Anyone who signs in with the provider")
    assert (receipt["sensitivity"], update.risks()) == ("high", ("trust-opened",))
    gone = DeleteSamlProvider.of(okta)
    assert gone.effect().notes == (
        (
            "This role trusts it: engineer. No one can sign in with it any more. The trust policies don’t "
            "change."
        ),
        (
            "If AWS decrypts assertions for it, the private key for that is deleted too, and undoing can’t "
            "restore it."
        ),
    )
    assert gone.risks() == ()


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"url": "http://idp.example"}, "begins with https://"),
        ({"url": "https://idp.example:8443"}, "no port"),
        ({"url": "https://idp.example/?a=b"}, "query"),
        ({"url": "https://"}, "begins with https://"),
        ({"clients": [f"app-{n}" for n in range(101)]}, "at most 100 audiences, not 101"),
        ({"clients": ["x" * 256]}, "1 to 255 characters"),
        ({"thumbprints": [f"{n:040x}" for n in range(6)]}, "at most 5 thumbprints, not 6"),
        ({"thumbprints": ["zz"]}, "'zz' isn’t a thumbprint"),
    ],
)
def test_what_can_be_no_provider_is_refused(account: Account, values: dict[str, Any], why: str) -> None:
    assert why in why_not(CreateOidcProvider.of(account, **{"url": "https://idp.example", **values}))


def test_audiences_and_thumbprints_are_counted_with_those_that_are_there(account: Account) -> None:
    attrs = {"ClientIDList": [f"app-{n}" for n in range(100)], "ThumbprintList": []}
    okta = provider(account, Kind.OIDC_PROVIDER, attrs=attrs)
    assert "at most 100 audiences, not 101" in why_not(Client.of(ADD_CLIENT_ID, okta, client="more"))
    assert "already has the audience app-1" in why_not(Client.of(ADD_CLIENT_ID, okta, client="app-1"))
    assert "40 hexadecimal digits" in why_not(SetThumbprints.of(okta, thumbprints=["a"]))


def everything() -> str:
    """All rows of all tables, as text."""
    return json.dumps([list(model.objects.values()) for model in apps.get_models()], default=str)


def upload(scene: Scene, *, key: str = "", name: str = "tls", form: str = "upload") -> Change:
    """Ask for the upload of a certificate."""
    new_certificate = NewCertificate(name=name, body=certificate(1), key=key or private_key(1))
    return request_upload(
        scene.requester,
        account=scene.account,
        certificate=new_certificate,
        reason="Renewed",
        idempotency_key=form,
    )


def test_a_private_key_is_kept_nowhere(stage: Stage) -> None:
    secret = private_key(1).splitlines()[3]
    name = stage.keep["name"] = stage.name("tls")

    change = upload(stage.scene, name=name)

    assert upload(stage.scene, name=name).pk == change.pk, "the same form asks twice"
    assert Secret.objects.get().state == SecretState.HELD
    assert secret not in everything()
    applied(stage.scene.approve(change))
    assert certificate_shown(stage)[0] == name
    sealed = Secret.objects.get()
    assert (sealed.state, sealed.ciphertext) == (SecretState.SHREDDED, "")
    assert secret not in everything()


def test_a_key_of_which_nothing_comes_is_destroyed(
    scene: Scene, django_capture_on_commit_callbacks: Any
) -> None:
    change = upload(scene, name="never")
    with django_capture_on_commit_callbacks(execute=True):
        reject(change, actor=scene.approver, comment="No")
    assert Secret.objects.get().ciphertext == ""


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (lambda: private_key(2), "doesn’t match this certificate"),
        (lambda: private_key(1, passphrase="open sesame"), "is encrypted"),
        (
            lambda: "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----",
            "The private key isn’t valid PEM",
        ),
        (lambda: "", "The private key isn’t valid PEM"),
    ],
)
def test_a_key_that_does_not_belong_to_the_certificate_is_never_sealed(
    scene: Scene, key: Callable[[], str], why: str
) -> None:
    new_certificate = NewCertificate(name="tls", body=certificate(1), key=key())
    with pytest.raises(RefusedError, match=why):
        request_upload(
            scene.requester,
            account=scene.account,
            certificate=new_certificate,
            reason="x",
            idempotency_key="y",
        )
    assert not Secret.objects.exists()
    assert "PRIVATE KEY" not in repr(new_certificate)


def test_that_a_certificate_goes_for_good_is_said_before_it_goes(stage: Stage) -> None:
    operation = DeleteServerCertificate.of(uploaded(stage))
    assert "AWS never returns the private key" in operation.irreversible
    assert operation.alternative.startswith("Rename it instead")
    assert operation.sensitivity(operation.effect()) == "high"
    assert not Document.objects.filter(text__contains="PRIVATE KEY").exists()
