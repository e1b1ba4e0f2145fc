"""The input of checks, their answers, and their registration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from iam.audit.findings.facts import NO_VALUES, AccountFacts, CredentialFact, EntityFact
from iam.audit.frameworks.terms import ALL_ARNS, EVERYTHING, AutomaticVerdict, ScopedArns, ScopeTerms
from iam.mirror.pull.sections import LABELS

SHOWN: Final = 50
"""The maximum number of stored names; the count includes all."""


class CheckAnswer(NamedTuple):
    """The answer of a check. `failing` are ARNs or names. With `settles`, no person needs to judge
    as well.
    """

    verdict: AutomaticVerdict
    reason: str
    facts: Mapping[str, Any] = NO_VALUES
    failing: tuple[str, ...] = ()
    settles: bool = False


class ReviewFact(NamedTuple):
    """The last finished access review of a user or role: when and by whom it was acknowledged."""

    name: str
    at: datetime
    acknowledged_by: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class AccountRecords:
    """What Gatehouse itself knows of an account, besides the mirror; None means unknown.

    `linked` are ARNs of users matched to a person. `changes` are applied changes of the last 12 months,
    `unapproved` those without approval. `open_drifts` counts undecided drift. `events` counts CloudTrail
    events of the last 30 days, `denied_events` denied ones. `reviews` are the last access reviews by primary
    key of the user or role. `root_features` are the enabled features of central root access. `networks` are
    the addresses from which each user called in the last 30 days, by unique ID, if CloudTrail covers that
    time; `are_networks_complete` is false if some of its events may be missing.
    """

    synced_at: Mapping[str, datetime] = field(default_factory=dict)
    linked: frozenset[str] | None = None
    changes: int | None = None
    unapproved: int | None = None
    open_drifts: int | None = None
    events: int | None = None
    denied_events: int | None = None
    unconnected: tuple[str, ...] = ()
    reviews: Mapping[int, ReviewFact] = field(default_factory=dict)
    root_features: tuple[str, ...] | None = None
    networks: Mapping[str, frozenset[str]] | None = None
    are_networks_complete: bool = False


@dataclass(frozen=True, slots=True)
class AccountCase:
    """An account at a moment, with the scope to judge."""

    facts: AccountFacts
    arns: ScopedArns = ALL_ARNS
    terms: ScopeTerms = EVERYTHING
    records: AccountRecords = field(default_factory=AccountRecords)
    is_past: bool = False

    def users(self) -> list[tuple[EntityFact, CredentialFact]]:
        """The users in the scope."""
        return [pair for pair in self.facts.users if self.arns.has(pair[0].arn)]


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """What Gatehouse knows of itself and of people; None means unknown at that moment.

    `slow_offboardings` are names of people whose access is not proven to be removed a day after it should be.
    `unverified_replacements` are names of people whose lost device was replaced without a second person's
    verification.
    """

    now: datetime
    idle_minutes: int | None = None
    lock_failures: int | None = None
    lock_minutes: int | None = None
    offboardings: int | None = None
    slow_offboardings: tuple[str, ...] = ()
    replacements: int | None = None
    unverified_replacements: tuple[str, ...] = ()


AccountJudge = Callable[[AccountCase], CheckAnswer]
InstallationJudge = Callable[[InstallationFacts], CheckAnswer]


class AccountCheck(NamedTuple):
    """A check of each account; `sections` must be fully synced."""

    title: str
    sections: tuple[str, ...]
    judge: AccountJudge

    def answer(self, case: AccountCase) -> CheckAnswer:
        """The answer for the account; unknown if a section is not synced."""
        missing = [LABELS[name] for name in self.sections if name not in case.facts.complete]
        if missing:
            return unknown(f"Not synced: {', '.join(missing)}.")
        return self.judge(case)


class InstallationCheck(NamedTuple):
    """A check of Gatehouse itself, once for all accounts."""

    title: str
    judge: InstallationJudge


ACCOUNT_CHECKS: Final[dict[str, AccountCheck]] = {}
INSTALLATION_CHECKS: Final[dict[str, InstallationCheck]] = {}


def account_check(name: str, title: str, *sections: str) -> Callable[[AccountJudge], AccountJudge]:
    """Register a check of accounts."""

    def enter(judge: AccountJudge) -> AccountJudge:
        ACCOUNT_CHECKS[name] = AccountCheck(title, sections, judge)
        return judge

    return enter


def installation_check(name: str, title: str) -> Callable[[InstallationJudge], InstallationJudge]:
    """Register a check of Gatehouse itself."""

    def enter(judge: InstallationJudge) -> InstallationJudge:
        INSTALLATION_CHECKS[name] = InstallationCheck(title, judge)
        return judge

    return enter


def passed(reason: str, *, settles: bool = False, **facts: Any) -> CheckAnswer:
    """Return the answer that the requirement is met."""
    return CheckAnswer(AutomaticVerdict.PASSED, reason, facts, settles=settles)


def failed(reason: str, *, failing: tuple[str, ...] = (), **facts: Any) -> CheckAnswer:
    """Return the answer that the requirement is not met."""
    if failing:
        facts["failing"] = list(failing[:SHOWN])
    return CheckAnswer(AutomaticVerdict.FAILED, reason, facts, failing)


def for_person(reason: str, **facts: Any) -> CheckAnswer:
    """Return the answer that a person must judge the facts."""
    return CheckAnswer(AutomaticVerdict.PERSON, reason, facts)


def unknown(reason: str, **facts: Any) -> CheckAnswer:
    """Return the answer that the requirement can't be judged, because some data is not synced."""
    return CheckAnswer(AutomaticVerdict.UNKNOWN, reason, facts)
