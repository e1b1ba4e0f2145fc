"""The act that uploads a server certificate. Its private key is entered in the last step and never shown
again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from iam.changes.acts.base import ACCOUNT, SEALED, Act, Given, Subject, account
from iam.changes.errors import FieldError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.operations.server_certificate import UploadServerCertificate
from iam.changes.services.certificates import NewCertificate, request_upload
from iam.guard import Viewer

_NOWHERE: Final = UUID(int=0)
"""A placeholder for the seal until something is sealed."""


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


CERTIFICATE_ACTS: Final = (Act("upload-certificate", (ACCOUNT,), _upload, send=_send),)
