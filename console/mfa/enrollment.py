"""The page to enroll a person's own MFA device, by a one-time link or signed in; both have the same steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.changes.secrets import sign_in_page
from console.mfa import link_landing
from console.operators.recency import recently_authenticated
from console.operators.sessions import secret_of
from console.web.access import ViewerRequest, layout_for, require, require_present
from console.web.qr import svg_of
from console.web.render import STOP, is_fragment, render_page
from iam.changes.errors import RefusedError, field_errors
from iam.directory.models import Person
from iam.guard import Right
from iam.mirror.models import Entity, Kind
from iam.people.enrolment import services, texts
from iam.people.enrolment.models import Enrolment, EnrolmentOutcome
from iam.people.enrolment.queries import (
    EnrolmentStage,
    EnrolmentStatus,
    devices_of,
    has_mfa,
    has_password,
    latest,
    standing_of,
)
from iam.people.enrolment.services import EnrolmentSession
from iam.people.links.models import LinkEndReason, LinkPurpose, OneTimeLink
from iam.people.links.services import LinkRefusedError, ask_again

ENROLS = (LinkPurpose.MFA, LinkPurpose.INVITATION)
NOT_FOR_MFA = "This link is for something else. Ask the person who sent it for a link to add an MFA device."
NO_USER = "This AWS user no longer exists, as of the last sync. Ask the person who sent you the link."


@require_http_methods(["GET", "POST"])
def by_link(request: HttpRequest, place: int = 0) -> HttpResponse:
    """Enroll by a link, without signing in to Gatehouse.

    `place` is the number of the link's user, from 1; 0 redirects to the first one without MFA.
    """
    try:
        link = link_landing.current_link(request)
    except LinkRefusedError as refused:
        # The link is finished as soon as AWS has the device; the browser that used it still sees the result.
        if refused.why != LinkEndReason.FINISHED or refused.link is None or request.method == "POST":
            return link_landing.refusal(request, refused.message, link=refused.link)
        link = refused.link
    if link.purpose not in ENROLS:
        return link_landing.refusal(request, NOT_FOR_MFA)
    users = _users_of(link)
    if not users:
        return link_landing.refusal(request, NO_USER, status=410)
    if place > len(users):
        raise Http404
    if len(users) > 1 and not place:
        at = next((at for at, user in enumerate(users, 1) if not has_mfa(user)), len(users))
        return redirect("mfa:enrollment-link-user", place=at)
    user = users[place - 1] if place else users[0]
    seat = EnrolmentSession(
        person=link.person, user=user, secret=request.COOKIES[link_landing.COOKIE], link=link
    )
    address = reverse("mfa:enrollment-link-user", args=[place]) if place else reverse("mfa:enrollment-link")
    return _answer(request, seat, address=address, several=_several(users, user))


def having_mfa(link: OneTimeLink) -> tuple[int, int]:
    """Return how many of a link's users have MFA, and their number."""
    users = _users_of(link)
    return sum(has_mfa(user) for user in users), len(users)


def _users_of(link: OneTimeLink) -> list[Entity]:
    """Return the link's users that exist in AWS, in its order."""
    arns = link_landing.users_of(link)
    there = Entity.objects.filter(kind=Kind.USER, arn__in=arns, gone_at__isnull=True).select_related(
        "account"
    )
    return sorted(there, key=lambda user: arns.index(user.arn))


@require_http_methods(["GET", "POST"])
@require(Right.SEE_SELF)
@recently_authenticated
def start_own_enrollment(request: ViewerRequest, pk: int) -> HttpResponse:
    """Enroll a device of one of the viewer's own users. Raises Http404 for other users."""
    require_present(request)
    arns = request.viewer.scope.user_arns
    user = Entity.objects.filter(pk=pk, kind=Kind.USER, arn__in=arns, gone_at__isnull=True)
    entity = user.select_related("account").first()
    if entity is None:
        raise Http404
    person = Person.objects.get(pk=request.viewer.person_id)
    seat = EnrolmentSession(person=person, user=entity, secret=secret_of(request))
    return _answer(request, seat, address=reverse("mfa:enrol", args=[pk]))


@dataclass(frozen=True, slots=True)
class EnrollmentTurn:
    """The current one of a person's users: its number, the total, how many have MFA, and the next one or
    None.
    """

    place: int
    count: int
    done: int
    next_place: int | None
    next_account: str


def _several(users: list[Entity], here: Entity) -> EnrollmentTurn | None:
    if len(users) < 2:
        return None
    enrolled = {user.pk for user in users if has_mfa(user)}
    place = users.index(here) + 1
    for number, user in enumerate(users, 1):
        if user.pk not in enrolled and user.pk != here.pk:
            return EnrollmentTurn(place, len(users), len(enrolled), number, user.account.name)
    return EnrollmentTurn(place, len(users), len(enrolled), None, "")


def _answer(
    request: HttpRequest, seat: EnrolmentSession, *, address: str, several: EnrollmentTurn | None = None
) -> HttpResponse:
    enrolment = latest(seat.user, browser=seat.browser)
    frame = {"address": address, "several": several}
    if request.method == "GET":
        return _page(request, seat, enrolment, frame)
    try:
        _act(request, seat, enrolment)
    except RefusedError as refused:
        enrolment = latest(seat.user, browser=seat.browser)
        if seat.link is not None and enrolment is not None and enrolment.outcome == EnrolmentOutcome.LOCKED:
            # The link ended too, so only a new link helps.
            why = f"{texts.LOCKED_LINK} {ask_again(seat.link)}"
            return link_landing.refusal(request, why, link=seat.link, status=410)
        return _page(request, seat, enrolment, frame | refused_context(refused), status=422)
    return redirect(address)


def refused_context(refused: RefusedError) -> dict[str, Any]:
    """Return the errors by field, the first of which gets the focus, or the error of the whole form."""
    errors = field_errors(refused)
    return {
        "errors": errors,
        "refused": "" if errors else refused.message,
        "focus": dict.fromkeys(list(errors)[:1], True),
    }


def _act(request: HttpRequest, seat: EnrolmentSession, enrolment: Enrolment | None) -> None:
    """Run the form's action: submit the codes, cancel or begin."""
    act = request.POST.get("do", "")
    if act == "codes" and enrolment is not None:
        services.submit_codes(
            enrolment,
            seat,
            first=request.POST.get("first", "")[:12],
            second=request.POST.get("second", "")[:12],
        )
    elif act == "cancel" and enrolment is not None:
        services.cancel(enrolment, seat)
    elif act == "begin":
        name = request.POST.get("name", "")[:300].strip()
        services.begin(seat, device_name=name or services.free_name(seat.user))


def _page(
    request: HttpRequest,
    seat: EnrolmentSession,
    enrolment: Enrolment | None,
    frame: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    again = "again" in request.GET and (enrolment is None or enrolment.ended_at is not None)
    standing = standing_of(enrolment) if enrolment and not again else None
    context: dict[str, Any] = frame | {
        "seat": seat,
        "user": seat.user,
        "account": seat.user.account,
        "enrolment": enrolment,
        "standing": standing,
        "stage": standing.stage.value if standing else "start",
        "done_title": _done_title(seat, enrolment),
        "section": "overview",
        "focus": frame.get("focus") or {"first": seat.link is None},
        "is_update": is_fragment(request),
    }
    context |= _matter(request, seat, enrolment, standing)
    if seat.link is None:
        context["layout"] = layout_for(request.viewer)  # type: ignore[attr-defined]
    template = "mfa/enrol_by_link.html" if seat.link else "mfa/enrol.html"
    waits = standing is not None and standing.is_waiting
    stop = is_fragment(request) and not waits and status == 200
    answered = STOP if stop else status
    return render_page(request, template, context, partial="enrolment", status=answered)


def _done_title(seat: EnrolmentSession, enrolment: Enrolment | None) -> str:
    """Return the title of the finished step: plain words for people with a link, else the device's name."""
    if seat.link or enrolment is None:
        return "Your phone is added"
    return f"Device {enrolment.device_name} is enrolled"


def _matter(
    request: HttpRequest,
    seat: EnrolmentSession,
    enrolment: Enrolment | None,
    standing: EnrolmentStatus | None,
) -> dict[str, Any]:
    """Return the context of the current stage: the seed, how to sign in, or the form to begin."""
    if standing is not None and standing.stage is EnrolmentStage.SCAN and enrolment is not None:
        seed = services.seed_of(enrolment, seat)
        return {"seed": seed, "qr": svg_of(seed.address)} if seed else {}
    if standing is not None and standing.stage is EnrolmentStage.DONE:
        return {"sign_in": sign_in_page(seat.user.account)}
    if standing is not None and standing.is_waiting:
        return {}
    return {
        "name": request.POST.get("name", "")[:300] or services.free_name(seat.user),
        "name_hint": "Letters, digits and + = , . @ - _ only. AWS can’t rename a device.",
        "devices": devices_of(seat.user),
        "no_password": not has_password(seat.user),
        "sender": seat.link.created_label if seat.link else "",
    }
