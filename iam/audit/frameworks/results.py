"""How requirements stand now or at a past moment, judged at once: for commands, and for past moments that
someone asked for.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from iam.access.escalation_calculation import calculation as escalation
from iam.audit.frameworks.assessment import ScopedFramework, connected_accounts, parts_now
from iam.audit.frameworks.definitions import Framework, all_frameworks
from iam.audit.frameworks.evaluation import Parts, installation_parts
from iam.audit.frameworks.evidence_reader import installation_facts
from iam.audit.frameworks.judgement import OWN, RequirementResult
from iam.audit.frameworks.models import ComplianceScope, FrameworkSummary
from iam.audit.frameworks.stored_parts import result_to_json
from iam.audit.frameworks.summaries import judged

KEPT: Final = timedelta(days=30)
"""So long the results of a past moment are kept; they are judged again when someone asks."""


def results_of(
    framework: Framework, scope: ComplianceScope | None, *, at: datetime | None, now: datetime | None = None
) -> dict[str, RequirementResult]:
    """How every requirement stands, judged at once and not kept. For commands and past moments."""
    moment = at or now or datetime.now(tz=UTC)
    assessed = ScopedFramework(framework, scope)
    if at is not None:
        escalation.calculate(at)
    parts: dict[str, Parts] = {}
    for account in connected_accounts():
        if assessed.terms.covers_account(account.account_id):
            (parts[account.account_id],) = parts_now(account, [assessed], at=at)
    facts = installation_facts(now=moment, is_past=at is not None)
    parts[OWN] = installation_parts(framework, facts)
    return judged(framework, scope, parts, at=moment)


def judge_past_moments() -> int:
    """Judge the past moments that wait, and drop those that were judged long ago; how many waited."""
    FrameworkSummary.objects.filter(requested_at__lt=datetime.now(tz=UTC) - KEPT).delete()
    waiting = FrameworkSummary.objects.filter(updated_at__isnull=True, moment__isnull=False)
    count = 0
    for summary in waiting.select_related("scope"):
        _judge_past(summary)
        count += 1
    return count


def _judge_past(summary: FrameworkSummary) -> None:
    framework = all_frameworks().get(summary.framework)
    if framework is None or summary.moment is None:
        return
    results = results_of(framework, summary.scope, at=summary.moment)
    values = {number: result_to_json(result) for number, result in results.items()}
    FrameworkSummary.objects.filter(pk=summary.pk).update(results=values, updated_at=datetime.now(tz=UTC))
