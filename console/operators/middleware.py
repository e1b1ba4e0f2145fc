"""Requires sign-in for all pages, and adds the viewer to every request."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import structlog
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from console.operators import factors, receivers, sessions
from console.operators.attempts import client_address
from console.operators.kept_form import KEPT, posted_too_late
from console.operators.recency import page_of
from iam.guard import Viewer, viewer_for

OPEN_PREFIXES = ("/sign-in/", "/static/", "/link/", "/enrol/", "/key/", "/invitation/")
TIMED_OUT = frozenset({"idle", "expired"})
OPEN_PATHS = frozenset({"/healthz", "/readyz"})


def is_open(path: str) -> bool:
    """Return whether the address is open without sign-in."""
    return path.startswith(OPEN_PREFIXES) or path in OPEN_PATHS


class EndableSessionMiddleware(SessionMiddleware):
    """Django's session middleware for sessions that others can end: the current response is still sent, and
    the next request leads to the sign-in.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Save the session unless it has ended meanwhile, when Django would answer 400."""
        try:
            return super().process_response(request, response)
        except SessionInterrupted:
            return response


class SignedIn:
    """Sets `request.viewer` for signed-in people, and redirects everyone else to the sign-in page.

    Ends sessions that were idle or lasted too long, and stops people who still need a second factor.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        structlog.contextvars.bind_contextvars(ip=client_address(request))
        viewer, ended = self._viewer(request)
        request.viewer = request.signed_in = viewer  # type: ignore[attr-defined]
        if is_open(request.path):
            return self.get_response(request)
        if viewer is None:
            return _send(request, resolve_url(settings.LOGIN_URL), ended=ended)
        if factors.is_missing(request, viewer):
            return _send(request, resolve_url("mfa_index"))
        return self.get_response(request)

    @staticmethod
    def _viewer(request: HttpRequest) -> tuple[Viewer | None, str]:
        """Return the viewer, or None and the reason why the session ended."""
        if not request.user.is_authenticated:
            return None, ""
        person = request.user.person
        viewer = viewer_for(person) if person and person.is_active else None
        if viewer is not None and viewer.has_ended:
            viewer = None
        ended = sessions.why_over(request, viewer) if viewer else "inactive"
        if viewer is None or ended:
            setattr(request, receivers.ENDED, ended)
            form = posted_too_late(request) if ended in TIMED_OUT else None
            logout(request)
            if form is not None:
                request.session[KEPT] = form
            return None, ended
        sessions.note_activity(request, viewer)
        return viewer, ""


def _send(request: HttpRequest, address: str, *, ended: str = "") -> HttpResponse:
    following = reverse("resume") if ended and KEPT in request.session else page_of(request)
    query = {"next": following} | ({"ended": ended} if ended else {})
    target = f"{address}?{urlencode(query)}"
    # A redirect would render the sign-in page inside the fragment that htmx replaces.
    return (
        HttpResponseClientRedirect(target) if getattr(request, "htmx", None) else HttpResponseRedirect(target)
    )
