"""How the secret of a change stands, for the page of the change."""

from __future__ import annotations

from typing import Any

from console.web.access import ViewerRequest
from iam.changes.models import Change
from iam.changes.services.secrets import seal_of


def seal_context(request: ViewerRequest, shown: Change) -> dict[str, Any]:
    """What the page of a change says of its secret, to its person and to others."""
    seal = seal_of(shown)
    if seal is None:
        return {}
    return {"seal": seal, "reads_seal": request.at is None and seal.recipient_id == request.viewer.person_id}
