"""What checks look at, what they say, and how they are entered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from iam.audit.findings.facts import NO_VALUES, AccountFacts, CredentialFact, EntityFact
from iam.audit.frameworks.terms import ALL_ARNS, EVERYTHING, AutomaticVerdict, ScopedArns, ScopeTerms
from iam.mirror.pull.sections import LABELS

SHOWN: Final = 50
"""So many names of a list are kept; the count is of all."""


class CheckAnswer(NamedTuple):
    """What a check says. `failing` are ARNs or names. `settles`: no person is needed besides."""

    verdict: AutomaticVerdict
    reason: str
    facts: Mapping[str, Any] = NO_VALUES
    failing: tuple[str, ...] = ()
    settles: bool = False


class ReviewFact(NamedTuple):
    """The last finished access review of a user or role: when management acknowledged it, and who did."""

    name: str
    at: datetime
    acknowledged_by: str
    reference: str = ""


@dataclass(frozen=True, slots=True)
class AccountRecords:
    """What Gatehouse itself knows of an account, besides the mirror. None: unknown.

    `linked` are ARNs of users that are matched to a person; `changes` applied changes of the last 12 months,
    `unapproved` those of them without an approval; `open_drifts` what changed outside of Gatehouse and was
    not decided; `events` CloudTrail events of the last 30 days, `denied_events` denied ones; `reviews` the
    last access review of users and roles by their number; `root_features` the features of central root
    access that the organization of the account has turned on; `networks` the addresses from which each user
    called in the last 30 days, by unique ID, where CloudTrail is known for that time.
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


@dataclass(frozen=True, slots=True)
class AccountCase:
    """An account at a moment, with the scope that is asked about."""

    facts: AccountFacts
    arns: ScopedArns = ALL_ARNS
    terms: ScopeTerms = EVERYTHING
    records: AccountRecords = field(default_factory=AccountRecords)
    is_past: bool = False

    def users(self) -> list[tuple[EntityFact, CredentialFact]]:
        """The users that belong to the scope."""
        return [pair for pair in self.facts.users if self.arns.has(pair[0].arn)]


@dataclass(frozen=True, slots=True)
class InstallationFacts:
    """What Gatehouse knows of itself and of people. None: unknown at that moment.

    `slow_offboardings` are names of people whose access is not proved to be gone a day after it should be;
    `unverified_replacements` those of whom no second person verified the owner of a lost device.
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
    """A check of each account; `sections` must have been synced whole."""

    title: str
    sections: tuple[str, ...]
    judge: AccountJudge

    def answer(self, case: AccountCase) -> CheckAnswer:
        """What it says of an account: unknown where a section was not synced."""
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
    """Enter a check of accounts."""

    def enter(judge: AccountJudge) -> AccountJudge:
        ACCOUNT_CHECKS[name] = AccountCheck(title, sections, judge)
        return judge

    return enter


def installation_check(name: str, title: str) -> Callable[[InstallationJudge], InstallationJudge]:
    """Enter a check of Gatehouse itself."""

    def enter(judge: InstallationJudge) -> InstallationJudge:
        INSTALLATION_CHECKS[name] = InstallationCheck(title, judge)
        return judge

    return enter


def passed(reason: str, *, settles: bool = False, **facts: Any) -> CheckAnswer:
    """It is as required."""
    return CheckAnswer(AutomaticVerdict.PASSED, reason, facts, settles=settles)


def failed(reason: str, *, failing: tuple[str, ...] = (), **facts: Any) -> CheckAnswer:
    """It is not as required."""
    if failing:
        facts["failing"] = list(failing[:SHOWN])
    return CheckAnswer(AutomaticVerdict.FAILED, reason, facts, failing)


def for_person(reason: str, **facts: Any) -> CheckAnswer:
    """Only a person can judge what is shown."""
    return CheckAnswer(AutomaticVerdict.PERSON, reason, facts)


def unknown(reason: str, **facts: Any) -> CheckAnswer:
    """Something was not synced."""
    return CheckAnswer(AutomaticVerdict.UNKNOWN, reason, facts)
