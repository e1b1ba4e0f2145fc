"""A service can use a role on behalf of someone else's account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from iam.audit.findings.data_files import services_with_source
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.audit.findings.trust import (
    OTHER_ORGANIZATION,
    STRANGER,
    admits,
    condition_values,
    trust_evidence,
    trusted,
)
from iam.audit.findings.trust_fixes import require_source_account
from iam.mirror.pull.sections import ROLES
from iam.policy.glob import compile_glob

ACCOUNT_FIELD: Final = 4
"""The place of the account in an ARN."""


def _on_behalf_of_a_stranger(source: str) -> dict[str, object]:
    return {
        "aws:SourceAccount": STRANGER,
        "aws:SourceArn": source,
        "aws:SourceOrgID": OTHER_ORGANIZATION,
        "aws:SourceOrgPaths": [f"{OTHER_ORGANIZATION}/r-0000/"],
    }


def _resources_of_a_stranger(service: str, patterns: Sequence[str]) -> Iterator[str]:
    """Yield ARNs of resources in an account of someone else: any one, and one for each pattern that names no
    account.
    """
    prefix = service.partition(".")[0]
    yield f"arn:aws:{prefix}:us-east-1:{STRANGER}:something/else"
    for pattern in dict.fromkeys(patterns):
        fields = pattern.split(":", ACCOUNT_FIELD + 1)
        if len(fields) == ACCOUNT_FIELD + 2 and compile_glob(fields[ACCOUNT_FIELD])(STRANGER):
            fields[ACCOUNT_FIELD] = STRANGER
            yield ":".join(fields).replace("*", "x").replace("?", "x")


class ConfusedDeputy(FindingRule):
    """Covers only the services in the data file, which send these keys. A condition would lock out other
    services. A condition on aws:SourceArn that names no account limits nothing.
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
            patterns = condition_values(role, facts).get("aws:sourcearn", ())
            for service in sorted(services & services_with_source()):
                contexts = map(_on_behalf_of_a_stranger, _resources_of_a_stranger(service, patterns))
                if any(admits(role, facts, service, context=context) for context in contexts):
                    evidence = trust_evidence(role, facts, service)
                    yield RuleProblem(role, evidence, cause=service, fix=FindingFix("trust", role.id))
