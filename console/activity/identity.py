"""The tab “Activity” of a user or role: their CloudTrail events."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.activity.export_links import export_links
from console.activity.forms import ActivityForm
from console.activity.lines import ActivityLine, lines_of
from console.activity.services_report import services_context
from console.identities.details import history
from console.identities.details.frame import ShownEntity, render_shown, shown_or_404
from console.identities.details.people import SEES
from console.identities.details.principals import PRINCIPAL_HEADS, PRINCIPAL_PAGES
from console.web.access import ViewerRequest, require
from console.web.moments import to_local
from console.web.page_cursors import place_in, word_of
from iam.activity.queries import (
    ActionCalls,
    EventCoverage,
    actions_used,
    addresses_of,
    by_service,
    callers_of,
    events_of,
    extent,
    searched_page,
)
from iam.activity.sources.coverage import coverage
from iam.guard import Right
from iam.keyset import KeysetPlace
from iam.mirror.models import Kind

NEW_SHOWN: Final = 10
UNKNOWN_BEFORE: Final = timedelta(days=7)
NEW_FOR: Final = timedelta(days=30)
NAMES: Final = {Kind.USER.value: "activity:person", Kind.ROLE.value: "activity:role"}


@require_safe
@require(*SEES)
def person_activity(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the activity of an IAM user."""
    return _activity(request, shown_or_404(request, pk, kinds=[Kind.USER]))


@require_safe
@require(Right.SEE_ACCOUNT)
def role_activity(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the activity of a role."""
    return _activity(request, shown_or_404(request, pk, kinds=[Kind.ROLE]))


def _activity(request: ViewerRequest, shown: ShownEntity) -> HttpResponse:
    if shown.state is None:
        return history.render_gone(request, shown)
    name = NAMES[shown.entity.kind]
    context = PRINCIPAL_HEADS[shown.entity.kind](shown, here=name) | _context(request, shown)
    context |= {"tab": "activity/identity.html", "name": name}
    return render_shown(request, shown, PRINCIPAL_PAGES[shown.entity.kind], context)


def _context(request: ViewerRequest, shown: ShownEntity) -> dict[str, Any]:
    """Return a page of events, and a summary of all."""
    form = ActivityForm(request, at=shown.at)
    callers = callers_of(shown.entity)
    wanted = form.event_filter
    page = searched_page(
        events_of(callers, wanted),
        events_of(callers, wanted.period),
        is_search=wanted.is_search,
        callers=callers,
        after=event_place(request),
    )
    lines = lines_of(page.rows)
    used = actions_used(callers)
    actions: dict[str, list[ActionCalls]] = {}
    for action in used:
        actions.setdefault(action.service, []).append(action)
    known = extent(shown.account_id)
    return {
        "form": form,
        "days": by_day(lines),
        "older": word_of(page.after),
        "may_grant": request.viewer.may(Right.REQUEST_CHANGE),
        "is_first": "after" not in request.GET,
        "searched_to": page.searched_to,
        "services": [(service, actions[service.service]) for service in by_service(used)],
        "new_actions": _new_actions(used, known),
        "addresses": addresses_of(callers),
        "known": known,
        "files": export_links(request, f"{NAMES[shown.entity.kind]}-export", shown.entity.pk),
        "covered": coverage([shown.account_id]),
        **services_context(shown),
    }


def _new_actions(used: list[ActionCalls], known: EventCoverage | None) -> list[ActionCalls]:
    """Return actions first called in the last thirty days of the known period, newest first.

    Actions called in the first known week may have been called before, so they are excluded.
    """
    if known is None:
        return []
    since = max(known.first_at + UNKNOWN_BEFORE, known.last_at - NEW_FOR)
    new = [action for action in used if action.first_at > since]
    return sorted(new, key=attrgetter("first_at"), reverse=True)[:NEW_SHOWN]


def event_place(request: ViewerRequest) -> KeysetPlace | None:
    """Return the position in a list of events in the address."""
    return place_in(request, "after", kind=datetime, pk_kind=UUID)


def by_day(lines: list[ActivityLine]) -> list[tuple[Any, list[ActivityLine]]]:
    """Group lines by day in the reader's time zone."""
    days = groupby(lines, key=lambda line: to_local(line.event.at).date())
    return [(day, list(of_day)) for day, of_day in days]
