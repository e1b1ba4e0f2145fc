"""A role accepts tokens that were issued for another application."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import trust_evidence
from iam.audit.findings.trust_fixes import require_audience
from iam.audit.findings.web_trust import admits_token, web_principals
from iam.mirror.pull.sections import ROLES

OTHER_AUDIENCE: Final = "https://someone-else.example"


class OidcWithoutAudience(FindingRule):
    """Low, because the client IDs of the provider limit the audience too."""

    kind = "oidc-without-audience"
    severity = FindingSeverity.LOW
    title = "OIDC trust without an audience condition"
    sentence = "A role that trusts an OpenID Connect provider has no condition on the audience."
    risk = "A token that was made for another application of the provider is accepted too."
    remedy = "Add a condition on the audience, such as sts.amazonaws.com."
    fix_request = FixRequest("Add condition", require_audience)
    sections = (ROLES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for role in facts.roles:
            for principal in web_principals(role, facts):
                if admits_token(role, facts, principal, {"aud": OTHER_AUDIENCE}) is not None:
                    evidence = trust_evidence(role, facts, principal.text)
                    yield RuleProblem(role, evidence, cause=principal.name, fix=FindingFix("trust", role.id))
