"""Reads what the frame of every page needs in one round trip, before the page asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from console.web.context import marks_read
from console.web.render import is_fragment
from iam.mirror.queries.accounts import frame_read
from iam.planned_reads import read_ahead


class FrameReads:
    """Sends the queries for the accounts and the counts of the frame at once, for a whole page of someone who
    is signed in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        viewer: Any = getattr(request, "viewer", None)
        if viewer is None or request.method != "GET" or is_fragment(request):
            return self._get_response(request)
        reads = [frame_read(viewer, account_id=request.GET.get("account", "")), marks_read(viewer)]
        with read_ahead(reads):
            return self._get_response(request)
