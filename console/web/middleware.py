"""Middleware of every page: caches are told about htmx, and the as-of moment is read from the address."""

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
from console.web.cookies import name_of
from console.web.moments import read_in, zone_named

Handler = Callable[[HttpRequest], HttpResponse]


# Browsers let a page use all of these unless it says otherwise. Passkeys and copying are ours.
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
    """No other site embeds what we answer, and no page of ours uses the devices of its reader: said with
    every answer, files included.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


class KnownMethods:
    """Pages are read and forms are sent; everything else, TRACE included, is refused before a view could take
    it for a GET.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in METHODS:
            return self.get_response(request)
        return HttpResponseNotAllowed(METHODS)


class OwnPaths:
    """No page has a path that a browser takes for another host: a redirect to it, or a form's address, would
    lead there.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Browsers leave out tabs and line breaks, and take a backslash for a slash.
        if request.path[1:].lstrip("\t\r\n").startswith(("/", "\\")):
            raise Http404
        return self.get_response(request)


class NotStored:
    """What somebody may see is kept by no browser and no proxy: anyone who comes next to the machine must not
    find it. Static files are answered before, and a view may know better.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store, private")
        return response


class VaryOnHtmx:
    """A full page and a fragment have one address: caches must keep them apart."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        patch_vary_headers(response, ["HX-Request"])
        return response


class NoNulls:
    """No address has a NUL in it: PostgreSQL stores none, and would fail somewhere deep inside a query."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "%00" in request.META.get("QUERY_STRING", "") or "\x00" in request.path_info:
            return bad_request(request, BadRequest("NUL in the address"))
        return self.get_response(request)


# Nothing was read before, and there is room to reckon backwards and forwards from what lies between.
EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def parse_moment(text: str, *, zone: tzinfo = UTC) -> datetime | None:
    """A moment from the address, such as 2026-11-24T14:05 or with seconds and offset; without offset it is in
    `zone`. Bad text is None, and so is a moment before 1970 or beyond all reckoning.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    # Compared first: a moment at the edge of the calendar cannot be brought to UTC.
    return moment.astimezone(UTC) if EARLIEST <= moment < LATEST else None


ZONE: Final = "zone"
"""The field of a form whose moments go into the address: the zone in which they were typed."""


def moment_of(query: QueryDict, name: str) -> datetime | None:
    """A moment of an address or a form: without an offset it is in the zone that the form names, in UTC where
    none is named.
    """
    return parse_moment(query.get(name, ""), zone=zone_named(query.get(ZONE, "")) or UTC)


class AsOf:
    """`request.at`: the moment that mirror pages show, from `?as-of=`; None is now. A future or malformed
    moment is now.

    The form that asks for a moment says in `as-of-zone` in which zone it was typed: the address that it leads
    to is in UTC, so that it means the same to everybody who gets it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        text = request.GET.get("as-of", "")
        if (name := request.GET.get("as-of-zone")) is not None and request.method == "GET":
            return HttpResponseRedirect(_in_utc(request, parse_moment(text, zone=zone_named(name) or UTC)))
        moment = parse_moment(text)
        now = datetime.now(tz=UTC)
        request.at = moment if moment and moment < now else None  # type: ignore[attr-defined]
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Lead a page that has no past view to the present, and say so."""
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
    if moment is None:
        query.pop("as-of", None)
    else:
        query["as-of"] = f"{moment:%Y-%m-%dT%H:%M:%S}"
    return f"{request.path}?{query.urlencode()}"


class ReaderZone:
    """Moments are shown in the zone that the person has chosen, else in that of their browser, else in
    UTC.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = getattr(getattr(request, "user", None), "time_zone", "")
        with read_in(zone_named(chosen or request.COOKIES.get(name_of("zone"), ""))):
            return self.get_response(request)
