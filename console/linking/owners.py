"""Owning teams of machine users: a page for many users, and the form on a user's page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, entity_or_404, require, require_present
from console.web.render import render_page
from console.web.unsynced import unsynced_note
from iam.directory.models import Team
from iam.directory.rules import DirectoryRuleError
from iam.linking import owners
from iam.linking.rights import OWNER_RIGHTS
from iam.mirror.models import Entity, Kind
from iam.mirror.pull.sections import USERS

NO_CHANGE = "No change was selected. Choose a team for at least one IAM user."


@require_http_methods(["GET", "POST"])
@require(*OWNER_RIGHTS)
@recently_authenticated
def owners_page(request: ViewerRequest) -> HttpResponse:
    """Show the users in `id`, by default machine users without an owning team; a POST saves the chosen
    teams.
    """
    require_present(request)
    if not owners.may_set_any(request.viewer):
        raise Http404
    if request.method == "POST":
        return _save(request)
    return _page(request)


def _page(request: ViewerRequest, *, error: str = "") -> HttpResponse:
    viewer, data = request.viewer, request.POST if request.method == "POST" else request.GET
    ids = _numbers(data.getlist("id"))
    machines = owners.settable(viewer).filter(pk__in=ids) if ids else owners.unowned_machines(viewer)
    users = list(machines.order_by("name", "pk")[: owners.MAX_AT_ONCE + 1])
    rows = owners.owner_rows(viewer, users[: owners.MAX_AT_ONCE])
    # Users with a team proposed by tags come first.
    rows.sort(key=lambda row: (row.proposed is None, not row.candidates))
    context: dict[str, Any] = {
        "section": "links",
        "is_selection": bool(ids),
        "unreachable": len(set(ids)) - len(users) if ids else 0,
        "is_cut": len(users) > owners.MAX_AT_ONCE,
        "most": owners.MAX_AT_ONCE,
        "rows": [(row, _chosen(request, row)) for row in rows],
        "by_tag": sum(row.proposed is not None for row in rows),
        "teams": owners.teams_to_set(viewer),
        "everyone": data.get("everyone", ""),
        "why": data.get("why", ""),
        "error": error,
        "unsynced": unsynced_note(request, USERS),
    }
    status = 422 if error else 200
    return render_page(request, "linking/owners.html", context, status=status)


def _chosen(request: ViewerRequest, row: owners.OwnerRow) -> str:
    """Return the team selected in a row: the posted one, else the one proposed by tags."""
    if request.method == "POST":
        return request.POST.get(f"team-{row.user.pk}", "")
    return row.proposed.slug if row.proposed else ""


def _save(request: ViewerRequest) -> HttpResponse:
    teams = {team.slug: team for team in owners.teams_to_set(request.viewer)}
    everyone = teams.get(request.POST.get("everyone", ""))
    wanted: dict[int, Team] = {}
    for pk in _numbers(request.POST.getlist("id")):
        word = request.POST.get(f"team-{pk}", "")
        team = everyone if word == "everyone" else teams.get(word)
        if team is not None:
            wanted[pk] = team
    if not wanted:
        return _page(request, error=NO_CHANGE)
    saved = owners.set_owning_teams(request.viewer, wanted, why=request.POST.get("why", "").strip()[:1000])
    if saved.changed:
        users = "1 IAM user has" if saved.changed == 1 else f"{saved.changed} IAM users have"
        messages.success(request, f"{users} an owning team now. Nothing changes in AWS.")
    for sentence in saved.refused[:10]:
        messages.error(request, sentence)
    if len(saved.refused) > 10:
        messages.error(request, f"{len(saved.refused) - 10} more IAM users were not changed.")
    return redirect("linking:owners")


@require_POST
@require(*OWNER_RIGHTS)
@recently_authenticated
def owner(request: ViewerRequest, pk: int) -> HttpResponse:
    """Set or remove the owning team of a user, from the user’s page."""
    user = _user(request, pk)
    slug = request.POST.get("team", "")
    team = next((team for team in owners.teams_to_set(request.viewer) if team.slug == slug), None)
    if slug and team is None:
        raise Http404
    try:
        changed = owners.set_owning_team(
            request.viewer, user=user, team=team, why=request.POST.get("why", "")
        )
    except DirectoryRuleError as error:
        messages.error(request, str(error))
    else:
        outcome = _result(user, team) if changed else "Nothing changed."
        messages.success(request, outcome)
    back = request.POST.get("back", "")
    if back and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("linking:person", pk)


def _result(user: Entity, team: Team | None) -> str:
    if team is None:
        return f"{user.name} has no owning team any more. Nothing changes in AWS."
    return f"{team.name} owns {user.name} now. Its leads can rotate the access keys. Nothing changes in AWS."


def _user(request: ViewerRequest, pk: int) -> Entity:
    """Return a user whose owning team the viewer can set. Raises Http404."""
    user = entity_or_404(request.viewer, pk, kinds=[Kind.USER])
    if request.at is not None or not owners.may_set_owner(request.viewer, user):
        raise Http404
    return user


def _numbers(words: list[str]) -> list[int]:
    return [int(word) for word in words if word.isdecimal() and len(word) < 19]
