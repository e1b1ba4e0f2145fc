"""How frameworks stand, as a viewer sees it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.db.models.fields.json import KeyTransform

from iam.audit.frameworks.definitions import ControlFramework
from iam.audit.frameworks.evaluation import RequirementPart
from iam.audit.frameworks.models import (
    AssessmentMark,
    ComplianceScope,
    DecisionState,
    FrameworkAssessment,
    FrameworkSummary,
    RequirementChange,
    RequirementDecision,
)
from iam.audit.frameworks.reasons import OWN
from iam.audit.frameworks.stored_parts import part_from_json, result_to_json
from iam.audit.frameworks.summaries import judged, kept_parts, key_of, request_past
from iam.audit.frameworks.terms import RequirementState, ScopeTerms
from iam.guard import Viewer

KEPT_S = 60
"""So many accounts are listed on the page of a requirement, those that fail first."""


@dataclass(frozen=True, slots=True)
class ShownResults:
    """What is shown of a framework in a scope. `results` by requirement; None: nothing was judged yet.
    `is_partial`: only of the accounts that the viewer sees.
    """

    results: Mapping[str, Mapping[str, Any]] | None
    updated_at: datetime | None
    is_partial: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """How many requirements are in each state."""
        counts = {state.value: 0 for state in RequirementState}
        for result in (self.results or {}).values():
            counts[result["state"]] += 1
        return counts


def visible_scopes(viewer: Viewer) -> list[ComplianceScope]:
    """The scopes whose accounts the viewer sees."""
    scopes = []
    for scope in ComplianceScope.objects.order_by("name"):
        numbers = ScopeTerms.from_json(scope.terms).accounts
        if all(viewer.scope.sees_account(number) for number in numbers):
            scopes.append(scope)
    return scopes


def find_scope(viewer: Viewer, slug: str) -> ComplianceScope | None:
    """The scope with this slug, if the viewer sees it."""
    return next((scope for scope in visible_scopes(viewer) if scope.slug == slug), None)


def results_now(viewer: Viewer, framework: ControlFramework, scope: ComplianceScope | None) -> ShownResults:
    """The results as a worker judged them last."""
    if not _is_covered(viewer, framework, datetime.now(tz=UTC)):
        return ShownResults({}, None, is_partial=True)
    key = key_of(framework.name, scope, "")
    summary = FrameworkSummary.objects.filter(key=key).first()
    if summary is None or summary.updated_at is None:
        return ShownResults(None, None)
    if viewer.scope.sees_everything:
        return ShownResults(summary.results, summary.updated_at)
    return ShownResults(_partial(viewer, framework, scope, summary), summary.updated_at, is_partial=True)


def _is_covered(viewer: Viewer, framework: ControlFramework, moment: datetime) -> bool:
    """Whether the limits of an auditor cover it: nothing is shown beyond them, whatever page asks."""
    limits = viewer.limits
    return limits is None or (limits.sees_framework(framework.name) and limits.covers(moment))


def _partial(
    viewer: Viewer, framework: ControlFramework, scope: ComplianceScope | None, summary: FrameworkSummary
) -> Mapping[str, Any]:
    """The results by the accounts that the viewer sees, kept for a while."""
    accounts = sorted(viewer.scope.accounts or ())
    key = f"framework:{key_of(framework.name, scope, accounts, summary.moment, summary.updated_at)}"
    results = cache.get(key)
    if results is None:
        parts = kept_parts(framework, scope, at=summary.moment)
        for number in set(parts).difference(accounts, (OWN,)):
            del parts[number]
        of_viewer = judged(framework, scope, parts, at=summary.moment or datetime.now(tz=UTC))
        results = {number: result_to_json(result) for number, result in of_viewer.items()}
        cache.set(key, results, KEPT_S)
    return results  # type: ignore[no-any-return]


def results_at(
    viewer: Viewer, framework: ControlFramework, scope: ComplianceScope | None, *, at: datetime
) -> ShownResults:
    """The results of a past moment, by the accounts that the viewer sees; nothing while a worker judges
    it.
    """
    if not _is_covered(viewer, framework, at):
        return ShownResults({}, None, is_partial=True)
    summary = request_past(framework, scope, at=at)
    is_partial = not viewer.scope.sees_everything
    if not summary.updated_at:
        return ShownResults(None, None, is_partial=is_partial)
    results = _partial(viewer, framework, scope, summary) if is_partial else summary.results
    return ShownResults(results, summary.updated_at, is_partial=is_partial)


def _assessments(
    viewer: Viewer, framework: ControlFramework, scope: ComplianceScope | None, at: datetime | None
) -> QuerySet[FrameworkAssessment]:
    rows = FrameworkAssessment.objects.filter(framework=framework.name, scope=scope, moment=at)
    rows = rows.filter(account__removed_at__isnull=True)
    if not viewer.scope.sees_everything:
        own = FrameworkAssessment.objects.filter(account=None)
        rows = rows.filter(account__account_id__in=viewer.scope.accounts or ()) | rows.filter(
            pk__in=own.values("pk")
        )
    return rows


def parts_of_requirement(
    viewer: Viewer,
    framework: ControlFramework,
    scope: ComplianceScope | None,
    number: str,
    *,
    at: datetime | None = None,
    only: Collection[str] | None = None,
) -> list[tuple[str, str, RequirementPart]]:
    """The number and name of each account, or of these alone, with its part in a requirement; Gatehouse
    itself has neither. What is kept of an account is about all requirements, and long.
    """
    if not _is_covered(viewer, framework, at or datetime.now(tz=UTC)):
        return []
    rows = _assessments(viewer, framework, scope, at).annotate(part=KeyTransform(number, "parts"))
    if only is not None:
        rows = rows.filter(Q(account__account_id__in=only) | Q(account=None))
    parts = []
    columns = ("account__account_id", "account__name", "part")
    for account, name, part in rows.filter(part__isnull=False).values_list(*columns):
        if part is not None:
            parts.append((account or "", name or "", part_from_json(part)))
    return parts


def decisions_about(
    framework: ControlFramework, number: str, scope: ComplianceScope | None, *, at: datetime | None = None
) -> list[RequirementDecision]:
    """What was decided about a requirement, in this scope or for everything, the newest first; at a past
    moment as it was known then.
    """
    rows = RequirementDecision.objects.filter(framework=framework.name, requirement=number)
    if at is not None:
        rows = rows.filter(requested_at__lte=at)
    decisions = rows.select_related("scope").order_by("-requested_at", "-pk")
    chosen = [row for row in decisions if row.scope is None or row.scope == scope]
    for row in chosen:
        if at is not None:
            _as_known(row, at)
    return chosen


def _as_known(decision: RequirementDecision, at: datetime) -> None:
    """Make the row, which is not saved, what it was at a moment."""
    if decision.ended_at and decision.ended_at > at:
        decision.ended_at, decision.ended_name = None, ""
        decision.state = DecisionState.IN_FORCE
    if decision.decided_at and decision.decided_at > at:
        decision.decided_at, decision.decided_name = None, ""
    if decision.decided_at is None and (decision.from_at is None or decision.from_at > at):
        decision.state = DecisionState.REQUESTED


def waiting_decisions(framework: ControlFramework, scope: ComplianceScope | None) -> set[str]:
    """The requirements about which a request waits for approval."""
    rows = RequirementDecision.objects.filter(framework=framework.name, state="requested")
    return set(rows.filter(scope=scope).values_list("requirement", flat=True))


def history_of(
    framework: ControlFramework, number: str, scope: ComplianceScope | None, *, at: datetime | None = None
) -> list[RequirementChange]:
    """When a requirement changed its state, up to a moment, the newest first."""
    rows = RequirementChange.objects.filter(framework=framework.name, requirement=number, scope=scope)
    if at is not None:
        rows = rows.filter(at__lte=at)
    return list(rows.order_by("-at", "-pk")[:100])


def states_before(
    framework: ControlFramework, scope: ComplianceScope | None, *, since: datetime
) -> dict[str, str]:
    """The state that each requirement which changed since a moment had then; "": it was not judged."""
    rows = RequirementChange.objects.filter(framework=framework.name, scope=scope, at__gt=since)
    states: dict[str, str] = {}
    for number, before in rows.order_by("at", "pk").values_list("requirement", "before"):
        states.setdefault(number, before)
    return states


def last_mark(framework: ControlFramework, scope: ComplianceScope | None) -> AssessmentMark | None:
    """When the framework was assessed last in a scope, and by whom."""
    marks = AssessmentMark.objects.filter(framework=framework.name, scope=scope)
    return marks.order_by("-at").first()
