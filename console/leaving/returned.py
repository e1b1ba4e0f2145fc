"""The page of somebody whose access was restored: the new password of each account, once, and the way to add a phone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from console.mfa.enrolling import having_mfa
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.people.leaving.models import Leaver, Seat
from iam.people.leaving.returning import returned_by, take_password
from iam.people.links.models import Link
from iam.people.onboarding.inviting import can_be_shown


def returned_page(request: HttpRequest, link: Link) -> HttpResponse | None:
    """A POST takes the password of one account; it is in this answer and nowhere else. None where the link is about something else."""
    leaver = returned_by(link)
    if leaver is None:
        return None
    if request.method != "POST":
        return _page(request, link, leaver)
    number = request.POST.get("place", "")[:36]
    seat = next((one for one in leaver.seats.all() if str(one.pk) == number), None)
    try:
        if seat is None:
            raise RefusedError("There is nothing for you here.")
        password = take_password(link, seat)
    except RefusedError as refused:
        return _page(request, link, leaver, refused=refused)
    return _page(request, link, leaver, taken=(seat, password))


def _page(
    request: HttpRequest,
    link: Link,
    leaver: Leaver,
    *,
    taken: tuple[Seat, str] | None = None,
    refused: RefusedError | None = None,
) -> HttpResponse:
    seats = leaver.seats.select_related("account").order_by("account__name", "pk")
    context = {
        "leaver": leaver,
        "first_name": leaver.name.split()[0],
        "rows": [
            (one, can_be_shown(one.password_seal), taken[1] if taken and taken[0].pk == one.pk else "")
            for one in seats
        ],
        "refused": refused,
        "phone": having_mfa(link),
    }
    return render_page(request, "leaving/returned.html", context, status=422 if refused else 200)
