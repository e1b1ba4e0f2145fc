"""The root users of all accounts, those without MFA first; and where hardware MFA is required."""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_safe

from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, account_or_404, require
from console.web.context import frame_of
from console.web.files import FORMS, csv_lines, download, json_lines, last_use
from console.web.page_cursors import page_number
from console.web.render import render_page
from iam.directory.models import Team
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts
from iam.people.fleet.demands import demand, hardware_demands, may_demand
from iam.people.fleet.roots import RootStanding, RootUserFacts, roots

PAGE: Final = 50
STANDING: Final = {
    RootStanding.NONE: ("No MFA", "bad", "x"),
    RootStanding.UNREAD: ("Unknown", "", ""),
    RootStanding.UNCONNECTED: ("Unknown, account not connected", "", ""),
    RootStanding.ON: ("On", "ok", "check"),
    RootStanding.ABSENT: ("No credentials", "ok", "check"),
}


@require_safe
@require(Right.SEE_ACCOUNT)
def roots_page(request: ViewerRequest) -> HttpResponse:
    """Show a page of the accounts."""
    page = page_number(request)
    root_rows = roots(request.viewer, account=frame_of(request).chosen)
    counts = {standing: sum(root.standing is standing for root in root_rows) for standing in RootStanding}
    shown = root_rows[(page - 1) * PAGE : page * PAGE]
    context = {
        "section": "fleet",
        "sees_accounts": True,
        "account": frame_of(request).chosen,
        "rows": [(root, *STANDING[root.standing]) for root in shown],
        "total": len(root_rows),
        "first": (page - 1) * PAGE + 1,
        "last": (page - 1) * PAGE + len(shown),
        "page": page,
        "has_more": len(root_rows) > page * PAGE,
        "without": counts[RootStanding.NONE],
        "safe": counts[RootStanding.ON] + counts[RootStanding.ABSENT],
        "unknown": counts[RootStanding.UNREAD] + counts[RootStanding.UNCONNECTED],
        "may_export": request.viewer.may(Right.EXPORT),
    }
    return render_page(request, "mfa/roots.html", context)


@require_safe
@require(Right.SEE_ACCOUNT)
def roots_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export all root users, and record the export."""
    if not request.viewer.may(Right.EXPORT) or form not in FORMS:
        raise Http404
    root_rows = roots(request.viewer, account=frame_of(request).chosen)
    record(kind="list.export", actor=request.viewer, subject="roots", data={"form": form, "chosen": 0})
    rows = (_row(root) for root in root_rows)
    names = ["account_id", "account", "root_mfa", "root_access_keys", "root_last_used", "read_at"]
    parts = csv_lines(names, rows) if form == "csv" else json_lines({"list": "roots"}, rows)
    return download(parts, form=form, name="gatehouse-root-users")


def _row(root: RootUserFacts) -> dict[str, object]:
    return {
        "account_id": root.account_id,
        "account": root.name,
        "root_mfa": STANDING[root.standing][0],
        "root_access_keys": root.keys,
        "root_last_used": last_use(root.last_used),
        "read_at": root.read_at,
    }


@require_http_methods(["GET", "POST"])
@require(Right.SEE_ACCOUNT)
@recently_authenticated
def demands_page(request: ViewerRequest) -> HttpResponse:
    """Show where hardware MFA is required; administrators can change it."""
    if request.method == "POST":
        place = _place(request)
        if not may_demand(request.viewer, place):
            raise Http404
        wanted = request.POST.get("do") == "demand"
        if demand(request.viewer, place=place, wanted=wanted):
            verb = "is required in" if wanted else "is no longer required in"
            messages.success(request, f"Hardware MFA {verb} {place.name}.")
        return redirect("mfa:hardware-demands")
    accounts = list(visible_accounts(request.viewer).order_by("name", "id"))
    known = hardware_demands()
    rows = [demand for demand in known if demand.team or demand.account in accounts]
    places = {demand.place for demand in known}
    context = {
        "section": "fleet",
        "sees_accounts": True,
        "rows": [(demand, may_demand(request.viewer, demand.place)) for demand in rows],
        "accounts": [
            account for account in accounts if account not in places and may_demand(request.viewer, account)
        ],
        "teams": [
            team
            for team in Team.objects.order_by("name")
            if team not in places and may_demand(request.viewer, team)
        ],
    }
    return render_page(request, "mfa/demands.html", context)


def _place(request: ViewerRequest) -> Account | Team:
    """Return the account or team in the form."""
    kind, _, name = request.POST.get("place", "").partition(":")
    if kind == "account":
        return account_or_404(request.viewer, name)
    team = Team.objects.filter(slug=name).first() if kind == "team" else None
    if team is None:
        raise Http404
    return team
