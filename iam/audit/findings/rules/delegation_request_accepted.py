"""A delegation request was accepted."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.delegations import ACCEPTED, delegation_evidence, delegations, gives_administration
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import DELEGATION_REQUESTS


class DelegationRequestAccepted(FindingRule):
    """The finding ends when the request expires, seven days after its last change. A request that allows
    administration is high, because roles created with it remain.
    """

    kind = "delegation-request-accepted"
    severity = FindingSeverity.MEDIUM
    title = "Delegation request accepted"
    sentence = (
        "A company that isn’t part of the account was allowed to act in it; one that can change IAM is high."
    )
    risk = (
        "The company acts as the person who accepted, with what the request allows. What it creates "
        "meanwhile, such as roles, stays."
    )
    remedy = (
        "Check that the request was agreed, then look in the activity and among the roles for what was "
        "created. As long as the token wasn’t sent, IAM lets you reject the request."
    )
    no_request = "AWS takes back only what wasn’t sent yet, and only in IAM."
    sections = (DELEGATION_REQUESTS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for request in delegations(facts, states=ACCEPTED):
            is_worse = gives_administration(request, facts)
            severity = FindingSeverity.HIGH if is_worse else None
            yield RuleProblem(request, delegation_evidence(request, facts), severity=severity)
