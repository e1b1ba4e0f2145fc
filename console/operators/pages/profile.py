"""The viewer's own profile: roles, second factors, sessions and preferences."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.operators import sessions
from console.operators.factors import is_missing
from console.operators.models import Operator
from console.operators.queries import factors_of, sessions_of
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest
from console.web.cookies import keep
from console.web.moments import zone_named, zone_names
from console.web.render import render_page
from iam.directory.models import Person
from iam.guard import Right, Viewer
from iam.mirror.models import Entity, Kind
from iam.mirror.queries.visibility import visible_entities

THEMES = ("light", "dark")


def _operator(request: ViewerRequest) -> Operator:
    """Return the signed-in operator; the middleware lets no one else reach this page."""
    return cast("Operator", request.user)


def profile(request: ViewerRequest) -> HttpResponse:
    """Show everything that Gatehouse knows about the viewer."""
    operator = _operator(request)
    person = operator.person
    assert person is not None
    context = {
        "operator": operator,
        "person": person,
        "assignments": person.assignments.select_related("team").order_by("role", "account_id"),
        "users": _users(request.viewer, person),
        "factors": factors_of(operator),
        "factor_missing": is_missing(request, request.viewer),
        "sessions": sessions_of(operator),
        "session_here": sessions.digest_here(request),
        "zones": sorted(name for name in zone_names() if "/" in name and not name.startswith("Etc/")),
        "idle_minutes": sessions.idle_minutes(request.viewer),
        "sees_console": request.viewer.may(Right.SEE_ACCOUNT) or request.viewer.may(Right.SEE_TEAM),
        "section": "profile",
    }
    return render_page(request, "operators/profile.html", context)


def _users(viewer: Viewer, person: Person) -> list[tuple[str, Entity | None]]:
    """Return the IAM users linked to the person as (ARN, entity).

    The entity is None if the mirror lacks it or the viewer can’t open its page.
    """
    arns = list(person.identities.order_by("user_arn").values_list("user_arn", flat=True))
    if not any(map(viewer.may, (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF))):
        return [(arn, None) for arn in arns]
    visible_users = visible_entities(viewer).filter(kind=Kind.USER, gone_at__isnull=True)
    entities = visible_users.filter(arn__in=arns).select_related("account")
    users = {user.arn: user for user in entities}
    return [(arn, users.get(arn)) for arn in arns]


@require_POST
@recently_authenticated
def end_session(request: ViewerRequest, digest: str) -> HttpResponse:
    """Sign out one other browser."""
    if not sessions.end_session(_operator(request), digest):
        raise Http404
    messages.success(request, "That session was ended.")
    return redirect("profile")


@require_POST
@recently_authenticated
def end_others(request: ViewerRequest) -> HttpResponse:
    """Sign out all other browsers."""
    sessions.sign_out_others(request, _operator(request))
    messages.success(request, "You were signed out everywhere else.")
    return redirect("profile")


@require_POST
def preferences(request: ViewerRequest) -> HttpResponse:
    """Save keyboard shortcuts, time zone and theme; the theme is a cookie, because it belongs to the
    browser.
    """
    operator = _operator(request)
    operator.shortcuts = request.POST.get("shortcuts") == "on"
    zone = request.POST.get("time_zone", "").strip()
    if zone and zone_named(zone) is None:
        messages.error(
            request, f"“{zone[:64]}” isn’t a time zone. Choose one from the list, such as Europe/Riga."
        )
        return redirect("profile")
    operator.time_zone = zone
    operator.save(update_fields=["shortcuts", "time_zone"])
    response = redirect("profile")
    theme = request.POST.get("theme", "")
    known_theme = theme if theme in THEMES else ""
    keep(response, "theme", known_theme)
    messages.success(request, "Saved.")
    return response
