"""Judges every framework in every scope, and keeps what pages show. For workers and commands.

An account is judged anew when its findings were calculated, a scope or a file changed, or an hour has passed.
Doing it twice ends the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.db import transaction

from iam.access.escalation_calculation import calculation as escalation
from iam.audit.findings.account_reader import facts_of
from iam.audit.findings.models import FindingRun
from iam.audit.frameworks.checks.case import AccountCase
from iam.audit.frameworks.decisions_in_force import decisions_by_requirement
from iam.audit.frameworks.definitions import Framework, all_frameworks
from iam.audit.frameworks.evaluation import Parts, RequirementPart, account_parts, installation_parts
from iam.audit.frameworks.evidence_reader import (
    current_findings,
    installation_facts,
    past_findings,
    records_of,
    refs_in,
    scoped_arns,
    unconnected_accounts,
)
from iam.audit.frameworks.judgement import OWN, RequirementResult, judge
from iam.audit.frameworks.models import (
    ComplianceScope,
    FrameworkAssessment,
    FrameworkSummary,
    RequirementChange,
)
from iam.audit.frameworks.stored_parts import part_from_json, part_to_json, result_to_json
from iam.audit.frameworks.terms import EVERYTHING, ScopeTerms
from iam.mirror.models import Account
from iam.nudge import send_seldom
from iam.policy.memory import collecting_paused

TASK: Final = "iam.audit.frameworks.tasks.assess_frameworks"
NUDGE_SECONDS: Final = 2
LASTS: Final = timedelta(hours=1)


class Assessed(NamedTuple):
    """A framework in a scope; None: everything."""

    framework: Framework
    scope: ComplianceScope | None

    @property
    def terms(self) -> ScopeTerms:
        """What the scope covers."""
        return ScopeTerms.from_json(self.scope.terms) if self.scope else EVERYTHING


def key_of(framework: str, scope: ComplianceScope | None, *rest: object) -> str:
    """The key of a row about a framework in a scope."""
    text = repr((framework, scope.pk if scope else 0, *rest))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def every_assessed() -> list[Assessed]:
    """Each framework in each scope."""
    scopes: list[ComplianceScope | None] = [None, *ComplianceScope.objects.order_by("name")]
    assessed: list[Assessed] = []
    for framework in all_frameworks().values():
        assessed.extend(Assessed(framework, scope) for scope in scopes)
    return assessed


def connected_accounts() -> list[Account]:
    """The accounts that are judged."""
    return list(Account.objects.filter(removed_at__isnull=True).order_by("name", "pk"))


def tend(*, now: datetime | None = None) -> int:
    """Judge what is due; how many accounts were."""
    now = now or datetime.now(tz=UTC)
    assessed = every_assessed()
    accounts = connected_accounts()
    count = sum(_assess_account(account, assessed, now) for account in accounts)
    for each in assessed:
        _keep_installation(each, now)
        summarize(each.framework, each.scope, now=now)
    for waiting in FrameworkSummary.objects.filter(updated_at__isnull=True, moment__isnull=False):
        _assess_past(waiting)
    return count


def nudge() -> None:
    """Tell a worker, at most once in a while; without a broker the sweep does it."""
    send_seldom(TASK, seconds=NUDGE_SECONDS)


def parts_now(account: Account, assessed: Sequence[Assessed], *, at: datetime | None) -> list[Parts]:
    """The parts of an account in each of some frameworks and scopes, at a moment (None: now)."""
    findings, unread = current_findings(account) if at is None else past_findings(account, at)
    unconnected = unconnected_accounts(at)
    parts = []
    with collecting_paused(), facts_of(account, at=at) as facts:
        records = records_of(account, now=facts.now, unconnected=unconnected)
        for framework, scope in assessed:
            terms = Assessed(framework, scope).terms
            arns = scoped_arns(account, terms, at=at)
            case = AccountCase(facts, arns, terms, records, is_past=at is not None)
            parts.append(account_parts(framework, case, refs_in(findings, arns), unread))
    return parts


def results_of(
    framework: Framework, scope: ComplianceScope | None, *, at: datetime | None, now: datetime | None = None
) -> dict[str, RequirementResult]:
    """How every requirement stands, judged at once and not kept. For commands and past moments."""
    moment = at or now or datetime.now(tz=UTC)
    assessed = Assessed(framework, scope)
    if at is not None:
        escalation.calculate(at)
    parts: dict[str, Parts] = {}
    for account in connected_accounts():
        if assessed.terms.covers_account(account.account_id):
            (parts[account.account_id],) = parts_now(account, [assessed], at=at)
    facts = installation_facts(now=moment, is_past=at is not None, accounts=assessed.terms.accounts)
    parts[OWN] = installation_parts(framework, facts)
    return judged(framework, scope, parts, at=moment)


def judged(
    framework: Framework, scope: ComplianceScope | None, parts: Mapping[str, Parts], *, at: datetime
) -> dict[str, RequirementResult]:
    """The results by the parts of accounts, with the decisions that were in force."""
    decisions = decisions_by_requirement(framework.name, scope, at=at)
    results = {}
    for requirement in framework.requirements:
        number = requirement.number
        own = {account: of[number] for account, of in parts.items() if number in of}
        results[number] = judge(requirement, own, decisions.get(number, ()))
    return results


def summarize(
    framework: Framework, scope: ComplianceScope | None, *, now: datetime
) -> dict[str, RequirementResult]:
    """Judge by what is kept of each account, keep the results, and note which state changed."""
    results = judged(framework, scope, kept_parts(framework, scope), at=now)
    values = {number: result_to_json(result) for number, result in results.items()}
    with transaction.atomic():
        summary, _ = FrameworkSummary.objects.select_for_update().get_or_create(
            key=key_of(framework.name, scope, ""), defaults={"framework": framework.name, "scope": scope}
        )
        if summary.results != values:
            _note_changes(summary, results, now)
            summary.results = values
        summary.updated_at = now
        summary.save(update_fields=["results", "updated_at"])
    return results


def kept_parts(framework: Framework, scope: ComplianceScope | None) -> dict[str, dict[str, RequirementPart]]:
    """What is kept of each connected account, and of Gatehouse itself."""
    rows = FrameworkAssessment.objects.filter(framework=framework.name, scope=scope)
    rows = rows.filter(account__removed_at__isnull=True)
    parts = {}
    for number, values in rows.values_list("account__account_id", "parts"):
        own = {requirement: part_from_json(value) for requirement, value in values.items()}
        parts[number or OWN] = own
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


def _assess_account(account: Account, assessed: Iterable[Assessed], now: datetime) -> bool:
    """Judge an account where something is due; whether it was."""
    run = FindingRun.objects.filter(account=account).values_list("inputs", "calculated_at").first()
    if run is None or run[1] is None:
        return False
    kept = dict(
        FrameworkAssessment.objects.filter(account=account, evaluated_at__gt=now - LASTS).values_list(
            "key", "inputs"
        )
    )
    due: list[tuple[Assessed, str, str]] = []
    for each in assessed:
        key = key_of(each.framework.name, each.scope, account.pk)
        inputs = _digest(run, each.terms)
        if not each.terms.covers_account(account.account_id):
            FrameworkAssessment.objects.filter(key=key).delete()
        elif kept.get(key) != inputs:
            due.append((each, key, inputs))
    if not due:
        return False
    parts = parts_now(account, [each for each, _, _ in due], at=None)
    for (each, key, inputs), own in zip(due, parts, strict=True):
        _keep(key, each, own, account=account, inputs=inputs, at=now)
    return True


def _keep_installation(assessed: Assessed, now: datetime) -> None:
    facts = installation_facts(now=now, is_past=False, accounts=assessed.terms.accounts)
    parts = installation_parts(assessed.framework, facts)
    _keep(
        key_of(assessed.framework.name, assessed.scope, 0), assessed, parts, account=None, inputs="", at=now
    )


def _keep(
    key: str, assessed: Assessed, parts: Parts, *, account: Account | None, inputs: str, at: datetime
) -> None:
    values: dict[str, Any] = {
        "framework": assessed.framework.name,
        "scope": assessed.scope,
        "account": account,
        "inputs": inputs,
        "evaluated_at": at,
        "parts": {number: part_to_json(part) for number, part in parts.items()},
    }
    FrameworkAssessment.objects.update_or_create(key=key, defaults=values)


def request_past(framework: Framework, scope: ComplianceScope | None, *, at: datetime) -> FrameworkSummary:
    """The results of a past moment: those that are kept, or a row that a worker fills."""
    summary, is_new = FrameworkSummary.objects.get_or_create(
        key=key_of(framework.name, scope, at.isoformat()),
        defaults={
            "framework": framework.name,
            "scope": scope,
            "moment": at,
            "requested_at": datetime.now(tz=UTC),
        },
    )
    if is_new:
        transaction.on_commit(nudge, robust=True)
    return summary


def _assess_past(summary: FrameworkSummary) -> None:
    framework = all_frameworks().get(summary.framework)
    if framework is None or summary.moment is None:
        return
    results = results_of(framework, summary.scope, at=summary.moment)
    values = {number: result_to_json(result) for number, result in results.items()}
    FrameworkSummary.objects.filter(pk=summary.pk).update(results=values, updated_at=datetime.now(tz=UTC))


def _digest(*values: object) -> str:
    return hashlib.blake2b(repr((*values, _files_version())).encode(), digest_size=16).hexdigest()


@cache
def _files_version() -> str:
    """A digest of the files and checks of frameworks."""
    digest = hashlib.blake2b(digest_size=16)
    folder = Path(__file__).parent
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".toml"}):
        digest.update(path.read_bytes())
    return digest.hexdigest()
