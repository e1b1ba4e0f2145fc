"""Have one person leave: find them, look at what ends, say when and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.leaving.preview import preview_context
from console.leaving.terms import read_terms, typed_terms
from console.web.access import ViewerRequest, require, require_present
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.mirror.models import Entity
from iam.people.leaving.models import MOVING, Seat, Stage
from iam.people.leaving.rules import warnings_for
from iam.people.leaving.services import request_leaving
from iam.people.leaving.who import Somebody, meant_by, people_of, same_name, somebody, user_for, within

MOST: Final = 20


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def begin_page(request: ViewerRequest) -> HttpResponse:
    """Without `user`: the search. With it (a number of the mirror): what ends; posted, it is asked for, once however often the form is sent."""
    require_present(request)
    number = request.GET.get("user", "")
    if not number:
        return _search(request)
    user = user_for(request.viewer, int(number)) if number.isdecimal() and len(number) < 18 else None
    if user is None:
        raise Http404
    data = request.POST if request.method == "POST" else request.GET
    person = somebody(user)
    others = same_name(person, viewer=request.viewer)
    chosen = [one for one in others if str(one.pk) in data.getlist("also")[:MOST]]
    (person,) = within([person], viewer=request.viewer, more=chosen)
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
    return redirect("leaving:leaver", pk=run.people.get().pk)


def _search(request: ViewerRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:256]
    users = meant_by(request.viewer, [text])[text][:MOST] if text else []
    people = within(people_of(users), viewer=request.viewer) if users else []
    found: dict[frozenset[int], tuple[Entity, Somebody]] = {}
    for user, person in zip(users, people, strict=True):
        found.setdefault(frozenset(one.pk for one in person.users), (user, person))
    context = {"section": "leaving", "text": text, "found": list(found.values())}
    return render_page(request, "leaving/search.html", context)


def _page(
    request: ViewerRequest,
    user: Entity,
    person: Somebody,
    others: Sequence[Entity],
    chosen: Sequence[Entity],
    *,
    refused_now: RefusedError | None = None,
) -> HttpResponse:
    data = request.POST if request.method == "POST" else request.GET
    typed = typed_terms(data)
    seats = Seat.objects.filter(user__in=person.users).select_related("leaver__run").order_by("-pk")
    context: dict[str, Any] = {
        "section": "leaving",
        "user": user,
        "person": person,
        "why": [(one, person.why[one.pk]) for one in person.users],
        "others": [(one, one in chosen) for one in others],
        "running": seats.filter(leaver__stage__in=MOVING).first(),
        "left": seats.filter(leaver__stage=Stage.GONE).first(),
        "warnings": warnings_for([person], viewer=request.viewer),
        "refused_now": refused_now,
        "key": request.POST.get("key", "")[:64] or uuid4().hex,
        "action": f"{reverse('leaving:begin')}?user={user.pk}",
        "one": True,
    }
    context |= typed
    context |= preview_context(
        request, person.users, roles=typed["roles_chosen"], sessions=typed["sessions_chosen"]
    )
    return render_page(request, "leaving/begin.html", context, status=422 if refused_now else 200)
