"""The form to name the owner of a grant."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.access.grants.detail import acting_on
from console.linking.named_owner import owner_form
from console.web.access import ViewerRequest, require
from iam.access.grants.owners import (
    grant_subject,
    may_name_grant_owner,
    owner_of_grant,
    set_grant_owner,
)
from iam.linking.known_owners import named_owner
from iam.linking.rights import OWNER_RIGHTS


@require(*OWNER_RIGHTS)
@require_http_methods(["GET", "HEAD", "POST"])
def grant_owner(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Set the owner of a grant."""
    grant = acting_on(request, pk)
    if not may_name_grant_owner(request.viewer, grant):
        raise Http404
    return owner_form(
        request,
        lambda text, why: set_grant_owner(request.viewer, grant, text, why=why),
        name=grant.title,
        back=reverse("access:grant", args=[grant.pk]),
        named=named_owner(grant_subject(grant)),
        known=owner_of_grant(grant),
        section="grants",
    )
