"""Judges requirements for now or a past moment, for commands and requested past moments."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import transaction

from iam.access.escalation_calculation import calculation as escalation
from iam.audit.frameworks.assessment import ScopedFramework, parts_now
from iam.audit.frameworks.definitions import ControlFramework, all_frameworks
from iam.audit.frameworks.evaluation import Parts, installation_parts
from iam.audit.frameworks.evidence_reader import installation_facts
from iam.audit.frameworks.judgement import RequirementResult
from iam.audit.frameworks.models import ComplianceScope, FrameworkAssessment, FrameworkSummary
from iam.audit.frameworks.reasons import OWN
from iam.audit.frameworks.stored_parts import part_to_json, result_to_json
from iam.audit.frameworks.summaries import judged, key_of
from iam.mirror.models import Account
from iam.mirror.queries.accounts import connected_accounts

KEPT: Final = timedelta(days=30)
"""How long the results of a past moment are stored before they must be requested again."""


def results_of(
    framework: ControlFramework,
    scope: ComplianceScope | None,
    *,
    at: datetime | None,
    now: datetime | None = None,
) -> dict[str, RequirementResult]:
    """The results of every requirement, judged now and not stored."""
    moment = at or now or datetime.now(tz=UTC)
    parts = _parts_of(framework, scope, connected_accounts(), at=at, now=moment)
    return judged(framework, scope, parts, at=moment)


def past_parts(framework: ControlFramework, accounts: Iterable[Account], *, at: datetime) -> dict[str, Parts]:
    """Return the contributions of these accounts and of Gatehouse itself to each requirement at a past
    moment, for a pack.
    """
    return _parts_of(framework, None, accounts, at=at, now=at)


def _parts_of(
    framework: ControlFramework,
    scope: ComplianceScope | None,
    accounts: Iterable[Account],
    *,
    at: datetime | None,
    now: datetime,
) -> dict[str, Parts]:
    """Return the contributions of each account and of Gatehouse itself to each requirement at a moment (None:
    now).
    """
    assessed = ScopedFramework(framework, scope)
    if at is not None:
        escalation.calculate(at)
    parts: dict[str, Parts] = {}
    for account in accounts:
        if assessed.terms.covers_account(account.account_id):
            (parts[account.account_id],) = parts_now(account, [assessed], at=at)
    facts = installation_facts(now=now, is_past=at is not None)
    parts[OWN] = installation_parts(framework, facts)
    return parts


def judge_past_moments() -> int:
    """Judge requested past moments, and delete old ones. Returns how many were waiting."""
    old = datetime.now(tz=UTC) - KEPT
    FrameworkSummary.objects.filter(requested_at__lt=old).delete()
    FrameworkAssessment.objects.filter(moment__isnull=False, evaluated_at__lt=old).delete()
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
    now = datetime.now(tz=UTC)
    moment = summary.moment
    parts = _parts_of(framework, summary.scope, connected_accounts(), at=moment, now=moment)
    results = judged(framework, summary.scope, parts, at=summary.moment)
    values = {number: result_to_json(result) for number, result in results.items()}
    with transaction.atomic():
        _keep(summary, parts, now)
        FrameworkSummary.objects.filter(pk=summary.pk).update(results=values, updated_at=now)


def _keep(summary: FrameworkSummary, parts: Mapping[str, Parts], now: datetime) -> None:
    """Store the contributions of each account, for pages of one requirement and viewers of some accounts."""
    accounts = {account.account_id: account for account in connected_accounts()}
    for number, own in parts.items():
        account = accounts.get(number)
        values = {
            "framework": summary.framework,
            "scope": summary.scope,
            "account": account,
            "moment": summary.moment,
            "evaluated_at": now,
            "parts": {requirement: part_to_json(part) for requirement, part in own.items()},
        }
        place = account.pk if account else 0
        key = key_of(summary.framework, summary.scope, place, str(summary.moment))
        FrameworkAssessment.objects.update_or_create(key=key, defaults=values)
