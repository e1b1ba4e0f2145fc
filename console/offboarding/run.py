"""The page of a list of offboardings: the draft with errors and receipt, and later everyone's progress."""

from __future__ import annotations

from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from console.offboarding.lists import SEES
from console.offboarding.presenters import first_change, is_moving, mark_of, progress_of
from console.offboarding.preview import preview_context
from console.offboarding.terms import read_terms, typed_terms
from console.runs.views import RunPages, render_run, wait_while
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from console.web.page_cursors import page_number
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.guard import Right
from iam.people.offboarding.leaver_lookup import people_of
from iam.people.offboarding.models import Leaver, OffboardingRun
from iam.people.offboarding.queries import held_by, run_for, visible_leavers
from iam.people.offboarding.row_checks import candidates, check_again, correct
from iam.people.offboarding.rules import warnings_for
from iam.people.offboarding.services import request_run, title_for
from iam.people.runs.models import RowStatus, RunState

PAGE: Final = 50
MAX_ROW_LENGTH: Final = 2_048
"""Maximum length of a row; an ARN is the longest."""


@never_cache
@require_safe
@require(*SEES)
def run_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the draft or everyone in the run; a run of one redirects to that person's page."""
    run = PAGES.run_or_404(request, pk)
    if run.state == RunState.DRAFT:
        return draft_page(request, run)
    people = visible_leavers(request.viewer).filter(run=run)
    only = list(people[:2])
    if len(only) == 1 and not run.source:
        return redirect("offboarding:leaver", pk=only[0].pk)
    return _live(request, run)


def draft_page(
    request: ViewerRequest, run: OffboardingRun, *, refused: RefusedError | None = None
) -> HttpResponse:
    """Show the draft with its rows and receipt."""
    typed = typed_terms(request.POST)
    ready = list(run.people.filter(standing=RowStatus.READY).prefetch_related("seats__user__account"))
    seats = chain.from_iterable(leaver.seats.all() for leaver in ready)
    users = [seat.user for seat in seats]
    only = choice(request, "show", RowStatus.values)
    rows = run.people.filter(standing=only) if only else run.people.all()
    total, good = run.people.count(), len(ready)
    firsts = [leaver.seats.all()[0].user for leaver in ready if leaver.seats.all()]
    page = Paginator(rows, PAGE).get_page(page_number(request))
    options = candidates(request.viewer, list(page.object_list))
    context: dict[str, Any] = {
        "section": "leaving",
        "run": run,
        "title": title_for(ready),
        "page": page,
        "shown": [(leaver, options.get(leaver.pk, [])) for leaver in page],
        "total": total,
        "good": good,
        "bad": total - good,
        "only": only,
        "skip": request.POST.get("skip") == "1",
        "warnings": warnings_for(people_of(firsts), viewer=request.viewer),
        "refused_now": refused,
        "errors": field_errors(refused),
        "action": reverse("offboarding:run-request", args=[run.pk]),
        "refused": None,
        "plan": None,
    }
    context |= typed
    if users:
        context |= preview_context(
            request, users, roles=typed["roles_chosen"], sessions=typed["sessions_chosen"]
        )
    status = 422 if refused else 200
    return render_page(request, "offboarding/draft.html", context, partial="rows", status=status)


PAGES: Final = RunPages(
    run_for=run_for,
    draft_page=draft_page,
    run_url="offboarding:run",
    list_url="offboarding:leavers",
    discarded="List discarded. Nothing was requested.",
)


@require_POST
@require(Right.REQUEST_CHANGE)
def run_ask(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Request the offboarding of everyone in the draft, or correct the draft first."""

    def submit(run: OffboardingRun) -> HttpResponse | None:
        action = request.POST.get("do")
        if action == "look":
            return draft_page(request, run)
        if action == "check":
            check_again(request.viewer, run=run)
        elif action == "correct":
            correct(request.viewer, run=run, values=_corrected(request, run))
        else:
            skip = request.POST.get("skip") == "1"
            request_run(request.viewer, run=run, terms=read_terms(request.POST), skip=skip)
        return None

    return PAGES.change_draft(request, pk, submit)


def _corrected(request: ViewerRequest, run: OffboardingRun) -> dict[UUID, str]:
    """Return the changed rows: the ARN of a chosen candidate, else the text of the field."""
    values: dict[UUID, str] = {}
    for pk in run.people.values_list("pk", flat=True):
        text = request.POST.get(f"pick-{pk}") or request.POST.get(f"text-{pk}")
        if text is not None:
            values[pk] = text[:MAX_ROW_LENGTH]
    return values


@require_POST
@require(Right.REQUEST_CHANGE)
def run_discard(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Discard a draft."""
    return PAGES.discard(request, pk)


def _live(request: ViewerRequest, run: OffboardingRun) -> HttpResponse:
    people = visible_leavers(request.viewer).filter(run=run).order_by("position")
    page = Paginator(people, PAGE).get_page(page_number(request))
    leavers = list(page.object_list)
    holdings_by_leaver = held_by(leavers)
    # While the request is being written, its people have no offboardings yet, but they are counted.
    is_asking = run.state == RunState.SUBMITTING
    total = run.people.filter(standing=RowStatus.READY).count() if is_asking else people.count()
    is_open = is_asking or any(map(is_moving, leavers))
    context = {
        "section": "leaving",
        "run": run,
        "rows": [
            (leaver, *mark_of(leaver), progress_of(holdings_by_leaver[leaver.pk])) for leaver in leavers
        ],
        "page": page,
        "request_of": first_change(list(chain.from_iterable(holdings_by_leaver.values()))),
        "counts": _counts(people, total),
    }
    address = f"{reverse('offboarding:run', args=[run.pk])}?page={page.number}"
    return render_run(request, "offboarding/run.html", context, address=address, pace=wait_while(is_open))


def _counts(people: QuerySet[Leaver], total: int) -> dict[str, int]:
    """Return counts of the visible people, up to the total."""
    proved = people.filter(proved_at__isnull=False).count()
    return {"total": total, "proved": proved, "share": round(100 * proved / max(1, total))}
