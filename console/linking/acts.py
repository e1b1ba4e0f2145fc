"""Views that link, confirm, unlink or exclude matches of users and people; each returns to the page it came
from.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, entity_or_404, require
from console.web.attempt import attempt
from iam.directory.models import Person
from iam.guard import Right
from iam.linking import acts
from iam.linking.models import ExcludedMatch
from iam.linking.queries import PROPOSED, person_to_choose, signs_of
from iam.linking.rights import OWNER_RIGHTS, linkable, may_link
from iam.mirror.models import Entity, Kind

NOTHING = "Nothing changes in AWS."


@require_POST
@require(*OWNER_RIGHTS)
@recently_authenticated
def link(request: ViewerRequest, pk: int) -> HttpResponse:
    """Link the user to the person in `person`."""
    user, person = _user(request, pk), _person(request)
    done = f"{user.name} in {user.account.name} is linked to {person.name}. {NOTHING}"
    why = request.POST.get("why", "")
    return _attempt(request, pk, lambda: acts.link(request.viewer, user=user, person=person, why=why), done)


@require_POST
@require(Right.MANAGE_OPERATORS)
@recently_authenticated
def add(request: ViewerRequest, pk: int) -> HttpResponse:
    """Add a person without any role for the email address in a tag, and link the user to them."""
    user = _user(request, pk)
    name = " ".join(request.POST.get("name", "").split())[:128]
    if not name:
        messages.error(request, "Enter the name of the person.")
        return redirect("linking:person", pk)
    done = (
        f"{name} was added to Gatehouse, and {user.name} in {user.account.name} is linked to them. {NOTHING}"
    )
    return _attempt(request, pk, lambda: acts.add_and_link(request.viewer, user=user, name=name), done)


@require_POST
@require(*OWNER_RIGHTS)
@recently_authenticated
def undo(request: ViewerRequest, pk: int) -> HttpResponse:
    """Remove a manual link."""
    user = _user(request, pk)
    done = f"The link of {user.name} in {user.account.name} was removed. {NOTHING}"
    return _attempt(request, pk, lambda: acts.undo(request.viewer, user=user), done)


@require_POST
@require(*OWNER_RIGHTS)
@recently_authenticated
def mark_as_not_theirs(request: ViewerRequest, pk: int) -> HttpResponse:
    """Exclude the person in `person` as owner of the user."""
    user, person = _user(request, pk), _person(request)
    done = (
        f"{person.name} is excluded for {user.name} in {user.account.name}: tags and rules don’t propose "
        f"them again. {NOTHING}"
    )
    why = request.POST.get("why", "")
    return _attempt(
        request, pk, lambda: acts.set_apart(request.viewer, user=user, person=person, why=why), done
    )


@require_POST
@require(*OWNER_RIGHTS)
@recently_authenticated
def forget(request: ViewerRequest, number: int) -> HttpResponse:
    """Remove an exclusion, so that the person can be proposed again."""
    mark = ExcludedMatch.objects.select_related("user__account", "person").filter(pk=number).first()
    if mark is None or not linkable(request.viewer).filter(pk=mark.user_id).exists():
        raise Http404
    message = f"Tags and rules can propose {mark.person.name} for {mark.user.name} again."
    return _attempt(request, mark.user_id, lambda: acts.forget(request.viewer, mark), message)


@require_POST
@require(*OWNER_RIGHTS)
@recently_authenticated
def confirm(request: ViewerRequest) -> HttpResponse:
    """Accept the proposals in `user`, or all, up to a maximum per request."""
    rows = signs_of(PROPOSED, request.viewer).select_related("user__account")
    if "all" not in request.POST:
        chosen = [int(arn) for arn in request.POST.getlist("user") if arn.isdecimal() and len(arn) < 18]
        rows = rows.filter(pk__in=chosen)
    chosen_signs = list(rows.order_by("login", "user"))
    left = len(chosen_signs) - acts.MAX_USERS_AT_ONCE
    outcome = acts.confirm(
        request.viewer,
        [sign.user for sign in chosen_signs[: acts.MAX_USERS_AT_ONCE]],
        why=request.POST.get("why", ""),
    )
    if outcome.linked:
        result = "1 IAM user is linked" if outcome.linked == 1 else f"{outcome.linked} IAM users are linked"
        messages.success(request, f"{result}. {NOTHING}")
    elif not outcome.refused:
        messages.error(request, "Select the IAM users to confirm.")
    if left > 0:
        result = (
            f"{left:,} more are left: at most {acts.MAX_USERS_AT_ONCE} are confirmed at once. Confirm again "
            "for "
            "the others."
        )
        messages.warning(request, result)
    for sentence in outcome.refused[:5]:
        messages.error(request, sentence)
    return redirect("linking:links")


def _user(request: ViewerRequest, pk: int) -> Entity:
    """Return a user whose link the viewer can change. Raises Http404."""
    user = entity_or_404(request.viewer, pk, kinds=[Kind.USER])
    if request.at is not None or not may_link(request.viewer, user):
        raise Http404
    return user


def _person(request: ViewerRequest) -> Person:
    try:
        person = person_to_choose(request.viewer, UUID(request.POST.get("person", "")))
    except ValueError:
        person = None
    if person is None:
        raise Http404
    return person


def _attempt(request: ViewerRequest, pk: int, act: Callable[[], object], done: str) -> HttpResponse:
    attempt(request, act, done=done)
    back = request.POST.get("back", "")
    if back and url_has_allowed_host_and_scheme(back, allowed_hosts=None):
        return redirect(back)
    return redirect("linking:person", pk)
