"""Requires recent authentication before dangerous actions."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode, urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import HttpResponseClientRedirect

from console.operators.kept_form import keep
from console.operators.sessions import signed_in_at

P = ParamSpec("P")
Q = TypeVar("Q", bound=HttpRequest)


def is_recent(request: HttpRequest) -> bool:
    """Return whether the last authentication in this session is recent enough
    (settings.REAUTHENTICATE_MINUTES).
    """
    if not request.user.is_authenticated:
        return False
    moments = [record["at"] for record in get_authentication_records(request, request.user)]
    moments += [moment for moment in (signed_in_at(request),) if moment]
    return bool(moments) and time.time() - max(moments) < settings.REAUTHENTICATE_MINUTES * 60


def recently_authenticated(
    view: Callable[Concatenate[Q, P], HttpResponseBase],
) -> Callable[Concatenate[Q, P], HttpResponseBase]:
    """Require password, code or passkey unless the person authenticated recently, then return to the page or
    the posted form.

    A form with a secret isn’t kept: also decorate the view of the page with the form, so that no one fills it
    in for nothing.
    """

    @wraps(view)
    def guarded(request: Q, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if is_recent(request):
            return view(request, *args, **kwargs)
        return _confirm(request)

    return guarded


def _confirm(request: HttpRequest) -> HttpResponse:
    methods = get_adapter().get_reauthentication_methods(request.user)
    if methods:
        address = str(methods[0]["url"])
    else:
        # Only the identity provider knows this person, so they sign in through it again.
        logout(request)
        address = resolve_url(settings.LOGIN_URL)
    following = (
        reverse("resume") if methods and request.method == "POST" and keep(request) else page_of(request)
    )
    target = f"{address}?{urlencode({'next': following})}"
    if getattr(request, "htmx", None):
        return HttpResponseClientRedirect(target)
    return HttpResponseRedirect(target)


def page_of(request: HttpRequest) -> str:
    """Return the current page; for a form or a fragment, the page that sent it."""
    if request.method == "GET" and not getattr(request, "htmx", None):
        return request.get_full_path()
    origin = request.headers.get("HX-Current-URL") or request.headers.get("Referer") or ""
    if not url_has_allowed_host_and_scheme(origin, allowed_hosts={request.get_host()}):
        return "/"
    parts = urlsplit(origin)
    return f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
