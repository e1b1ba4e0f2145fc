"""A user has an inline policy."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import delete_inline_policies
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import USERS


class InlinePolicyOnUser(FindingRule):
    """One finding for each user. Users whose keys Gatehouse uses are left out, because Gatehouse required
    their policies.
    """

    kind = "inline-policy-on-user"
    severity = FindingSeverity.LOW
    title = "Inline policy of a user"
    sentence = "An IAM user has an inline policy."
    risk = "Inline policies are seen only on their user, and are overlooked when someone changes their job."
    remedy = "Give the permissions through a group, then delete the inline policy."
    fix_request = FixRequest("Delete inline policies", delete_inline_policies)
    sections = (USERS,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for user in facts.managed_users:
            if policies := facts.inline.get(user.id):
                names = sorted(name for name, _ in policies)
                yield RuleProblem(
                    user, {"policies": names}, fix=FindingFix("delete-inline", user.id, names[0])
                )
