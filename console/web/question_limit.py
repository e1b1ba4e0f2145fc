"""Stops a page that takes too much processor time, and shows a message to its reader."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from console.web.render import is_fragment
from iam.question_budget import BudgetSpentError, question_budget

logger = structlog.get_logger(__name__)
READS = ("GET", "HEAD")


class QuestionLimit:
    """Limits the processor time of pages that only read to `GATEHOUSE_QUESTION_SECONDS`.

    Forms have no limit, so that none stops halfway. Streamed files are not covered, because they are sent
    later.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method not in READS:
            return self.get_response(request)
        with question_budget(settings.QUESTION_SECONDS):
            return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Show the message in place of the fragment (422) or as a whole page (503)."""
        if not isinstance(exception, BudgetSpentError):
            return None
        logger.warning("question.stopped", path=request.path, seconds=exception.seconds)
        context = {"stopped_after": exception.seconds}
        if is_fragment(request):
            return render(request, "components/question_stopped.html", context, status=422)
        return render(request, "question_stopped.html", context, status=503)
