"""Named scopes: the list, and the form to create or change one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.web.access import ViewerRequest, found_or_404, require, require_present
from console.web.form_fields import add_service_error, lines_field, name_field
from console.web.render import render_page
from console.web.text import distinct_lines
from iam.audit.frameworks import scopes
from iam.audit.frameworks.decisions import DecisionRefusedError, may_decide_in
from iam.audit.frameworks.models import ComplianceScope
from iam.audit.frameworks.queries import find_scope, visible_scopes
from iam.audit.frameworks.terms import ScopeTerms
from iam.guard import Right
from iam.mirror.queries.accounts import visible_accounts

DECIDES: Final = (Right.APPROVE_CHANGE, Right.MANAGE_OPERATORS)
MAX_TEXT: Final = 10_000


class ScopeForm(forms.Form):
    """The accounts that a scope covers."""

    name = name_field(max_length=scopes.MAX_NAME, hint="Such as “Cardholder data environment”.")
    accounts = lines_field(
        "Accounts", "Account IDs; without any, all connected accounts.", max_length=MAX_TEXT
    )
    tags = lines_field(
        "Tags", "Users, groups, roles and policies with one of these: name=value.", max_length=MAX_TEXT
    )
    paths = lines_field(
        "IAM path prefixes",
        "Users, groups, roles and policies under one of these: /payments/.",
        max_length=MAX_TEXT,
    )
    resources = lines_field(
        "Data stores and KMS keys",
        "ARNs of the data stores and KMS keys that belong to the scope.",
        max_length=MAX_TEXT,
    )

    @property
    def terms(self) -> ScopeTerms:
        """Return the terms of a valid form."""
        tags = []
        for line in distinct_lines(self.cleaned_data["tags"]):
            name, _, value = line.partition("=")
            tags.append((name.strip(), value.strip()))
        return ScopeTerms(
            distinct_lines(self.cleaned_data["accounts"]),
            tuple(tags),
            distinct_lines(self.cleaned_data["paths"]),
            distinct_lines(self.cleaned_data["resources"]),
        )


def _initial(scope: ComplianceScope) -> dict[str, str]:
    terms = ScopeTerms.from_json(scope.terms)
    return {
        "name": scope.name,
        "accounts": "\n".join(terms.accounts),
        "tags": "\n".join(f"{name}={value}" for name, value in terms.tags),
        "paths": "\n".join(terms.paths),
        "resources": "\n".join(terms.resources),
    }


@require(Right.SEE_ACCOUNT)
@require_safe
def scopes_page(request: ViewerRequest) -> HttpResponse:
    """List the scopes that the viewer sees."""
    require_present(request)
    names = dict(visible_accounts(request.viewer).values_list("account_id", "name"))
    rows = []
    for scope in visible_scopes(request.viewer):
        terms = ScopeTerms.from_json(scope.terms)
        rows.append((scope, terms, [names.get(number, number) for number in terms.accounts]))
    context = {
        "rows": rows,
        "may_change": may_decide_in(request.viewer, None),
        "section": "compliance",
    }
    return render_page(request, "compliance/scopes.html", context)


@require(*DECIDES)
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: ViewerRequest) -> HttpResponse:
    """Create a scope."""
    require_present(request)
    return _form_page(request, None)


@require(*DECIDES)
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: ViewerRequest, slug: str) -> HttpResponse:
    """Change a scope."""
    return _form_page(request, _scope_or_404(request, slug))


def _scope_or_404(request: ViewerRequest, slug: str) -> ComplianceScope:
    require_present(request)
    scope = found_or_404(find_scope(request.viewer, slug))
    if not may_decide_in(request.viewer, scope):
        raise Http404
    return scope


def _form_page(request: ViewerRequest, scope: ComplianceScope | None) -> HttpResponse:
    initial = _initial(scope) if scope else None
    form = ScopeForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        try:
            scopes.save_scope(
                scope, name=name, terms=form.terms, actor=request.viewer, now=datetime.now(tz=UTC)
            )
        except DecisionRefusedError as error:
            add_service_error(form, error)
        else:
            messages.success(request, "Scope saved. Its requirements are evaluated within a minute.")
            return redirect("compliance:scopes")
    title = f"Change {scope.name}" if scope else "New scope"
    context: dict[str, Any] = {"form": form, "scope": scope, "title": title, "section": "compliance"}
    status = 422 if request.method == "POST" else 200
    return render_page(request, "compliance/scope_form.html", context, status=status)


@require(*DECIDES)
@require_POST
def remove(request: ViewerRequest, slug: str) -> HttpResponse:
    """Delete a scope without decisions."""
    scope = _scope_or_404(request, slug)
    try:
        scopes.remove_scope(scope, actor=request.viewer)
    except DecisionRefusedError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Scope removed.")
    return redirect("compliance:scopes")
