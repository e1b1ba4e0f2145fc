"""A role trusts every branch and every pull request of a repository."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import condition_values, trust_evidence
from iam.audit.findings.trust_fixes import require_branch
from iam.audit.findings.web_trust import admits_token, usual_audience, web_principals
from iam.mirror.pull.sections import ROLES
from iam.policy.trust_web import GITHUB

REPOSITORY: Final = re.compile(r"repo:([^:/]+/[^:]+)")


class OidcAnyBranch(FindingRule):
    """Covers GitHub Actions."""

    kind = "oidc-any-branch"
    severity = FindingSeverity.MEDIUM
    title = "GitHub trust open to every branch and pull request"
    sentence = "A role for GitHub Actions lets in every branch and every pull request to a repository."
    risk = "Anyone who can open a pull request or push a branch can act as the role."
    remedy = "Name the branch or the environment in the subject condition."
    fix_request = FixRequest("Limit to main", require_branch)
    sections = (ROLES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for role in facts.roles:
            for principal in web_principals(role, facts):
                if principal.name != GITHUB:
                    continue
                values = condition_values(role, facts)
                audience = usual_audience(values, GITHUB)
                for repository in _repositories(values.get(f"{GITHUB}:sub", [])):
                    named = repository.replace("*", "any").replace("?", "x")
                    claims = {"sub": f"repo:{named}:pull_request", "aud": audience}
                    if admits_token(role, facts, principal, claims):
                        evidence = {"repository": repository, **trust_evidence(role, facts, principal.text)}
                        yield RuleProblem(role, evidence, cause=repository, fix=FindingFix("trust", role.id))


def _repositories(subjects: list[str]) -> list[str]:
    matches = [REPOSITORY.match(subject) for subject in subjects if subject.endswith("*")]
    return sorted({match[1] for match in matches if match})
