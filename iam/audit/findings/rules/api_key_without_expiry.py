"""An API key of an AWS service never expires."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from iam.audit.findings.credential_fixes import deactivate_api_key
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.rule import FindingFix, FindingRule, NotRead, RuleProblem
from iam.mirror.models import Kind
from iam.mirror.pull.sections import SERVICE_CREDENTIALS, USERS

SERVICES: Final = {"bedrock.amazonaws.com": "Amazon Bedrock", "logs.amazonaws.com": "Amazon CloudWatch Logs"}
"""Services whose long-term API keys can have an expiry. Source: "API keys for AWS services",
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_api_keys_for_aws_services.html
"""


class ApiKeyWithoutExpiry(FindingRule):
    """Covers active keys. Passwords for CodeCommit and Amazon Keyspaces can't have an expiry."""

    kind = "api-key-without-expiry"
    severity = FindingSeverity.MEDIUM
    title = "API key without an end"
    sentence = "An IAM user has an active API key for Amazon Bedrock or CloudWatch Logs that never expires."
    risk = "Anyone who finds the key can use the service for as long as no one deactivates it."
    remedy = "Create a key that expires, put it where the old one is used, then deactivate the old one."
    fix_request = FixRequest("Deactivate key", deactivate_api_key, is_plain=True)
    sections = (USERS, SERVICE_CREDENTIALS)

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        users = {user.name: user for user in facts.of_kind(Kind.USER)}
        for key in facts.of_kind(Kind.SERVICE_CREDENTIAL):
            service = SERVICES.get(key.attrs.get("ServiceName", ""))
            user = users.get(key.attrs.get("UserName", ""))
            if service is None or user is None or key.category != "Active":
                continue
            if key.attrs.get("ExpirationDate") is None:
                evidence = {
                    "api_key": key.aws_id,
                    "service": service,
                    "created": key.created_at.isoformat() if key.created_at else None,
                }
                fix = FindingFix(page="credentials", on=user.id)
                yield RuleProblem(user, evidence, cause=key.aws_id, fix=fix)
