"""The action that uploads a server certificate; its private key is entered last and never shown again."""

from __future__ import annotations

from typing import Final

from console.changes.actions.action import MAKE, ActAction
from console.changes.actions.creation import NEW_TAGS, PATH_FIELD
from console.changes.actions.fields import LONG, ActField

CERTIFICATE_ACTIONS: Final = (
    ActAction(
        "upload-certificate",
        "New server certificate",
        "Upload a server certificate to {}",
        (
            ActField("name", "Name", hint="Letters, digits and + = , . @ _ -", example="shop-2026"),
            PATH_FIELD,
            ActField(
                "body",
                "Certificate",
                LONG,
                hint="In PEM format, including the BEGIN and END lines. You enter the private key after the "
                "preview.",
            ),
            ActField(
                "chain",
                "Certificate chain",
                LONG,
                hint="In PEM format, the issuing certificate first. Leave it empty for a self-signed "
                "certificate.",
                is_needed=False,
            ),
            NEW_TAGS,
        ),
        note="For load balancers and distributions in Regions that AWS Certificate Manager doesn’t support.",
        part=MAKE,
        sealed_label="Private key",
    ),
)
