"""Finds the causes of differences for pages: the change, its requester, and its page if the viewer can open
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from console.activity.calls_behind import UNKNOWN_CALLS, CallsBehind
from iam.changes.models import reference_of
from iam.changes.queries import visible_changes
from iam.guard import Viewer
from iam.mirror.models import Cause


@dataclass(frozen=True, slots=True)
class CauseLine:
    """The change that caused a difference (`reference`, "" if unknown), its requester and its address.

    `calls` are the recorded calls if no change is the cause.
    """

    reference: str = ""
    asked_by: str = ""
    url: str = ""
    calls: CallsBehind = UNKNOWN_CALLS


UNKNOWN = CauseLine()


def causes(moments: Iterable[tuple[str, UUID | None]], *, viewer: Viewer) -> dict[UUID, CauseLine]:
    """Return the known causes among (kind, ID) by ID; takes at most one query.

    A change that the viewer can’t see has only its reference.
    """
    ids = {cause for kind, cause in moments if kind == Cause.CHANGE and cause is not None}
    if not ids:
        return {}
    causes_by_id = {cause: CauseLine(reference_of(cause)) for cause in ids}
    rows = visible_changes(viewer).filter(pk__in=ids).values_list("pk", "requested_label")
    for pk, label in rows:
        causes_by_id[pk] = CauseLine(reference_of(pk), label, reverse("changes:change", args=[pk]))
    return causes_by_id
