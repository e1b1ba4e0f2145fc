"""How long a session lasts: until it idles, at most half a day, and not past the loss of a right."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.db.models import F
from django.http import HttpRequest

from console.operators.models import Operator
from iam.directory.models import Person, Role
from iam.guard import Viewer
from iam.journal.services import record

SIGNED_IN = "gatehouse_signed_in"
SEEN = "gatehouse_seen"
# Who can change something for others, or read everything, gets the short limit.
SHORT_IDLE = frozenset({Role.ADMINISTRATOR.value, Role.APPROVER.value, Role.AUDITOR.value})
# A page that asks by itself, such as a running change, says so by this header: that is no activity.
POLL_HEADER = "Gatehouse-Poll"
_WRITE_EVERY = 30


def begin(request: HttpRequest) -> None:
    """A session starts now."""
    now = time.time()
    request.session[SIGNED_IN] = now
    request.session[SEEN] = now


def signed_in_at(request: HttpRequest) -> float | None:
    """When this session began, in seconds since 1970."""
    moment = request.session.get(SIGNED_IN)
    return float(moment) if moment is not None else None


def idle_minutes(viewer: Viewer) -> int:
    """After how many minutes without activity this viewer is signed out."""
    minutes = settings.IDLE_MINUTES if SHORT_IDLE & set(viewer.roles) else settings.IDLE_MINUTES_MEMBER
    return int(minutes)


def why_over(request: HttpRequest, viewer: Viewer) -> str:
    """'idle' or 'expired' when the session has ended, else ''."""
    now = time.time()
    began, seen = signed_in_at(request), request.session.get(SEEN)
    if began is None or seen is None or now - began > settings.SESSION_HOURS * 3600:
        return "expired"
    return "idle" if now - float(seen) > idle_minutes(viewer) * 60 else ""


def seen(request: HttpRequest, viewer: Viewer) -> None:
    """Note the activity; written at most every half minute, and well within the idle limit."""
    if POLL_HEADER in request.headers:
        return
    now = time.time()
    if now - float(request.session.get(SEEN) or 0) < min(_WRITE_EVERY, idle_minutes(viewer) * 6):
        return
    request.session[SEEN] = now
    UserSession.objects.filter(session_key=request.session.session_key).update(
        last_seen_at=datetime.now(tz=UTC)
    )


def sign_out_everywhere(person: Person) -> None:
    """End every session of a person: a right was taken, or they were deactivated."""
    changed = Operator.objects.filter(person=person).update(session_epoch=F("session_epoch") + 1)
    if changed:
        UserSession.objects.filter(user__person=person).delete()
        record(kind="session.end_all", actor=None, subject=person.email)


def sign_out_others(request: HttpRequest, operator: Operator) -> None:
    """End every session of the operator but this one."""
    Operator.objects.filter(pk=operator.pk).update(session_epoch=F("session_epoch") + 1)
    operator.refresh_from_db(fields=["session_epoch"])
    update_session_auth_hash(request, operator)
    UserSession.objects.filter(user=operator).delete()
    UserSession.objects.create_from_request(request)
    record(kind="session.end_others", actor=operator.person, subject=operator.email)
