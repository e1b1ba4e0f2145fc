"""Views to attest, request, approve and end decisions about requirements."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from console.compliance.presenters import framework_or_404, framework_url, requirement_url, scope_in
from console.compliance.requirement_page import requirement_or_404, shown
from console.web.access import ViewerRequest, found_or_404, require, require_present
from console.web.audit_decisions import decision_in, say_decided
from console.web.form_fields import errors_by_field
from console.web.moments import read_day_end
from console.web.text import reads_as_stored
from iam.audit.frameworks import decisions
from iam.audit.frameworks.decisions import DecisionDraft, DecisionRefusedError
from iam.audit.frameworks.judgement import NEEDS_APPROVAL
from iam.audit.frameworks.models import RequirementDecision
from iam.audit.frameworks.queries import find_scope
from iam.directory.approval_words import waits_for_approval
from iam.guard import Right

DECIDES = (Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)


@require(*DECIDES)
@require_POST
def decide(request: ViewerRequest, name: str, number: str) -> HttpResponse:
    """Attest, or request a decision that a second person must approve."""
    require_present(request)
    framework, scope = framework_or_404(name), scope_in(request)
    requirement = requirement_or_404(framework, number)
    kind, reason = request.POST.get("kind", ""), request.POST.get("reason", "").strip()
    errors: dict[str, str] = {}
    try:
        reads_as_stored(reason)
    except ValidationError as error:
        # An empty reason is refused by the service, together with the other fields.
        errors["reason"] = " ".join(error.messages)
        reason = ""
    draft = DecisionDraft(kind, reason, read_day_end(request.POST.get("until", "")))
    try:
        decisions.decide(framework, requirement, scope, draft, actor=request.viewer, now=datetime.now(tz=UTC))
    except DecisionRefusedError as error:
        return shown(request, framework, requirement, scope, errors=errors_by_field(error) | errors)
    words = waits_for_approval() if kind in NEEDS_APPROVAL else "Attested."
    messages.success(request, words)
    return redirect(requirement_url(framework, number, scope))


def _decision_or_404(request: ViewerRequest, pk: UUID) -> RequirementDecision:
    """Return the decision. Raises Http404 if the viewer doesn’t see its scope."""
    require_present(request)
    decision = found_or_404(RequirementDecision.objects.select_related("scope").filter(pk=pk).first())
    if decision.scope is not None and find_scope(request.viewer, decision.scope.slug) is None:
        raise Http404
    return decision


@require(*DECIDES)
@require_POST
def answer(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Approve or decline a request."""
    decision = _decision_or_404(request, pk)
    framework = framework_or_404(decision.framework)
    try:
        decisions.answer(decision, framework, **decision_in(request))
    except DecisionRefusedError as error:
        messages.error(request, error.message)
    else:
        say_decided(request)
    return redirect(requirement_url(framework, decision.requirement, decision.scope))


@require(*DECIDES)
@require_POST
def end(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """End a decision in force, or withdraw a request."""
    decision = _decision_or_404(request, pk)
    framework = framework_or_404(decision.framework)
    try:
        decisions.end(decision, framework, actor=request.viewer, now=datetime.now(tz=UTC))
    except DecisionRefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Ended.")
    return redirect(requirement_url(framework, decision.requirement, decision.scope))


@require(*DECIDES)
@require_POST
def mark(request: ViewerRequest, name: str) -> HttpResponse:
    """Record that the framework was assessed in its current state."""
    require_present(request)
    framework, scope = framework_or_404(name), scope_in(request)
    try:
        decisions.mark_assessment(framework, scope, actor=request.viewer, now=datetime.now(tz=UTC))
    except DecisionRefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Assessment recorded. The tab “Changed” counts from here.")
    return redirect(framework_url(framework, scope))
