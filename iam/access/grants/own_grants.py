"""What was given to oneself, or is to be: for the page about one's own access."""

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
    """Grants that wait or live, by which one of the viewer's own users holds something, or is to; those that
    end first come first.
    """
    states = (GrantState.WAITING, *LIVING)
    grants = Grant.objects.filter(held_by(viewer), state__in=states)
    return grants.order_by("ends_at", "-created_at")


def declined_lately(viewer: Viewer, *, now: datetime | None = None) -> QuerySet[Grant]:
    """What the viewer asked for themselves and did not get, of the last two weeks; the newest first."""
    since = (now or datetime.now(tz=UTC)) - LATELY
    asked = Grant.objects.filter(requested_by=viewer.person_id, created_at__gte=since, state__in=DECLINED)
    return asked.filter(held_by(viewer)).order_by("-created_at")


def held_by(viewer: Viewer) -> Q:
    """Grants by which one of the viewer's own users holds something: who is meant stays the same through
    renaming.
    """
    own = Entity.objects.filter(arn__in=viewer.scope.user_arns, gone_at__isnull=True)
    holder = Q(entity__in=own.values("pk")) | Q(entity__isnull=True, holder_arn__in=viewer.scope.user_arns)
    return Q(Exists(LedgerEntry.objects.filter(holder, part__grant=OuterRef("pk"))))
