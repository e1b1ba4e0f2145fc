"""The page of a change of team, updated while it runs: its result, and the status of each change."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from console.moving.begin import line_rows
from console.moving.lists import SEES
from console.offboarding.presenters import steps_shown
from console.operators.recency import recently_authenticated
from console.operators.services import has_sign_in, invite_member
from console.runs.marks import mark_of
from console.runs.progress import progress_of
from console.runs.views import render_run, wait_while
from console.web.access import ViewerRequest, found_or_404, require, require_present
from iam.changes.models import Change
from iam.directory.models import Person
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right
from iam.linking.ownership import users_of
from iam.mirror.queries.visibility import visible_entities
from iam.people.blueprints.queries import may_run
from iam.people.moving.models import Move
from iam.people.moving.queries import move_for
from iam.people.moving.single_blueprint_accounts import left_id, made_id
from iam.people.offboarding.queries import visible_leavers
from iam.people.onboarding.models import OnboardedPerson
from iam.people.onboarding.queries import visible_runs


@never_cache
@require_safe
@require(*SEES)
def move_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the progress."""
    move = found_or_404(move_for(request.viewer, pk))
    changes = list(
        Change.objects.filter(change_set=move.change_set_id).select_related("account").order_by("position")
    )
    progress = progress_of(Counter(change.state for change in changes))
    users = visible_entities(request.viewer).filter(pk__in=_users_now(move)).select_related("account")
    context: dict[str, Any] = {
        "section": "onboarding",
        "move": move,
        "mark": mark_of(move),
        "accounts": line_rows(move.summary),
        "steps": steps_shown(changes),
        "progress": progress,
        "users": list(users.order_by("account__name", "pk")),
        "made": _made(request, move),
        "invites": _person_to_invite(request, move) is not None,
        "left": visible_leavers(request.viewer).filter(run=left_id(move.pk)).first(),
    }
    address = reverse("moving:move", args=[move.pk])
    return render_run(request, "moving/move.html", context, address=address, pace=wait_while(move.is_open))


def _users_now(move: Move) -> set[int]:
    """Return the original users and the person's current ones, such as a new one created by the move."""
    person = Person.objects.filter(pk=move.person_id).first() if move.person_id else None
    users = users_of([person]).get(person.pk, []) if person else []
    return {*move.users, *(owned_user.user.pk for owned_user in users)}


def _made(request: ViewerRequest, move: Move) -> OnboardedPerson | None:
    """Return the users that the move creates, as an onboarding that the viewer can see."""
    runs = visible_runs(request.viewer).filter(pk=made_id(move.pk))
    return OnboardedPerson.objects.filter(run__in=runs).select_related("run").first()


@require_POST
@require(Right.REQUEST_CHANGE)
@recently_authenticated
def move_invite(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Send the person an invitation to Gatehouse as a member."""
    require_present(request)
    move = found_or_404(move_for(request.viewer, pk))
    person = _person_to_invite(request, move)
    if person is None:
        raise Http404
    try:
        invite_member(person, actor=request.viewer, why=move.reference)
    except DirectoryRuleError as error:
        messages.error(request, str(error))
    except OSError:
        messages.error(request, "The mail server didn’t accept the invitation. Try again later.")
    else:
        messages.success(request, f"An invitation to Gatehouse was sent to {person.email}.")
    return redirect("moving:move", pk=pk)


def _person_to_invite(request: ViewerRequest, move: Move) -> Person | None:
    """The person who changed team, if they can’t sign in to Gatehouse and the viewer can invite them."""
    if (
        move.person_id is None
        or move.person_id == request.viewer.person_id
        or not settings.MAIL_IS_CONFIGURED
    ):
        return None
    if not may_run(request.viewer, move.version.blueprint.team):
        return None
    person = Person.objects.filter(pk=move.person_id, is_active=True).first()
    return person if person is not None and not has_sign_in(person) else None
