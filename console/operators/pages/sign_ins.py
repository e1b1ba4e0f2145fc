"""Administration of sign-ins: invitation, lock, second factors, company sign-ins and sessions."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.views.decorators.http import require_http_methods

from console.operators.directory_forms import FactorsForm
from console.operators.models import Operator
from console.operators.pages.people import (
    attempt_on,
    manages_operators,
    person_or_404,
    render_person,
    send_invitation,
)
from console.operators.queries import signed_in_counts
from console.operators.recency import recently_authenticated
from console.operators.services import end_every_session, end_sessions, lift_lock, remove_factors
from console.operators.single_sign_on.bindings import remove_binding
from console.web.access import ViewerRequest, require_everywhere
from console.web.render import render_page
from iam.directory.rules import DirectoryRuleError
from iam.guard import Right


def _operator(pk: UUID) -> Operator:
    return get_object_or_404(Operator.objects.select_related("person"), person_id=pk)


@manages_operators
def invite(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Send the invitation again."""
    send_invitation(request, _operator(pk))
    return redirect("operator", pk)


@manages_operators
def unlock(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Lift a lock."""
    operator = _operator(pk)
    return attempt_on(
        pk,
        request,
        lambda: lift_lock(operator, actor=request.viewer),
        done="Sign-in unlocked. They can try again now.",
    )


@manages_operators
def factors_remove(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Remove lost second factors of someone whose identity was verified."""
    operator, form = _operator(pk), FactorsForm(request.POST)
    if not form.is_valid():
        return render_person(request, person_or_404(pk), factors_form=form, status=422)
    return attempt_on(
        pk,
        request,
        lambda: remove_factors(operator, proof=form.cleaned_data["proof"], actor=request.viewer),
        done="All second factors were removed, and they were signed out everywhere.",
    )


@manages_operators
def binding_remove(request: ViewerRequest, pk: UUID, number: int) -> HttpResponse:
    """Remove a company sign-in; the next one links again."""
    operator = _operator(pk)
    return attempt_on(
        pk,
        request,
        lambda: remove_binding(operator, number, actor=request.viewer),
        done="Company sign-in removed, and they were signed out everywhere.",
    )


@manages_operators
def sessions_end(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Sign someone out everywhere."""
    operator = _operator(pk)
    return attempt_on(
        pk,
        request,
        lambda: end_sessions(operator, actor=request.viewer),
        done="They were signed out everywhere. They can sign in again.",
    )


@require_everywhere(Right.MANAGE_OPERATORS)
@require_http_methods(["GET", "POST"])
@recently_authenticated
def sessions_end_all(request: ViewerRequest) -> HttpResponse:
    """Sign everyone out, such as after an intrusion; the page shows their number first."""
    if request.method == "POST":
        try:
            end_every_session(actor=request.viewer)
        except DirectoryRuleError as error:
            messages.error(request, str(error))
            return redirect("operators")
        return redirect(f"{resolve_url('account_login')}?ended=expired")
    sessions, people = signed_in_counts()
    context = {"sessions": sessions, "people": people, "section": "operators"}
    return render_page(request, "operators/sessions.html", context)
