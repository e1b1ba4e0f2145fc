"""A managed policy is attached to a user."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import detach_all
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import POLICIES, USERS


class PolicyAttachedToUser(FindingRule):
    """One finding for each user. Users whose keys Gatehouse uses are left out, because Gatehouse required
    their policies.
    """

    kind = "policy-attached-to-user"
    severity = FindingSeverity.LOW
    title = "Policy attached to a user"
    sentence = "A managed policy is attached to an IAM user instead of a group."
    risk = "Rights of single users are overlooked when someone changes their job."
    remedy = "Attach the policy to a group, add the user to it, and detach it from the user."
    fix_request = FixRequest("Detach policies", detach_all)
    sections = (USERS, POLICIES)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user in facts.managed_users:
            attached = facts.attached.get(user.id)
            if attached and (policies := facts.arns(tuple(attached))):
                evidence = {"policies": list(policies)}
                yield RuleProblem(
                    user, evidence, related=policies, fix=FindingFix("detach", user.id, policies[0])
                )
