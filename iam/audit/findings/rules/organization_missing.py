"""The account belongs to no organization."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.mirror.pull.sections import ORGANIZATION


class OrganizationMissing(FindingRule):
    """Every account can read from AWS whether it belongs to an organization."""

    kind = "organization-missing"
    severity = FindingSeverity.LOW
    title = "No organization"
    sentence = "The account belongs to no organization in AWS Organizations."
    risk = (
        "Nothing limits the root user and the administrators of the account, and no one sees it from outside."
    )
    remedy = "Invite the account into your organization, or create one, then attach SCPs to it."
    no_request = "An account joins an organization by an invitation, which Gatehouse doesn’t send."
    sections = (ORGANIZATION,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        if not facts.values.get("organization"):
            yield RuleProblem(None, {"organization": None})
