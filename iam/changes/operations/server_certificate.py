"""Upload a TLS certificate to IAM, rename or move one, or delete one.

AWS never returns the private key, so deleting a certificate is permanent. The key of a new one is sealed when
the change is requested, and destroyed when AWS has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from iam.aws.reads.lists import get_server_certificate
from iam.aws.records import ServerCertificateNow
from iam.aws.session import Aws
from iam.changes.operations.base import AwsCall, Image
from iam.changes.operations.identity import found_or_none, lost_identity
from iam.changes.operations.lifecycle import (
    Create,
    Delete,
    Rename,
    account_quota,
    creation,
    removal,
    renaming,
)
from iam.changes.operations.params import Blank, IdText
from iam.changes.operations.public_key import read_certificate
from iam.changes.operations.sealed_secret import WITHHELD, sealed_text, used
from iam.changes.operations.spec import HIGH, PermanentLoss
from iam.changes.operations.subject import OnListed, SubjectParams, SubjectSeen
from iam.mirror.models import Kind
from iam.mirror.pull.facts import FoundEntity
from iam.mirror.pull.renames import other_name
from iam.mirror.pull.transform import inventory
from iam.mirror.refresh import reread_tags

PURPOSE: Final = "server_certificate.private_key"
"""The purpose with which a private key is sealed for the worker."""
_GONE: Final = "The private key has expired, so nothing was uploaded. Submit the request again with the key."


class OnCertificate(OnListed):
    def look_for(self, aws: Aws, name: str, *, arn: str = "") -> ServerCertificateNow | None:
        return found_or_none(lambda: get_server_certificate(aws, name=name))

    def identity_error(self, aws: Aws) -> str:
        certificate = self.read_from_aws(aws)
        if certificate is None:
            return ""
        what = f"The server certificate {self.inputs.name}"
        return lost_identity(what, certificate.aws_id, expected=self.inputs.subject_id)

    def found_of(self, now: ServerCertificateNow) -> FoundEntity:
        return inventory.server_certificate(now)

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Also follow a certificate that was renamed in AWS."""
        now = self.seen.now if self.seen else self.look(aws)
        aws_id, name = self.inputs.subject_id, self.inputs.name
        if now is None and aws_id and not self._is_deleted:
            current = other_name(self.account, kind=self.subject_kind, aws_id=aws_id, name=name)
            self.seen = SubjectSeen(datetime.now(tz=UTC), current and self.look_for(aws, current))
        super().read_back(aws, cause_id=cause_id)
        subject = self.subject()
        if subject is not None and self.seen and self.seen.now:
            reread_tags(self.account, subject, tags=self.seen.now.tags, at=self.seen.at, cause_id=cause_id)


class UploadParams(SubjectParams):
    """The certificate and its chain (empty: none) as PEM, its path, its tags, and the seal of its private
    key.
    """

    path: str
    body: str
    chain: Blank
    tags: dict[str, str]
    sealed_id: IdText


class UploadServerCertificate(OnCertificate, Create):
    spec = creation(
        Kind.SERVER_CERTIFICATE,
        slug="server_certificate.upload",
        title="Upload server certificate {name}",
        counted=("Upload", "server certificate"),
        state={"path": "path", "tags": "tags"},
        call="UploadServerCertificate",
        parameters={
            "ServerCertificateName": "name",
            "Path": "path",
            "CertificateBody": "body",
            "PrivateKey": "shown_key",
            "CertificateChain": "chain?",
            "Tags": "tag_list?",
        },
        sentence="Uploads server certificate {name} with its private key, which can’t be read again",
        quota=account_quota("server certificates", name="ServerCertificatesQuota", usual=20),
    )

    inputs: UploadParams

    shown_key = WITHHELD

    def resolve_params(self, call: AwsCall) -> Mapping[str, Any]:
        return {**call.params, "PrivateKey": sealed_text(self.inputs.sealed_id, purpose=PURPOSE, gone=_GONE)}

    def handle_response(self, call: AwsCall, response: Mapping[str, Any]) -> dict[str, Any]:
        """Return the unique ID, and destroy the sealed key."""
        used(self.inputs.sealed_id)
        return super().handle_response(
            call, {"ServerCertificate": response.get("ServerCertificateMetadata", {})}
        )

    def desired_state(self) -> Image:
        return {**super().desired_state(), "body": _digest(self.inputs.body)}

    def image_now(self, now: ServerCertificateNow) -> Image:
        """Include the certificate's text, which tells certificates of the same name apart."""
        return {**super().image_now(now), "body": _digest(now.body)}

    def satisfied(self, image: Image) -> bool:
        """Compare the text only if the image has it: the mirror doesn't store it."""
        return {"body": self.desired_state()["body"], **image} == self.desired_state()

    def read_back(self, aws: Aws, *, cause_id: UUID | None) -> None:
        """Destroy the key if AWS has this certificate, because a lost response leaves it sealed. It is kept
        if AWS has another certificate with this name.
        """
        super().read_back(aws, cause_id=cause_id)
        if self.seen and self.seen.now and self.satisfied(self.image_now(self.seen.now)):
            used(self.inputs.sealed_id)

    def refusal(self) -> str:
        return refusal_of(self.inputs.body, self.inputs.chain) or super().refusal()

    def notes(self) -> tuple[str, ...]:
        """Whose certificate it is, and until when it is valid."""
        certificate = read_certificate(self.inputs.body)
        if certificate is None:
            return ()
        until = f"{certificate.not_valid_after_utc:%-d %b %Y}"
        return (f"It is for {certificate.subject.rfc4514_string()}, and valid until {until}.",)


def refusal_of(body: str, chain: str = "") -> str:
    """What is wrong with a certificate and its chain, as a sentence; "" if nothing is."""
    certificate = read_certificate(body)
    if certificate is None:
        return "the certificate isn’t valid PEM."
    if certificate.not_valid_after_utc < datetime.now(tz=UTC):
        return f"the certificate expired on {certificate.not_valid_after_utc:%-d %b %Y}."
    try:
        if chain:
            x509.load_pem_x509_certificates(chain.encode())
    except ValueError:
        return "the chain isn’t a list of certificates in PEM format."
    return ""


def key_refusal(body: str, *, key: str) -> str:
    """What is wrong with a private key, before it is sealed: it is encrypted, or of another certificate; ""
    if nothing is.
    """
    try:
        private = load_pem_private_key(key.encode(), password=None)
    except TypeError:
        return "The private key is encrypted. AWS accepts only keys without a passphrase."
    except (ValueError, UnsupportedAlgorithm):
        return "The private key isn’t valid PEM."
    certificate = read_certificate(body)
    if certificate is None:
        return "The certificate isn’t valid PEM."
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    same = private.public_key().public_bytes(*form) == certificate.public_key().public_bytes(*form)
    return "" if same else "The private key doesn’t match this certificate."


class UpdateServerCertificate(OnCertificate, Rename):
    spec = renaming(
        Kind.SERVER_CERTIFICATE,
        no_op="Server certificate {new_name} already has this name and path.",
        parameters={
            "ServerCertificateName": "name",
            "NewPath": "new_path",
            "NewServerCertificateName": "other_name?",
        },
        sentence="{name} becomes {new_path}{new_name}. Update everything that uses the old ARN",
    )

    def read_from_aws(self, aws: Aws) -> ServerCertificateNow | None:
        certificate: ServerCertificateNow | None = super().read_from_aws(aws)
        is_it = certificate is not None and certificate.aws_id == self.inputs.subject_id
        return certificate if is_it else None

    def identity_error(self, aws: Aws) -> str:
        gone = f"Server certificate {self.inputs.name} no longer exists in AWS."
        return gone if self.read_from_aws(aws) is None else ""


class DeleteServerCertificate(OnCertificate, Delete):
    spec = removal(
        UploadServerCertificate.spec,
        sentence="Deletes server certificate {name} and its private key",
        weight=HIGH,
        inverse="",
        loss=PermanentLoss(
            "Delete a server certificate",
            "AWS never returns the private key, so only someone who still has the key can "
            "restore a deleted certificate.",
            "Rename it instead: whatever still uses the old name or ARN fails visibly, and "
            "renaming it back fixes that.",
        ),
    )

    def identity_error(self, aws: Aws) -> str:
        error = super().identity_error(aws)
        is_missing = not error and self.read_from_aws(aws) is None
        return self.renamed_error() if is_missing else error

    def can_proceed(self, image: Image, *, before: Image) -> bool:
        """Compare only existence and path, because the mirror may not have synced the tags yet."""
        return bool(image.get("exists") and image["path"] == before["path"])

    def modified_arns(self) -> tuple[str, ...]:
        """Empty once it is deleted, so that a request to undo it is refused with the reason why that is
        impossible.
        """
        return super().modified_arns() if self.subject() else ()


def _digest(text: str) -> str:
    return hashlib.sha256("".join(text.split()).encode()).hexdigest()
