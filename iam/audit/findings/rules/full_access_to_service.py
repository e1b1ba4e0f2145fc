"""Someone has full access to KMS, CloudTrail or AWS Marketplace."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Final, NamedTuple

from iam.audit.findings.effect import effect_of
from iam.audit.findings.facts import AccountFacts
from iam.audit.findings.fix_request import FixRequest
from iam.audit.findings.holder_rules import SECTIONS, problem_of
from iam.audit.findings.models import FindingSeverity
from iam.audit.findings.policy_fixes import without_actions
from iam.audit.findings.rule import FindingRule, NotRead, RuleProblem
from iam.audit.findings.statements import AllowStatement, first


class SensitiveService(NamedTuple):
    """A service for which full access is a finding. `action` on `resource` is evaluated to prove that the
    policy is effective. `reason` says why the finding is conditional; "" if it is certain.
    """

    action: str
    resource: str
    reason: str = ""


SERVICES: Final[Mapping[str, SensitiveService]] = {
    "kms": SensitiveService(
        "kms:ScheduleKeyDeletion",
        "arn:{partition}:kms:us-east-1:{account}:key/00000000-0000-0000-0000-000000000000",
        "key policies aren’t synced",
    ),
    "cloudtrail": SensitiveService(
        "cloudtrail:StopLogging", "arn:{partition}:cloudtrail:us-east-1:{account}:trail/gatehouse-any-trail"
    ),
    "aws-marketplace": SensitiveService("aws-marketplace:Subscribe", "*"),
}


def _is_all_of_service(action: str) -> bool:
    return action in {f"{service}:*" for service in SERVICES}


def _gives_all(statement: AllowStatement) -> bool:
    return (
        statement.is_everything and not statement.is_not and any(map(_is_all_of_service, statement.actions))
    )


class FullAccessToService(FindingRule):
    """Covers services that can be used to harm a whole organization."""

    kind = "full-access-to-service"
    severity = FindingSeverity.MEDIUM
    title = "Full access to a sensitive service"
    sentence = "A policy allows every action of KMS, CloudTrail or AWS Marketplace on every resource."
    risk = "Anyone who has it can delete keys, stop the trail, or buy at the company’s cost."
    remedy = "Name the actions and resources that are needed."
    fix_request = FixRequest("Remove actions", without_actions(_gives_all, _is_all_of_service))
    sections = SECTIONS

    def find(self, facts: AccountFacts) -> Iterator[RuleProblem | NotRead]:
        for policy in facts.policies:
            text = facts.documents.get(policy.digest, "")
            for service, about in SERVICES.items():
                statement = None if policy.is_aws_managed else first(text, _gives_all_of(service))
                if statement is None:
                    continue
                resource = about.resource.format(partition=facts.partition, account=facts.number)
                effect = effect_of(policy, facts, about.action, resource)
                if effect is not None:
                    reasons = (*effect.reasons, about.reason) if about.reason else effect.reasons
                    problem = problem_of(policy, statement, effect._replace(reasons=reasons), facts)
                    evidence = {**problem.evidence, "service": service}
                    cause = f"{policy.cause} {service}".strip()
                    yield problem._replace(evidence=evidence, cause=cause)


@cache
def _gives_all_of(service: str) -> Callable[[AllowStatement], bool]:
    wanted = f"{service}:*"
    return lambda statement: statement.is_everything and not statement.is_not and wanted in statement.actions
