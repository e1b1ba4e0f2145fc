"""What caused a difference, for people: the change of ours, who asked for it, and its page where the viewer
may open it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from console.activity.calls_behind import CallBehind
from iam.changes.models import reference_of
from iam.changes.queries import visible_changes
from iam.guard import Viewer
from iam.mirror.models import Cause


@dataclass(frozen=True, slots=True)
class CauseLine:
    """By which change (`reference`, "" where the cause is unknown), who asked, and the address of the
    change; where no change is the cause, the calls that CloudTrail recorded.
    """

    reference: str = ""
    asked_by: str = ""
    url: str = ""
    calls: tuple[CallBehind, ...] = ()


UNKNOWN = CauseLine()


def causes(moments: Iterable[tuple[str, UUID | None]], *, viewer: Viewer) -> dict[UUID, CauseLine]:
    """The known causes among (kind, id), by id; no query without one, else one. A cause that the viewer may
    not see is only named.
    """
    ids = {cause for kind, cause in moments if kind == Cause.CHANGE and cause is not None}
    if not ids:
        return {}
    causes_by_id = {cause: CauseLine(reference_of(cause)) for cause in ids}
    rows = visible_changes(viewer).filter(pk__in=ids).values_list("pk", "requested_label")
    for pk, label in rows:
        causes_by_id[pk] = CauseLine(reference_of(pk), label, reverse("changes:change", args=[pk]))
    return causes_by_id
