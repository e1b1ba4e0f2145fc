"""A person's own access in plain words: the page, and the part that needs evaluated policies."""

from __future__ import annotations

from typing import Final

from django.http import Http404, HttpResponse
from django.views.decorators.http import require_safe

from console.access import effective_rows as rows
from console.dashboard.my_access import my_access
from console.identities.details.frame import ShownEntity, shown_or_404
from console.web.access import ViewerRequest, layout_for, require
from console.web.render import render_page
from iam.access.effective import EffectiveAccess, access_of
from iam.guard import Right
from iam.mirror.models import Kind

PREVIEW_SERVICES: Final = 6
ICONS: Final = {"iam": "users", "s3": "boxes", "lambda": "zap", "kms": "key-round", "logs": "file-text"}


@require_safe
@require(Right.SEE_SELF)
def mine(request: ViewerRequest) -> HttpResponse:
    """Show “My access”, the start page of members, to everyone with an AWS user."""
    return my_access(request)


@require_safe
@require(Right.SEE_SELF)
def mine_can(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what one of the viewer's own users can do, by service.

    Loaded separately, because a process may have to read the policies first.
    """
    shown = shown_or_404(request, pk, kinds=[Kind.USER])
    if not shown.is_self or shown.state is None:
        raise Http404
    access = access_of(shown.entity.pk, account=shown.account_id, at=shown.at)
    context = {
        "user": shown.entity,
        "layout": layout_for(request.viewer),
        "section": "overview",
        "is_known": access is not None,
        "is_full": access is not None and access.is_full,
        **(_services_text(access, shown) if access else {"services": [], "more": 0}),
    }
    return render_page(request, "access/grants/mine_can.html", context, partial="can")


def _services_text(access: EffectiveAccess, shown: ShownEntity) -> dict[str, object]:
    """Return the services with the most allowed actions, in words."""
    weighty = sorted(access.services, key=lambda service: -service.allowed)[:PREVIEW_SERVICES]
    address_of = rows.service_addresses(shown)
    shown_rows = [
        rows.service_row(access, service, shown, url=address_of(service.prefix)) for service in weighty
    ]
    return {
        "services": [(ICONS.get(row.prefix, "circle-check"), row, _where(row)) for row in shown_rows],
        "more": max(0, len(access.services) - PREVIEW_SERVICES),
        "all_url": rows.address(shown, ""),
    }


def _where(row: rows.EffectiveServiceRow) -> str:
    everywhere = ["everywhere"] if row.is_everywhere else []
    return ", ".join([*everywhere, *row.resources])
