"""The page of a template: what it gives, its parameters, versions and grants; and its retirement."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_POST

from console.access.templates.lists import READERS
from console.access.what.state import WhatState
from console.access.what.templates import TONES, duration_words, levels_of
from console.changes.findings import finding_rows
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.access.drafts import services as drafts
from iam.access.grants.models import LIVING
from iam.access.grants.queries import visible_grants
from iam.access.rollout.services import waiting_rollouts
from iam.access.templates import services
from iam.access.templates.body import CATEGORIES, RISKS, SAMPLE_ACCOUNT, TemplateBody
from iam.access.templates.models import Template, TemplateOrigin, TemplateVersion
from iam.access.templates.parameters import LABELS
from iam.access.templates.queries import OfferedTemplate, offer_of, versions_of
from iam.access.templates.template_lint import findings_of, sample_text
from iam.guard import Right
from iam.policy.sentences import sentences_of

PREVIEW_GRANTS = 20


def offer_or_404(slug: str, *, number: int | None = None) -> OfferedTemplate:
    """Return the template with the offered version, or with version `number`. Raises Http404."""
    offer = offer_of(slug, number=number)
    if offer is None:
        raise Http404
    return offer


def writable_or_404(request: ViewerRequest, slug: str) -> OfferedTemplate:
    """Return the template. Raises Http404 if the viewer can’t edit templates."""
    if not services.may_write(request.viewer):
        raise Http404
    return offer_or_404(slug)


@require_GET
@require(*READERS)
def template_page(request: ViewerRequest, slug: str) -> HttpResponse:
    """Show the template in its offered version."""
    return _page(request, offer_or_404(slug))


@require_GET
@require(*READERS)
def template_version(request: ViewerRequest, slug: str, number: int) -> HttpResponse:
    """Show a version of the template, even after no grant uses it."""
    if number > 10**6:
        raise Http404
    return _page(request, offer_or_404(slug, number=number))


@require_POST
@require(Right.MANAGE_ACCOUNTS)
def template_retire(request: ViewerRequest, slug: str) -> HttpResponse:
    """Retire the template, or offer it again (`do=restore`)."""
    offer = writable_or_404(request, slug)
    if request.POST.get("do") == "restore":
        services.restore_template(request.viewer, template=offer.template)
        messages.success(request, f"{offer.version.title} is offered again.")
    else:
        services.retire_template(request.viewer, template=offer.template)
        messages.success(request, f"{offer.version.title} is offered no more. Grants of it stay as they are.")
    return redirect("access:template", slug=offer.slug)


@require_POST
@require(Right.REQUEST_CHANGE)
def template_grant(request: ViewerRequest, slug: str) -> HttpResponse:
    """Start a draft of a grant with this template."""
    offer = offer_or_404(slug)
    draft = drafts.open_draft(request.viewer, uuid4())
    if draft is None or request.at is not None or offer.template.retired_at is not None:
        raise Http404
    drafts.write(draft, what_form=WhatState(template=offer.slug).body)
    return redirect("access:grant-who", pk=draft.pk)


def _page(request: ViewerRequest, offer: OfferedTemplate) -> HttpResponse:
    versions = versions_of(offer.template)
    sees = request.viewer.sees_accounts
    context = {
        "section": "templates",
        "offer": offer,
        "versions": versions,
        "is_current": offer.version.number == offer.template.current,
        "newer": _newer_shipped(offer.template, versions),
        "may_write": services.may_write(request.viewer),
        "may_grant": request.viewer.may(Right.REQUEST_CHANGE) and offer.template.retired_at is None,
        "sees_text": sees,
        "is_plain": not sees,
        **body_context(offer.body, offer.version),
        **(grants_context(request, offer.template) if sees else {}),
    }
    return render_page(request, "access/templates/one.html", context)


def _newer_shipped(template: Template, versions: list[TemplateVersion]) -> TemplateVersion | None:
    """Return a shipped version that is newer than the offered one, if any."""
    newest = next((version for version in versions if version.origin == TemplateOrigin.SHIPPED), None)
    return newest if newest and newest.number > template.current else None


def body_context(body: TemplateBody, version: TemplateVersion) -> dict[str, Any]:
    """Return the context of a version: texts, parameters, statements, and the result for sample values."""
    return {
        "body": body,
        "category": CATEGORIES[body.category],
        "risk": RISKS[body.risk],
        "risk_tone": TONES[body.risk],
        "longest": duration_words(body.hours),
        "levels": levels_of(version.digest, body),
        "parameters": [(parameter, LABELS[parameter.kind]) for parameter in body.parameters],
        "lines": sentences_of(body.render(body.samples), account_id=SAMPLE_ACCOUNT),
        "statements": statements_text(body),
        "sample": sample_text(body),
        **finding_rows(findings_of(body)),
    }


def statements_text(body: TemplateBody) -> str:
    """Return the statements as JSON text."""
    return json.dumps([dict(statement) for statement in body.statements], indent=2, ensure_ascii=False)


def grants_context(request: ViewerRequest, template: Template) -> dict[str, Any]:
    """Return the template's current grants that the viewer can see, how many use an older version, and the
    open requests that update some.
    """
    rows = visible_grants(request.viewer).filter(template=template.slug, state__in=LIVING)
    older = rows.exclude(template_version=template.current).count()
    grants = list(rows.order_by("-created_at", "-id")[: PREVIEW_GRANTS + 1])
    return {
        "waiting_rollouts": waiting_rollouts(request.viewer, template=template),
        "grants": grants[:PREVIEW_GRANTS],
        "more_grants": len(grants) > PREVIEW_GRANTS,
        "older_grants": older,
    }
