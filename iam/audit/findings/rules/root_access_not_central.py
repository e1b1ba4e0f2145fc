"""The root credentials of member accounts are not managed centrally."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.aws.reads.organization import ROOT_CREDENTIALS
from iam.mirror.pull.sections import ORGANIZATION, ROOT_ACCESS


class RootAccessNotCentral(FindingRule):
    """Covers management accounts. AWS doesn't show the setting to member accounts, so nothing is reported for
    them.
    """

    kind = "root-access-not-central"
    severity = FindingSeverity.MEDIUM
    title = "Root credentials of member accounts aren’t managed centrally"
    sentence = "The organization doesn’t manage the root credentials of its member accounts centrally."
    risk = (
        "Each member account keeps a root user that no policy of the account limits, with a password and "
        "perhaps keys of its own."
    )
    remedy = (
        "In IAM of the management account, turn on central root access, then remove the root credentials of "
        "the member accounts."
    )
    no_request = "It is a setting of the whole organization, which Gatehouse reads and doesn’t change."
    sections = (ORGANIZATION, ROOT_ACCESS)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        organization = facts.values.get("organization")
        if not organization or organization["ManagementAccountId"] != facts.number:
            return
        root_access = facts.values.get(ROOT_ACCESS)
        if root_access is None:
            yield NotRead(None)
        elif ROOT_CREDENTIALS not in root_access["EnabledFeatures"]:
            turned_on = ", ".join(root_access["EnabledFeatures"]) or "None"
            yield RuleProblem(None, {"organization": organization["Id"], "features": turned_on})
