"""The page of a blueprint: what it gives, its versions and their differences; and its retirement."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from console.onboarding.lists import SEES
from console.web.access import ViewerRequest, found_or_404, require
from console.web.render import render_page
from console.web.shortened_lists import first_rows
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.people.blueprints.models import Blueprint, BlueprintVersion
from iam.people.blueprints.queries import (
    blueprint_for,
    differences,
    may_run,
    may_write,
    said_in_full,
    version_of,
)
from iam.people.blueprints.services import save_version, set_retired
from iam.people.onboarding.creation_plan import sites_of
from iam.people.onboarding.first_password import PasswordLockout, lockouts, password_template

VERSIONS: Final = 50
OWN_PASSWORD: Final = "Lets new people change their first password"  # noqa: S105 - a note


def blueprint_or_404(request: ViewerRequest, pk: UUID) -> Blueprint:
    """Return the blueprint. Raises Http404 if the viewer can’t see it."""
    return found_or_404(blueprint_for(request.viewer, pk))


def version_or_404(blueprint: Blueprint, number: int | None = None) -> BlueprintVersion:
    """Return the version with this number, by default the current one. Raises Http404."""
    return found_or_404(version_of(blueprint, number))


@require_safe
@require(*SEES)
def blueprint_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the current version."""
    blueprint = blueprint_or_404(request, pk)
    return _page(request, blueprint, version_or_404(blueprint))


@require_safe
@require(*SEES)
def blueprint_version(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Show a version and its differences from the previous one."""
    blueprint = blueprint_or_404(request, pk)
    return _page(request, blueprint, version_or_404(blueprint, min(number, 10**6)))


@require_POST
@require(Right.REQUEST_CHANGE)
def blueprint_retire(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Retire the blueprint, or use it again (`do=restore`)."""
    blueprint = blueprint_or_404(request, pk)
    retired = request.POST.get("do") != "restore"
    try:
        set_retired(request.viewer, blueprint=blueprint, retired=retired)
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        said_of = (
            "is retired. Onboarding that was started with it continues." if retired else "is in use again."
        )
        messages.success(request, f"{blueprint.name} {said_of}")
    return redirect("onboarding:blueprint", pk=pk)


@require_POST
@require(Right.REQUEST_CHANGE)
def blueprint_own_password(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Add the template that lets newcomers change their first password, as a new version."""
    blueprint = blueprint_or_404(request, pk)
    version, template = version_or_404(blueprint), password_template()
    if template is None:
        raise Http404
    body = replace(version.body, templates=(*version.body.templates, template))
    try:
        save_version(request.viewer, blueprint=blueprint, body=body, base=version.number, note=OWN_PASSWORD)
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Saved as a new version. New people can change their first password.")
    return redirect("onboarding:blueprint", pk=pk)


def _page(request: ViewerRequest, blueprint: Blueprint, version: BlueprintVersion) -> HttpResponse:
    before = version_of(blueprint, version.number - 1)
    is_current = version.number == blueprint.current
    runs = may_run(request.viewer, blueprint.team) and blueprint.retired_at is None
    locked = _lockouts(version, request) if is_current else []
    context = {
        "section": "onboarding",
        "blueprint": blueprint,
        "version": version,
        "rows": said_in_full(version.body),
        "differences": differences(before.body, version.body) if before else [],
        "versions": first_rows(request, blueprint.versions.all(), most=VERSIONS),
        "is_current": is_current,
        "lacks": _missing_for(version, request) if runs and is_current else "",
        "lockouts": locked,
        "can_fix": any(lockout.is_sure and not lockout.is_denied for lockout in locked),
        "may_write": may_write(request.viewer, blueprint.team),
        "may_run": runs,
    }
    return render_page(request, "onboarding/blueprint.html", context)


def _missing_for(version: BlueprintVersion, request: ViewerRequest) -> str:
    """Return why no one can be onboarded with this version now; "" if it is possible."""
    try:
        sites_of(version.body, viewer=request.viewer)
    except RefusedError as refused:
        return refused.message
    return ""


def _lockouts(version: BlueprintVersion, request: ViewerRequest) -> list[PasswordLockout]:
    """Return where newcomers could not change their first password; empty if accounts lack what the blueprint
    names.
    """
    try:
        return lockouts(sites_of(version.body, viewer=request.viewer))
    except RefusedError:
        return []
