"""Judges every framework in every scope and stores the results for pages. For workers and commands.

An account is judged again after its findings were calculated, after a scope or file changed, or after an
hour. Idempotent: a second run writes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from iam.audit.findings.account_reader import facts_of
from iam.audit.findings.models import FindingRun
from iam.audit.frameworks.checks.case import AccountCase
from iam.audit.frameworks.definitions import ControlFramework, all_frameworks
from iam.audit.frameworks.evaluation import Parts, account_parts, installation_parts
from iam.audit.frameworks.evidence_reader import (
    current_findings,
    installation_facts,
    past_findings,
    records_of,
    refs_in,
    scoped_arns,
    unconnected_accounts,
)
from iam.audit.frameworks.models import ComplianceScope, FrameworkAssessment
from iam.audit.frameworks.stored_parts import part_to_json
from iam.audit.frameworks.summaries import LASTS, key_of, summarize
from iam.audit.frameworks.terms import EVERYTHING, ScopeTerms
from iam.mirror.models import Account, Kind
from iam.mirror.queries.accounts import connected_accounts
from iam.policy.memory import collecting_paused


class ScopedFramework(NamedTuple):
    """A framework in a scope (None: everything)."""

    framework: ControlFramework
    scope: ComplianceScope | None

    @property
    def terms(self) -> ScopeTerms:
        """The terms of the scope."""
        return ScopeTerms.from_json(self.scope.terms) if self.scope else EVERYTHING


def every_assessed() -> list[ScopedFramework]:
    """Each framework in each scope."""
    scopes: list[ComplianceScope | None] = [None, *ComplianceScope.objects.order_by("name")]
    assessed: list[ScopedFramework] = []
    for framework in all_frameworks().values():
        assessed.extend(ScopedFramework(framework, scope) for scope in scopes)
    return assessed


def assess_due(*, now: datetime | None = None) -> int:
    """Judge what is due. Returns the number of judged accounts."""
    now = now or datetime.now(tz=UTC)
    assessed = every_assessed()
    accounts = connected_accounts()
    count = sum(_assess_account(account, assessed, now) for account in accounts)
    for each in assessed:
        is_anew = _keep_installation(each, now) or count > 0
        summarize(each.framework, each.scope, now=now, is_anew=is_anew)
    return count


def parts_now(account: Account, assessed: Sequence[ScopedFramework], *, at: datetime | None) -> list[Parts]:
    """The parts of an account in these frameworks and scopes, at a moment (None: now)."""
    findings, unread = current_findings(account) if at is None else past_findings(account, at)
    unconnected = unconnected_accounts(at)
    parts = []
    with collecting_paused(), facts_of(account, at=at) as facts:
        entities = [each.id for each in (*facts.of_kind(Kind.USER), *facts.of_kind(Kind.ROLE))]
        records = records_of(
            account,
            now=facts.now,
            unconnected=unconnected,
            entities=entities,
            is_past=at is not None,
        )
        for framework, scope in assessed:
            terms = ScopedFramework(framework, scope).terms
            arns = scoped_arns(account, terms, at=at)
            case = AccountCase(facts, arns, terms, records, is_past=at is not None)
            parts.append(account_parts(framework, case, refs_in(findings, arns), unread))
    return parts


def _assess_account(account: Account, assessed: Iterable[ScopedFramework], now: datetime) -> bool:
    """Judge an account if something is due. Returns whether it was."""
    run = FindingRun.objects.filter(account=account).values_list("inputs", "calculated_at").first()
    if run is None or run[1] is None:
        return False
    rows = FrameworkAssessment.objects.filter(account=account, moment=None, evaluated_at__gt=now - LASTS)
    kept = dict(rows.values_list("key", "inputs"))
    due: list[tuple[ScopedFramework, str, str]] = []
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


def _keep_installation(assessed: ScopedFramework, now: datetime) -> bool:
    """Store the part of Gatehouse itself if it changed or is an hour old. Returns whether it was written."""
    parts = installation_parts(assessed.framework, installation_facts(now=now, is_past=False))
    key = key_of(assessed.framework.name, assessed.scope, 0)
    inputs = _digest({number: part_to_json(part) for number, part in parts.items()})
    kept = FrameworkAssessment.objects.filter(key=key, inputs=inputs, evaluated_at__gt=now - LASTS)
    if kept.exists():
        return False
    _keep(key, assessed, parts, account=None, inputs=inputs, at=now)
    return True


def _keep(
    key: str, assessed: ScopedFramework, parts: Parts, *, account: Account | None, inputs: str, at: datetime
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
