"""The act that uploads a server certificate, whose private key is given only at the very end and never shown
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from iam.changes.acts.base import ACCOUNT, MAKE, SEALED, Act, Subject, account
from iam.changes.acts.fields import LONG, Field, FieldError, Given
from iam.changes.acts.making import NEW_TAGS, PATH_FIELD
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.server_certificate import UploadServerCertificate
from iam.changes.services.certificates import NewCertificate, request_upload
from iam.guard import Viewer

_NOWHERE: Final = UUID(int=0)
"""Stands for the seal while nothing is sealed yet."""


def _upload(subject: Subject, fields: Given) -> Sequence[Operation]:
    made = UploadServerCertificate.of(
        account(subject),
        name=fields["name"],
        body=fields["body"],
        sealed_id=_NOWHERE,
        chain=fields["chain"],
        path=fields["path"],
        tags=fields["tags"],
    )
    return [made]


def _send(subject: Subject, fields: Given, *, secret: str, actor: Viewer, reason: str, key: str) -> Change:
    if not secret.strip():
        raise FieldError("Paste the private key. It isn’t kept after a failed attempt.", field=SEALED)
    new = NewCertificate(
        name=fields["name"],
        body=fields["body"],
        key=secret.strip() + "\n",
        chain=fields["chain"],
        path=fields["path"],
        tags=fields["tags"],
    )
    return request_upload(
        actor, account=account(subject), certificate=new, reason=reason, idempotency_key=key
    )


CERTIFICATE_ACTS: Final = (
    Act(
        "upload-certificate",
        "New server certificate",
        "Upload a server certificate to {}",
        (ACCOUNT,),
        _upload,
        (
            Field("name", "Name", hint="Letters, digits and + = , . @ _ -", example="shop-2026"),
            PATH_FIELD,
            Field(
                "body",
                "Certificate",
                LONG,
                hint="In PEM format, including the BEGIN and END lines. You enter the private key after the "
                "preview.",
            ),
            Field(
                "chain",
                "Certificate chain",
                LONG,
                hint="In PEM format, the issuing certificate first. Leave it empty for a self-signed "
                "certificate.",
                is_needed=False,
            ),
            NEW_TAGS,
        ),
        part=MAKE,
        sealed_label="Private key",
        send=_send,
        note="For load balancers and distributions in Regions that AWS Certificate Manager doesn’t support.",
    ),
)
