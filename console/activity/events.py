"""The page of activity in all accounts, and the page of an event."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from console.activity.export_links import export_links
from console.activity.forms import AccountsActivityForm
from console.activity.identity import by_day, event_place
from console.activity.lines import MICROSECONDS, ActivityLine, caller_links, lines_of
from console.web.access import ViewerRequest, layout_for, require
from console.web.page_cursors import word_of
from console.web.render import is_fragment, render_page
from iam.activity.models import TrailEvent
from iam.activity.queries import (
    DENIED,
    HIDDEN,
    entities_of_callers,
    event_at,
    events_in,
    extent,
    hides_addresses,
    made_by,
    searched_page,
    shown_address,
)
from iam.activity.sources.coverage import coverage
from iam.guard import Right, Viewer
from iam.mirror.queries.accounts import visible_accounts
from iam.mirror.queries.visibility import visible_entities

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST_MOMENT: Final = 253_402_300_799 * MICROSECONDS


@require_safe
@require(Right.SEE_ACCOUNT)
def activity(request: ViewerRequest) -> HttpResponse:
    """List the newest events of the visible accounts that match the filter."""
    form = AccountsActivityForm(request)
    every = events_in(_accounts(request.viewer, form.value("account")), form.event_filter.period)
    page = searched_page(
        wanted_events(request.viewer, form),
        every,
        is_search=form.event_filter.is_search
        or form.event_filter.result == DENIED
        or bool(form.value("who")),
        after=event_place(request),
    )
    links = caller_links({event.caller_id: event.caller for event in page.rows}.values())
    context = {
        "form": form,
        "days": by_day(lines_of(page.rows, links)),
        "older": word_of(page.after),
        "searched_to": page.searched_to,
        "may_grant": request.viewer.may(Right.REQUEST_CHANGE),
        "is_first": "after" not in request.GET,
        "accounts": visible_accounts(request.viewer).order_by("name"),
        "known": extent(form.value("account") or None),
        "covered": coverage(_accounts(request.viewer, form.value("account"))),
        "files": export_links(request, "activity:events-export"),
        "fragment": is_fragment(request),
        "section": "activity",
    }
    return render_page(request, "activity/events.html", context, partial="events")


def wanted_events(viewer: Viewer, form: AccountsActivityForm) -> QuerySet[TrailEvent]:
    """Return the events that match the form, in accounts that the viewer sees."""
    rows = events_in(_accounts(viewer, form.value("account")), form.event_filter)
    if who := form.value("who"):
        rows = made_by(rows, who)
    return rows


@require_safe
@require(Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)
def event(request: ViewerRequest, moment: int, event_id: UUID) -> HttpResponse:
    """Show an event: caller, action, resource, origin, and CloudTrail's own record."""
    shown = _event_or_404(request, moment, event_id)
    link = caller_links([shown.caller])[shown.caller_id]
    context = {
        "line": ActivityLine(shown, 1, link),
        "event": shown,
        "raw": _raw(shown),
        "address": shown_address(shown),
        "may_grant": request.viewer.may(Right.REQUEST_CHANGE),
        "layout": layout_for(request.viewer),
        # Team leads and members come from the page of a user.
        "section": "activity" if request.viewer.sees_accounts else "people",
        "account": visible_accounts(request.viewer).filter(account_id=shown.account_id).first(),
    }
    return render_page(request, "activity/event.html", context)


def _accounts(viewer: Viewer, chosen: str) -> list[str] | None:
    """Return the accounts whose events are shown; None for all."""
    seen = viewer.scope.accounts
    if chosen:
        return [chosen] if viewer.scope.sees_account(chosen) else []
    return None if seen is None else sorted(seen)


def _event_or_404(request: ViewerRequest, moment: int, event_id: UUID) -> TrailEvent:
    """Return the event. Raises Http404 unless the viewer sees its account or the calling user."""
    if moment > LAST_MOMENT:
        raise Http404
    event = event_at(EPOCH + timedelta(microseconds=moment), event_id)
    if event is None or not _may_see(request.viewer, event):
        raise Http404
    return event


def _may_see(viewer: Viewer, event: TrailEvent) -> bool:
    if viewer.may(Right.SEE_ACCOUNT, account_id=event.account_id):
        return True
    entity = entities_of_callers([event.caller]).get(event.caller_id)
    return entity is not None and visible_entities(viewer).filter(pk=entity.pk).exists()


def _raw(event: TrailEvent) -> str:
    """Return the indented record; without the IP address if the setting hides it."""
    if not event.raw:
        return ""
    record: dict[str, Any] = json.loads(event.raw)
    if hides_addresses() and record.get("sourceIPAddress"):
        record["sourceIPAddress"] = HIDDEN
    return json.dumps(record, indent=2, ensure_ascii=False)
