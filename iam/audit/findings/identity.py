"""Turns problems into findings, with a stable identity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from iam.audit.findings.credential_rule import CredentialRule, judged_until
from iam.audit.findings.facts import AccountFacts, CredentialFact, EntityFact
from iam.audit.findings.models import FindingCertainty
from iam.audit.findings.rule import FindingFix, FindingRule, RuleProblem
from iam.search_words import folded

SEPARATOR = "\x1f"
KEYS_KEPT: Final = 100_000
_stamped: dict[str, tuple[RuleProblem, str]] = {}
"""Cached stamps by key, since almost every problem is unchanged after a single change."""
USERS_KEPT: Final = 50_000
_judged: dict[tuple[str, int], JudgedUser] = {}
"""Cached results of the credential rules, by account and user."""


class ComputedFinding(NamedTuple):
    """A current finding of an account.

    `stamp` is a digest of its content: most findings are unchanged, and their columns need not be read.
    """

    key: str
    stamp: str
    rule: FindingRule
    problem: RuleProblem
    account: str

    @property
    def kind(self) -> str:
        """The kind of finding."""
        return self.rule.kind

    @property
    def values(self) -> dict[str, Any]:
        """The columns of AuditFinding."""
        rule, problem = self.rule, self.problem
        subject = problem.subject
        own = rule.severity if problem.severity is None else problem.severity
        severity = int(own)
        name = subject.name if subject else f"Account {self.account}"
        arn = subject.arn if subject and subject.arn else self.account
        reasons = list(dict.fromkeys(problem.reasons))
        certainty = FindingCertainty.CONDITIONAL if reasons else FindingCertainty.CONFIRMED
        words = (rule.title, rule.kind, name, arn, *problem.related[:100])
        return {
            "kind": rule.kind,
            "entity_id": subject.id if subject and subject.id else None,
            "subject": arn,
            "name": name,
            "cause": problem.cause[:64],
            "severity": severity,
            "certainty": certainty.value,
            "reasons": reasons,
            "evidence": dict(problem.evidence),
            "related": list(problem.related),
            "affected": problem.affected,
            "fix": _fix(problem.fix, rule),
            "search": folded(" ".join(words)),
            "place": f"{severity} {rule.kind} {name.lower()}"[:600],
            "stamp": self.stamp,
        }


@dataclass(frozen=True, slots=True)
class ComputedFindings:
    """All results of the rules for an account.

    Kinds in `unread` could not be judged at all. Neither could (kind, subject) pairs in `unread_subjects`,
    nor findings by key in `unread_keys`.
    """

    findings: dict[str, ComputedFinding]
    unread: frozenset[str]
    unread_subjects: frozenset[tuple[str, str]]
    unread_keys: frozenset[str] = frozenset()


class JudgedUser(NamedTuple):
    """The results of the credential rules for a user, from a moment until another whole day has passed.

    `unread` are the kinds that could not be judged.
    """

    rules: tuple[CredentialRule, ...]
    user: EntityFact
    credential: CredentialFact
    since: datetime
    until: datetime
    findings: tuple[ComputedFinding, ...]
    unread: tuple[str, ...]

    def is_valid(
        self, rules: tuple[CredentialRule, ...], user: EntityFact, credential: CredentialFact, now: datetime
    ) -> bool:
        """True if judging again would give the same."""
        is_same = self.user == user and self.credential == credential and self.rules == rules
        return is_same and self.since <= now < self.until


def compute(rules: Iterable[FindingRule], facts: AccountFacts, *, is_past: bool) -> ComputedFindings:
    """Run every rule."""
    findings: dict[str, ComputedFinding] = {}
    unread, unread_keys, unread_subjects = set[str](), set[str](), set[tuple[str, str]]()
    of_users: list[CredentialRule] = []
    for rule in rules:
        if not facts.complete.issuperset(rule.sections) or (is_past and rule.uses_last_use):
            unread.add(rule.kind)
            continue
        if isinstance(rule, CredentialRule) and not is_past:
            of_users.append(rule)
            continue
        for result in rule.find(facts):
            if isinstance(result, RuleProblem):
                finding = _finding(rule, result, facts.number)
                findings.setdefault(finding.key, finding)
            elif result.subject is None:
                unread.add(rule.kind)
            elif result.subject.arn:
                unread_subjects.add((rule.kind, result.subject.arn))
            else:
                unread_keys.add(key_of(rule.kind, facts.number, result.subject.aws_id, ""))
    for judged in _judged_users(tuple(of_users), facts):
        for finding in judged.findings:
            findings[finding.key] = finding
        for kind in judged.unread:
            unread_subjects.add((kind, judged.user.arn))
    return ComputedFindings(findings, frozenset(unread), frozenset(unread_subjects), frozenset(unread_keys))


def _judged_users(rules: tuple[CredentialRule, ...], facts: AccountFacts) -> Iterator[JudgedUser]:
    """The results for each user. Only users who changed, or are a day older, are judged again."""
    now = facts.now
    if not rules:
        return
    for user, credential in facts.users:
        key = (facts.number, user.id)
        judged = _judged.get(key)
        if judged is None or not judged.is_valid(rules, user, credential, now):
            if len(_judged) >= USERS_KEPT:
                _judged.clear()
            judged = _judged[key] = _judge(rules, user, credential, facts)
        yield judged


def _judge(
    rules: tuple[CredentialRule, ...], user: EntityFact, credential: CredentialFact, facts: AccountFacts
) -> JudgedUser:
    findings: list[ComputedFinding] = []
    unread: list[str] = []
    for rule in rules:
        for result in rule.judge(user, credential, facts.now):
            if isinstance(result, RuleProblem):
                key = key_of(rule.kind, facts.number, user.aws_id, result.cause)
                findings.append(ComputedFinding(key, _stamp(rule, result), rule, result, facts.number))
            else:
                unread.append(rule.kind)
    until = judged_until(user, credential, facts.now)
    return JudgedUser(rules, user, credential, facts.now, until, tuple(findings), tuple(unread))


def forget() -> None:
    """Clear the caches."""
    _stamped.clear()
    _judged.clear()


@lru_cache(maxsize=KEYS_KEPT)
def key_of(kind: str, account: str, subject: str, cause: str) -> str:
    """The identity of a finding; `subject` is AWS's unique id."""
    text = SEPARATOR.join((kind, account, subject, cause))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _finding(rule: FindingRule, problem: RuleProblem, account: str) -> ComputedFinding:
    subject = problem.subject
    aws_id = subject.aws_id if subject else account
    key = key_of(rule.kind, account, aws_id, problem.cause)
    former = _stamped.get(key)
    if former is not None and former[0] == problem:
        # Return the earlier object, so that no equal copy is kept.
        return ComputedFinding(key, former[1], rule, former[0], account)
    stamp = _stamp(rule, problem)
    if len(_stamped) >= KEYS_KEPT:
        _stamped.clear()
    _stamped[key] = (problem, stamp)
    return ComputedFinding(key, stamp, rule, problem, account)


def _stamp(rule: FindingRule, problem: RuleProblem) -> str:
    subject, fix = problem.subject, problem.fix
    named = (subject.id, subject.name, subject.arn) if subject else ()
    form = (fix.action, fix.on, fix.policy, fix.page) if fix else ()
    content = (
        (rule.kind, rule.title, rule.remedy, rule.severity, problem.severity, problem.cause),
        (named, problem.evidence, problem.related, problem.affected, problem.reasons, form),
    )
    return hashlib.blake2b(repr(content).encode(), digest_size=16).hexdigest()


def _fix(fix: FindingFix | None, rule: FindingRule) -> dict[str, Any]:
    """The fix in stored form."""
    kept: dict[str, Any] = {"words": rule.remedy}
    if fix is not None:
        named = {"action": fix.action, "on": fix.on, "policy": fix.policy, "page": fix.page}
        kept |= {name: value for name, value in named.items() if value}
    return kept
