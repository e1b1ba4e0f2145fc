"""Requests the upload of a server certificate; its private key is checked, sealed and never shown again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations.sealed_secret import seal_id
from iam.changes.operations.server_certificate import PURPOSE, UploadServerCertificate, key_refusal
from iam.changes.services.plans import plan
from iam.changes.services.requests import already_requested, request_operation
from iam.guard import Viewer
from iam.mirror.models import Account
from iam.sealed import services as sealed


@dataclass(frozen=True, slots=True)
class NewCertificate:
    """A certificate to upload, as PEM. The representation hides `key`, the private key."""

    name: str
    body: str
    key: str = field(repr=False)
    chain: str = ""
    path: str = "/"
    tags: Mapping[str, str] = field(default_factory=dict)


def request_upload(
    actor: Viewer, *, account: Account, certificate: NewCertificate, reason: str, idempotency_key: str
) -> Change:
    """Check the certificate and key, seal the key for the worker, and request the upload. Raises
    RefusedError.

    Idempotent by person and key. If the change is not applied, the sealed key is destroyed.
    """
    operation = UploadServerCertificate.of(
        account,
        name=certificate.name,
        body=certificate.body,
        sealed_id=seal_id(person_id=actor.person_id, key=idempotency_key),
        chain=certificate.chain,
        path=certificate.path,
        tags=certificate.tags,
    )
    standing = already_requested([operation], actor=actor, idempotency_key=idempotency_key)
    if standing:
        return standing[0]
    if refusal := key_refusal(certificate.body, key=certificate.key):
        raise RefusedError(refusal)
    plan(operation, viewer=actor)
    secret = sealed.seal(
        certificate.key,
        for_person=None,
        purpose=PURPOSE,
        ttl=sealed.MAX_TTL,
        label=f"private key of the server certificate {certificate.name}",
        account_id=account.account_id,
        secret_id=seal_id(person_id=actor.person_id, key=idempotency_key),
        is_held=True,
    )
    try:
        return request_operation(actor, operation=operation, reason=reason, idempotency_key=idempotency_key)
    except RefusedError:
        sealed.destroy(secret)
        raise
