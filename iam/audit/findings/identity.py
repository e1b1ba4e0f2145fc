"""Turns problems into findings, with a stable identity."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingCertainty
from iam.audit.findings.rule import FindingFix, FindingRule, RuleProblem
from iam.search_words import folded

SEPARATOR = "\x1f"
KEYS_KEPT: Final = 100_000
_stamped: dict[str, tuple[RuleProblem, str]] = {}
"""Cached stamps by key, since almost every problem is unchanged after a single change."""


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


def compute(rules: Iterable[FindingRule], facts: AccountFacts, *, is_past: bool) -> ComputedFindings:
    """Run every rule."""
    findings: dict[str, ComputedFinding] = {}
    unread, unread_keys, unread_subjects = set[str](), set[str](), set[tuple[str, str]]()
    for rule in rules:
        if not facts.complete.issuperset(rule.sections) or (is_past and rule.uses_last_use):
            unread.add(rule.kind)
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
    return ComputedFindings(findings, frozenset(unread), frozenset(unread_subjects), frozenset(unread_keys))


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
