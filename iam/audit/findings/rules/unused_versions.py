"""A managed policy has as many versions as AWS allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import delete_unused_versions
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import POLICIES

KEPT_BY_AWS: Final = 5


class UnusedVersions(FindingRule):
    """Covers customer managed policies with five versions; four of them are not the default."""

    kind = "unused-versions"
    severity = FindingSeverity.LOW
    title = "Unused policy versions"
    sentence = "A customer managed policy has five versions, as many as AWS keeps, and uses one of them."
    risk = "Anyone who can set the default version can restore rights that were removed on purpose."
    remedy = "Delete the versions that are no longer needed."
    fix_request = FixRequest("Delete unused versions", delete_unused_versions)
    sections = (POLICIES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy in facts.of_kind(Kind.POLICY):
            versions = facts.versions.get(policy.id, [])
            if policy.category == "customer" and len(versions) >= KEPT_BY_AWS:
                unused = sorted(version for version, is_default in versions if not is_default)
                fix = FindingFix("delete-version", policy.id)
                yield RuleProblem(policy, {"unused": unused}, fix=fix)
