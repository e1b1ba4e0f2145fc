"""The page of a run: the draft with its receipt, and later each person's checklist, updated while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.onboarding.draft import draft_context
from console.onboarding.lists import SEES
from console.onboarding.people import FIELDS
from console.onboarding.presenters import person_rows
from console.runs.marks import mark_of
from console.runs.progress import progress_of
from console.runs.views import RunPages, render_run
from console.setup.progress import PollPace
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from console.web.files import FORMS, csv_lines, download, json_lines
from console.web.page_cursors import page_number
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.changes.models import Change
from iam.guard import Right
from iam.journal.services import record
from iam.people.blueprints.queries import may_run
from iam.people.onboarding import services
from iam.people.onboarding.checklist import checklists
from iam.people.onboarding.models import OnboardingRun
from iam.people.onboarding.queries import counts_of, people_shown, run_for, sets_of
from iam.people.onboarding.repeat_invitation import invite_again
from iam.people.onboarding.row_checks import check_again, edit_rows
from iam.people.runs.models import RowStatus, RunState

PAGE: Final = 25
QUESTIONS: Final = 60
"""Number of automatic updates while people have to act."""
COLUMNS: Final = ("name", "email", "user name", "last day", "step", "status", "since")


@never_cache
@require_safe
@require(*SEES)
def run_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the draft or the running onboarding."""
    run = PAGES.run_or_404(request, pk)
    if run.state == RunState.DRAFT:
        return draft_page(request, run)
    return _live(request, run)


def draft_page(
    request: ViewerRequest, run: OnboardingRun, *, refused: RefusedError | None = None
) -> HttpResponse:
    """Show the draft with its rows and receipt."""
    context = draft_context(request, run)
    context |= {"section": "onboarding", "refused_now": refused, "errors": field_errors(refused)}
    status = 422 if refused else 200
    return render_page(request, "onboarding/draft.html", context, partial="rows", status=status)


FAILED: Final = "failed"
"""The value of `show` that lists only people with a failed step."""
PAGES: Final = RunPages(
    run_for=run_for,
    draft_page=draft_page,
    run_url="onboarding:run",
    list_url="onboarding:runs",
    discarded="The draft was discarded.",
)


@require_POST
@require(Right.REQUEST_CHANGE)
def run_ask(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Request the onboarding of everyone in the draft."""

    def submit(run: OnboardingRun) -> None:
        if request.POST.get("do") == "check":
            check_again(request.viewer, run=run)
            return
        services.request_run(
            request.viewer,
            run=run,
            reason=request.POST.get("reason", ""),
            skip=request.POST.get("skip") == "1",
            adopt=request.POST.get("adopt") == "1",
        )

    return PAGES.change_draft(request, pk, submit)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
def run_rows(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Save corrected rows, and check all rows again."""
    if request.at is not None:
        raise Http404
    if request.method != "POST":
        PAGES.run_or_404(request, pk)
        return redirect("onboarding:run", pk=pk)

    def save(run: OnboardingRun) -> HttpResponse:
        post = request.POST
        values: dict[int, dict[str, str]] = {}
        for number in run.people.values_list("pk", flat=True):
            prefix = f"p{number}-"
            if f"{prefix}name" in post:
                values[number] = {name: post.get(f"{prefix}{name}", "")[:256] for name in FIELDS}
        return draft_page(request, edit_rows(request.viewer, run=run, values=values))

    return PAGES.change_draft(request, pk, save)


@require_POST
@require(Right.REQUEST_CHANGE)
def run_retry(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Retry what failed."""
    run = PAGES.run_or_404(request, pk)
    try:
        count = services.retry_failed(request.viewer, run=run)
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Retrying {count} {'change' if count == 1 else 'changes'}.")
    return redirect("onboarding:run", pk=pk)


@require_POST
@require(Right.REQUEST_CHANGE)
def run_invite(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Send a new invitation, with a new first password if the former one was used; the former link stops
    working.
    """
    newcomer = PAGES.run_or_404(request, pk).people.filter(pk=min(number, 2**31)).first()
    if newcomer is None:
        raise Http404
    try:
        sent = invite_again(newcomer, actor=request.viewer)
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        if sent.link is not None:
            done = f"Another invitation was sent to {sent.link.person.email}."
        else:
            done = (
                f"A new first password is being set. The invitation to {newcomer.email} follows as soon as "
                "AWS has it."
            )
        messages.success(request, done)
    return redirect(f"{reverse('onboarding:run', args=[pk])}?{request.GET.urlencode()}")


@require_POST
@require(Right.REQUEST_CHANGE)
def run_discard(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Discard a draft."""
    return PAGES.discard(request, pk)


@require_safe
@require(Right.EXPORT)
def run_export(request: ViewerRequest, pk: UUID, form: str) -> HttpResponseBase:
    """Export every step of every person."""
    run = PAGES.run_or_404(request, pk)
    if form not in FORMS:
        raise Http404
    record(
        kind="onboarding.export",
        actor=request.viewer,
        subject=run.reference,
        data={"run": run.pk, "format": form},
    )
    about = {"run": run.reference, "blueprint": run.version.blueprint.name, "version": run.version.number}
    rows = _lines(run)
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    return download(parts, form=form, name=f"onboarding-{run.reference}")


def _lines(run: OnboardingRun) -> Iterator[dict[str, Any]]:
    people = run.people.filter(standing=RowStatus.READY)
    for page in Paginator(people, 200):
        for checklist in checklists(list(page.object_list), body=run.version.body):
            who = checklist.newcomer
            until = who.until.isoformat() if who.until else ""
            for item in checklist.items:
                step, status = item.words.to_do, item.standing.value
                values = (who.name, who.email, who.user_name, until, step, status, item.at)
                yield dict(zip(COLUMNS, values, strict=True))


def _live(request: ViewerRequest, run: OnboardingRun) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:128]
    is_failed_only = choice(request, "show", (FAILED,)) == FAILED
    counts = counts_of(run)
    failed_only = counts.failed if is_failed_only else None
    people = people_shown(run, text=text, only=failed_only)
    pages = Paginator(people, PAGE)
    page = pages.get_page(page_number(request))
    page_checklists = checklists(list(page.object_list), body=run.version.body)
    is_submitting = run.state == RunState.SUBMITTING
    progress = progress_of(counts.states, is_submitting=is_submitting)
    people_rows = person_rows(page_checklists, is_submitting=is_submitting)
    waits_for_people = not run.is_open and any(not person.is_over for person in people_rows)

    def pace(step: PollPace) -> str:
        if run.is_open:
            return step.wait
        return "10s" if waits_for_people and step.number < QUESTIONS else ""

    wanted = urlencode({"q": text, "show": FAILED if is_failed_only else ""})
    here = f"{reverse('onboarding:run', args=[run.pk])}?{wanted}&page={page.number}"
    total = run.people.filter(standing=RowStatus.READY).count()
    context = {
        "section": "onboarding",
        "title": services.title_for(run, total),
        "here": here,
        "run": run,
        "body": run.version.body,
        "mark": mark_of(run),
        "progress": progress,
        "people": people_rows,
        "page": page,
        "total": total,
        "failed_count": len(counts.failed),
        "only_failed": is_failed_only,
        "q": text,
        "wanted": wanted,
        "sets": [(number, _first(change_set.pk)) for number, change_set in enumerate(sets_of(run), start=1)],
        "may_retry": request.at is None
        and progress.failed
        and run.state not in (RunState.SUBMITTING, RunState.WAITING)
        and may_run(request.viewer, run.version.blueprint.team),
        "may_invite": request.at is None and may_run(request.viewer, run.version.blueprint.team),
        "may_export": request.viewer.may(Right.EXPORT),
    }
    return render_run(request, "onboarding/run.html", context, address=here, pace=pace)


def _first(set_id: UUID) -> UUID | None:
    changes = Change.objects.filter(change_set=set_id).order_by("position")
    return changes.values_list("pk", flat=True).first()
