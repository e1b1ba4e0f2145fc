"""Compares two versions of a template, shows who would gain or lose what, and updates current grants to the
newer one.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from console.access.templates.detail import offer_or_404, statements_text
from console.access.templates.lists import READERS
from console.changes.forms import ReasonForm
from console.changes.receipt import impact_context, plans_receipt_context
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from console.web.render import render_page
from iam.access.rollout.plans import RolloutPlan, living_grants, plan_rollout
from iam.access.rollout.services import plan_version, request_rollout
from iam.access.templates.body import RISKS, TemplateBody
from iam.access.templates.models import Template, TemplateVersion
from iam.access.templates.queries import body_of, versions_of
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.receipts import set_receipt_of
from iam.guard import Right

PREVIEW_GRANTS = 20


def affected_context(request: ViewerRequest, template: Template, body: TemplateBody) -> dict[str, Any]:
    """Return who would gain or lose what if every current grant that the viewer sees had this body."""
    grants = living_grants(template, viewer=request.viewer)
    if not grants:
        return {"has_grants": False}
    plan = plan_rollout(grants, body=body)
    together = set_receipt_of(plan.operations)
    return {
        "has_grants": True,
        **plan_context(plan),
        **impact_context(together["impact"], viewer=request.viewer),
    }


def plan_context(plan: RolloutPlan) -> dict[str, Any]:
    """Return how many grants are updated, and which aren’t and why."""
    return {
        "followed": [followed.grant for followed in plan.followed[:PREVIEW_GRANTS]],
        "followed_count": len(plan.followed),
        "left": [(left.grant, left.why) for left in plan.left[:PREVIEW_GRANTS]],
        "left_count": len(plan.left),
        "rewritten": len(plan.operations),
        "more_grants": plan.more,
    }


@require_GET
@require(*READERS)
def template_difference(request: ViewerRequest, slug: str) -> HttpResponse:
    """Compare the versions `from` and `to` in the address; by default the two newest."""
    offer = offer_or_404(slug)
    versions = versions_of(offer.template)
    by_number = {str(version.number): version for version in versions}
    new = by_number.get(choice(request, "to", by_number)) or offer.version
    old = by_number.get(choice(request, "from", by_number)) or _before(versions, new)
    if not request.viewer.sees_accounts:
        raise Http404
    before, after = body_of(old), body_of(new)
    context = {
        "section": "templates",
        "offer": offer,
        "versions": versions,
        "old": old,
        "new": new,
        "old_text": statements_text(before),
        "new_text": statements_text(after),
        "words": _differing_words(before, after),
        "is_same": old.pk == new.pk,
        **affected_context(request, offer.template, after),
    }
    return render_page(request, "access/templates/difference.html", context)


def _before(versions: list[TemplateVersion], new: TemplateVersion) -> TemplateVersion:
    older = [version for version in versions if version.number < new.number]
    return older[0] if older else new


def _differing_words(before: TemplateBody, after: TemplateBody) -> list[tuple[str, str, str]]:
    """Return (field, before, after) of all differences except statements."""
    rows = [
        ("Title", before.title, after.title),
        ("Description", before.description, after.description),
        ("Category", before.category, after.category),
        ("Impact", RISKS[before.risk], RISKS[after.risk]),
        ("Longest hours", str(before.hours), str(after.hours)),
        (
            "Parameters",
            _parameter_words(before),
            _parameter_words(after),
        ),
    ]
    return [row for row in rows if row[1] != row[2]]


def _parameter_words(body: TemplateBody) -> str:
    """Return the labels of the parameters, with the names that the statements below use."""
    return ", ".join(f"{parameter.label} ({parameter.name})" for parameter in body.parameters) or "none"


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def template_rollout(request: ViewerRequest, slug: str) -> HttpResponse:
    """Update the current grants to the offered version; a POST requests the changes as one set."""
    offer = offer_or_404(slug)
    if not request.viewer.sees_accounts:
        raise Http404
    form = ReasonForm(request.POST) if request.method == "POST" else ReasonForm.blank()
    refused = None
    if request.method == "POST" and form.is_valid():
        try:
            made = request_rollout(
                request.viewer,
                version=offer.version,
                reason=form.cleaned_data["reason"],
                idempotency_key=str(form.cleaned_data["key"]),
            )
        except RefusedError as error:
            refused = error
        else:
            messages.success(request, "Submitted. Nothing in AWS changes until this is approved.")
            return redirect("changes:request", pk=made.pk)
    plan = plan_version(request.viewer, version=offer.version)
    context: dict[str, Any] = {"section": "templates", "offer": offer, "form": form, **plan_context(plan)}
    if plan.operations:
        try:
            planned = services.plan_set(plan.operations, viewer=request.viewer)
        except RefusedError as error:
            refused = refused or error
        else:
            context |= plans_receipt_context(request, planned)
    status = 422 if request.method == "POST" else 200
    return render_page(
        request, "access/templates/rollout.html", context | {"refused": refused}, status=status
    )
