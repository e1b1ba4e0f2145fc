"""Blueprint editor: a new blueprint or a new version, with its differences before it is saved."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.onboarding.blueprints import blueprint_or_404, version_or_404
from console.onboarding.form import ROWS, BlueprintInput, of_body, read
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.access.templates.queries import offer_of, offered_templates
from iam.changes.errors import FieldError, RefusedError, field_errors
from iam.directory.models import Team
from iam.guard import Right
from iam.mirror.queries.accounts import accounts_to_change
from iam.people.blueprints.models import Blueprint
from iam.people.blueprints.queries import differences, may_write, writable_teams
from iam.people.blueprints.services import create_blueprint, save_version
from iam.people.blueprints.user_names import RULES


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def blueprint_new(request: ViewerRequest) -> HttpResponse:
    """Create a blueprint for one of the viewer's teams."""
    teams = writable_teams(request.viewer)
    if not teams:
        raise Http404
    if request.method != "POST":
        return _page(request, BlueprintInput(), teams=teams)
    written = read(request.POST)
    if request.POST.get("do") == "refresh":
        return _page(request, written, teams=teams)
    team = next((team for team in teams if team.slug == written.team), None)
    try:
        if team is None:
            raise FieldError("Choose the team.", field="team")
        version = create_blueprint(
            request.viewer,
            team=team,
            name=written.name,
            body=written.body(),
            unreadable=written.unreadable,
        )
    except RefusedError as error:
        return _page(request, written, teams=teams, refused=error)
    messages.success(request, f"{version.blueprint.name} can be used from now on.")
    return redirect("onboarding:blueprint", pk=version.blueprint_id)


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def blueprint_edit(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Create a new version; `do=refresh` only shows the differences."""
    blueprint = blueprint_or_404(request, pk)
    if not may_write(request.viewer, blueprint.team):
        raise Http404
    standing = version_or_404(blueprint)
    if request.method != "POST":
        return _page(request, of_body(standing.body, base=standing.number), blueprint=blueprint)
    written = read(request.POST)
    if request.POST.get("do") == "refresh":
        return _page(request, written, blueprint=blueprint)
    try:
        version = save_version(
            request.viewer,
            blueprint=blueprint,
            body=written.body(),
            base=written.base,
            note=written.note,
            unreadable=written.unreadable,
        )
    except RefusedError as error:
        return _page(request, written, blueprint=blueprint, refused=error)
    messages.success(request, f"Version {version.number} is used from now on. Runs keep theirs.")
    return redirect("onboarding:blueprint", pk=pk)


def _page(
    request: ViewerRequest,
    written: BlueprintInput,
    *,
    teams: list[Team] | None = None,
    blueprint: Blueprint | None = None,
    refused: RefusedError | None = None,
) -> HttpResponse:
    chosen, errors = set(written.accounts), field_errors(refused)
    title = f"Edit {blueprint.name}" if blueprint else "New blueprint"
    context: dict[str, Any] = {
        "section": "onboarding",
        "title": title,
        "written": written,
        "teams": teams and [(team.slug, team.name) for team in teams],
        "blueprint": blueprint,
        "errors": errors,
        "refused": refused,
        "accounts": [
            (account, account.account_id in chosen) for account in accounts_to_change(request.viewer)[:100]
        ],
        "namings": RULES.items(),
        "offers": [("", "None"), *((offer.slug, offer.version.title) for offer in offered_templates())],
        "templates": [_template(written, number, errors) for number in range(ROWS)],
        "differences": _differences(blueprint, written),
    }
    status = 422 if refused else 200
    return render_page(request, "onboarding/write.html", context, status=status)


def _differences(blueprint: Blueprint | None, written: BlueprintInput) -> list[Any]:
    if blueprint is None or written.unreadable:
        return []
    return differences(version_or_404(blueprint).body, written.body())


def _template(written: BlueprintInput, number: int, errors: dict[str, str]) -> dict[str, Any]:
    """Return a row of the form: the chosen template, and a field for each of its parameters."""
    slug, version, parameters = written.row(number)
    offer = offer_of(slug, number=version or None) if slug else None
    name = f"t{number}"
    fields = [
        {
            "name": f"{name}-{parameter.name}",
            "parameter": parameter,
            "value": parameters.get(parameter.name, ""),
            "error": errors.get(f"{name}-{parameter.name}", ""),
        }
        for parameter in (offer.body.parameters if offer else ())
    ]
    return {
        "name": name,
        "label": f"Template {number + 1}",
        "slug": slug,
        "fields": fields,
        "error": errors.get(name, ""),
    }
