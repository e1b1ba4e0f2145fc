"""Someone can do what an assertion reserves for others."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.assertions.evaluation import AssertionBreach, judge
from iam.audit.findings.effect import reasons_of
from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import MAX_RELATED, FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import AUTHORIZATION

MAX_SHOWN = 20


class AssertionBroken(FindingRule):
    """One finding for each assertion that is broken in the account."""

    kind = "assertion-broken"
    severity = FindingSeverity.HIGH
    title = "Broken assertion"
    sentence = "An IAM user or role can do what an assertion leaves to others."
    risk = "Access that your organization ruled out exists."
    remedy = "Remove the access of those who break the assertion, or request to change the assertion."
    no_request = "Whether the access or the assertion is wrong is for its owner to decide."
    sections = AUTHORIZATION

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        if facts.index is None:
            return
        for assertion in facts.assertions:
            if not assertion.terms.covers(facts.number):
                continue
            subject = EntityFact(0, f"assertion {assertion.key}", "assertion", assertion.name, "")
            judgment = judge(facts.index, facts.number, assertion.terms)
            if not judgment.breaches:
                if judgment.unread:
                    yield NotRead(subject)
                continue
            is_sure = any(breach.is_sure for breach in judgment.breaches)
            yield RuleProblem(
                subject,
                {"assertion": assertion.name, "broken_by": _lines(judgment.breaches)},
                related=tuple(breach.arn for breach in judgment.breaches)[:MAX_RELATED],
                affected=len(judgment.breaches),
                reasons=reasons_of(facts, is_sure=is_sure),
                fix=FindingFix(page="assertion", policy=assertion.key),
            )


def _lines(breaches: tuple[AssertionBreach, ...]) -> list[dict[str, str]]:
    """Return the principals that break the assertion, each with the statement that allows it; at most
    MAX_SHOWN.
    """
    lines = []
    for breach in breaches[:MAX_SHOWN]:
        line = {"arn": breach.arn, "action": breach.action, "resource": breach.resource}
        lines.append(line | {"policy": breach.policy, "statement": breach.statement})
    return lines
