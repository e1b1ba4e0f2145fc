"""Middleware of every page: security and cache headers, allowed methods and paths, as-of moment and time
zone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Final

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    QueryDict,
)
from django.utils.cache import patch_vary_headers
from django.views.defaults import bad_request

from console.web.access import PresentOnlyError
from console.web.address_choices import DATE, leave_out
from console.web.cookies import name_of
from console.web.moments import read_in, zone_named

Handler = Callable[[HttpRequest], HttpResponse]


# Browsers let a page use all of these features by default. Only passkeys and copying are used here.
PERMISSIONS: Final = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "browsing-topics",
        "camera",
        "clipboard-read",
        "display-capture",
        "encrypted-media",
        "fullscreen",
        "geolocation",
        "gyroscope",
        "hid",
        "idle-detection",
        "local-fonts",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "picture-in-picture",
        "screen-wake-lock",
        "serial",
        "usb",
        "xr-spatial-tracking",
    )
) + (", clipboard-write=(self), publickey-credentials-create=(self), publickey-credentials-get=(self)")


METHODS: Final = ("GET", "HEAD", "POST")


class IsolationHeaders:
    """Sets headers on every response, files included, so that no other site embeds it and no page uses the
    reader's devices.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


class KnownMethods:
    """Refuses all methods except GET, HEAD and POST, so that no view treats TRACE and the like as a GET."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in METHODS:
            return self.get_response(request)
        return HttpResponseNotAllowed(METHODS)


class OwnPaths:
    """Answers 404 for paths that browsers take for another host, so that no redirect or form address built
    from them leads there.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Browsers ignore tabs and line breaks, and treat a backslash as a slash.
        if request.path[1:].lstrip("\t\r\n").startswith(("/", "\\")):
            raise Http404
        return self.get_response(request)


class NotStored:
    """Forbids browsers and proxies to store pages, so that the next user of a machine finds nothing.

    Static files are answered earlier, and a view can set its own header.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response


class VaryOnHtmx:
    """Sets `Vary: HX-Request`, because a full page and its fragment have the same address."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        return response


class NoNulls:
    """Answers 400 for addresses with a NUL, which PostgreSQL can’t store and would reject deep inside a
    query.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path_info:
            return bad_request(request, BadRequest("NUL in the address"))
        return self.get_response(request)


# No data is older than this, and there is room to calculate with moments in between.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def parse_moment(text: str, *, zone: tzinfo = UTC) -> datetime | None:
    """Parse a moment in an address, such as 2026-11-24T14:05, optionally with seconds and offset.

    Without an offset it is in `zone`. Returns None for bad text and for moments before 1970 or from the year
    9000 on.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    # Compared first: datetime can’t convert moments at the edge of its range to UTC.
    return moment.astimezone(UTC) if EARLIEST <= moment < LATEST else None


ZONE: Final = "zone"
"""Name of the form field with the zone in which the form's moments were typed."""


def moment_in(request: HttpRequest, name: str, *, label: str = "") -> datetime | None:
    """Return a moment in the address; the page says that a malformed one was left out."""
    moment = moment_of(request.GET, name)
    if moment is None and request.GET.get(name):
        leave_out(request, name, label=label, sort=DATE)
    return moment


def moment_of(query: QueryDict, name: str) -> datetime | None:
    """Return a moment in an address or form; without an offset it is in the form's zone, or in UTC without
    one.
    """
    return parse_moment(query.get(name, ""), zone=zone_named(query.get(ZONE, "")) or UTC)


class AsOf:
    """Sets `request.at`, the moment that pages of the mirror show, from `?as-of=`; None means now.

    Malformed and future moments mean now, and the page says that they were left out. A form sends the zone in
    which its moment was typed as `as-of-zone`; it is redirected to an address in UTC, so that the address
    means the same to everyone.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("as-of", "")
        if (name := request.GET.get("as-of-zone")) is not None and request.method == "GET":
            return HttpResponseRedirect(_in_utc(request, parse_moment(text, zone=zone_named(name) or UTC)))
        moment = parse_moment(text)
        if text and moment is None:
            leave_out(request, "as-of", sort=DATE)
        elif moment is not None and moment >= datetime.now(tz=UTC):
            leave_out(request, "as-of", sort="a time in the past")
            moment = None
        request.at = moment  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Redirect a page that has no past view to the present, with a message."""
        if not isinstance(exception, PresentOnlyError) or request.method != "GET":
            return None
        query = request.GET.copy()
        query.pop("as-of", None)
        messages.info(request, "This page shows the present only, so the date was left out.")
        address = f"{request.path}?{query.urlencode()}" if query else request.path
        return HttpResponseRedirect(address)


def _in_utc(request: HttpRequest, moment: datetime | None) -> str:
    query = request.GET.copy()
    del query["as-of-zone"]
    if moment is not None:
        query["as-of"] = f"{moment:%Y-%m-%dT%H:%M:%S}"
    return f"{request.path}?{query.urlencode()}"


class ReaderZone:
    """Shows times in the zone that the person chose, else in their browser's zone, else in UTC."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(getattr(request, "user", None), "time_zone", "")
        with read_in(zone_named(chosen or request.COOKIES.get(name_of("zone"), ""))):
            return self.get_response(request)
