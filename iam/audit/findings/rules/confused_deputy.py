"""A service can use a role on behalf of someone else's account."""

from __future__ import annotations

from collections.abc import Iterator

from iam.audit.findings.data_files import services_with_source
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import OTHER_ORGANIZATION, STRANGER, admits, trust_evidence, trusted
from iam.audit.findings.trust_fixes import require_source_account
from iam.mirror.pull.sections import ROLES


def _on_behalf_of_a_stranger(service: str) -> dict[str, object]:
    prefix = service.partition(".")[0]
    return {
        "aws:SourceAccount": STRANGER,
        "aws:SourceArn": f"arn:aws:{prefix}:us-east-1:{STRANGER}:something/else",
        "aws:SourceOrgID": OTHER_ORGANIZATION,
        "aws:SourceOrgPaths": [f"{OTHER_ORGANIZATION}/r-0000/"],
    }


class ConfusedDeputy(FindingRule):
    """Covers only the services in the data file, which send these keys. A condition would lock out other
    services.
    """

    kind = "confused-deputy"
    severity = FindingSeverity.MEDIUM
    title = "Service trust without aws:SourceAccount or aws:SourceArn"
    sentence = (
        "A role lets an AWS service assume it on behalf of any account, though the service tells which."
    )
    risk = "Someone in another account can have the service act with this role."
    remedy = "Add a condition on aws:SourceAccount with this account, or on aws:SourceArn."
    fix_request = FixRequest("Add condition", require_source_account)
    sections = (ROLES,)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for role in facts.roles:
            services = {p.text for p in trusted(role, facts) if p.kind == "service"}
            for service in sorted(services & services_with_source()):
                context = _on_behalf_of_a_stranger(service)
                if admits(role, facts, service, context=context):
                    evidence = trust_evidence(role, facts, service)
                    yield RuleProblem(role, evidence, cause=service, fix=FindingFix("trust", role.id))
