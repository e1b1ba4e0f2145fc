"""The inbox of approvals: waiting requests, other decisions that need a second person, past decisions, and
break-glass.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Avg, DurationField, ExpressionWrapper, F, QuerySet
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from console.changes.audit_requests import audit_requests
from console.changes.lists import rows_of
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from console.web.render import render_page
from console.web.shortened_lists import MAX_OF_ALL, ShortenedList, first_rows
from iam.changes import services
from iam.changes.approval.models import BreakGlass, RuleSet, RulesState
from iam.changes.approval.proposals import why_not_decide as why_not_rules
from iam.changes.models import Approval, Change, ChangeState
from iam.changes.queries import decided_by, narrowed, visible_changes, waiting_for, waiting_for_others
from iam.changes.titles import title_of
from iam.changes.undone import NOTHING_UNDONE, undone_parts_of
from iam.directory.appointments import why_not_decide as why_not_appoint
from iam.directory.models import Appointment, AppointmentState
from iam.guard import Right, Viewer
from iam.phrases import counted, joined
from iam.search_words import matches

INBOX = (Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS, Right.SEE_TEAM)
"""Rights of people with an inbox: approvers, administrators (who also approve rules) and team leads, if rules
require them.
"""
TABS = ("mine", "decided", "glass")
RISKY = "high"
SHORT = 50
"""Maximum number of rows; more than this is a list, not an inbox."""
MONTH, A_MINUTE = timedelta(days=30), timedelta(minutes=1)


@require_GET
@require(*INBOX)
def approvals(request: ViewerRequest) -> HttpResponse:
    """Show requests for the viewer, the viewer's own requests, decided requests, and uses of break-glass."""
    viewer, get = request.viewer, request.GET
    tab = choice(request, "tab", TABS)
    text, risky = get.get("q", "").strip()[:200], choice(request, "care", (RISKY,)) == RISKY
    lists = (waiting_for(viewer), waiting_for_others(viewer), _asked_by(viewer), decided_by(viewer))
    waiting, others, mine, decided = (
        narrowed(changes, viewer=viewer, account_id=get.get("account", "")) for changes in lists
    )
    chosen = {"mine": mine, "decided": decided, "glass": mine.none()}.get(tab, waiting)
    chosen, others = (_containing(changes, viewer=viewer, text=text) for changes in (chosen, others))
    rows = _rows(request, chosen, risky=risky, name="chosen")
    glass = services.to_review(viewer)
    requests = audit_requests(request, tab=tab, text=text, is_hidden=risky or tab == "glass")
    count, own = waiting.count() + requests.waiting, mine.count() + requests.own
    context = {
        "rows": rows,
        "audit_requests": requests,
        "others": _rows(request, others, risky=risky, name="others") if not tab else [],
        "announced": _announced(len(rows) + len(requests.shown)),
        "tab": tab,
        "tabs": [
            ("", "For you", count, "warn" if count else ""),
            ("mine", "Requested by you", own, ""),
            ("decided", "Decided by you", None, ""),
            ("glass", "Break-glass", glass.count() or None, "bad"),
        ],
        "q": text,
        "risky": risky,
        "section": "approvals",
        "answered_in": _answered_in(viewer) if not tab else None,
        **(_besides(request) if not tab else {}),
        **(_glass(request) if tab == "glass" else {}),
    }
    return render_page(request, "changes/approvals.html", context, partial="inbox")


def _announced(number: int) -> str:
    return counted(number, "request") if number else "No requests"


def _asked_by(viewer: Viewer) -> QuerySet[Change]:
    mine = visible_changes(viewer).filter(
        requested_by=viewer.person_id, state=ChangeState.AWAITING, position=0
    )
    return mine.select_related("account").order_by("created_at", "id")


def _containing(changes: QuerySet[Change], *, viewer: Viewer, text: str) -> QuerySet[Change]:
    """Filter by text.

    Titles of sets are searched only for viewers who see every set completely; otherwise a match would reveal
    hidden text.
    """
    if text:
        condition = matches(text, "title", "reason", "requested_label")
        if viewer.scope.sees_everything:
            condition |= matches(text, "change_set__title")
        changes = changes.filter(condition)
    return changes


def _rows(
    request: ViewerRequest, changes_shown: QuerySet[Change], *, risky: bool, name: str
) -> ShortenedList[dict[str, Any]]:
    """Return the first rows with their current approval stage; `risky` keeps only sensitive ones and checks
    all rows.
    """
    changes_shown = changes_shown.select_related("account", "change_set__requirement")
    most = MAX_OF_ALL if risky else SHORT
    changes = first_rows(request, changes_shown, most=most, name=name)
    rows = [
        row | _stage(change)
        for row, change in zip(rows_of(list(changes), viewer=request.viewer), changes, strict=True)
    ]
    return (
        first_rows(request, [row for row in rows if row["is_sensitive"]], most=SHORT, name=name)
        if risky
        else changes.with_rows(rows)
    )


def _stage(change: Change) -> dict[str, Any]:
    requirement = getattr(change.change_set, "requirement", None)
    return {
        "stage": requirement.stage + 1 if requirement else 1,
        "stages": len(requirement.stages) if requirement else 1,
    }


def _besides(request: ViewerRequest) -> dict[str, Any]:
    """Return decisions for a second person that aren’t AWS changes: break-glass, rules and appointments."""
    viewer = request.viewer
    uses = first_rows(request, services.to_review(viewer), most=SHORT, name="glass")
    context: dict[str, Any] = {"glass": uses.with_rows(_used(uses, viewer=viewer))}
    if viewer.may(Right.MANAGE_OPERATORS, account_id="") or viewer.may(Right.APPROVE_CHANGE, account_id=""):
        waiting = RuleSet.objects.filter(state=RulesState.PROPOSED).order_by("proposed_at")
        proposals = first_rows(request, waiting, most=SHORT, name="proposals")
        context["proposals"] = proposals.with_rows(
            [(proposal, why_not_rules(proposal, viewer=viewer)) for proposal in proposals]
        )
    if viewer.may(Right.MANAGE_OPERATORS) or viewer.may(Right.APPROVE_CHANGE):
        made = Appointment.objects.filter(state=AppointmentState.WAITING).select_related("person")
        seen = [appointment for appointment in made.order_by("at") if _sees(viewer, appointment)]
        shown = first_rows(request, seen, most=SHORT, name="appointments")
        context["appointments"] = shown.with_rows(
            [(appointment, why_not_appoint(appointment, actor=viewer)) for appointment in shown]
        )
    return context


def _sees(viewer: Viewer, appointment: Appointment) -> bool:
    rights = (Right.MANAGE_OPERATORS, Right.APPROVE_CHANGE)
    return any(viewer.may(right, account_id=appointment.account_id) for right in rights)


def _glass(request: ViewerRequest) -> dict[str, Any]:
    """Return every visible use of break-glass, those to review first."""
    seen = visible_changes(request.viewer).values("change_set")
    uses = BreakGlass.objects.filter(change_set__in=seen).select_related("change_set")
    ordered = uses.order_by(F("reviewed_at").desc(nulls_first=True), "-at")
    shown = first_rows(request, ordered, most=SHORT, name="glass")
    return {"glass": shown.with_rows(_used(shown, viewer=request.viewer))}


def _used(uses: Sequence[BreakGlass], *, viewer: Viewer) -> list[tuple[BreakGlass, Change, str, str, str]]:
    """Return uses of break-glass, each with first change, title of its request, the accounts of its changes
    that the viewer sees, and what was undone.
    """
    sets = [glass.change_set_id for glass in uses]
    firsts = Change.objects.filter(change_set__in=sets, position=0).select_related("account", "change_set")
    first_by_set = {change.change_set_id: change for change in firsts}
    undone_parts = undone_parts_of(sets, viewer=viewer)
    accounts_by_set = _accounts_by_set(sets, viewer=viewer)
    rows = []
    for glass in uses:
        first = first_by_set[glass.change_set_id]
        undone = undone_parts.get(glass.change_set_id, NOTHING_UNDONE)
        accounts = joined(accounts_by_set.get(glass.change_set_id) or [first.account.name])
        rows.append((glass, first, title_of(first), accounts, undone.words))
    return rows


def _accounts_by_set(sets: Sequence[UUID], *, viewer: Viewer) -> dict[UUID, list[str]]:
    """Return the names of the accounts of each set's changes that the viewer sees, by set."""
    changes_seen = visible_changes(viewer).filter(change_set__in=sets).order_by("account__name")
    accounts_by_set: dict[UUID, list[str]] = {}
    for change_set, name in changes_seen.values_list("change_set", "account__name").distinct():
        accounts_by_set.setdefault(change_set, []).append(name)
    return accounts_by_set


def _answered_in(viewer: Viewer) -> datetime | None:
    """Return the time a request with average waiting time would have been made to be answered now.

    Returns None if nothing was answered this month.
    """
    took = ExpressionWrapper(F("at") - F("change_set__changes__requested_at"), output_field=DurationField())
    lately = Approval.objects.filter(
        at__gte=datetime.now(tz=UTC) - MONTH,
        change_set__changes__position=0,
        change_set__changes__in=visible_changes(viewer),
    )
    average = lately.aggregate(average=Avg(took))["average"]
    return datetime.now(tz=UTC) - max(average, A_MINUTE) if average is not None else None
