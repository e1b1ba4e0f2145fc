"""Redirects a GET of an address that only accepts forms to the page of the form, instead of answering an
error.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

V = TypeVar("V", bound=Callable[..., Any])
_MARK: Final = "takes_only_forms"
_METHODS: Final = "request_method_list"
"""Name of the closure variable in Django's `require_http_methods` that holds the allowed methods."""


def answers_get_with_its_page(view: V) -> V:
    """Mark a view that only accepts forms, so that a GET redirects to its page, even for people without
    access to the form.
    """
    setattr(view, _MARK, True)
    return view


@lru_cache(maxsize=1024)
def takes_only_forms(view: Callable[..., Any]) -> bool:
    """Return whether a view only accepts forms: it is marked, or one of its decorators refuses GET."""
    if getattr(view, _MARK, False):
        return True
    inner: Any = view
    while inner is not None:
        code = getattr(inner, "__code__", None)
        if code is not None and _METHODS in code.co_freevars:
            methods = inner.__closure__[code.co_freevars.index(_METHODS)].cell_contents
            return "GET" not in methods
        inner = getattr(inner, "__wrapped__", None)
    return False


class BackToPage:
    """Redirects a GET of an address that only accepts a POST, as after a reload or a bookmark, to the nearest
    page above it.

    Example: /changes/…/withdraw/ → /changes/…/. That page decides what to answer, such as a redirect to the
    sign-in or a 404. People without access to the form are redirected too: whether they can see the page is
    for the page to decide.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if request.method != "GET" or request.headers.get("HX-Request"):
            return response
        is_refused = response.status_code == HTTPStatus.METHOD_NOT_ALLOWED
        is_missing = response.status_code == HTTPStatus.NOT_FOUND
        match = getattr(request, "resolver_match", None)
        if is_missing and (match is None or not takes_only_forms(match.func)):
            return response
        if not (is_refused or is_missing) or "GET" in response.headers.get("Allow", ""):
            return response
        return HttpResponseRedirect(page_above(request.path_info))


def page_above(path: str) -> str:
    """Return the nearest address above this path that exists."""
    parts = path.strip("/").split("/")
    for length in range(len(parts) - 1, 0, -1):
        above = f"/{'/'.join(parts[:length])}/"
        try:
            resolve(above)
        except Resolver404:
            continue
        return above
    return "/"
