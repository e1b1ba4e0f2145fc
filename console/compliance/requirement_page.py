"""The page of a requirement: Gatehouse's results per account, decisions of people, and history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.compliance.exception_coverage import covered_problems
from console.compliance.framework_page import PACE
from console.compliance.presenters import (
    TONES,
    VERDICTS,
    as_of_text,
    framework_in,
    results_in,
    row_of,
    scope_in,
    to_end_of_audit,
)
from console.web.access import ViewerRequest, found_or_404, require_evidence
from console.web.asof import asof_context
from console.web.moments import to_local
from console.web.query import QueryPairs
from console.web.render import render_live, render_page
from iam.audit.findings.models import AuditFinding
from iam.audit.findings.rules import all_rules
from iam.audit.frameworks import decisions
from iam.audit.frameworks.approval_kind import REQUIREMENT_REQUEST
from iam.audit.frameworks.checks import CHECKS
from iam.audit.frameworks.definitions import ControlFramework, FrameworkRequirement
from iam.audit.frameworks.evaluation import RequirementPart
from iam.audit.frameworks.judgement import DECISION_LABELS, NEEDS_APPROVAL, DecisionKind
from iam.audit.frameworks.models import ComplianceScope, DecisionState, RequirementDecision
from iam.audit.frameworks.queries import (
    decisions_about,
    history_of,
    parts_of_requirement,
    visible_scopes,
)
from iam.audit.frameworks.stored_parts import KEPT_ACCOUNTS
from iam.audit.frameworks.terms import STATE_LABELS, WORST_FIRST, ScopeTerms
from iam.directory.models import Person
from iam.directory.second_approvers import others_who_decide
from iam.guard import Right

MAX_FINDINGS: Final = 20
"""Maximum number of linked findings per account; further ones are counted."""
SUGGESTED: Final = timedelta(days=182)
KIND_WORDS: Final[Mapping[str, str]] = {
    DecisionKind.MET: "Attest that it is met",
    DecisionKind.NOT_MET: "Attest that it is not met",
    DecisionKind.APPLIES: "Say that it applies to us",
    DecisionKind.EXCEPTION: "Request a dated exception",
    DecisionKind.COMPENSATING: "Request a compensating control",
    DecisionKind.NOT_APPLICABLE: "Request “not applicable”",
}
HIDDEN: Final = ("says", "verdict")


@dataclass(frozen=True, slots=True)
class AccountRow:
    """Gatehouse's result for an account. `findings` are (finding, label); `facts` are (title, text, lines of
    (name, value)).
    """

    number: str
    name: str
    label: str
    tone: str
    reasons: tuple[str, ...]
    findings: list[tuple[AuditFinding, str]]
    more: int
    facts: list[tuple[str, str, list[tuple[str, str]]]]


@require_evidence
@require_safe
def requirement_page(request: ViewerRequest, name: str, number: str) -> HttpResponse:
    """Show a requirement."""
    way = to_end_of_audit(request)
    if way is not None:
        return way
    framework, scope = framework_in(request, name), scope_in(request)
    requirement = requirement_or_404(framework, number)
    results = results_in(request, framework, scope)
    if results.results is None and request.at is not None:
        return _waits(request, framework, requirement, scope)
    if "Gatehouse-Poll" in request.headers:
        return HttpResponse(headers={"HX-Refresh": "true"})
    return shown(request, framework, requirement, scope)


def _waits(
    request: ViewerRequest,
    framework: ControlFramework,
    requirement: FrameworkRequirement,
    scope: ComplianceScope | None,
) -> HttpResponse:
    """Show that a worker is judging the past moment."""
    context = {
        "framework": framework,
        "requirement": requirement,
        "query": _query(request, scope),
        "section": "compliance",
        **asof_context(request),
    }
    return render_live(request, "compliance/requirement_waits.html", context, pace=PACE)


def _query(request: ViewerRequest, scope: ComplianceScope | None) -> QueryPairs:
    """Return the query for addresses with the same scope and moment."""
    return QueryPairs.from_pairs([("scope", scope.slug if scope else ""), ("as-of", as_of_text(request.at))])


def requirement_or_404(framework: ControlFramework, number: str) -> FrameworkRequirement:
    """Return the requirement with this number. Raises Http404."""
    return found_or_404(framework.requirement(number))


def shown(
    request: ViewerRequest,
    framework: ControlFramework,
    requirement: FrameworkRequirement,
    scope: ComplianceScope | None,
    *,
    errors: Mapping[str, str] | None = None,
) -> HttpResponse:
    """Render the page, with the errors of a posted form."""
    viewer, at = request.viewer, request.at
    results = results_in(request, framework, scope)
    result = (results.results or {}).get(requirement.number)
    row = row_of(framework, requirement, scope, result, at=at) if result else None
    worst = result.get("worst") if result else None
    parts = parts_of_requirement(viewer, framework, scope, requirement.number, at=at, only=worst)
    parts.sort(key=lambda part: (WORST_FIRST.index(part[2].verdict), part[1]))
    total = sum(result["accounts"].values()) if result else len(parts)
    rows = decisions_about(framework, requirement.number, scope, at=at)
    covered = covered_problems(rows, viewer)
    now = to_local(at or datetime.now(tz=UTC))
    may_decide = at is None and decisions.may_decide_in(viewer, scope)
    applies = any(row.kind == DecisionKind.APPLIES and _is_in_force(row, now) for row in rows)
    kinds = decisions.kinds_of(requirement, applies=applies) if may_decide else []
    query = _query(request, scope)
    context: dict[str, Any] = {
        "framework": framework,
        "requirement": requirement,
        "scope": scope,
        "scopes": [(each.slug, each.name) for each in visible_scopes(viewer)],
        "query": str(query),
        "row": row,
        "updated_at": results.updated_at,
        "may_appoint": viewer.may(Right.MANAGE_OPERATORS, account_id=""),
        "opens_findings": request.signed_in.may(Right.SEE_ACCOUNT),
        "accounts": list(_account_rows(parts[:KEPT_ACCOUNTS])),
        "more_accounts": max(0, total - KEPT_ACCOUNTS),
        "kinds_of_findings": [all_rules()[kind].title for kind in requirement.findings],
        "checks": [CHECKS[check] for check in requirement.checks],
        "decisions": [
            _decision(decision, request, now, may_decide) | {"covered": covered.get(decision.pk)}
            for decision in rows
        ],
        "history": [
            (change, STATE_LABELS.get(change.state, change.state), TONES.get(change.state, ""))
            for change in history_of(framework, requirement.number, scope, at=at)
        ],
        "kinds": [(kind.value, KIND_WORDS[kind]) for kind in kinds],
        "needs_approval": any(kind in NEEDS_APPROVAL for kind in kinds),
        "decide_url": _decide_url(framework, requirement, query),
        "errors": errors or {},
        "values": {
            "kind": request.POST.get("kind", ""),
            "reason": request.POST.get("reason", ""),
            "until": request.POST.get("until") or f"{now + SUGGESTED:%Y-%m-%d}",
        },
        "earliest": f"{now + timedelta(days=1):%Y-%m-%d}",
        "latest": f"{now + decisions.LONGEST - timedelta(days=1):%Y-%m-%d}",
        "section": "compliance",
        **asof_context(request),
    }
    status = 422 if errors else 200
    return render_page(request, "compliance/requirement.html", context, status=status)


def _decide_url(framework: ControlFramework, requirement: FrameworkRequirement, query: QueryPairs) -> str:
    address = reverse("compliance:decide", args=[framework.name, requirement.number])
    return f"{address}{query}".rstrip("?")


def _account_rows(parts: Iterable[tuple[str, str, RequirementPart]]) -> Iterable[AccountRow]:
    chosen = list(parts)
    numbers = set(chain.from_iterable(_ids(part) for _, _, part in chosen))
    rows = AuditFinding.objects.filter(pk__in=numbers).only("name", "status", "kind")
    findings = {row.pk: row for row in rows}
    for number, name, part in chosen:
        label, tone = VERDICTS[part.verdict]
        own = labelled_findings([findings[pk] for pk in _ids(part) if pk in findings])
        more = len(part.findings) - len(own)
        yield AccountRow(
            number, name or "Gatehouse itself", label, tone, part.reasons, own, more, list(_facts(part))
        )


def labelled_findings(findings: Sequence[AuditFinding]) -> list[tuple[AuditFinding, str]]:
    """Return each finding with its name, and with its kind if there are several kinds, because a user can
    have a finding of each.
    """
    if len({finding.kind for finding in findings}) < 2:
        return [(finding, finding.name) for finding in findings]
    return [(finding, f"{finding.name}: {all_rules()[finding.kind].title}") for finding in findings]


def _ids(part: RequirementPart) -> list[int]:
    return [ref.id for ref in part.findings[:MAX_FINDINGS] if isinstance(ref.id, int)]


def _facts(part: RequirementPart) -> Iterable[tuple[str, str, list[tuple[str, str]]]]:
    for name, facts in part.facts.items():
        lines = []
        for key, value in facts.items():
            if key not in HIDDEN:
                lines.append((key.replace("_", " ").capitalize(), _words(value)))
        yield CHECKS.get(name, name), str(facts.get("says", "")), lines


def _words(value: Any) -> str:
    """Return a fact on one line."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "None"
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')}: {_words(each)}" for key, each in value.items())
    return "Unknown" if value is None else str(value)


def _is_in_force(decision: RequirementDecision, now: datetime) -> bool:
    return decision.state == DecisionState.IN_FORCE and decision.until > now


def second_people(decision: RequirementDecision) -> list[Person]:
    """Return who can approve a request."""
    accounts: tuple[str, ...] = ()
    if decision.scope is not None:
        accounts = ScopeTerms.from_json(decision.scope.terms).accounts
    return others_who_decide(but=[decision.requested_by], accounts=accounts)


def _decision(
    decision: RequirementDecision, request: ViewerRequest, now: datetime, may_decide: bool
) -> dict[str, Any]:
    """Return a decision with its texts, and what the viewer can do about it."""
    is_requested = decision.state == DecisionState.REQUESTED
    is_current = _is_in_force(decision, now)
    label, tone = str(DecisionState(decision.state).label), "info" if is_requested else ""
    if is_current:
        tone = "ok"
    elif decision.state == DecisionState.IN_FORCE:
        label = "Expired"
    is_single = settings.SINGLE_OPERATOR
    may_answer = is_requested and request.at is None
    may_answer = may_answer and decisions.may_approve(request.viewer, decision, is_single=is_single)
    refusal = ""
    if may_answer:
        refusal = REQUIREMENT_REQUEST.why_not_approve(decision, request.viewer, is_single=is_single)
    return {
        "decision": decision,
        "kind": DECISION_LABELS[decision.kind],
        "label": label,
        "tone": tone,
        "may_answer": may_answer,
        "refusal_to_approve": refusal,
        "is_own": is_requested and may_decide and decision.requested_by == request.viewer.person_id,
        "may_end": may_decide and (is_current or is_requested),
        "second_people": second_people(decision) if is_requested else [],
    }
