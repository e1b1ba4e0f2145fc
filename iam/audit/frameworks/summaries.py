"""Stores the results of frameworks for pages, judged from the stored parts of accounts and decisions of
people.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from iam.audit.frameworks.decisions_in_force import decisions_by_requirement
from iam.audit.frameworks.definitions import ControlFramework
from iam.audit.frameworks.evaluation import Parts, same_parts
from iam.audit.frameworks.judgement import RequirementResult, judge
from iam.audit.frameworks.models import (
    ComplianceScope,
    FrameworkAssessment,
    FrameworkSummary,
    RequirementChange,
)
from iam.audit.frameworks.reasons import OWN, UNJUDGED
from iam.audit.frameworks.stored_parts import part_from_json, result_to_json
from iam.audit.frameworks.terms import EVERYTHING, AutomaticVerdict, ScopeTerms
from iam.mirror.models import Account
from iam.nudge import send_seldom

TASK: Final = "iam.audit.frameworks.tasks.assess_frameworks"
NUDGE_SECONDS: Final = 2
LASTS: Final = timedelta(hours=1)
"""Stored results are rewritten after this time, even if equal."""
MAX_WAITING: Final = 20
"""The maximum number of waiting past moments."""


def key_of(framework: str, scope: ComplianceScope | None, *rest: object) -> str:
    """The key of the row for a framework in a scope."""
    text = repr((framework, scope.pk if scope else 0, *rest))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def nudge() -> None:
    """Tell a worker to judge, at most once every NUDGE_SECONDS. Without a broker, the periodic task
    judges.
    """
    send_seldom(TASK, seconds=NUDGE_SECONDS)


def judged(
    framework: ControlFramework, scope: ComplianceScope | None, parts: Mapping[str, Parts], *, at: datetime
) -> dict[str, RequirementResult]:
    """The results from the parts of accounts and the decisions in force at the time."""
    decisions = decisions_by_requirement(framework.name, scope, at=at)
    results = {}
    for requirement in framework.requirements:
        number = requirement.number
        own = {account: of[number] for account, of in parts.items() if number in of}
        results[number] = judge(requirement, own, decisions.get(number, ()))
    return results


def summarize(
    framework: ControlFramework, scope: ComplianceScope | None, *, now: datetime, is_anew: bool = True
) -> dict[str, RequirementResult]:
    """Judge from the stored parts, store the results, and record changed states.

    With `is_anew` False no account was judged since the last time; equal results are then written only
    hourly, because each write wakes all sweeps.
    """
    with transaction.atomic():
        summary, _ = FrameworkSummary.objects.select_for_update().get_or_create(
            key=key_of(framework.name, scope, ""), defaults={"framework": framework.name, "scope": scope}
        )
        # Under the lock, and never for a time before the stored one: a worker that began before a decision
        # would write the results without it.
        if summary.updated_at is not None:
            now = max(now, summary.updated_at)
        results = judged(framework, scope, kept_parts(framework, scope), at=now)
        values = {number: result_to_json(result) for number, result in results.items()}
        if summary.results != values:
            _note_changes(summary, results, now)
            summary.results = values
        elif not is_anew and summary.updated_at is not None and now - summary.updated_at < LASTS:
            return results
        summary.updated_at = now
        summary.save(update_fields=["results", "updated_at"])
    return results


def kept_parts(
    framework: ControlFramework, scope: ComplianceScope | None, *, at: datetime | None = None
) -> dict[str, Parts]:
    """The stored parts of each connected account and of Gatehouse itself, for now or a past moment.

    An account of the scope that is not judged yet is unknown.
    """
    rows = FrameworkAssessment.objects.filter(framework=framework.name, scope=scope, moment=at)
    rows = rows.filter(account__removed_at__isnull=True)
    parts: dict[str, Parts] = {}
    for number, values in rows.values_list("account__account_id", "parts"):
        parts[number or OWN] = {requirement: part_from_json(value) for requirement, value in values.items()}
    terms = ScopeTerms.from_json(scope.terms) if scope else EVERYTHING
    for number in Account.objects.filter(removed_at__isnull=True).values_list("account_id", flat=True):
        if terms.covers_account(number) and number not in parts:
            parts[number] = same_parts(framework, AutomaticVerdict.UNKNOWN, UNJUDGED)
    return parts


def _note_changes(summary: FrameworkSummary, results: Mapping[str, RequirementResult], now: datetime) -> None:
    changes = []
    for number, result in results.items():
        before = summary.results.get(number, {}).get("state", "")
        if before != result.state.value:
            changes.append(
                RequirementChange(
                    framework=summary.framework,
                    scope=summary.scope,
                    requirement=number,
                    at=now,
                    before=before,
                    state=result.state.value,
                    reason=result.reason[:1000],
                )
            )
    RequirementChange.objects.bulk_create(changes)


def request_past(
    framework: ControlFramework, scope: ComplianceScope | None, *, at: datetime
) -> FrameworkSummary:
    """Return the results of a past moment, or a new row that a worker fills.

    No row is added while many are waiting. A page that requests it again later gets its turn.
    """
    key = key_of(framework.name, scope, at.isoformat())
    values = {
        "framework": framework.name,
        "scope": scope,
        "moment": at,
        "requested_at": datetime.now(tz=UTC),
    }
    known = FrameworkSummary.objects.filter(key=key).first()
    if known is not None:
        return known
    if FrameworkSummary.objects.filter(updated_at__isnull=True).count() >= MAX_WAITING:
        return FrameworkSummary(key=key, **values)
    summary, is_new = FrameworkSummary.objects.get_or_create(key=key, defaults=values)
    if is_new:
        transaction.on_commit(nudge, robust=True)
    return summary
