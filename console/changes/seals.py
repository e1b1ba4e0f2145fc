"""Status of a change's secret, for the page of the change."""

from __future__ import annotations

from typing import Any

from console.web.access import ViewerRequest
from iam.changes.models import Change
from iam.changes.services.secrets import seal_of


def seal_context(request: ViewerRequest, shown: Change) -> dict[str, Any]:
    """Return what the page says about the secret, which differs for its recipient and other viewers."""
    seal = seal_of(shown)
    if seal is None:
        return {}
    return {"seal": seal, "reads_seal": request.at is None and seal.recipient_id == request.viewer.person_id}
