"""Finds the results of frameworks that a viewer sees."""

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
"""The seconds for which results limited to a viewer's accounts are cached."""


@dataclass(frozen=True, slots=True)
class ShownResults:
    """The shown results of a framework in a scope, by requirement; None if nothing is judged yet.

    `is_partial`: limited to accounts that the viewer sees.
    """

    results: Mapping[str, Mapping[str, Any]] | None
    updated_at: datetime | None
    is_partial: bool = False

    @property
    def counts(self) -> dict[str, int]:
        """The number of requirements by state."""
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
    """The results as a worker last judged them."""
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
    """True if an auditor's limits include the framework and the moment. Nothing beyond them is shown on any
    page.
    """
    limits = viewer.limits
    return limits is None or (limits.sees_framework(framework.name) and limits.covers(moment))


def _partial(
    viewer: Viewer, framework: ControlFramework, scope: ComplianceScope | None, summary: FrameworkSummary
) -> Mapping[str, Any]:
    """The results for the accounts that the viewer sees, cached for a while."""
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
    """The results at a past moment for the accounts that the viewer sees.

    `results` is None while a worker judges the moment, and empty beyond the limits of an auditor.
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
    """Account ID, name and part in a requirement for each account, or for these; Gatehouse itself has neither
    ID nor name.

    The stored parts of an account cover all requirements and are long.
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
    """Decisions about a requirement in this scope or for everything, newest first; for a past moment, as
    known then.
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
    """Set the unsaved row to its state as known at a moment."""
    if decision.ended_at and decision.ended_at > at:
        decision.ended_at, decision.ended_name = None, ""
        decision.state = DecisionState.IN_FORCE
    if decision.decided_at and decision.decided_at > at:
        decision.decided_at, decision.decided_name = None, ""
    if decision.decided_at is None and (decision.from_at is None or decision.from_at > at):
        decision.state = DecisionState.REQUESTED


def waiting_decisions(framework: ControlFramework, scope: ComplianceScope | None) -> set[str]:
    """The requirements with a request that waits for approval."""
    rows = RequirementDecision.objects.filter(framework=framework.name, state="requested")
    return set(rows.filter(scope=scope).values_list("requirement", flat=True))


def history_of(
    framework: ControlFramework, number: str, scope: ComplianceScope | None, *, at: datetime | None = None
) -> list[RequirementChange]:
    """The changes of a requirement's state up to a moment, newest first."""
    rows = RequirementChange.objects.filter(framework=framework.name, requirement=number, scope=scope)
    if at is not None:
        rows = rows.filter(at__lte=at)
    return list(rows.order_by("-at", "-pk")[:100])


def states_before(
    framework: ControlFramework, scope: ComplianceScope | None, *, since: datetime
) -> dict[str, str]:
    """The earlier state of each requirement that changed since a moment; "" if it was not judged."""
    rows = RequirementChange.objects.filter(framework=framework.name, scope=scope, at__gt=since)
    states: dict[str, str] = {}
    for number, before in rows.order_by("at", "pk").values_list("requirement", "before"):
        states.setdefault(number, before)
    return states


def last_mark(framework: ControlFramework, scope: ComplianceScope | None) -> AssessmentMark | None:
    """When and by whom the framework was last assessed in a scope."""
    marks = AssessmentMark.objects.filter(framework=framework.name, scope=scope)
    return marks.order_by("-at").first()
