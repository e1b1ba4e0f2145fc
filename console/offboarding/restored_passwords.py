"""The invitation page of a restored person: the new password of each account, and adding a phone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from console.mfa import link_landing
from console.mfa.enrollment import having_mfa
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.people.links.models import OneTimeLink
from iam.people.links.signed_ids import word_of
from iam.people.offboarding.models import Leaver, OffboardedUser
from iam.people.offboarding.restored_sign_in import returned_by, show_password
from iam.people.onboarding.invitation import can_be_shown
from iam.people.onboarding.invitation_state import has_chosen_password, is_password_gone


def returned_page(request: HttpRequest, link: OneTimeLink) -> HttpResponse | None:
    """Show the page; a POST shows the password of one account, and a reload in this browser session shows it
    again.

    Returns None if the link isn’t for a restored person.
    """
    leaver = returned_by(link)
    if leaver is None:
        return None
    if request.method != "POST":
        return _page(request, link, leaver)
    number = request.POST.get("place", "")[:36]
    seat = next((seat for seat in leaver.seats.all() if str(seat.pk) == number), None)
    try:
        if seat is None:
            raise RefusedError("This link isn’t for that user name. Choose one of those below.")
        password = show_password(link, seat, session=link_landing.session_in(request))
    except RefusedError as refused:
        return _page(request, link, leaver, refused=refused)
    return _page(request, link, leaver, taken=(seat, password))


def _page(
    request: HttpRequest,
    link: OneTimeLink,
    leaver: Leaver,
    *,
    taken: tuple[OffboardedUser, str] | None = None,
    refused: RefusedError | None = None,
) -> HttpResponse:
    seats = leaver.seats.select_related("account").order_by("account__name", "pk")
    session = link_landing.session_in(request)
    rows = [_row(seat, taken, session=session) for seat in seats]
    context = {
        "leaver": leaver,
        "first_name": leaver.name.split()[0],
        "rows": rows,
        # Someone whose password this browser can't show gets another one with a new invitation.
        "again": reverse("invitation-request", args=[word_of(link.pk)])
        if any(row[3] for row in rows)
        else "",
        "refused": refused,
        "phone": having_mfa(link),
    }
    status = 422 if refused else 200
    return render_page(request, "offboarding/returned.html", context, status=status)


def _row(
    seat: OffboardedUser, taken: tuple[OffboardedUser, str] | None, *, session: str
) -> tuple[OffboardedUser, bool, str, str]:
    """Return the user, whether the password can be shown here, the shown password, and why it can’t be
    shown.
    """
    password = taken[1] if taken and taken[0].pk == seat.pk else ""
    if seat.password_seal is None or password:
        return seat, False, password, ""
    if has_chosen_password(seat):
        return seat, False, "", ""
    if is_password_gone(seat):
        return seat, False, "", "This password was deleted in AWS."
    if can_be_shown(seat.password_seal, session=session):
        return seat, True, "", ""
    return seat, False, "", "The password was shown in another browser, or the time to view it has passed."
