"""Lists the viewer's own grants, for the page about their own access."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.access.grants.models import LIVING, Grant, GrantState, LedgerEntry
from iam.guard import Viewer
from iam.mirror.models import Entity

LATELY: Final = timedelta(days=14)
DECLINED: Final = (GrantState.REJECTED, GrantState.EXPIRED)


def own_grants(viewer: Viewer) -> QuerySet[Grant]:
    """Waiting and active grants of the viewer's own users, the earliest end date first."""
    states = (GrantState.WAITING, *LIVING)
    grants = Grant.objects.filter(held_by(viewer), state__in=states)
    return grants.order_by("ends_at", "-created_at")


def recently_declined(viewer: Viewer, *, now: datetime | None = None) -> QuerySet[Grant]:
    """Requests of the last two weeks by the viewer for themselves that were rejected or expired, newest
    first.
    """
    since = (now or datetime.now(tz=UTC)) - LATELY
    asked = Grant.objects.filter(requested_by=viewer.person_id, created_at__gte=since, state__in=DECLINED)
    return asked.filter(held_by(viewer)).order_by("-created_at")


def held_by(viewer: Viewer) -> Q:
    """A filter for grants in which one of the viewer's own users is a recipient, also after a rename."""
    own = Entity.objects.filter(arn__in=viewer.scope.user_arns, gone_at__isnull=True)
    holder = Q(entity__in=own.values("pk")) | Q(entity__isnull=True, holder_arn__in=viewer.scope.user_arns)
    return Q(Exists(LedgerEntry.objects.filter(holder, part__grant=OuterRef("pk"))))
