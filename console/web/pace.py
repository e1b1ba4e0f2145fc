"""How much one person can ask of Gatehouse in a minute: a script in a stolen session copies no directory and
floods no queue.
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
"""About a row of an access review, of which a person decides more than one a second by keyboard."""
MINUTE: Final = 60
QUESTIONS: Final = ("who-can", "escalation", "services", "service", "people-levels", "compare", "simulate")
"""The pages that are about whole accounts, by the names of their addresses in `access:`."""


class PaceMiddleware:
    """Answers 429 once a person has spent what `GATEHOUSE_PACE` gives them for a minute; 0 lifts the limit.

    The count is a guess where several requests of one person arrive at the same time: it slows down, and
    protects nothing else.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Count what the request costs before the view runs."""
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
    """What a request costs: an export, a form, a decision in a review, a question about whole accounts; other
    pages cost nothing.
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
