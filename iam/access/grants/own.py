"""What was given to oneself, or is to be: for the page about one's own access."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from iam.access.grants.models import LIVING, Grant, LedgerEntry, State
from iam.guard import Viewer


def own_grants(viewer: Viewer) -> QuerySet[Grant]:
    """Grants that wait or live, by which one of the viewer's own users holds something, or is to; those that end first come first."""
    own = LedgerEntry.objects.filter(part__grant=OuterRef("pk"), holder_arn__in=viewer.scope.user_arns)
    states = (State.WAITING, *LIVING)
    found = Grant.objects.filter(Q(Exists(own)), state__in=states)
    return found.order_by("ends_at", "-created_at")
