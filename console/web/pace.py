"""Limits how much a person can request per minute, so that a script with a stolen session can’t copy the
directory or flood a queue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

logger = structlog.get_logger(__name__)
EXPORT: Final = 50
FORM: Final = 10
QUESTION: Final = 1
DECISION: Final = 1
"""Cost of deciding about a row of an access review; by keyboard a person decides more than one per second."""
MINUTE: Final = 60
QUESTIONS: Final = ("who-can", "escalation", "services", "service", "people-levels", "compare", "simulate")
"""Prefixes of the URL names in `access:` whose pages search whole accounts."""


class PaceMiddleware:
    """Answers 429 once a person has used up the `GATEHOUSE_PACE` of the current minute; 0 turns the limit
    off.

    The count is approximate if requests of one person arrive at the same time. It slows people down and
    protects nothing else.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Add the request's cost before the view runs."""
        viewer = getattr(request, "viewer", None)
        cost = cost_of(request)
        if viewer is None or not cost or not settings.PACE:
            return None
        now = time.time()
        key = f"pace:{viewer.person_id}:{int(now // MINUTE)}"
        spent = int(cache.get(key, 0)) + cost
        if spent > settings.PACE:
            logger.warning("pace.exceeded", person=str(viewer.person_id))
            seconds = int(MINUTE - now % MINUTE) + 1
            response = render(request, "429.html", {"seconds": seconds}, status=429)
            response["Retry-After"] = str(seconds)
            return response
        cache.set(key, spent, MINUTE)
        return None


def cost_of(request: HttpRequest) -> int:
    """Return the cost of an export, a form, a decision in a review or a question about whole accounts; 0 for
    other pages.
    """
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    if name.endswith("export"):
        return EXPORT
    if match is not None and match.view_name == "reviews:decide-row":
        return DECISION
    if request.method == "POST":
        return FORM
    asks = match is not None and match.namespace == "access" and name.startswith(QUESTIONS)
    return QUESTION if asks else 0
