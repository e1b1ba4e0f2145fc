"""The page of an account: its sections, problems, the running and past syncs, and buttons to start a sync."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.setup.forms import interval_words
from console.setup.own_settings import own_settings
from console.setup.pages import setup_page
from console.setup.progress import progress_of, step_of
from console.web.access import ViewerRequest, account_or_404, require
from console.web.asof import asof_context
from console.web.middleware import parse_moment
from console.web.render import is_fragment
from iam.activity.sources.coverage import spans_of
from iam.directory.models import Person
from iam.guard import Right
from iam.mirror.models import Account, AccountFact, Pull, SectionState
from iam.mirror.models.accounts import ACTIVE_PULL, PullState
from iam.mirror.pull.sections import ALL
from iam.mirror.queries.account_facts import facts_of
from iam.mirror.queries.account_pages import HISTORY_SIZE, pull_history, pull_sections
from iam.mirror.queries.figures import quota_usage, section_counts
from iam.mirror.queries.freshness import FreshnessFacts, SectionCell, account_state, cells
from iam.mirror.queries.organization import organization_tree
from iam.mirror.queries.own_facts import own_facts, unit_path
from iam.mirror.queries.past_accounts import was_connected
from iam.mirror.services import cancel_pull, request_pull
from iam.mirror.services.pulls import NotPullableError

NO_PROGRESS: dict[str, Any] = {"parts": {}}
STOPPED_SHORT = frozenset({SectionState.DENIED, SectionState.HELD, SectionState.PARTIAL, SectionState.FAILED})


@require_safe
@require(Right.SEE_ACCOUNT)
def account(request: ViewerRequest, number: str) -> HttpResponse:
    """Show an account, now or at a past moment."""
    account = account_or_404(request.viewer, number, right=Right.SEE_ACCOUNT)
    at = request.at
    context = live_context(request, account, at=at) | asof_context(request, account=account)
    context |= {
        "at": at,
        "was_there": at is None or was_connected(account, at=at),
        **_synced_context(account, context["facts"], at),
        "tree": organization_tree(account, at=at),
        "places": spans_of(account.account_id),
    }
    return setup_page(request, "account.html", context)


def _synced_context(account: Account, freshness: FreshnessFacts, at: datetime | None) -> dict[str, Any]:
    """What else a sync changes on the page: the history, and what AWS says of the account as a whole."""
    facts = own_facts(account, at=at)
    return {
        "pulls": history(account, at=at),
        "own": own_settings(facts, used=_used(account, freshness, at)),
        "organization": _organization(account, facts, at),
        "units": unit_path(account, at=at),
        "every": interval_words(account.pull_every or settings.PULL_MINUTES),
    }


def _used(account: Account, facts: FreshnessFacts, at: datetime | None) -> dict[str, int]:
    synced = {name for name, section in facts.sections.items() if section.observed_at is not None}
    return quota_usage(account, facts.counts, synced=synced, at=at)


def _organization(account: Account, facts: dict[str, AccountFact], at: datetime | None) -> str:
    """Return the organization's ID as synced; before the first sync, as entered."""
    if "organization" in facts:
        return str((facts["organization"].value or {}).get("Id", ""))
    return "" if at else account.organization_id


def live_context(request: ViewerRequest, account: Account, *, at: datetime | None = None) -> dict[str, Any]:
    """Return the part of the context that changes during a sync; with `at`, for a past moment."""
    facts = replace(facts_of([account.pk], at=at)[0], counts=section_counts(account, at=at))
    shown = cells(facts)
    step = step_of(request)
    progress = progress_of(facts, pull_sections(facts.pull)) if facts.pull else None
    problems = _problems(shown, facts)
    return {
        "account": account,
        "facts": facts,
        "standing": account_state(facts),
        "cells": shown,
        "problems": problems,
        "good": [cell for cell in shown if cell not in problems],
        "total": len(ALL),
        "pull": facts.pull,
        "progress": progress or NO_PROGRESS,
        "spoken": f"Syncing, {progress.spoken}" if progress else "",
        "role_name": account.role_arn.rpartition("/")[2],
        "step": step,
        "missing": [cell for cell in problems if _is_missing(cell)],
        "is_held": any(cell.section and cell.section.state == SectionState.HELD for cell in shown),
    }


def _problems(shown: list[SectionCell], facts: FreshnessFacts) -> list[SectionCell]:
    """Return the sections with problems of their own.

    If the account couldn’t be accessed, all have the same problem, which the page shows once.
    """
    message = facts.last_message if facts.last_state == PullState.FAILED else ""
    stopped = [cell for cell in shown if cell.section and cell.section.state in STOPPED_SHORT]
    return [cell for cell in stopped if not (message and cell.section and cell.section.message == message)]


def _is_missing(cell: SectionCell) -> bool:
    return bool(cell.section and cell.section.state == SectionState.DENIED)


def history(account: Account, older: str = "", *, at: datetime | None = None) -> dict[str, Any]:
    """Return past syncs (those before a past moment) with the names of the requesters. Takes two queries."""
    before = parse_moment(older)
    pulls = pull_history(account, before=before, at=at)
    shown, more = pulls[:HISTORY_SIZE], len(pulls) > HISTORY_SIZE
    people = Person.objects.in_bulk([pull.requested_by for pull in shown if pull.requested_by])
    return {
        "rows": [
            (pull, people.get(pull.requested_by) if pull.requested_by else None, pull.seconds)
            for pull in shown
        ],
        "older": shown[-1].created_at.isoformat() if more else "",
        "is_first": not before,
    }


@require_safe
@require(Right.SEE_ACCOUNT)
def live_progress(request: ViewerRequest, number: str) -> HttpResponse:
    """Answer the polling page with the sync's progress; status 286 ends the polling.

    Without htmx, redirect to the whole page.
    """
    account = account_or_404(request.viewer, number, right=Right.SEE_ACCOUNT)
    if not is_fragment(request):
        return redirect("setup:account", number=number)
    context = live_context(request, account)
    ended = context["pull"] is None
    announcement = context["spoken"] or f"Sync finished: {context['standing'].words}"
    if announcement != request.GET.get("said", ""):
        context["said"] = announcement
    if ended:
        context |= _synced_context(account, context["facts"], None) | {"has_ended": True}
    status = 286 if ended else 200
    return setup_page(request, "account.html", context, partial="live", status=status)


@require_safe
@require(Right.SEE_ACCOUNT)
def pulls(request: ViewerRequest, number: str) -> HttpResponse:
    """List all syncs of an account."""
    account = account_or_404(request.viewer, number, right=Right.SEE_ACCOUNT)
    context = asof_context(request, account=account) | {
        "at": request.at,
        "account": account,
        "pulls": history(account, request.GET.get("older", ""), at=request.at),
    }
    return setup_page(request, "pulls.html", context)


@require_POST
@require(Right.MANAGE_ACCOUNTS)
def pull(request: ViewerRequest, number: str) -> HttpResponse:
    """Request a sync."""
    account = account_or_404(request.viewer, number, right=Right.MANAGE_ACCOUNTS)
    try:
        request_pull(account, requested_by=request.viewer)
    except NotPullableError:
        messages.error(request, f"{account.name} comes from an uploaded file. Upload a newer one instead.")
        return redirect("setup:account", number=number)
    return _live_or_page(request, account)


@require_POST
@require(Right.MANAGE_ACCOUNTS)
def stop(request: ViewerRequest, number: str) -> HttpResponse:
    """Stop the running sync, if there is one."""
    account = account_or_404(request.viewer, number, right=Right.MANAGE_ACCOUNTS)
    running = Pull.objects.filter(ACTIVE_PULL, account=account).first()
    if running:
        cancel_pull(running, actor=request.viewer)
    return _live_or_page(request, account)


def _live_or_page(request: ViewerRequest, account: Account) -> HttpResponse:
    if not is_fragment(request):
        return redirect("setup:account", number=account.account_id)
    context = live_context(request, account)
    context["said"] = context["spoken"] or context["standing"].words
    if context["pull"] is None:
        context |= _synced_context(account, context["facts"], None) | {"has_ended": True}
    return setup_page(request, "account.html", context, partial="live")


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.MANAGE_ACCOUNTS)
def apply_loss(request: ViewerRequest, number: str) -> HttpResponse:
    """Confirm that missing objects were really deleted; the next sync applies the held-back changes."""
    account = account_or_404(request.viewer, number, right=Right.MANAGE_ACCOUNTS)
    held_cells = []
    for cell in cells(facts_of([account.pk])[0]):
        if cell.section and cell.section.state == SectionState.HELD:
            held_cells.append(cell)
    if request.method != "POST":
        return setup_page(request, "apply_loss.html", {"account": account, "held": held_cells})
    if not held_cells:
        messages.info(request, "No sync is on hold anymore.")
        return redirect("setup:account", number=number)
    if request.POST.get("sure") != "yes":
        context = {
            "account": account,
            "held": held_cells,
            "error": "Select the checkbox to confirm that they were deleted in AWS.",
        }
        return setup_page(request, "apply_loss.html", context, partial="form", status=422)
    request_pull(account, requested_by=request.viewer, accept_loss=True)
    messages.success(
        request, f"{account.name} is being synced again. Entries that are still missing are removed."
    )
    return redirect("setup:account", number=number)
