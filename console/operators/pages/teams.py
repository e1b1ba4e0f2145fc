"""Pages of teams and their rules, and the setup page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from console.operators.directory_forms import SetUpForm, TeamForm, TeamRuleForm
from console.operators.first_page import is_unsettled
from console.operators.pages.people import SUGGESTED_ACCOUNTS, send_invitation
from console.operators.queries import teams
from console.operators.recency import recently_authenticated
from console.operators.services import appoint_approvers
from console.operators.visibility import manages_everyone, visible_assignments, visible_teams
from console.web.access import ViewerRequest, require, require_everywhere
from console.web.attempt import attempt
from console.web.render import render_page
from iam.directory.models import Team, TeamRule
from iam.directory.rules import DirectoryRuleError, approvers
from iam.directory.teams import add_rule, create_team, delete_team, remove_rule
from iam.guard import Right
from iam.mirror.queries.accounts import visible_accounts


@require(Right.SEE_OPERATORS)
def listing(request: ViewerRequest) -> HttpResponseBase:
    """List all teams, with a form for a new one if the viewer manages operators."""
    if request.viewer.may(Right.MANAGE_OPERATORS):
        return _managed_listing(request)
    require_reading(request)
    return render_page(
        request, "operators/teams.html", {"teams": teams(request.viewer), "section": "operators"}
    )


@recently_authenticated
def _managed_listing(request: ViewerRequest) -> HttpResponse:
    form = TeamForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            team = create_team(**form.cleaned_data, actor=request.viewer)
        except DirectoryRuleError as error:
            form.add_error("name", str(error))
        else:
            return redirect("team", team.slug)
    context = {
        "teams": teams(request.viewer),
        "form": form,
        "may_manage": manages_everyone(request.viewer),
        "section": "operators",
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "operators/teams.html", context, status=status)


@require(Right.SEE_OPERATORS)
def detail(request: ViewerRequest, slug: str) -> HttpResponseBase:
    """Show a team with its rules and leads, and a form for a new rule if the viewer manages operators."""
    team = get_object_or_404(visible_teams(request.viewer), slug=slug)
    if request.viewer.may(Right.MANAGE_OPERATORS):
        return _managed(request, team)
    require_reading(request)
    return render_page(request, "operators/team.html", _shown(request, team))


def require_reading(request: ViewerRequest) -> None:
    """Raise Http404 for a form from a viewer who can only read."""
    if request.method not in ("GET", "HEAD"):
        raise Http404


@recently_authenticated
def _managed(request: ViewerRequest, team: Team) -> HttpResponse:
    form = TeamRuleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            add_rule(team, **form.cleaned_data, actor=request.viewer)
        except DirectoryRuleError as error:
            form.add_error("value", str(error))
        else:
            messages.success(request, "Rule added.")
            return redirect("team", team.slug)
    context = _shown(request, team) | {"form": form, "may_manage": True}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "operators/team.html", context, status=status)


def _shown(request: ViewerRequest, team: Team) -> dict[str, Any]:
    every, scope = list(team.rules.order_by("kind", "value", "account_id")), request.viewer.scope
    seen = visible_assignments(request.viewer).filter(team=team)
    leads = list(seen.select_related("person").order_by("person__name"))
    rules = [rule for rule in every if not rule.account_id or scope.sees_account(rule.account_id)]
    return {
        "team": team,
        "rules": rules,
        "rules_elsewhere": len(every) - len(rules),
        "leads": leads,
        "leads_elsewhere": team.assignments.count() - len(leads),
        "deletes": manages_everyone(request.viewer),
        "accounts": visible_accounts(request.viewer).order_by("name")[:SUGGESTED_ACCOUNTS],
        "section": "operators",
    }


@require(Right.MANAGE_OPERATORS)
@require_POST
@recently_authenticated
def rule_remove(request: ViewerRequest, slug: str, number: int) -> HttpResponse:
    """Remove a rule."""
    rule = get_object_or_404(TeamRule.objects.select_related("team"), pk=number, team__slug=slug)
    attempt(request, lambda: remove_rule(rule, actor=request.viewer), done="Rule removed.")
    return redirect("team", slug)


@require(Right.MANAGE_OPERATORS)
@require_POST
@recently_authenticated
def delete(request: ViewerRequest, slug: str) -> HttpResponse:
    """Delete a team."""
    team = get_object_or_404(Team, slug=slug)
    try:
        delete_team(team, actor=request.viewer)
    except DirectoryRuleError as error:
        messages.error(request, str(error))
        return redirect("team", slug)
    messages.success(request, f"Team {team.name} deleted. Nothing was changed in AWS.")
    return redirect("teams")


@require_everywhere(Right.MANAGE_OPERATORS)
@recently_authenticated
def set_up(request: ViewerRequest) -> HttpResponse:
    """Set up approval: appoint two approvers, or confirm a single operator by an explicit setting."""
    known = approvers()
    first = {"first_name": known[0].name, "first_email": known[0].email} if known else {}
    form = SetUpForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        form_data = form.cleaned_data
        people = [
            (form_data["first_name"], form_data["first_email"]),
            (form_data["second_name"], form_data["second_email"]),
        ]
        try:
            appointed = appoint_approvers(people, actor=request.viewer)
        except DirectoryRuleError as error:
            form.add_error(None, str(error))
        else:
            for operator in appointed:
                if not operator.has_usable_password():
                    send_invitation(request, operator)
            if is_unsettled():
                messages.success(request, "Requested. A second person must approve it under Approvals.")
            else:
                messages.success(request, "Two people can now approve. No one can approve their own request.")
            return redirect("dashboard:overview")
    context = {
        "form": form,
        "approvers": known,
        "unsettled": is_unsettled(),
        "on_set_up": True,
        "section": "operators",
    }
    status = 422 if request.method == "POST" else 200
    return render_page(request, "operators/set_up.html", context, status=status)
