"""Suggestions for the input of fields about access."""

from __future__ import annotations

from typing import Final

from console.web.access import ViewerRequest
from iam.mirror.models import Kind
from iam.mirror.queries.search import suggestions

MAX_LENGTH: Final = 200
Offer = tuple[str, str]
"""An ARN and its description."""
PRINCIPALS: Final = frozenset({Kind.USER.value, Kind.ROLE.value})


def principals_offered(request: ViewerRequest, text: str) -> list[Offer]:
    """Return matching users and roles; takes one query, and returns nothing while the text is too short."""
    return _offered(request, text, "/", PRINCIPALS)


def resources_offered(request: ViewerRequest, text: str) -> list[Offer]:
    """Return everything in the mirror with a matching ARN; takes one query, and returns nothing while the
    text is too short.
    """
    return _offered(request, text, ":", frozenset(Kind))


def _offered(request: ViewerRequest, text: str, separator: str, kinds: frozenset[str]) -> list[Offer]:
    """Search by text; of an ARN only the end is searched."""
    typed = text.strip()[:MAX_LENGTH]
    typed = typed.rpartition(separator)[2] if typed.startswith("arn:") else typed
    hits = suggestions(request.viewer, typed, at=request.at)
    return [
        (hit.arn, f"{Kind(hit.kind).label} in {hit.account}") for hit in hits if hit.arn and hit.kind in kinds
    ]
