"""Requests to create, change and retire an assertion, and the decision about them."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.findings.assertion_form import AssertionForm
from console.findings.assertions import assertion_or_404, shown
from console.web.access import ViewerRequest, require, require_present
from console.web.audit_decisions import decision_in, reason_in, say_decided
from console.web.form_fields import add_service_error, errors_by_field
from console.web.kept_text import keep_text
from console.web.render import is_fragment, render_page
from iam.audit.assertions import proposals
from iam.audit.assertions.models import StandingAssertion
from iam.audit.assertions.proposals import AssertionRefusedError
from iam.audit.assertions.queries import waiting_proposal
from iam.audit.assertions.terms import AssertionTerms
from iam.directory.approval_words import waits_for_approval
from iam.guard import Right, Viewer


def _requester_or_404(viewer: Viewer) -> None:
    """Raise Http404 for viewers who only look after people, because they see no assertions."""
    if not viewer.sees_accounts:
        raise Http404


@require(Right.REQUEST_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: ViewerRequest) -> HttpResponse:
    """Request an assertion."""
    require_present(request)
    _requester_or_404(request.viewer)
    form = AssertionForm(request.POST or None, viewer=request.viewer)
    if _is_check(request):
        return _form_page(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            assertion = proposals.request_creation(form.draft, actor=request.viewer, now=datetime.now(tz=UTC))
        except AssertionRefusedError as error:
            add_service_error(form, error)
        else:
            messages.success(request, waits_for_approval())
            return redirect("findings:assertion", assertion.pk)
    return _form_page(request, form)


@require(Right.REQUEST_CHANGE)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Request a change of an assertion."""
    assertion = assertion_or_404(request, pk)
    terms = AssertionTerms.from_json(assertion.terms)
    if not proposals.may_request(request.viewer, terms):
        raise Http404
    form = AssertionForm(request.POST or None, viewer=request.viewer, assertion=assertion)
    if _is_check(request):
        return _form_page(request, form, assertion=assertion)
    if request.method == "POST" and form.is_valid():
        try:
            proposals.request_change(assertion, form.draft, actor=request.viewer, now=datetime.now(tz=UTC))
        except AssertionRefusedError as error:
            add_service_error(form, error)
        else:
            messages.success(request, waits_for_approval())
            return redirect("findings:assertion", pk)
    return _form_page(request, form, assertion=assertion)


def _form_page(
    request: ViewerRequest, form: AssertionForm, *, assertion: StandingAssertion | None = None
) -> HttpResponse:
    title = f"Change {assertion.name}" if assertion else "New assertion"
    is_check, partial = _is_check(request), ""
    if is_check:
        form.full_clean()
        partial = "warnings"
    context = {
        "form": form,
        "allowed_fields": form.allowed_fields,
        "assertion": assertion,
        "title": title,
        "section": "findings",
    }
    status = 422 if request.method == "POST" and not is_check else 200
    return render_page(request, "findings/assertion_form.html", context, partial=partial, status=status)


def _is_check(request: ViewerRequest) -> bool:
    """Return whether htmx asks only for the warnings about what is typed."""
    return is_fragment(request) and "check" in request.POST


@require(Right.REQUEST_CHANGE)
@require_POST
def retire(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Request to retire an assertion."""
    assertion = assertion_or_404(request, pk)
    reason = reason_in(request)
    try:
        proposals.request_retirement(assertion, reason=reason, actor=request.viewer, now=datetime.now(tz=UTC))
    except AssertionRefusedError as error:
        if not error.field:
            keep_text(request, reason)
        return shown(request, assertion, errors=errors_by_field(error), reason=reason)
    messages.success(request, waits_for_approval())
    return redirect("findings:assertion", pk)


@require(Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
@require_POST
def decide(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Approve or decline the waiting request."""
    assertion = assertion_or_404(request, pk)
    waiting = waiting_proposal(assertion)
    if waiting is None:
        messages.error(request, "There is nothing to approve any longer.")
        return redirect("findings:assertion", pk)
    try:
        proposals.decide(waiting, **decision_in(request))
    except AssertionRefusedError as error:
        return shown(request, assertion, errors={"form": error.message})
    say_decided(request)
    return redirect("findings:assertion", pk)
