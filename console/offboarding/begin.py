"""Starts an offboarding: find the person, see what is removed, choose the date and give the reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.linking.machine_user import machine_page
from console.offboarding.preview import preview_context
from console.offboarding.suspend import suspend_context
from console.offboarding.terms import read_terms, typed_terms
from console.web.access import ViewerRequest, require, require_present
from console.web.kept_text import keep_text
from console.web.render import render_page
from console.web.unsynced import unsynced_note
from iam.changes.errors import RefusedError, field_errors
from iam.guard import Right
from iam.linking.machines import is_machine
from iam.mirror.models import Entity
from iam.mirror.pull.sections import USERS
from iam.people.offboarding.leaver_lookup import (
    LeaverUsers,
    leaver_of,
    limited_to_viewer,
    same_name,
    user_for,
)
from iam.people.offboarding.models import MOVING, OffboardedUser, OffboardingStage
from iam.people.offboarding.person_search import find_people, without_users
from iam.people.offboarding.queries import listed, openable
from iam.people.offboarding.rules import warnings_for
from iam.people.offboarding.services import request_leaving
from iam.people.offboarding.suspension import person_to_suspend

MAX_USERS: Final = 20
SHORT: Final = 5


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def begin_page(request: ViewerRequest) -> HttpResponse:
    """Search for a person or, with `user` (an entity ID), show what will be removed.

    A POST requests the offboarding, once even if the form is sent several times.
    """
    require_present(request)
    number = request.GET.get("user", "")
    if not number:
        return _search(request)
    user = user_for(request.viewer, int(number)) if number.isdecimal() and len(number) < 18 else None
    if user is None:
        raise Http404
    if is_machine(user):
        return machine_page(request, user, refused="offboarded", section="leaving")
    data = request.POST if request.method == "POST" else request.GET
    person = leaver_of(user)
    others = same_name(person, viewer=request.viewer)
    chosen = [entity for entity in others if str(entity.pk) in data.getlist("also")[:MAX_USERS]]
    (person,) = limited_to_viewer([person], viewer=request.viewer, more=chosen)
    if request.method != "POST" or "look" in request.POST:
        return _page(request, user, person, others, chosen)
    try:
        run = request_leaving(
            request.viewer,
            person=person,
            terms=read_terms(request.POST),
            key=request.POST.get("key", "")[:64] or f"user-{user.pk}",
        )
    except RefusedError as error:
        return _page(request, user, person, others, chosen, refused_now=error)
    return redirect("offboarding:leaver", pk=run.people.get().pk)


def _search(request: ViewerRequest) -> HttpResponse:
    """Search people by name; without a search, list all whom the viewer can offboard."""
    text = request.GET.get("q", "").strip()[:256]
    matches = find_people(request.viewer, text)
    context: dict[str, Any] = {
        "section": "leaving",
        "text": text,
        "found": matches.people,
        "is_cut": matches.is_cut,
    }
    context |= {"shown": len(matches.people), "leaders": not request.viewer.sees_accounts}
    if text:
        context["unsynced"] = "" if matches.people else unsynced_note(request, USERS)
        context["offboarded"] = listed(request.viewer, text=text, start=0, limit=SHORT)
        if request.viewer.may(Right.MANAGE_OPERATORS, account_id=""):
            context["without_users"] = without_users(text)
    return render_page(request, "offboarding/search.html", context)


def _suspension(request: ViewerRequest, user: Entity) -> dict[str, Any]:
    """Return the card to suspend the person at once, if the viewer can do that."""
    person = person_to_suspend(request.viewer, user.pk)
    return suspend_context(request, person) if person is not None else {}


def _page(
    request: ViewerRequest,
    user: Entity,
    person: LeaverUsers,
    others: Sequence[Entity],
    chosen: Sequence[Entity],
    *,
    refused_now: RefusedError | None = None,
) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    typed = typed_terms(data)
    seats = OffboardedUser.objects.filter(user__in=person.users).select_related("leaver__run").order_by("-pk")
    running = seats.filter(leaver__stage__in=MOVING).first()
    left = seats.filter(leaver__stage=OffboardingStage.GONE).first()
    context: dict[str, Any] = {
        "section": "leaving",
        "user": user,
        "person": person,
        "why": [(user, person.why[user.pk]) for user in person.users],
        "others": [(user, user in chosen) for user in others],
        "running": running,
        "left": left,
        "warnings": warnings_for([person], viewer=request.viewer),
        "refused_now": refused_now,
        "errors": field_errors(refused_now),
        "key": request.POST.get("key", "")[:64] or uuid4().hex,
        "action": f"{reverse('offboarding:begin')}?user={user.pk}",
        "one": True,
    }
    context |= typed
    context |= _suspension(request, user)
    shown = [running.leaver if running else None, left.leaver if left else None, context.get("suspended")]
    context["openable"] = openable(request.viewer, shown)
    context |= preview_context(
        request, person.users, roles=typed["roles_chosen"], sessions=typed["sessions_chosen"]
    )
    if refused_now is not None and running:
        keep_text(request, request.POST.get("reason", ""))
    status = 422 if refused_now else 200
    return render_page(request, "offboarding/begin.html", context, status=status)
