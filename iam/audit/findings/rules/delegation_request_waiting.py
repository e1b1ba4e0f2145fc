"""A delegation request is not answered yet."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.delegations import WAITING, delegation_evidence, delegations
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import DELEGATION_REQUESTS


class DelegationRequestWaiting(FindingRule):
    """The request gives no access yet. AWS lists only requests with an owner, and they expire after seven
    days.
    """

    kind = "delegation-request-waiting"
    severity = FindingSeverity.LOW
    title = "Delegation request waits for an answer"
    sentence = "A company that isn’t part of the account requests to act in it, and no one has answered."
    risk = "Someone who accepts it without looking lets that company act as themselves, with what it lists."
    remedy = (
        "In IAM, open the request, compare what it allows with what was agreed, then accept or reject it."
    )
    no_request = "Its owner, or the administrator who got it from them, answers it in AWS."
    sections = (DELEGATION_REQUESTS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for request in delegations(facts, states=WAITING):
            yield RuleProblem(request, delegation_evidence(request, facts))
