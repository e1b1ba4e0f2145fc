"""The landing page of one-time links: a GET only shows a button, because mail scanners open links; a POST
starts a session of half an hour.

Other areas that use links register here: PAGES maps a purpose to its page, USERS to the users whose devices
the link can add (if there are several), and CLOSED to why a link no longer works and where to request another
one. They call `current_link` to get the link of this browser.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.operators import locks
from console.operators.attempts import client_address
from console.web.render import render_page
from iam.directory.models import Person
from iam.guard import Viewer
from iam.journal.services import record
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import (
    SESSION,
    LinkRefusedError,
    check_reader,
    exchange,
    find_link,
    sender_of,
    session_of,
)

COOKIE: Final = "gatehouse_link" if settings.EMBEDDED else "__Host-gatehouse_link"
PAGES: dict[str, str] = {LinkPurpose.MFA: "mfa:enrollment-link"}
"""Purpose of a link → URL name of its page."""


@dataclass(frozen=True, slots=True)
class LinkClosure:
    """Why a link no longer works despite its expiration date ("" if it works), and the address to request
    another one, or "".
    """

    why: str = ""
    again: str = ""


CLOSED: dict[str, Callable[[OneTimeLink], LinkClosure]] = {}
"""Purpose of a link → function that checks whether the link is still useful."""
USERS: dict[str, Callable[[OneTimeLink], list[str]]] = {}
"""Purpose of a link → function that returns the ARNs of the users for whom it adds a device; by default the
link's own user.
"""


@require_http_methods(["GET", "HEAD", "POST"])
def link(request: HttpRequest, word: str) -> HttpResponse:
    """Show the landing page of a link; a POST starts the session."""
    key = locks.address_key(client_address(request))
    if until := locks.locked_until(key):
        return refusal(request, locks.sentence(until), status=429)
    try:
        if request.method != "POST":
            link = find_link(word)
            _check_reader(request, link)
            if closed_of(link).why:
                return refusal(request, "", link=link, status=410)
            context = {"link": link, "sender": link.created_label, "contact": sender_of(link)}
            return render_page(request, "mfa/door.html", context)
        entered = exchange(word, address=client_address(request), reader=_reader(request))
    except LinkRefusedError as refused:
        return _refused(request, refused, key=key)
    response = redirect(reverse(PAGES[entered.link.purpose]))
    response.set_cookie(
        COOKIE,
        entered.cookie,
        max_age=int(SESSION.total_seconds()),
        httponly=True,
        secure=not settings.EMBEDDED,
        samesite="Lax",
    )
    return response


def current_link(request: HttpRequest) -> OneTimeLink:
    """Return the link of this browser's session.

    Raises LinkRefusedError if there is none, or if the link is no longer useful.
    """
    link = session_of(request.COOKIES.get(COOKIE, ""))
    if why := closed_of(link).why:
        raise LinkRefusedError(why, why="closed", link=link)
    return link


def users_of(link: OneTimeLink) -> list[str]:
    """Return the ARNs of the users for whom a link adds a device, in the order of the enrollment."""
    user_names = USERS[link.purpose](link) if link.purpose in USERS else []
    return user_names or [link.user_arn]


def closed_of(link: OneTimeLink | None) -> LinkClosure:
    """Return whether and why a link is no longer useful."""
    closed_page = CLOSED.get(link.purpose) if link is not None else None
    return closed_page(link) if closed_page is not None and link is not None else LinkClosure()


def refusal(
    request: HttpRequest, why: str, *, link: OneTimeLink | None = None, status: int = 403
) -> HttpResponse:
    """Render the page that says why a link doesn’t work, and how to get another one if possible."""
    closed = closed_of(link)
    context = {"why": closed.why or why, "again": closed.again}
    shown_status = 410 if closed.why else status
    return render_page(request, "mfa/door_closed.html", context, status=shown_status)


def _reader(request: HttpRequest) -> Person | None:
    """Return the person who is signed in to Gatehouse in this browser."""
    viewer: Viewer | None = getattr(request, "viewer", None)
    return Person.objects.filter(pk=viewer.person_id).first() if viewer else None


def _check_reader(request: HttpRequest, link: OneTimeLink) -> None:
    reader = _reader(request)
    if reader is not None:
        check_reader(link, reader)


def _refused(request: HttpRequest, refused: LinkRefusedError, *, key: str) -> HttpResponse:
    """Redirect to the link's page if this browser already used it, else refuse; damaged links count as
    guesses.
    """
    if request.method == "POST" and refused.why == "damaged":
        _count_guess(key)
    if request.method != "POST" and refused.link is not None and _is_inside(request, refused.link):
        return redirect(reverse(PAGES[refused.link.purpose]))
    is_other = refused.why == "other"
    link = None if is_other else refused.link
    status = 403 if is_other else 410
    return refusal(request, refused.message, link=link, status=status)


def _count_guess(key: str) -> None:
    if until := locks.count_failure(key):
        record(kind="link.locked", actor=None, data={"until": until})


def _is_inside(request: HttpRequest, link: OneTimeLink) -> bool:
    try:
        return current_link(request).pk == link.pk
    except LinkRefusedError:
        return False


def session_in(request: HttpRequest) -> str:
    """Return the cookie that the link set, which identifies this browser session."""
    return request.COOKIES.get(COOKIE, "")
