"""Starts rotations for many keys: those selected in the list, or all that match its filter."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.identities.lists.list_address import ListAddress, read
from console.operators.recency import recently_authenticated
from console.rotation.begin import plan_context, read_terms, terms_context
from console.rotation.keys import page_for
from console.web.access import ViewerRequest, require, require_present
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.guard import Right
from iam.mirror.queries.lists.core import wanted_rows
from iam.people.rotation.key_list import KEYS
from iam.people.rotation.requests import BATCH_SIZE, MAX_ROTATIONS, begin_many
from iam.people.rotation.selection import KeySelection, choose

PREVIEW_ROWS: Final = 50
MAX_NAMED: Final = 5
"""How many left-out keys are named for each reason."""


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
@recently_authenticated
def many_page(request: ViewerRequest) -> HttpResponse:
    """Show the keys, and those left out with reasons; a POST saves the rotations, which a worker requests."""
    require_present(request)
    asked = read(request, page_for(request.viewer))
    keys = _keys(asked)
    choice = choose(request.viewer, keys[:MAX_ROTATIONS])
    if request.method == "GET":
        return _page(request, asked, keys, choice)
    try:
        if request.POST.get("count", "") != str(len(choice.chosen)):
            raise RefusedError(f"The list now has {len(choice.chosen):,} keys. Check it and submit again.")
        run, begun = begin_many(request.viewer, keys, read_terms(request.POST))
    except RefusedError as refused:
        return _page(request, asked, keys, choice, refused=refused)
    number = len(begun.chosen)
    rotations = "1 rotation is" if number == 1 else f"{number:,} rotations are"
    messages.success(request, f"{rotations} being requested.")
    return redirect(f"{reverse('keys:rotations')}?batch={run.pk}")


def _keys(asked: ListAddress) -> list[int]:
    """Return the IDs of the active keys, one more than the maximum if there are too many."""
    rows = wanted_rows(KEYS, asked.list_context, asked.wanted).filter(category="Active")
    return list(
        rows.order_by(F("created_at").asc(), "entity").values_list("entity", flat=True)[: MAX_ROTATIONS + 1]
    )


def _page(
    request: ViewerRequest,
    asked: ListAddress,
    keys: list[int],
    choice: KeySelection,
    *,
    refused: RefusedError | None = None,
) -> HttpResponse:
    terms = terms_context(request)
    context: dict[str, Any] = {
        "section": "keys",
        "account": asked.list_context.account,
        "total": len(keys),
        "inactive": wanted_rows(KEYS, asked.list_context, asked.wanted).exclude(category="Active").count(),
        "too_many": len(keys) > MAX_ROTATIONS,
        "most": MAX_ROTATIONS,
        "count": len(choice.chosen),
        "sets": -(-len(choice.chosen) // BATCH_SIZE),
        "at_once": BATCH_SIZE,
        "chosen": choice.chosen[:PREVIEW_ROWS],
        "more": max(0, len(choice.chosen) - PREVIEW_ROWS),
        "left_out": [
            (why, number, choice.left_keys[why][:MAX_NAMED]) for why, number in choice.left_out.most_common()
        ],
        "refused": refused,
        "errors": field_errors(refused),
        "action": request.get_full_path(),
        "back": f"{reverse('keys:keys')}{asked.query}",
    }
    context |= terms | plan_context(terms["quiet"], terms["keep"])
    status = 422 if refused else 200
    return render_page(request, "rotation/many.html", context, status=status)
