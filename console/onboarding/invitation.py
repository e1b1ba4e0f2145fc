"""The invitation page: first password, adding a phone, what the person can do, and how to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from console.changes.secrets import sign_in_page
from console.mfa import link_landing
from console.mfa.enrollment import having_mfa
from console.offboarding.restored_passwords import returned_page
from console.operators.models import Operator
from console.operators.services import create_member_sign_in, invitation_link
from console.web.render import render_page
from iam.access.templates.queries import offer_of
from iam.changes.errors import RefusedError
from iam.directory.rules import DirectoryRuleError
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import LinkRefusedError
from iam.people.links.signed_ids import id_in, word_of
from iam.people.offboarding.repeat_invitation import request_again
from iam.people.offboarding.restored_sign_in import returned_by
from iam.people.onboarding.invitation import can_be_shown, is_shown, key_id_of, newcomer_of, show_secret
from iam.people.onboarding.invitation_state import (
    WITHOUT_ACCESS,
    has_chosen_password,
    is_password_gone,
    version_of,
    why_over,
)
from iam.people.onboarding.models import OnboardedPerson, ProvisionedUser
from iam.people.onboarding.repeat_invitation import request_invitation

link_landing.PAGES[LinkPurpose.INVITATION] = "invitation"
link_landing.USERS[LinkPurpose.INVITATION] = lambda link: _users_of(link)
link_landing.CLOSED[LinkPurpose.INVITATION] = lambda link: closed_of(link)
NOT_YOURS: Final = "This page opens from the invitation that was sent to you."


def _users_of(link: OneTimeLink) -> list[str]:
    """Return the ARNs of the users of the invited or restored person, in all accounts."""
    newcomer, leaver = newcomer_of(link), returned_by(link)
    if newcomer is not None:
        places = newcomer.places.filter(joined_at__isnull=False).order_by("pk")
        return list(places.values_list("user_arn", flat=True))
    return list(leaver.seats.order_by("pk").values_list("user_arn", flat=True)) if leaver else []


def closed_of(link: OneTimeLink) -> link_landing.LinkClosure:
    """Return why an invitation no longer works, and the address to request another one."""
    newcomer = newcomer_of(link)
    if newcomer is None:
        return link_landing.LinkClosure()
    why = why_over(newcomer, since=link.created_at)
    address = "" if why in WITHOUT_ACCESS else reverse("invitation-request", args=[word_of(link.pk)])
    return link_landing.LinkClosure(why=why, again=address)


@dataclass(frozen=True, slots=True)
class InvitationUser:
    """The user in an account; `note` says why there is no password to show."""

    place: ProvisionedUser
    user_name: str
    account: str
    address: str
    can_show: bool
    was_shown: bool
    note: str
    key_id: str
    can_show_key: bool
    password: str = ""
    key: str = ""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """Show the invitation; a POST shows the password or access key of one account, only in this response."""
    try:
        link = link_landing.current_link(request)
    except LinkRefusedError as refused:
        return link_landing.refusal(request, refused.message, link=refused.link)
    newcomer = newcomer_of(link) if link.purpose == LinkPurpose.INVITATION else None
    if newcomer is None and (back := returned_page(request, link)) is not None:
        return back
    if newcomer is None:
        return link_landing.refusal(request, NOT_YOURS)
    if request.method != "POST":
        return _page(request, link, newcomer)
    number = request.POST.get("place", "")
    place = (
        newcomer.places.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 12 else None
    )
    if place is None:
        return link_landing.refusal(request, NOT_YOURS)
    is_key = request.POST.get("what") == "key"
    try:
        secret = show_secret(link, place, session=link_landing.session_in(request), is_key=is_key)
    except RefusedError as refused_now:
        return _page(request, link, newcomer, refused=refused_now, status=422)
    return _page(request, link, newcomer, taken=(place.pk, "key" if is_key else "password", secret))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation_request(request: HttpRequest, word: str) -> HttpResponse:
    """Request a new invitation for one that no longer works; the sender is notified."""
    if request.method != "POST":
        return redirect("mfa:link", word=word)
    link_id = id_in(word)
    invitations = OneTimeLink.objects.select_related("person").filter(purpose=LinkPurpose.INVITATION)
    link = invitations.filter(pk=link_id).first() if link_id else None
    names = (request_invitation(link) or request_again(link)) if link is not None else ""
    if link is None or not names:
        return link_landing.refusal(request, NOT_YOURS)
    return render_page(
        request, "onboarding/invitation_requested.html", {"names": names, "person": link.person}
    )


@never_cache
@require_POST
def gatehouse_sign_in(request: HttpRequest) -> HttpResponse:
    """Create a sign-in to Gatehouse for the invited person, and redirect to the page to choose its
    password.
    """
    try:
        link = link_landing.current_link(request)
    except LinkRefusedError as refused:
        return link_landing.refusal(request, refused.message, link=refused.link)
    newcomer = newcomer_of(link) if link.purpose == LinkPurpose.INVITATION else None
    if newcomer is None or why_over(newcomer, since=link.created_at):
        return link_landing.refusal(request, NOT_YOURS, link=link)
    if not version_of(newcomer).body.gatehouse:
        return link_landing.refusal(
            request, "Your invitation gives no sign-in to Gatehouse. Ask your team lead."
        )
    try:
        operator = create_member_sign_in(link.person, why=newcomer.run.reference)
    except DirectoryRuleError as error:
        return link_landing.refusal(request, str(error))
    following = "account_login" if operator.has_usable_password() else invitation_link(operator)
    return redirect(following)


def _page(
    request: HttpRequest,
    link: OneTimeLink,
    newcomer: OnboardedPerson,
    *,
    taken: tuple[int, str, str] | None = None,
    refused: RefusedError | None = None,
    status: int = 200,
) -> HttpResponse:
    version = version_of(newcomer)
    body = version.body
    offers = [offer_of(filled.slug, number=filled.version) for filled in body.templates]
    places = newcomer.places.filter(joined_at__isnull=False).select_related("account").order_by("pk")
    seats = [
        _seat(place, taken, session=link_landing.session_in(request), gives=body.password) for place in places
    ]
    context: dict[str, Any] = {
        "link": link,
        "newcomer": newcomer,
        "team": version.blueprint.team,
        "body": body,
        "seats": seats,
        "again": ""
        if all(seat.can_show for seat in seats)
        else reverse("invitation-request", args=[word_of(link.pk)]),
        "offers": [offer for offer in offers if offer],
        "refused": refused,
        "asker": link.created_label,
        "phone": having_mfa(link),
        "signs_in": body.gatehouse,
        "has_sign_in": body.gatehouse and _has_sign_in(link),
    }
    return render_page(request, "onboarding/invitation.html", context, status=status)


def _has_sign_in(link: OneTimeLink) -> bool:
    operator = Operator.objects.filter(person=link.person_id).first()
    return operator is not None and operator.has_usable_password()


def _seat(
    place: ProvisionedUser, taken: tuple[int, str, str] | None, *, session: str, gives: bool
) -> InvitationUser:
    mine = {taken[1]: taken[2]} if taken and taken[0] == place.pk else {}
    note = _password_note(place) if gives else ""
    return InvitationUser(
        place=place,
        user_name=place.user_arn.rpartition("/")[2],
        account=place.account.name,
        address=sign_in_page(place.account),
        can_show=not note and can_be_shown(place.password_seal, session=session),
        was_shown=is_shown(place.password_seal),
        note=note,
        key_id=key_id_of(place),
        can_show_key=can_be_shown(place.key_seal, session=session),
        **mine,
    )


def _password_note(place: ProvisionedUser) -> str:
    """Return why the first password no longer works; "" if it does."""
    if has_chosen_password(place):
        return "You already chose your own password. Sign in with that one."
    if is_password_gone(place):
        return "This password was deleted in AWS, so it opens nothing any more."
    return ""
