"""Search results by number: CHG-9DA136C6 is a change, GRT-9DA136C6 a grant."""

from __future__ import annotations

import re
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from console.search.results import SearchResult
from iam.access.grants.queries import visible_grants
from iam.changes.queries import visible_changes
from iam.guard import Viewer

NUMBER = re.compile(r"(?P<kind>chg|grt)-?(?P<digits>[0-9a-f]{4,8})", re.IGNORECASE)
MAX_REFERENCES = 5


def reference_results(viewer: Viewer, text: str) -> list[SearchResult]:
    """Those whose number begins so."""
    match = NUMBER.fullmatch(text.strip())
    if match is None:
        return []
    within = _range(match["digits"].lower())
    return _changes(viewer, within) if match["kind"].lower() == "chg" else _grants(viewer, within)


def _range(digits: str) -> Q:
    return Q(pk__gte=UUID(digits.ljust(32, "0")), pk__lte=UUID(digits.ljust(32, "f")))


def _changes(viewer: Viewer, within: Q) -> list[SearchResult]:
    rows = visible_changes(viewer).filter(within).select_related("account").order_by("pk")[:MAX_REFERENCES]
    return [
        SearchResult(
            title=change.title,
            url=reverse("changes:change", args=[change.pk]),
            icon="history",
            kind=change.reference,
            detail=change.account.name,
        )
        for change in rows
    ]


def _grants(viewer: Viewer, within: Q) -> list[SearchResult]:
    rows = visible_grants(viewer).filter(within).order_by("pk")[:MAX_REFERENCES]
    return [
        SearchResult(
            title=grant.title,
            url=reverse("access:grant", args=[grant.pk]),
            icon="key-round",
            kind=grant.reference,
            detail=str(grant.get_state_display()),
        )
        for grant in rows
    ]
