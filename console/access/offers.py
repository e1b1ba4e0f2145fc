"""What may be meant by what has been typed, for the lists beside the fields of questions about access."""

from __future__ import annotations

from typing import Final

from console.web.access import ViewerRequest
from iam.mirror.models import Kind
from iam.mirror.queries.search import suggestions

MAX_LENGTH: Final = 200
Offer = tuple[str, str]
"""An ARN, and what it is."""
PRINCIPALS: Final = frozenset({Kind.USER.value, Kind.ROLE.value})


def principals_offered(request: ViewerRequest, text: str) -> list[Offer]:
    """Users and roles; one query, none while too little is typed."""
    return _offered(request, text, "/", PRINCIPALS)


def resources_offered(request: ViewerRequest, text: str) -> list[Offer]:
    """Whatever in the mirror has an ARN; likewise."""
    return _offered(request, text, ":", frozenset(Kind))


def _offered(request: ViewerRequest, text: str, separator: str, kinds: frozenset[str]) -> list[Offer]:
    """Of an ARN, its end is looked for."""
    typed = text.strip()[:MAX_LENGTH]
    typed = typed.rpartition(separator)[2] if typed.startswith("arn:") else typed
    hits = suggestions(request.viewer, typed, at=request.at)
    return [
        (hit.arn, f"{Kind(hit.kind).label} in {hit.account}") for hit in hits if hit.arn and hit.kind in kinds
    ]
