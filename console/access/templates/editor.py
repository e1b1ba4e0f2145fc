"""Template editor: a new template or a new version, checked while it is typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.access.templates.detail import writable_or_404
from console.access.templates.form import (
    FLAGS,
    MAX_PARAMETERS,
    TEXTS,
    TemplateText,
    blank,
    formatted,
    hours_of,
    of_documents,
    read,
)
from console.access.templates.rollout import affected_context
from console.changes.findings import finding_rows, summary
from console.web.access import ViewerRequest, require
from console.web.render import is_fragment, render_page
from iam.access.drafts.services import open_draft
from iam.access.drafts.terms import DraftEnds, accounts_of, who_of
from iam.access.templates import services
from iam.access.templates.body import CATEGORIES, RISKS, SAMPLE_ACCOUNT, TemplateBody, TemplateError
from iam.access.templates.models import Template
from iam.access.templates.parameters import LABELS
from iam.access.templates.template_lint import findings_of, sample_text
from iam.guard import Right
from iam.policy.lint import LintSeverity
from iam.policy.sentences import sentences_of


@require_http_methods(["GET", "POST"])
@require(Right.MANAGE_ACCOUNTS)
def template_new(request: ViewerRequest) -> HttpResponse:
    """Create a template; `do=save` stores it. `?from=` starts with the content of a grant's draft."""
    if not services.may_write(request.viewer):
        raise Http404
    if request.method == "GET":
        return _page(request, _initial_document(request))
    written = read(request.POST, slug="")
    if request.POST.get("do") != "save":
        return _page(request, _pressed(request, written))
    try:
        version = services.create_template(
            request.viewer, slug=written.short_name, body=written.body(), note=written.note
        )
    except TemplateError as error:
        if error.fields and written.short_name:
            error = TemplateError.of(error.fields | services.slug_problems(written.short_name))
        return _page(request, written, refused=error, status=422)
    messages.success(request, f"{version.title} is offered from now on.")
    return redirect("access:template", slug=version.template.slug)


@require_http_methods(["GET", "POST"])
@require(Right.MANAGE_ACCOUNTS)
def template_edit(request: ViewerRequest, slug: str) -> HttpResponse:
    """Create a new version of a template; `do=save` stores it. Grants keep their version."""
    offer = writable_or_404(request, slug)
    if request.method == "GET":
        written = TemplateText.of_body(offer.body, slug=offer.slug, base=offer.version.number)
        return _page(request, written, template=offer.template)
    written = read(request.POST, slug=offer.slug)
    if request.POST.get("do") != "save":
        return _page(request, _pressed(request, written), template=offer.template)
    try:
        version = services.save_version(
            request.viewer,
            template=offer.template,
            body=written.body(),
            base=written.base,
            note=written.note,
        )
    except TemplateError as error:
        return _page(request, written, template=offer.template, refused=error, status=422)
    messages.success(request, f"Version {version.number} is offered from now on. Grants keep theirs.")
    return redirect("access:template", slug=offer.slug)


def _initial_document(request: ViewerRequest) -> TemplateText:
    """Return the content of the viewer's draft as a template; an example without a draft."""
    try:
        draft = open_draft(request.viewer, UUID(request.GET.get("from", "")))
    except ValueError:
        return blank()
    if draft is None or draft._state.adding:
        return blank()
    what = draft.body.get("what") or {}
    who, ends = who_of(draft.body), DraftEnds.from_json(draft.body)
    return of_documents(
        what.get("documents", ()), accounts=accounts_of(draft.body, who), hours=hours_of(ends)
    )


def _pressed(request: ViewerRequest, written: TemplateText) -> TemplateText:
    return formatted(written) if request.POST.get("do") == "format" else written


def _page(
    request: ViewerRequest,
    written: TemplateText,
    *,
    template: Template | None = None,
    refused: TemplateError | None = None,
    status: int = 200,
) -> HttpResponse:
    title = f"Edit {written.title}" if template else "New template"
    errors = refused.fields if refused else {}
    context: dict[str, Any] = {
        "section": "templates",
        "title": title,
        "written": written,
        "template": template,
        "errors": errors,
        "refused": refused,
        "rows": [_row(number, row, errors) for number, row in enumerate(written.parameters)],
        "categories": CATEGORIES.items(),
        "risks": RISKS.items(),
        "kinds": LABELS.items(),
        "may_add": len(written.parameters) < MAX_PARAMETERS,
        "is_update": is_fragment(request),
    }
    context |= _checked(request, written, template)
    return render_page(request, "access/templates/write.html", context, partial="checked", status=status)


def _row(number: int, row: Mapping[str, str], errors: Mapping[str, str]) -> dict[str, Any]:
    """Return a parameter of the form: what was entered, and name and error of each field."""
    names = {name: f"q{number}-{name}" for name in (*TEXTS, *FLAGS)}
    return {
        "number": number,
        "typed": row,
        "names": names,
        "errors": {name: errors.get(field_name, "") for name, field_name in names.items()},
    }


def _checked(request: ViewerRequest, written: TemplateText, template: Template | None) -> dict[str, Any]:
    """Return the preview, or why the template can’t be used yet."""
    try:
        body = written.body()
    except TemplateError as error:
        troubles = list(dict.fromkeys(error.fields.values())) or [error.message]
        return {"troubles": troubles, "summary": "it can’t be used yet"}
    findings = findings_of(body)
    return {
        "lines": sentences_of(body.render(body.samples), account_id=SAMPLE_ACCOUNT),
        "sample": sample_text(body),
        "summary": summary(findings),
        "has_errors": any(finding.severity is LintSeverity.ERROR for finding in findings),
        **finding_rows(findings),
        **_affected(request, template, body),
    }


def _affected(request: ViewerRequest, template: Template | None, body: TemplateBody) -> dict[str, Any]:
    """Return who would gain or lose what if every current grant used this text; empty for a new template."""
    return affected_context(request, template, body) if template is not None else {}
