"""Shows the secret of a new key once, to its recipient: signed in, or in the browser that used the one-time
link.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from console.mfa import link_landing
from console.operators.recency import recently_authenticated
from console.rotation.begin import SEES
from console.rotation.detail import rotation_or_404
from console.rotation.labels import places_for
from console.web.access import ViewerRequest, layout_for, require
from console.web.moments import moment_text
from console.web.post_only import answers_get_with_its_page
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import LinkRefusedError, finish_link, sender_of
from iam.people.rotation.labels import how_long_old_works
from iam.people.rotation.models import Rotation
from iam.people.rotation.queries import rotation_of_link
from iam.people.rotation.services import IssuedKey, fetch, waits
from iam.sealed.queries import secret_of


def closed(link: OneTimeLink) -> link_landing.LinkClosure:
    """Return why the link no longer works: the secret was already shown, or the rotation has ended."""
    rotation = rotation_of_link(link)
    if rotation is None:
        return link_landing.LinkClosure()
    if rotation.is_living and rotation.fetched_at is None:
        return link_landing.LinkClosure()
    if not rotation.is_living or rotation.fetched_at is None:
        return link_landing.LinkClosure(
            f"The rotation of {rotation.old.aws_id} has ended. {rotation.trouble}"
        )
    return link_landing.LinkClosure(
        f"The secret of your new key {rotation.new_key_id} was shown once, on "
        f"{moment_text(rotation.fetched_at)}. "
        "If you don’t have it, sign in to Gatehouse, open My keys and the rotation, and create another key."
    )


link_landing.PAGES[LinkPurpose.ROTATION] = "keys:new-key-link"
link_landing.CLOSED[LinkPurpose.ROTATION] = closed
NOT_YOURS: Final = "This page opens only with the link to your new access key that was sent to you."


@answers_get_with_its_page
@never_cache
@require_http_methods(["GET", "POST"])
@require(*SEES)
@recently_authenticated
def secret(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the secret once. A GET comes from re-authentication or a reload, and is redirected to the
    rotation.
    """
    rotation = rotation_or_404(request, pk)
    if rotation.person_id != request.viewer.person_id:
        raise Http404
    if request.method == "GET":
        return redirect("keys:rotation", pk=pk)
    context = _context(rotation) | {"layout": layout_for(request.viewer), "section": "keys"}
    try:
        context |= _shown(rotation, fetch(rotation, person=request.viewer))
    except RefusedError as refused:
        return render_page(request, "rotation/secret.html", context | {"refused": refused}, status=422)
    return render_page(request, "rotation/secret.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def by_link(request: HttpRequest) -> HttpResponse:
    """Show what the link is for; a POST shows the secret and ends the link."""
    try:
        link = link_landing.current_link(request)
    except LinkRefusedError as refused:
        return link_landing.refusal(request, refused.message, link=refused.link)
    rotation = rotation_of_link(link) if link.purpose == LinkPurpose.ROTATION else None
    if rotation is None or rotation.link_id != link.pk:
        return link_landing.refusal(request, NOT_YOURS)
    context = _context(rotation) | {"link": link, "asker": sender_of(link)}
    if request.method != "POST":
        return render_page(request, "rotation/by_link.html", context)
    try:
        context |= _shown(rotation, fetch(rotation, person=link.person))
    except RefusedError as refused_now:
        return render_page(request, "rotation/by_link.html", context | {"refused": refused_now}, status=422)
    finish_link(link)
    return render_page(request, "rotation/by_link.html", context)


def _context(rotation: Rotation) -> dict[str, Any]:
    seal = secret_of(rotation.sealed_id) if rotation.sealed_id else None
    return {
        "rotation": rotation,
        "user": rotation.user,
        "account": rotation.user.account,
        "waits": waits(rotation),
        "until": seal.expires_at if seal else None,
        "old_works": how_long_old_works(rotation),
    }


def _shown(rotation: Rotation, fetched: IssuedKey) -> dict[str, Any]:
    name = rotation.user.name
    return {
        "waits": False,
        "rows": [
            ("id", "Access key ID", fetched.key_id),
            ("secret", "Secret access key", fetched.secret),
        ],
        "profile": (
            f"[{name}]\naws_access_key_id = {fetched.key_id}\naws_secret_access_key = {fetched.secret}"
        ),
        "places": places_for(name, fetched.key_id),
    }
