"""Starts the rotation of a key: what will happen and when, what prevents it, and the reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final

from django.conf import settings
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from console.changes.approval_context import need_context
from console.changes.presenters import call_rows
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, entity_or_404, layout_for, require, require_present
from console.web.render import render_page
from iam.changes.errors import RefusedError, field_errors
from iam.changes.operations.user_credential import DEACTIVATE
from iam.directory.models import Person
from iam.guard import Right
from iam.linking.owners import may_set_owner, owning_team
from iam.linking.rights import may_link
from iam.mirror.models import Entity, Kind
from iam.people.enrolment.invitation import person_of
from iam.people.rotation.own_keys import may_request_for_own
from iam.people.rotation.requests import begin, preview
from iam.people.rotation.rotation_plan import (
    KEEP_DAYS,
    LEAST_KEEP,
    LEAST_QUIET,
    MAX_DAYS,
    NO_LEAD,
    QUIET_DAYS,
    MirroredKey,
    RotationTerms,
    days,
    keys_of,
    living_of,
    may_begin,
    recipients,
)

SEES: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF)


@require_http_methods(["GET", "POST"])
@require(*SEES)
@recently_authenticated
def begin_page(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the page; a POST requests the new key."""
    key = key_or_404(request, pk)
    if request.method == "GET":
        return _page(request, key)
    try:
        made = begin(request.viewer, key, read_terms(request.POST), first=_first(request, key))
    except RefusedError as refused:
        return _page(request, key, refused=refused)
    return redirect("keys:rotation", pk=made.pk)


def key_or_404(request: ViewerRequest, pk: int) -> Entity:
    """Return the key. Raises Http404 if the viewer can’t see or rotate it."""
    entity = entity_or_404(request.viewer, pk, kinds=[Kind.ACCESS_KEY])
    require_present(request)
    if entity.owner is None or entity.gone_at is not None:
        raise Http404
    if not may_begin(request.viewer, user=entity.owner):
        raise Http404
    return entity


def read_terms(data: QueryDict) -> RotationTerms:
    """Parse the terms; days that aren’t numbers are refused with everything else that is wrong."""
    unreadable: dict[str, str] = {}
    return RotationTerms(
        reason=data.get("reason", ""),
        is_automatic=data.get("how") != "asked",
        quiet_days=_days(data, "quiet", unreadable),
        keep_days=_days(data, "keep", unreadable),
        is_for_me=data.get("for_me") == "yes",
        recipient=data.get("recipient", ""),
        unreadable=unreadable,
    )


def terms_context(request: ViewerRequest) -> dict[str, Any]:
    """Return the values and hints of the form, as entered."""
    data = request.POST if request.method == "POST" else request.GET
    return {
        "how": data.get("how", "automatic"),
        "quiet": data.get("quiet", str(QUIET_DAYS)),
        "keep": data.get("keep", str(KEEP_DAYS)),
        "reason": data.get("reason", ""),
        "quiet_hint": (
            f"{LEAST_QUIET} to {MAX_DAYS}. 7 days cover every weekday and a weekend. A job that runs once "
            "a month needs more than 31."
        ),
        "reason_hint": "The approver and the auditor read it.",
        "keep_hint": (
            f"{LEAST_KEEP} to {MAX_DAYS}. Until then you can reactivate it with one click. A deleted key "
            "can’t be restored."
        ),
        "has_mail": settings.MAIL_IS_CONFIGURED,
    }


def plan_context(quiet: str, keep: str) -> dict[str, Any]:
    """Return the earliest dates of the steps if the new key were in use today; None for invalid days."""
    quiet_days = _within(quiet, LEAST_QUIET)
    keep_days = _within(keep, LEAST_KEEP)
    now = datetime.now(tz=UTC)
    both = quiet_days + keep_days if quiet_days and keep_days else None
    return {
        "quiet_words": days(quiet_days) if quiet_days else "the days you enter",
        "keep_words": days(keep_days) if keep_days else "The days you enter",
        "quiet_at": now + timedelta(days=quiet_days) if quiet_days else None,
        "gone_at": now + timedelta(days=both) if both else None,
    }


def _within(text: str, least: int) -> int | None:
    if not text.isdecimal() or len(text) > 2 or not least <= int(text) <= MAX_DAYS:
        return None
    return int(text)


def _days(data: QueryDict, field: str, unreadable: dict[str, str]) -> int:
    text = data.get(field, "").strip()
    if not text.isdecimal() or len(text) > 3:
        unreadable[field] = "Enter the days as a number."
        return 0
    return int(text)


def _first(request: ViewerRequest, key: Entity) -> Entity | None:
    """Return the second key if it was chosen to be removed first."""
    text = request.POST.get("first", "")
    if not text.isdecimal() or len(text) > 18:
        return None
    return Entity.objects.filter(pk=int(text), kind=Kind.ACCESS_KEY, owner=key.owner_id).first()


def _page(request: ViewerRequest, key: Entity, *, refused: RefusedError | None = None) -> HttpResponse:
    user = key.owner
    assert user is not None
    keys = keys_of(user)
    owned = owning_team(user)
    people = recipients(user, viewer=request.viewer)
    # If the user has no person and no team, the requester of the rotation receives the new key.
    person = _chosen(request, people) or Person.objects.get(pk=request.viewer.person_id)
    own = next((access_key for access_key in keys if access_key.entity.pk == key.pk), None)
    other = next((access_key for access_key in keys if access_key.entity.pk != key.pk), None)
    terms = terms_context(request)
    deactivates = request.viewer.may(
        Right.REQUEST_CHANGE, account_id=key.account.account_id
    ) or may_request_for_own(request.viewer, act=DEACTIVATE[Kind.ACCESS_KEY].slug, user=user)
    context: dict[str, Any] = {
        "section": "keys",
        "layout": layout_for(request.viewer),
        "account": key.account,
        "key": key,
        "user": user,
        "person": person,
        "is_nobodys": not people and owned is None,
        "owned": owned if person_of(user) is None else None,
        "recipients": people,
        "sets_owner": may_set_owner(request.viewer, user),
        "links_person": may_link(request.viewer, user),
        "no_lead": NO_LEAD.format(team=owned.team.name, user=user.name) if owned and not people else "",
        "for_me": request.POST.get("for_me") == "yes",
        "is_self": person.pk == request.viewer.person_id,
        "own": own,
        "other": other,
        "deactivate_url": _deactivation(other) if deactivates else "",
        "deactivate_own_url": _deactivation(own) if deactivates else "",
        "is_newer": bool(own and other and _is_newer(other, own)),
        "chosen": request.POST.get("first", ""),
        "standing": living_of(user),
        "refused": refused,
        "errors": field_errors(refused),
    }
    context |= terms | plan_context(terms["quiet"], terms["keep"])
    if context["standing"] is None:
        context |= _preview(request, key, person, other)
    status = 422 if refused else 200
    return render_page(request, "rotation/begin.html", context, status=status)


def _chosen(request: ViewerRequest, people: list[Person]) -> Person | None:
    """Return who receives the secret: the person chosen in the form, else the first possible one."""
    wanted = request.POST.get("recipient", "")
    first_person = people[0] if people else None
    return next((person for person in people if str(person.pk) == wanted), first_person)


def _preview(
    request: ViewerRequest, key: Entity, person: Person, other: MirroredKey | None
) -> dict[str, Any]:
    """Return the calls and the approvers, or why the rotation can’t be requested."""
    first = other.entity if other and other.is_idle else None
    try:
        plans = preview(request.viewer, key, person=person, first=first)
    except RefusedError as error:
        return {"impossible": "" if other and not other.is_idle else error.message}
    calls = list(chain.from_iterable(plan.receipt.body["calls"] for plan in plans))
    return need_context(request, plans) | {"calls": call_rows(calls, partition=key.account.partition)}


def _is_newer(other: MirroredKey, own: MirroredKey) -> bool:
    return bool(other.is_active and other.created_at and own.created_at and other.created_at > own.created_at)


def _deactivation(key: MirroredKey | None) -> str:
    """Return the address of the request to deactivate a key; "" if it isn’t active."""
    if key is None or not key.is_active:
        return ""
    query = urlencode({"do": DEACTIVATE[Kind.ACCESS_KEY].slug, "of": str(key.entity.pk)})
    return f"{reverse('changes:credential')}?{query}"
