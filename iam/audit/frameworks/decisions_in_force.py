"""Finds the decisions of people that are in force at a moment."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from iam.audit.frameworks.judgement import DecisionFact
from iam.audit.frameworks.models import ComplianceScope, RequirementDecision


def in_force(at: datetime) -> QuerySet[RequirementDecision]:
    """Return the decisions that are in force at a moment: begun, and neither expired nor ended."""
    rows = RequirementDecision.objects.filter(from_at__lte=at, until__gt=at)
    return rows.exclude(ended_at__lte=at)


def decisions_by_requirement(
    framework: str, scope: ComplianceScope | None, *, at: datetime
) -> dict[str, list[DecisionFact]]:
    """Return the decisions in force by requirement.

    Decisions for everything count in each scope. They come first, so that the scope's own decisions replace
    them.
    """
    of_scope = Q(scope=None) | Q(scope=scope) if scope else Q(scope=None)
    decisions: dict[str, list[DecisionFact]] = {}
    rows = list(in_force(at).filter(of_scope, framework=framework).order_by("from_at"))
    rows.sort(key=lambda row: row.scope_id is not None)
    for row in rows:
        decisions.setdefault(row.requirement, []).append(fact_of(row))
    return decisions


def fact_of(row: RequirementDecision) -> DecisionFact:
    """A decision in the form used to judge requirements."""
    return DecisionFact(
        row.kind,
        row.requested_name,
        row.requested_at,
        row.until,
        row.reason,
        row.decided_name,
        frozenset(row.covers),
    )
