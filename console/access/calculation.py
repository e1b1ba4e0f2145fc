"""What pages show while escalation paths are calculated for the first time in a large organization."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, Final, ParamSpec

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.context import frame_of
from console.web.query import QueryPairs
from console.web.render import is_fragment, render_page
from iam.access.escalation_calculation.stored_calculation import SERVICES, BeingCalculatedError, is_ready
from iam.access.visible_accounts import accounts_seen
from iam.guard import Right

Given = ParamSpec("Given")
RETRY_SECONDS: Final = 10
MAX_KEY_LENGTH: Final = 32
PART: Final = "who-can-reach"
NOT_SYNCED_YET: Final = "Users and roles weren’t synced yet. Try again after the first sync.\n"
IN_A_FILE: Final = "Gatehouse is still calculating who can become administrator. Try again in a minute.\n"


def waits_for_calculation(
    view: Callable[Concatenate[ViewerRequest, Given], HttpResponse],
) -> Callable[Concatenate[ViewerRequest, Given], HttpResponse]:
    """Decorate a view to show that the calculation is running; that page polls and loads the result when it
    is done.
    """

    @wraps(view)
    def waiting(request: ViewerRequest, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except BeingCalculatedError as waits:
            context = {
                **asof_context(request, account=None),
                "section": "services" if waits.question == SERVICES else "escalation",
                "is_unsynced": waits.is_unsynced,
                "of_services": waits.question == SERVICES,
                "of_paths": waits.question not in ("", SERVICES),
                "ready": ready_address(request, waits.question),
                "again": request.get_full_path() if _is_part(request) else "",
            }
            return render_page(request, "access/being_calculated.html", context, partial="wait")

    return waiting


def _is_part(request: ViewerRequest) -> bool:
    """Return whether only a part of a page waits, which then reloads itself."""
    match = request.resolver_match
    return is_fragment(request) and match is not None and match.url_name == PART


def file_waits_for_calculation(
    view: Callable[Concatenate[ViewerRequest, Given], HttpResponseBase],
) -> Callable[Concatenate[ViewerRequest, Given], HttpResponseBase]:
    """Decorate a view of a file to answer with a text and Retry-After while the calculation is running."""

    @wraps(view)
    def waiting(request: ViewerRequest, /, *args: Given.args, **kwargs: Given.kwargs) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except BeingCalculatedError as waits:
            text = NOT_SYNCED_YET if waits.is_unsynced else IN_A_FILE
            response = HttpResponse(text, content_type="text/plain; charset=utf-8", status=503)
            response["Retry-After"] = str(RETRY_SECONDS)
            return response

    return waiting


def ready_address(request: ViewerRequest, question: str = "") -> str:
    """Return the address that a waiting page polls."""
    query = QueryPairs.from_pairs(
        [
            ("question", question),
            ("account", request.GET.get("account", "")),
            ("as-of", request.GET.get("as-of", "") if request.at else ""),
        ]
    )
    return f"{reverse('access:escalation-ready')}{query}".rstrip("?")


@require_safe
@require(Right.SEE_ACCOUNT)
def escalation_ready(request: ViewerRequest) -> HttpResponse:
    """Answer the polling page: make it reload once a worker has finished the calculation."""
    response = HttpResponse(status=204)
    account = frame_of(request).chosen
    number = account.account_id if account else ""
    seen = accounts_seen(request.viewer, account=number)
    if is_ready(request.at, request.GET.get("question", "")[:MAX_KEY_LENGTH], seen):
        response["HX-Refresh"] = "true"
    return response
