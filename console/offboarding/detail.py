"""The page of an offboarding, updated while it runs: each account with its steps, the verification in AWS,
and possible actions.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from console.offboarding.leaver_handover import owned_context
from console.offboarding.lists import SEES
from console.offboarding.presenters import first_change, is_moving, mark_of, progress_of, seats_shown
from console.runs.views import render_run
from console.setup.progress import FAST, PollPace
from console.web.access import ViewerRequest, found_or_404, require
from console.web.post_only import answers_get_with_its_page
from console.web.shortened_lists import ShortenedList, first_rows
from iam.access.grants.queries import visible_grants
from iam.changes.errors import RefusedError
from iam.changes.models import ChangeState
from iam.guard import Right
from iam.people.moving.queries import move_of
from iam.people.offboarding.current_access import differs_now
from iam.people.offboarding.models import (
    OF_DELETION,
    OF_RETURN,
    SUSPENSION,
    EndedGrant,
    Leaver,
    OffboardingStage,
)
from iam.people.offboarding.queries import OffboardedUserChanges, held_by, leaver_for, openable
from iam.people.offboarding.repeat_invitation import can_invite_again
from iam.people.offboarding.restore_and_delete import DELETABLE, RESTORABLE, afterwards_changes, try_again
from iam.people.offboarding.rules import is_about_oneself, may_act, review_of
from iam.people.offboarding.suspension import may_suspend, suspended_already
from iam.people.offboarding.suspension_decisions import CUT, may_take_back, why_not_confirm

GRANTS: Final = 50
QUICK: Final = 90
"""Maximum number of polls at the fast interval."""


def leaver_or_404(request: ViewerRequest, pk: UUID) -> Leaver:
    """Return the offboarding of a person. Raises Http404 if the viewer can’t see it."""
    return found_or_404(leaver_for(request.viewer, pk))


@never_cache
@require_safe
@require(*SEES)
def leaver_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the progress."""
    leaver = leaver_or_404(request, pk)
    seat_states = held_by([leaver])[leaver.pk]
    seen, hidden = _visible_seats(seat_states, request)
    hidden_progress = progress_of([seat for seat in seat_states if seat not in seen])
    acts = (
        request.at is None
        and may_act(request.viewer, leaver)
        and not is_about_oneself(request.viewer, leaver)
    )
    slugs = (
        OF_DELETION if leaver.stage in (OffboardingStage.DELETING, OffboardingStage.DELETED) else OF_RETURN
    )
    later = afterwards_changes(leaver, slugs)
    seats = seats_shown(seen, leaver)
    context = {
        "moved": move_of(leaver.run),
        "section": "leaving",
        "leaver": leaver,
        "run": leaver.run,
        "mark": mark_of(leaver),
        "seats": seats,
        "differs": differs_now(leaver, [seat.now for seat in seats]),
        "hidden": hidden,
        "hidden_progress": hidden_progress,
        "progress": progress_of(seat_states),
        "later_awaits": any(change.state == ChangeState.AWAITING for change in later),
        "request_of": first_change(seat_states),
        "later": later[0] if later else None,
        "later_done": sum(change.state == "applied" for change in later),
        "later_total": len(later),
        "grants": _grants(leaver, request),
        "certificates": list(leaver.certificates.all()),
        "may_restore": acts and leaver.stage in RESTORABLE,
        "may_delete": acts and leaver.stage in DELETABLE,
        "may_invite": can_invite_again(request.viewer, leaver) and request.at is None,
        "may_again": acts and leaver.stage == OffboardingStage.OPEN,
    }
    if request.at is None:
        context |= _suspension(request, leaver, acts=acts) | owned_context(request, leaver, acts=acts)
    address = reverse("offboarding:leaver", args=[leaver.pk])
    return render_run(
        request, "offboarding/leaver.html", context, address=address, pace=partial(_poll_pace, leaver)
    )


@answers_get_with_its_page
@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.REQUEST_CHANGE)
def leaver_again(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Check AWS again and remove the access that is left."""
    leaver = leaver_or_404(request, pk)
    if request.method != "POST":
        return redirect("offboarding:leaver", pk=pk)
    try:
        try_again(request.viewer, leaver=leaver)
    except RefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Checking AWS again. Any access that is left will be removed.")
    return redirect("offboarding:leaver", pk=pk)


def _suspension(request: ViewerRequest, leaver: Leaver, *, acts: bool) -> dict[str, Any]:
    """Return the actions for a suspension, or to suspend until a waiting offboarding starts."""
    first = leaver.seats.order_by("pk").first()
    context: dict[str, Any] = {"first_user": first.user_id if first else None}
    if not leaver.run.is_suspension:
        waits = leaver.stage in (OffboardingStage.WAITING, OffboardingStage.PLANNED)
        users = [seat.user for seat in leaver.seats.select_related("user")]
        suspended = suspended_already(users) if waits else None
        context |= {
            "suspended": suspended.leaver if suspended else None,
            "openable": openable(request.viewer, [suspended.leaver if suspended else None]),
            "may_suspend": acts and waits and suspended is None and may_suspend(request.viewer),
        }
        return context
    return context | {
        "review": review_of(leaver),
        "may_confirm": not why_not_confirm(request.viewer, leaver),
        "is_cut": leaver.stage in CUT,
        "may_take_back": may_take_back(request.viewer, leaver),
        "may_offboard": acts and leaver.stage in SUSPENSION,
        "followed_by": leaver.followed_by,
        "openable": openable(request.viewer, [leaver.followed_by]),
    }


def _poll_pace(leaver: Leaver, step: PollPace) -> str:
    """Return the polling interval: short while access is being removed, longer while people have to act."""
    if leaver.stage in (OffboardingStage.CLOSING, OffboardingStage.SUSPENDING):
        return FAST if step.number < QUICK else step.wait
    return step.wait if is_moving(leaver) else ""


def _visible_seats(
    seats: list[OffboardedUserChanges], request: ViewerRequest
) -> tuple[list[OffboardedUserChanges], int]:
    """Return the users in visible accounts (all for team leads), and the number of others."""
    if not request.viewer.sees_accounts:
        return seats, 0
    seen = [seat for seat in seats if request.viewer.scope.sees_account(seat.seat.account.account_id)]
    return seen, len(seats) - len(seen)


def _grants(leaver: Leaver, request: ViewerRequest) -> ShortenedList[EndedGrant]:
    rows = EndedGrant.objects.filter(
        seat__leaver=leaver, grant__in=visible_grants(request.viewer).values("pk")
    )
    return first_rows(
        request, rows.select_related("grant", "seat__account").order_by("pk"), most=GRANTS, name="grants"
    )
