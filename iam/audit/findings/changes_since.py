"""Finds what happened to findings since a moment, and when a person last looked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Count

from iam.audit.findings.models import AuditFinding, FindingEvent, FindingEventKind, FindingVisit
from iam.audit.findings.queries import FindingFilter, findings
from iam.guard import Viewer
from iam.mirror.models import Account

PAUSE: Final = timedelta(minutes=30)
"""Pages opened within this time of each other belong to one visit."""
COUNTED: Final = (
    FindingEventKind.OPENED,
    FindingEventKind.REOPENED,
    FindingEventKind.FIXED,
    FindingEventKind.ACCEPTED,
    FindingEventKind.ENDED,
    FindingEventKind.SEVERITY,
    FindingEventKind.CERTAINTY,
    FindingEventKind.AFFECTS,
    FindingEventKind.UNAFFECTED,
)


def note_visit(viewer: Viewer, *, now: datetime) -> datetime | None:
    """Record that the person views the list now. Returns the time of the visit before, or None."""
    visit, is_new = FindingVisit.objects.get_or_create(person_id=viewer.person_id, defaults={"at": now})
    if is_new:
        return None
    before = visit.at if now - visit.at > PAUSE else visit.before
    FindingVisit.objects.filter(pk=visit.pk).update(at=now, before=before)
    return before


def last_visit(viewer: Viewer) -> datetime | None:
    """The time of the person's visit before the current one."""
    return FindingVisit.objects.filter(pk=viewer.person_id).values_list("before", flat=True).first()


def event_counts(viewer: Viewer, *, account: Account | None, since: datetime) -> Mapping[str, int]:
    """The number of visible findings by event since a moment. One query."""
    visible = findings(viewer, FindingFilter(account=account)).order_by()
    rows = FindingEvent.objects.filter(at__gte=since, kind__in=COUNTED, finding__in=visible.values("pk"))
    counted = rows.order_by().values_list("kind").annotate(number=Count("finding", distinct=True))
    counts = dict(counted)
    return {kind.value: counts.get(kind.value, 0) for kind in COUNTED}


def events_since(rows: Collection[AuditFinding], since: datetime) -> list[FindingEvent]:
    """The events of these findings since a moment, the latest first. One query."""
    events = FindingEvent.objects.filter(finding__in=[row.pk for row in rows], at__gte=since)
    return list(events.order_by("-at", "-pk"))
