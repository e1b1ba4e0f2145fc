"""The third step of the wizard: the effect, the approvers, and the button that submits the request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from console.access.grants.calls import calls_of
from console.access.grants.effect_blocks import effect_context, end_of, end_of_terms
from console.access.grants.labels import what_words, who_words
from console.access.grants.marks import ways_words
from console.access.grants.wizard import address, draft_or_404, step_of, wizard_context
from console.changes.receipt import impact_context
from console.web.access import ViewerRequest, require, sees_only_self
from console.web.render import render_page
from iam.access.drafts import services
from iam.access.drafts.models import GrantDraft
from iam.access.drafts.terms import terms_of
from iam.access.grants.checks import checks_of
from iam.access.grants.duplicates import earlier_grant
from iam.access.grants.phrases import listed
from iam.access.grants.plans import GrantPlan
from iam.access.grants.services.large_requests import submit_grant
from iam.access.grants.services.requests import plan_grant
from iam.access.grants.terms import GrantTerms, TermsError, WhatKind
from iam.access.templates.services import may_write
from iam.changes.approval.needs import need_for
from iam.changes.approval.people import owners_of, people_of
from iam.changes.approval.rules import ROLE, TEAM, ApprovalNeed, ApproverSpec
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.directory.models import Role
from iam.guard import Right

SEES: Final = (Right.REQUEST_CHANGE, Right.SEE_SELF)
PREVIEW_NAMES: Final = 6
PARTS: Final = 12
"""Maximum number of accounts that are shown one by one; those that can’t be changed come first."""


@dataclass(frozen=True, slots=True)
class NeedStage:
    """An approval stage. `people` are those who can approve, without the requester and the owners of the IAM
    users that it changes.
    """

    number: int
    count: int
    who: str
    people: list[str]
    more: int


@require_http_methods(["GET", "POST"])
@require(*SEES)
def preview_step(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the preview; a POST requests the grant, once even if the form is sent several times."""
    draft = draft_or_404(request, pk)
    if draft.grant_id:
        return redirect("access:grant-done", pk=draft.pk)
    if draft._state.adding:
        raise Http404
    try:
        terms = terms_of(draft.body, now=datetime.now(tz=UTC))
    except TermsError as error:
        return _unfinished(request, draft, error)
    if request.method == "POST":
        return _ask(request, draft, terms)
    return _page(request, draft, terms)


def _unfinished(request: ViewerRequest, draft: GrantDraft, error: TermsError) -> HttpResponse:
    """Show what is missing, with a link to the step where it is fixed."""
    context = _frame(request, draft) | {
        "refused": error,
        "refused_url": address(draft, step_of(error)),
        "plan": None,
    }
    return render_page(request, "access/grants/preview.html", context, status=422)


def _frame(request: ViewerRequest, draft: GrantDraft) -> dict[str, Any]:
    may_save = may_write(request.viewer) and (draft.body.get("what") or {}).get("kind") == WhatKind.STATEMENTS
    return wizard_context(request, draft, "preview") | {
        "template_url": f"{reverse('access:template-new')}?from={draft.pk}" if may_save else "",
        "address": address(draft, "preview"),
        "edit_url": address(draft, "what"),
    }


def _ask(request: ViewerRequest, draft: GrantDraft, terms: GrantTerms) -> HttpResponse:
    """Request the grant; an end that only Gatehouse enforces must be accepted.

    The service checks everything else again.
    """
    accepts = request.POST.get("accepts") == "1"
    try:
        grant = submit_grant(terms, actor=request.viewer, idempotency_key=str(draft.pk), accepts_end=accepts)
    except (RefusedError, TermsError) as error:
        return _page(request, draft, terms, refused=error, accepts=accepts)
    services.sent(draft, grant_id=grant.pk)
    return redirect("access:grant-done", pk=draft.pk)


def _page(
    request: ViewerRequest,
    draft: GrantDraft,
    terms: GrantTerms,
    *,
    refused: RefusedError | TermsError | None = None,
    accepts: bool = False,
) -> HttpResponse:
    context: dict[str, Any] = _frame(request, draft) | {
        "terms": terms,
        "who_words": who_words(terms.who),
        "what_words": what_words(terms.what),
        "refused": refused,
        "accepts": accepts,
        "earlier": earlier_grant(terms, viewer=request.viewer),
    }
    if context["earlier"] is not None:
        context["earlier_end"] = end_of(context["earlier"])
    try:
        plan = plan_grant(terms, viewer=request.viewer, key=str(draft.pk))
    except (RefusedError, TermsError) as error:
        context |= {"refused": refused or error, "plan": None, "refused_url": _way_back(draft, error)}
        return render_page(request, "access/grants/preview.html", context, status=422)
    context |= plan_context(request, plan)
    status = 422 if refused else 200
    return render_page(request, "access/grants/preview.html", context, status=status)


def _way_back(draft: GrantDraft, error: Exception) -> str:
    step = step_of(error) if isinstance(error, TermsError) else "what"
    return address(draft, step)


def plan_context(request: ViewerRequest, plan: GrantPlan) -> dict[str, Any]:
    """Return the context of a plan: how and why per account, who gains what, the calls, and the approvers."""
    calls, more_calls = calls_of(plan)
    accounts = [part.account for part in plan.parts]
    effect = effect_context(request.viewer, plan.terms, accounts=accounts, end=end_of_terms(plan.terms))
    return (
        effect
        | impact_context(plan.receipt.get("impact"), viewer=request.viewer)
        | {
            "plan": plan,
            "parts": sorted(plan.parts, key=lambda part: not part.refusal)[:PARTS],
            "part_count": len(plan.parts),
            "ways_words": ways_words(plain=sees_only_self(request.viewer)),
            "more_parts": max(0, len(plan.parts) - PARTS),
            "where": listed([account.name for account in accounts]),
            "end": end_of_terms(plan.terms),
            "calls": calls,
            "more_calls": more_calls,
            "stages": stages_of(request, plan) if not plan.refusals else [],
            "checks": checks_of(plan, now=datetime.now(tz=UTC)) if not plan.refusals else [],
        }
    )


def stages_of(request: ViewerRequest, plan: GrantPlan) -> list[NeedStage]:
    """Return the approval stages by the current rules."""
    need: ApprovalNeed = need_for(
        plan.operations,
        receipts=_sensitivities(plan.operations),
        impact=plan.receipt.get("impact", {}),
        requester=request.viewer.person_id,
    )
    accounts = [part.account.account_id for part in plan.parts]
    modified = chain.from_iterable(operation.modified_arns() for operation in plan.operations)
    barred = {request.viewer.person_id, *owners_of(modified)}
    stages = []
    for number, stage in enumerate(need.stages, start=1):
        able = people_of(stage.who, accounts=accounts)
        names = sorted(name for pk, name in able.items() if pk not in barred)
        stages.append(
            NeedStage(
                number,
                stage.count,
                _approver_text(stage.who),
                names[:PREVIEW_NAMES],
                max(0, len(names) - PREVIEW_NAMES),
            )
        )
    return stages


def _sensitivities(operations: Sequence[Operation]) -> list[dict[str, Any]]:
    """Return the sensitivity of each operation, judged with the operations before it, as in the receipts."""
    sensitivities = []
    for place, operation in enumerate(operations):
        operation.with_preceding(operations[:place])
        sensitivities.append({"sensitivity": operation.sensitivity(operation.effect())})
    return sensitivities


def _approver_text(who: Iterable[ApproverSpec]) -> str:
    """Return 'Approver or Administrator', or 'a lead of payments'."""
    names = []
    for principal in who:
        if principal.kind == ROLE and principal.value in Role.values:
            names.append(str(Role(principal.value).label))
        elif principal.kind == TEAM:
            lead = f"a lead of {principal.value}" if principal.value else "a lead of the person’s team"
            names.append(lead)
        else:
            names.append("a named person")
    return " or ".join(dict.fromkeys(names))
