"""The notice on pages of an IAM user whose person is being offboarded, suspended or moved to another team."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import BigAutoField

from console.offboarding.presenters import mark_of
from iam.compiled_queries import CompiledQuery
from iam.guard import Viewer
from iam.mirror.models import Entity
from iam.people.offboarding.models import MOVING, SUSPENSION, Leaver, OffboardedUser, OffboardingStage
from iam.people.offboarding.queries import openable
from iam.prepared_statements import QueryParam

NOTICE_STAGES: Final = (*MOVING, *SUSPENSION, OffboardingStage.GONE, OffboardingStage.PARTLY)
REQUESTED: Final = {
    OffboardingStage.WAITING: ("Offboarding requested", "Change of team requested"),
    OffboardingStage.PLANNED: ("Offboarding scheduled", "Change of team scheduled"),
}
"""Stage → label for an offboarding, and for a change of team, since the stage doesn’t distinguish them."""


@dataclass(frozen=True, slots=True)
class AccessNotice:
    """A badge; `leaver` is the offboarding to link to, if the viewer can open it."""

    text: str
    tone: str
    icon: str
    leaver: UUID | None


def access_notice(user: Entity, *, viewer: Viewer) -> AccessNotice | None:
    """Return the notice of the newest request that removes the user's access; None without one. Takes at most
    two queries.
    """
    seats = _NEWEST_SEAT.objects(user=user.pk)
    if not seats:
        return None
    leaver = seats[0].leaver
    _, tone, icon = mark_of(leaver)
    is_open_to = leaver.pk in openable(viewer, [leaver])
    opened = leaver.pk if is_open_to else None
    return AccessNotice(_notice_text(leaver), tone, icon, opened)


_NEWEST_SEAT: Final = CompiledQuery(
    lambda: (
        OffboardedUser.objects.filter(
            user=QueryParam("user", BigAutoField()), leaver__stage__in=NOTICE_STAGES
        )
        .select_related("leaver__run")
        .order_by("-leaver__run__created_at")[:1]
    )
)


def _notice_text(leaver: Leaver) -> str:
    if leaver.stage in REQUESTED:
        return REQUESTED[OffboardingStage(leaver.stage)][leaver.run.is_move]
    return str(leaver.get_stage_display())
