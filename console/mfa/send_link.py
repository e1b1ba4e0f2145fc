"""Sends someone a link to enroll an MFA device, or shows it once to pass it on; links can be revoked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, entity_or_404, layout_for, require
from console.web.moments import moment_text
from console.web.render import render_page
from console.web.shortened_lists import first_rows
from iam.changes.errors import RefusedError
from iam.guard import Right
from iam.mirror.models import Entity, Kind
from iam.people.enrolment import invitation
from iam.people.enrolment.queries import devices_of, has_mfa
from iam.people.links.models import OneTimeLink
from iam.people.links.queries import links_of_user, waiting_links

MAX_LINKS = 10


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
@recently_authenticated
def send(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the user, the ways to deliver a link, and existing links; a POST creates one."""
    user = _user(request, pk)
    if request.method == "GET":
        return _page(request, user)
    try:
        if request.POST.get("how") == "show":
            link, address = invitation.show_link(request.viewer, user=user)
            return _page(request, user, {"made": link, "link_address": address})
        link = invitation.send_link(request.viewer, user=user)
    except RefusedError as refused:
        return _page(request, user, {"refused": refused}, status=422)
    messages.success(request, f"A link is on its way to {link.person.email}.")
    return redirect("mfa:send-link", pk=pk)


@require_POST
@require(Right.REQUEST_CHANGE)
def revoke(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Revoke a link."""
    link = OneTimeLink.objects.filter(pk=pk).first()
    user = Entity.objects.filter(kind=Kind.USER, arn=link.user_arn, gone_at__isnull=True) if link else None
    entity = user.first() if user is not None else None
    if link is None or entity is None:
        raise Http404
    _user(request, entity.pk)
    if invitation.revoke(request.viewer, link):
        messages.success(request, f"The link of {moment_text(link.created_at)} no longer opens.")
    return redirect("mfa:send-link", pk=entity.pk)


def _user(request: ViewerRequest, pk: int) -> Entity:
    """Return the IAM user. Raises Http404 if the viewer can’t invite its person."""
    entity = entity_or_404(request.viewer, pk, kinds=[Kind.USER])
    if request.at is not None or not invitation.may_invite(request.viewer, user=entity):
        raise Http404
    return entity


def _page(
    request: ViewerRequest, user: Entity, more: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    context = {
        "user": user,
        "account": user.account,
        "person": invitation.person_of(user),
        "devices": devices_of(user),
        "has_mfa": has_mfa(user),
        "waiting": {link.pk for link in waiting_links(user.arn)},
        "links": first_rows(request, links_of_user(user.arn), most=MAX_LINKS),
        "layout": layout_for(request.viewer),
        "section": "people",
    }
    return render_page(request, "mfa/send.html", context | (more or {}), status=status)
