"""Limits how long a session lasts: idle time, at most half a day, and until a right is lost."""

from __future__ import annotations

import secrets
import time

from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.db.models import F
from django.http import HttpRequest

from console.operators.attempts import client_address
from console.operators.models import Operator, OperatorSession
from console.operators.session_store import ADDRESS, SEEN, SIGNED_IN, USER_AGENT, digest
from iam.directory.models import Person, Role
from iam.guard import Viewer
from iam.journal.services import Actor, record

# People who can change something for others or read everything get the short limit.
SHORT_IDLE = frozenset({Role.ADMINISTRATOR.value, Role.APPROVER.value, Role.AUDITOR.value})
# A page that polls sends this header; polling doesn't count as activity.
POLL_HEADER = "Gatehouse-Poll"
_WRITE_EVERY = 30
_OWN = "gatehouse_own"


def begin(request: HttpRequest) -> None:
    """Start the clocks of a new session."""
    now = time.time()
    request.session[SIGNED_IN] = now
    request.session[SEEN] = now
    request.session[ADDRESS] = client_address(request)
    request.session[USER_AGENT] = request.headers.get("User-Agent", "")[:200]


def signed_in_at(request: HttpRequest) -> float | None:
    """Return when this session began, in seconds since 1970."""
    moment = request.session.get(SIGNED_IN)
    return float(moment) if moment is not None else None


def idle_minutes(viewer: Viewer) -> int:
    """Return the idle limit of this viewer, in minutes."""
    minutes = settings.IDLE_MINUTES if SHORT_IDLE & set(viewer.roles) else settings.IDLE_MINUTES_MEMBER
    return int(minutes)


def why_over(request: HttpRequest, viewer: Viewer) -> str:
    """Return 'idle' or 'expired' if the session has ended, else ''."""
    now = time.time()
    began, seen = signed_in_at(request), request.session.get(SEEN)
    if began is None or seen is None or now - began > settings.SESSION_HOURS * 3600:
        return "expired"
    return "idle" if now - float(seen) > idle_minutes(viewer) * 60 else ""


def note_activity(request: HttpRequest, viewer: Viewer) -> None:
    """Save the time of activity, at most every half minute and well within the idle limit."""
    if POLL_HEADER in request.headers:
        return
    now = time.time()
    if now - float(request.session.get(SEEN) or 0) < min(_WRITE_EVERY, idle_minutes(viewer) * 6):
        return
    request.session[SEEN] = now


def confirmed(request: HttpRequest) -> None:
    """Replace the session key after re-authentication, so that a copy of the old key is worthless."""
    request.session.cycle_key()


def secret_of(request: HttpRequest) -> str:
    """Return a secret of this browser's session, which survives a change of the session key."""
    if _OWN not in request.session:
        request.session[_OWN] = secrets.token_urlsafe(32)
    return str(request.session[_OWN])


def digest_here(request: HttpRequest) -> str:
    """Return the stored digest of this session's key."""
    return digest(request.session.session_key or "")


def end_session(operator: Operator, digest: str) -> bool:
    """End one session of the operator; False if they have no such session."""
    ended, _ = OperatorSession.objects.filter(operator=operator, session_key=digest).delete()
    if ended:
        record(kind="session.end", actor=operator.person, subject=operator.email)
    return bool(ended)


def sign_out_everyone(*, actor: Actor) -> int:
    """End everyone's sessions, including the actor's; return their number."""
    Operator.objects.update(session_epoch=F("session_epoch") + 1)
    ended, _ = OperatorSession.objects.all().delete()
    record(kind="session.end_everyone", actor=actor, data={"sessions": ended})
    return ended


def sign_out_everywhere(person: Person, *, actor: Actor | None = None) -> None:
    """End every session of a person, after they lost a right or were deactivated, or on request of an
    administrator.
    """
    changed = Operator.objects.filter(person=person).update(session_epoch=F("session_epoch") + 1)
    if changed:
        OperatorSession.objects.filter(operator__person=person).delete()
        record(kind="session.end_all", actor=actor, subject=person.email)


def sign_out_others(request: HttpRequest, operator: Operator) -> None:
    """End all of the operator's sessions except this one."""
    Operator.objects.filter(pk=operator.pk).update(session_epoch=F("session_epoch") + 1)
    operator.refresh_from_db(fields=["session_epoch"])
    update_session_auth_hash(request, operator)
    OperatorSession.objects.filter(operator=operator).exclude(session_key=digest_here(request)).delete()
    record(kind="session.end_others", actor=operator.person, subject=operator.email)
