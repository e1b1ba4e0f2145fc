"""A role accepts SAML assertions that were issued for another service."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import admits, trust_evidence, trusted
from iam.audit.findings.trust_fixes import require_sign_in_audience
from iam.mirror.pull.sections import ROLES

SAML: Final = "sts:AssumeRoleWithSAML"
OTHER_AUDIENCE: Final = "https://someone-else.example/saml"


class SamlWithoutAudience(FindingRule):
    """The AWS console and tools send the URL of the AWS sign-in page as the audience."""

    kind = "saml-without-audience"
    severity = FindingSeverity.MEDIUM
    title = "SAML trust without an audience condition"
    sentence = "A role that trusts a SAML provider has no condition on the audience."
    risk = "An assertion that the provider made for another service can be used to act as the role."
    remedy = "Add a condition on SAML:aud with https://signin.aws.amazon.com/saml."
    fix_request = FixRequest("Add condition", require_sign_in_audience)
    sections = (ROLES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for role in facts.roles:
            providers = {p.text for p in trusted(role, facts) if p.kind == "saml"}
            for provider in sorted(providers):
                context = {"SAML:aud": OTHER_AUDIENCE}
                if admits(role, facts, provider, action=SAML, context=context) is not None:
                    evidence = trust_evidence(role, facts, provider)
                    yield RuleProblem(role, evidence, cause=provider[-64:], fix=FindingFix("trust", role.id))
