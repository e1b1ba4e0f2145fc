"""Judges the requirements of a framework for one account, or for Gatehouse itself. Pure.

Findings and checks of a requirement are judged one by one, and the worst result counts. What could not be
judged is unknown, never passed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from iam.audit.findings.rules import all_rules
from iam.audit.frameworks.checks.case import (
    ACCOUNT_CHECKS,
    INSTALLATION_CHECKS,
    AccountCase,
    CheckAnswer,
    InstallationFacts,
)
from iam.audit.frameworks.definitions import ControlFramework, FrameworkRequirement
from iam.audit.frameworks.terms import WORST_FIRST, AutomaticVerdict, worst
from iam.phrases import counted

Verdict = AutomaticVerdict
MAX_REASONS: Final = 4
OUTSIDE: Final = "No user, group, role or policy of the account belongs to the scope."
"""A scope whose tags and paths match nothing must not count as passed."""


class FindingRef(NamedTuple):
    """A finding that counts against a requirement.

    `id` is that of the stored finding, or its key if a past finding is not stored. `is_sure` is False if it
    is conditional or its data was not synced lately.
    """

    id: int | str
    key: str
    kind: str
    is_sure: bool = True


@dataclass(frozen=True, slots=True)
class RequirementPart:
    """The contribution of one account, or of Gatehouse itself (account ""), to a requirement.

    `failing` are the keys of failures, to which exceptions refer. With `is_settled`, no person needs to judge
    as well.
    """

    verdict: AutomaticVerdict
    reasons: tuple[str, ...] = ()
    findings: tuple[FindingRef, ...] = ()
    failing: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    is_settled: bool = False


Parts = Mapping[str, RequirementPart]


def account_parts(
    framework: ControlFramework, case: AccountCase, findings: Iterable[FindingRef], unread: Collection[str]
) -> Parts:
    """The part of an account in each requirement judged by findings or checks of accounts.

    `unread` are kinds of findings that could not be judged.
    """
    by_kind: dict[str, list[FindingRef]] = {}
    for finding in findings:
        by_kind.setdefault(finding.kind, []).append(finding)
    if case.arns.arns is not None and not case.arns.arns:
        return same_parts(framework, Verdict.PERSON, OUTSIDE)
    answers: dict[str, CheckAnswer] = {}
    parts = {}
    for requirement in framework.requirements:
        names = [name for name in requirement.checks if name in ACCOUNT_CHECKS]
        for name in names:
            if name not in answers:
                answers[name] = ACCOUNT_CHECKS[name].answer(case)
        if names or requirement.findings:
            chosen = {name: answers[name] for name in names}
            parts[requirement.number] = _part(requirement, chosen, by_kind, unread)
    return parts


def same_parts(framework: ControlFramework, verdict: AutomaticVerdict, reason: str) -> Parts:
    """The same part for each requirement judged by findings or checks of accounts."""
    part = RequirementPart(verdict, (reason,))
    parts = {}
    for requirement in framework.requirements:
        if requirement.findings or any(name in ACCOUNT_CHECKS for name in requirement.checks):
            parts[requirement.number] = part
    return parts


def installation_parts(framework: ControlFramework, facts: InstallationFacts) -> Parts:
    """The part of Gatehouse itself in each requirement judged by its checks."""
    parts = {}
    for requirement in framework.requirements:
        names = [name for name in requirement.checks if name in INSTALLATION_CHECKS]
        if names:
            answers = {name: INSTALLATION_CHECKS[name].judge(facts) for name in names}
            parts[requirement.number] = _joined(answers, [], [])
    return parts


def _part(
    requirement: FrameworkRequirement,
    answers: Mapping[str, CheckAnswer],
    by_kind: Mapping[str, list[FindingRef]],
    unread: Collection[str],
) -> RequirementPart:
    judged: list[tuple[AutomaticVerdict, str]] = []
    findings: list[FindingRef] = []
    for kind in requirement.findings:
        refs = by_kind.get(kind, [])
        findings.extend(refs)
        judged.append(_of_kind(all_rules()[kind].title, refs, is_unread=kind in unread))
    return _joined(answers, judged, findings)


def _of_kind(title: str, refs: list[FindingRef], *, is_unread: bool) -> tuple[AutomaticVerdict, str]:
    """The verdict and reason from findings of one kind."""
    sure = sum(ref.is_sure for ref in refs)
    if sure:
        return Verdict.FAILED, f"{title}: {counted(sure, 'finding')}."
    if is_unread:
        return Verdict.UNKNOWN, f"{title}: can’t be judged, since something wasn’t synced."
    if refs:
        return Verdict.PERSON, f"{title}: {counted(len(refs), 'finding')} that depend on conditions."
    return Verdict.PASSED, f"No finding “{title}”."


def _joined(
    answers: Mapping[str, CheckAnswer],
    judged: list[tuple[AutomaticVerdict, str]],
    findings: list[FindingRef],
) -> RequirementPart:
    facts = {}
    failing = [ref.key for ref in findings if ref.is_sure]
    judged = [*((answer.verdict, answer.reason) for answer in answers.values()), *judged]
    for name, answer in answers.items():
        facts[name] = {"says": answer.reason, "verdict": answer.verdict.value, **answer.facts}
        failing.extend(f"{name}:{item}" for item in answer.failing)
        if answer.verdict is Verdict.FAILED and not answer.failing:
            failing.append(name)
    judged.sort(key=lambda pair: WORST_FIRST.index(pair[0]))
    verdict = worst(verdict for verdict, _ in judged)
    is_settled = bool(answers) and all(answer.settles for answer in answers.values())
    return RequirementPart(
        verdict, _first_reasons(judged), tuple(findings), tuple(failing), facts, is_settled
    )


def _first_reasons(judged: Sequence[tuple[AutomaticVerdict, str]]) -> tuple[str, ...]:
    """Return the first reasons. If some that are not good are left out, the last one says how many."""
    reasons = [reason for _, reason in judged[:MAX_REASONS]]
    verdicts = [verdict for verdict, _ in judged[MAX_REASONS:]]
    if left_out := len(verdicts) - verdicts.count(Verdict.PASSED):
        reasons.append(f"And {counted(left_out, 'more reason')}.")
    return tuple(reasons)
