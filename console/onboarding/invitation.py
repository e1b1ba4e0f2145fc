"""The page of an invitation: the first password, once; the way to add a phone; what the person may do, and how to sign in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.leaving.returned import returned_page
from console.mfa import door
from console.mfa.enrolling import having_mfa
from console.web.render import render_page
from iam.access.templates.queries import offer_of
from iam.changes.errors import RefusedError
from iam.mirror.models import AccountFact, valid_at
from iam.people.leaving.returning import returned_by
from iam.people.links.models import Link, Purpose
from iam.people.links.services import LinkRefusedError
from iam.people.onboarding.inviting import key_id_of, newcomer_of, take, waits
from iam.people.onboarding.models import Newcomer, Place

door.PAGES[Purpose.INVITATION] = "invitation"
door.USERS[Purpose.INVITATION] = lambda link: _users_of(link)
NOT_YOURS: Final = "This page opens from the invitation that was sent to you."
# https://docs.aws.amazon.com/IAM/latest/UserGuide/console.html
CONSOLES: Final = {
    "aws": "signin.aws.amazon.com",
    "aws-cn": "signin.amazonaws.cn",
    "aws-us-gov": "signin.amazonaws-us-gov.com",
}


def _users_of(link: Link) -> list[str]:
    """The users of whoever was invited, or came back, in all accounts."""
    newcomer, leaver = newcomer_of(link), returned_by(link)
    if newcomer is not None:
        places = newcomer.places.filter(joined_at__isnull=False).order_by("pk")
        return list(places.values_list("user_arn", flat=True))
    return list(leaver.seats.order_by("pk").values_list("user_arn", flat=True)) if leaver else []


@dataclass(frozen=True, slots=True)
class Seat:
    """The user in one account."""

    place: Place
    user_name: str
    account: str
    address: str
    waits: bool
    key_id: str
    key_waits: bool
    password: str = ""
    key: str = ""


@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest) -> HttpResponse:
    """A POST takes the password, or the access key, of one account; it is in this answer and nowhere else."""
    try:
        link = door.inside(request)
    except LinkRefusedError as refused:
        return door.refusal(request, refused.message)
    newcomer = newcomer_of(link) if link.purpose == Purpose.INVITATION else None
    if newcomer is None and (back := returned_page(request, link)) is not None:
        return back
    if newcomer is None:
        return door.refusal(request, NOT_YOURS)
    if request.method != "POST":
        return _page(request, link, newcomer)
    number = request.POST.get("place", "")
    place = (
        newcomer.places.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 12 else None
    )
    if place is None:
        return door.refusal(request, NOT_YOURS)
    is_key = request.POST.get("what") == "key"
    try:
        secret = take(link, place, is_key=is_key)
    except RefusedError as refused_now:
        return _page(request, link, newcomer, refused=refused_now, status=422)
    return _page(request, link, newcomer, taken=(place.pk, "key" if is_key else "password", secret))


def _page(
    request: HttpRequest,
    link: Link,
    newcomer: Newcomer,
    *,
    taken: tuple[int, str, str] | None = None,
    refused: RefusedError | None = None,
    status: int = 200,
) -> HttpResponse:
    body = newcomer.run.version.body
    offers = [offer_of(one.slug, number=one.version) for one in body.templates]
    places = newcomer.places.filter(joined_at__isnull=False).select_related("account").order_by("pk")
    context: dict[str, Any] = {
        "link": link,
        "newcomer": newcomer,
        "first_name": newcomer.name.split()[0],
        "team": newcomer.run.version.blueprint.team,
        "body": body,
        "seats": [_seat(place, taken) for place in places],
        "offers": [one for one in offers if one],
        "refused": refused,
        "asker": newcomer.run.requested_label,
        "phone": having_mfa(link),
    }
    return render_page(request, "onboarding/invitation.html", context, status=status)


def _seat(place: Place, taken: tuple[int, str, str] | None) -> Seat:
    mine = {taken[1]: taken[2]} if taken and taken[0] == place.pk else {}
    account = place.account
    fact = AccountFact.objects.filter(valid_at(None), account=account, name="alias").first()
    alias = fact.value if fact and isinstance(fact.value, str) and fact.value else account.account_id
    host = CONSOLES.get(account.partition, CONSOLES["aws"])
    return Seat(
        place=place,
        user_name=place.user_arn.rpartition("/")[2],
        account=account.name,
        address=f"https://{alias}.{host}/console",
        waits=waits(place.password_seal),
        key_id=key_id_of(place),
        key_waits=waits(place.key_seal),
        **mine,
    )
