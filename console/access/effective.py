"""The tab “Effective access” of a person or role: what they can do, by service and by action."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.access import effective_rows as rows
from console.access.effective_basis import basis_words
from console.access.forms.effective import EffectiveAccessForm
from console.identities.details.frame import ShownEntity, render_shown, shown_or_404
from console.identities.details.people import SEES
from console.identities.details.principals import PRINCIPAL_HEADS, PRINCIPAL_PAGES
from console.web.access import ViewerRequest, require
from iam.access.effective import EffectiveAccess, access_of
from iam.guard import Right
from iam.mirror.models import Kind

NAMES: Final = {Kind.USER.value: "access:person", Kind.ROLE.value: "access:role"}


@require_safe
@require(*SEES)
def person_access(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what a person can do, by service."""
    return _overview(request, shown_or_404(request, pk, kinds=[Kind.USER]))


@require_safe
@require(Right.SEE_ACCOUNT)
def role_access(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show what a role can do, by service."""
    return _overview(request, shown_or_404(request, pk, kinds=[Kind.ROLE]))


@require_safe
@require(*SEES)
def person_service(request: ViewerRequest, pk: int, prefix: str) -> HttpResponse:
    """Show what a person can do in one service, by action."""
    return _service(request, shown_or_404(request, pk, kinds=[Kind.USER]), prefix)


@require_safe
@require(Right.SEE_ACCOUNT)
def role_service(request: ViewerRequest, pk: int, prefix: str) -> HttpResponse:
    """Show what a role can do in one service, by action."""
    return _service(request, shown_or_404(request, pk, kinds=[Kind.ROLE]), prefix)


def access_or_404(shown: ShownEntity) -> EffectiveAccess:
    """Return the access from the index.

    Raises Http404 if the index doesn’t know the principal yet, which lasts only moments.
    """
    access = access_of(shown.entity.pk, account=shown.account_id, at=shown.at)
    if access is None:
        raise Http404
    return access


def _overview(request: ViewerRequest, shown: ShownEntity) -> HttpResponse:
    if shown.state is None:
        return render_shown(request, shown, PRINCIPAL_PAGES[shown.entity.kind], {})
    access = access_or_404(shown)
    form = EffectiveAccessForm(request.GET, plain=not request.viewer.sees_accounts)
    context = {
        "tab": "access/effective.html",
        "page": rows.services(access, form, shown),
        "all_services": len(access.services),
        "all_actions": sum(service.allowed for service in access.services),
        "all_unlisted": len(access.names),
        **_around(shown, access, form),
    }
    return _rendered(request, shown, context)


def _service(request: ViewerRequest, shown: ShownEntity, prefix: str) -> HttpResponse:
    if shown.state is None:
        return render_shown(request, shown, PRINCIPAL_PAGES[shown.entity.kind], {})
    access = access_or_404(shown)
    form = EffectiveAccessForm(request.GET, plain=not request.viewer.sees_accounts)
    service = next((service for service in access.services if service.prefix == prefix), None)
    if service is None and not rows.is_known(prefix):
        raise Http404
    context = {
        "tab": "access/effective_service.html",
        "service": rows.service_head(prefix, service),
        "page": rows.actions(access, prefix, form, shown),
        **_around(shown, access, form),
    }
    return _rendered(request, shown, context)


def _around(shown: ShownEntity, access: EffectiveAccess, form: EffectiveAccessForm) -> dict[str, Any]:
    """Return the context that both pages share: the filter form, the basis and the links."""
    return {
        "form": form,
        "basis": access.basis,
        "basis_words": basis_words(access.basis, plain=not shown.viewer.sees_accounts),
        "is_full": access.is_full,
        "overview_url": rows.address(shown, ""),
        "files": rows.files(shown),
        "then": rows.moment_suffix(shown),
        "compare": rows.compare_address(shown),
        "escalation": rows.escalation_address(shown),
        "compare_url": _compare_url(shown),
    }


def _compare_url(shown: ShownEntity) -> str:
    """Return the address that compares this access with another moment or principal; "" if the viewer doesn’t
    see the account.
    """
    if not shown.viewer.scope.sees_account(shown.account_id):
        return ""
    return f"{reverse('access:compare')}?a={shown.entity.pk}{rows.moment_suffix(shown)}"


def _rendered(request: ViewerRequest, shown: ShownEntity, context: dict[str, Any]) -> HttpResponse:
    kind = shown.entity.kind
    head = PRINCIPAL_HEADS[kind](shown, here=NAMES[kind])
    return render_shown(request, shown, PRINCIPAL_PAGES[kind], head | context)
