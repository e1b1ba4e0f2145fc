"""Checks active assertions by account and stores the results. Idempotent.

An account is checked again only if something that its result depends on was written.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cache as kept
from itertools import chain
from pathlib import Path
from typing import Final
from uuid import UUID

from django.core.cache import cache
from django.db import transaction

from iam.access.certainty import DECIDING_SECTIONS
from iam.access.escalation_calculation.code_version import code_version
from iam.audit.assertions.evaluation import AccountJudgment, judge
from iam.audit.assertions.models import (
    AssertionAct,
    AssertionEvent,
    AssertionEventKind,
    AssertionProposal,
    AssertionResult,
    AssertionState,
    AssertionStatus,
    ProposalState,
    StandingAssertion,
)
from iam.audit.assertions.terms import AssertionTerms
from iam.mirror.models import Account, Section, SectionState
from iam.mirror.models.accounts import unknown_at
from iam.mirror.pull.sections import ORGANIZATION
from iam.mirror.queries.accounts import connected_accounts
from iam.mirror.snapshot import snapshot
from iam.nudge import send_seldom
from iam.policy.request import account_of

TASK: Final = "iam.audit.assertions.tasks.check_assertions"
NUDGE_SECONDS: Final = 2
STAMP: Final = "assertions-stamp"
LASTS: Final = timedelta(hours=1)
"""Accounts are checked again after this time even without writes, because dates in conditions pass."""
MAX_NAMED: Final = 20


def active() -> list[StandingAssertion]:
    """The active assertions, by name."""
    return list(StandingAssertion.objects.filter(status=AssertionStatus.ACTIVE).order_by("name", "pk"))


def assertions_at(at: datetime | None) -> list[tuple[str, str, AssertionTerms]]:
    """Key, name and terms of the assertions in force at a moment (None: now)."""
    if at is None:
        return [(str(each.pk), each.name, AssertionTerms.from_json(each.terms)) for each in active()]
    approved = AssertionProposal.objects.filter(state=ProposalState.APPROVED, decided_at__lte=at)
    last: dict[UUID, AssertionProposal] = {}
    for proposal in approved.order_by("decided_at"):
        last[proposal.assertion_id] = proposal
    in_force = [each for each in last.values() if each.act != AssertionAct.RETIRE]
    in_force.sort(key=lambda each: each.name)
    return [(str(each.assertion_id), each.name, AssertionTerms.from_json(each.terms)) for each in in_force]


def check_due(*, now: datetime | None = None) -> int:
    """Check what is due. Returns the number of accounts checked, over all assertions."""
    began = now or datetime.now(tz=UTC)
    assertions = active()
    if not assertions:
        return 0
    accounts = connected_accounts()
    states = _states(accounts)
    return sum(_check(assertion, accounts, states, began) for assertion in assertions)


def nudge() -> None:
    """Tell a worker to check, at most once every NUDGE_SECONDS. Without a broker, the periodic task
    checks.
    """
    send_seldom(TASK, seconds=NUDGE_SECONDS)


def stamp() -> str:
    """A value that changes with every check and approval, for results derived from them."""
    return str(cache.get(STAMP, ""))


def renew_stamp() -> None:
    """Change the stamp after new results or terms."""
    cache.set(STAMP, uuid.uuid4().hex, None)


def unread_sections(accounts: Iterable[str], *, at: datetime | None = None) -> dict[str, tuple[str, ...]]:
    """Clauses on unsynced sections that could give access, by account. One query."""
    rows = Section.objects.filter(name__in=DECIDING_SECTIONS)
    rows = rows.exclude(unknown_at(at)) if at else rows.filter(state=SectionState.COMPLETE)
    complete = set(rows.values_list("account__account_id", "name"))
    unread = {}
    for number in accounts:
        clauses = []
        for name, words in DECIDING_SECTIONS.items():
            if (number, name) not in complete:
                clauses.append(f"{words} weren’t fully synced")
        unread[number] = tuple(clauses)
    return unread


def _check(
    assertion: StandingAssertion, accounts: list[Account], states: Mapping[str, object], now: datetime
) -> int:
    terms = AssertionTerms.from_json(assertion.terms)
    covered = [account for account in accounts if terms.covers(account.account_id)]
    kept = {result.account_id: result for result in assertion.results.all()}
    due = {}
    for account in covered:
        inputs = _inputs(assertion, terms, account, states)
        result = kept.get(account.pk)
        if result is None or result.inputs != inputs or now - result.checked_at > LASTS:
            due[account] = inputs
    gone = kept.keys() - {account.pk for account in covered}
    if not due and not gone and assertion.checked_at is not None:
        return 0
    judgments = _judgments(terms, [account.account_id for account in due])
    with transaction.atomic():
        locked = StandingAssertion.objects.select_for_update().get(pk=assertion.pk)
        if locked.version != assertion.version or locked.status != AssertionStatus.ACTIVE:
            return 0
        locked.results.filter(account__in=gone).delete()
        for account, inputs in due.items():
            _keep(locked, account, inputs, judgments[account.account_id], now)
        _settle(locked, terms, covered, now)
        transaction.on_commit(renew_stamp, robust=True)
    return len(due)


def _judgments(terms: AssertionTerms, numbers: list[str]) -> dict[str, AccountJudgment]:
    """Return the results of all due accounts. They share one index, because trust policies and control
    policies can belong to other accounts.
    """
    if not numbers:
        return {}
    unread = unread_sections(numbers)
    with snapshot() as index:
        return {number: judge(index, number, terms, unread=unread[number]) for number in numbers}


def _keep(
    assertion: StandingAssertion, account: Account, inputs: str, judgment: AccountJudgment, now: datetime
) -> None:
    values = {
        "inputs": inputs,
        "breaches": [asdict(breach) for breach in judgment.breaches],
        "unread": list(judgment.unread),
        "checked_at": now,
    }
    AssertionResult.objects.update_or_create(assertion=assertion, account=account, defaults=values)


def _settle(
    assertion: StandingAssertion, terms: AssertionTerms, covered: list[Account], now: datetime
) -> None:
    """Derive the overall state from the results; a change adds a line to the history."""
    results = list(assertion.results.select_related("account"))
    breaches = chain.from_iterable(result.breaches for result in results)
    breakers = sorted({breach["arn"] for breach in breaches})
    missing = set(terms.accounts) - {account.account_id for account in covered}
    unread = any(result.unread for result in results) or bool(missing) or not covered
    before, was_checked = assertion.state, assertion.checked_at is not None
    assertion.state = _state(has_breakers=bool(breakers), has_unread=unread)
    assertion.checked_at = now
    if assertion.state == AssertionState.BROKEN:
        assertion.first_broken = assertion.first_broken or now
        assertion.broken_since = assertion.broken_since or now
        assertion.last_broken = now
    elif assertion.state == AssertionState.HELD:
        assertion.broken_since = None
    assertion.save(update_fields=["state", "checked_at", "first_broken", "last_broken", "broken_since"])
    if assertion.state != before or not was_checked:
        AssertionEvent.objects.create(
            assertion=assertion,
            at=now,
            kind=AssertionEventKind(assertion.state),
            detail={"broken_by": breakers[:MAX_NAMED], "more": max(0, len(breakers) - MAX_NAMED)},
        )


def _state(*, has_breakers: bool, has_unread: bool) -> AssertionState:
    if has_breakers:
        return AssertionState.BROKEN
    return AssertionState.UNKNOWN if has_unread else AssertionState.HELD


def _states(accounts: Iterable[Account]) -> dict[str, object]:
    """Values that change with every write, by account; under "" for accounts that list organizations."""
    sections: dict[int, list[tuple[str, str]]] = {}
    rows = Section.objects.filter(name__in=(*DECIDING_SECTIONS, ORGANIZATION)).order_by("account", "name")
    for number, name, section_state in rows.values_list("account_id", "name", "state"):
        sections.setdefault(number, []).append((name, section_state))
    states: dict[str, object] = {}
    organizations = []
    for account in accounts:
        state = (account.revision, sections.get(account.pk))
        states[account.account_id] = state
        if (ORGANIZATION, SectionState.COMPLETE.value) in sections.get(account.pk, []):
            organizations.append((account.account_id, account.revision))
    states[""] = organizations
    return states


def _inputs(
    assertion: StandingAssertion, terms: AssertionTerms, account: Account, states: Mapping[str, object]
) -> str:
    """A digest of everything the result depends on: code, assertion, account, organization, and the accounts
    of the resources.
    """
    owners = {account_of(resource) for resource in terms.resources} - {account.account_id}
    if terms.assumes_roles_anywhere:
        owners |= states.keys()
    state = [_version(), assertion.version, states.get(account.account_id), states[""]]
    state += [states.get(owner) for owner in sorted(owners)]
    return hashlib.blake2b(repr(state).encode(), digest_size=16).hexdigest()


@kept
def _version() -> str:
    """A digest of the engine and of the files in this package."""
    digest = hashlib.blake2b(code_version().encode(), digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()
