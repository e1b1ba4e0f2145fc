"""A GET of an address that only takes forms leads back to the page that the address is of, instead of to an
error.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve


class BackToPage:
    """Where somebody reloads, bookmarks or comes back by the browser to an address that only takes a POST,
    they get the nearest page above it.

    /changes/…/withdraw/ → /changes/…/. What that page answers is its own affair: it may lead to the sign-in,
    or be missing for this viewer.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or request.method != "GET":
            return response
        if request.headers.get("HX-Request") or "GET" in response.headers.get("Allow", ""):
            return response
        return HttpResponseRedirect(page_above(request.path_info))


def page_above(path: str) -> str:
    """The nearest address above a path that there is."""
    parts = path.strip("/").split("/")
    for length in range(len(parts) - 1, 0, -1):
        above = f"/{'/'.join(parts[:length])}/"
        try:
            resolve(above)
        except Resolver404:
            continue
        return above
    return "/"
