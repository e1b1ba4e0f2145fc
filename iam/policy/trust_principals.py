"""Parses the principals that a trust policy names, and names AWS services in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from iam.policy.statements import as_list

ACCOUNT = re.compile(r"(?:arn:[^:]*:iam::)?([0-9]{12})(?::root)?")
PRINCIPAL_ARN = re.compile(r"arn:[^:]*:(iam|sts)::([0-9]{12}):([a-z-]+)/(.+)")
UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
PROVIDER_ARN = re.compile(r"arn:[^:]*:iam::([0-9]{12}):(saml-provider|oidc-provider)/(.+)")

SERVICES: Mapping[str, tuple[str, str]] = {
    "apigateway": ("Amazon API Gateway", ""),
    "autoscaling": ("Amazon EC2 Auto Scaling", ""),
    "backup": ("AWS Backup", ""),
    "batch": ("AWS Batch", ""),
    "bedrock": ("Amazon Bedrock", ""),
    "cloudformation": ("AWS CloudFormation", "for stacks that use this role"),
    "cloudtrail": ("AWS CloudTrail", ""),
    "codebuild": ("AWS CodeBuild", "for projects that use this role"),
    "codedeploy": ("AWS CodeDeploy", ""),
    "codepipeline": ("AWS CodePipeline", "for pipelines that use this role"),
    "config": ("AWS Config", ""),
    "delivery.logs": ("Amazon CloudWatch Logs delivery", ""),
    "dms": ("AWS Database Migration Service", ""),
    "ec2": ("Amazon EC2", "for instances that have this role in their instance profile"),
    "ecs": ("Amazon ECS", ""),
    "ecs-tasks": ("Amazon ECS", "for tasks that use this role"),
    "edgelambda": ("Lambda@Edge", "for functions that use this role"),
    "eks": ("Amazon EKS", "for clusters that use this role"),
    "eks-fargate-pods": ("Amazon EKS on Fargate", "for pods of profiles that use this role"),
    "elasticmapreduce": ("Amazon EMR", ""),
    "events": ("Amazon EventBridge", "for rules that use this role"),
    "firehose": ("Amazon Data Firehose", ""),
    "glue": ("AWS Glue", "for jobs and crawlers that use this role"),
    "lambda": ("AWS Lambda", "for functions that use this role"),
    "logs": ("Amazon CloudWatch Logs", ""),
    "monitoring.rds": ("Amazon RDS monitoring", ""),
    "opensearchservice": ("Amazon OpenSearch Service", ""),
    "pods.eks": ("Amazon EKS Pod Identity", "for pods that are associated with this role"),
    "rolesanywhere": ("IAM Roles Anywhere", "for certificates of its trust anchors"),
    "rds": ("Amazon RDS", ""),
    "redshift": ("Amazon Redshift", "for clusters that use this role"),
    "s3": ("Amazon S3", ""),
    "sagemaker": ("Amazon SageMaker", "for resources that use this role"),
    "scheduler": ("Amazon EventBridge Scheduler", "for schedules that use this role"),
    "spotfleet": ("Amazon EC2 Spot Fleet", ""),
    "ssm": ("AWS Systems Manager", ""),
    "states": ("AWS Step Functions", "for state machines that use this role"),
    "support": ("AWS Support", ""),
    "transfer": ("AWS Transfer Family", ""),
    "vpc-flow-logs": ("Amazon VPC flow logs", ""),
}


@dataclass(frozen=True, slots=True)
class TrustPrincipal:
    """A principal named in a trust policy. `kind` is anybody, account, user, role, session, federated-user,
    deleted, service, saml, web or unknown.

    `text` is the value in the document, `name` is the name within the account (or of a provider), and
    `account_id` is empty if no account is named.
    """

    kind: str
    text: str
    name: str = ""
    account_id: str = ""


def read_principals(element: object) -> Iterator[TrustPrincipal]:
    """Yield the principals of a Principal element in order. Raises ValueError if it has an invalid shape."""
    if element == "*":
        yield TrustPrincipal("anybody", "*")
        return
    if not isinstance(element, Mapping):
        raise ValueError("Principal isn’t * or a JSON object")
    for sort, named in element.items():
        for item in as_list(named):
            yield _read(str(sort), item)


def _read(sort: str, value: Any) -> TrustPrincipal:
    text = str(value)
    if sort == "Service":
        return TrustPrincipal("service", text, name=text)
    if sort == "Federated":
        return _federated(text)
    return _aws(text) if sort == "AWS" else TrustPrincipal("unknown", f"{sort}: {text}", name=text)


def _federated(text: str) -> TrustPrincipal:
    match = PROVIDER_ARN.fullmatch(text)
    if match:
        kind = "saml" if match[2] == "saml-provider" else "web"
        return TrustPrincipal(kind, text, name=match[3], account_id=match[1])
    return TrustPrincipal("web", text, name=text)


def _aws(text: str) -> TrustPrincipal:
    if text == "*":
        return TrustPrincipal("anybody", text)
    if match := ACCOUNT.fullmatch(text):
        return TrustPrincipal("account", text, account_id=match[1])
    if match := PRINCIPAL_ARN.fullmatch(text):
        kinds = {
            "user": "user",
            "role": "role",
            "assumed-role": "session",
            "federated-user": "federated-user",
        }
        return TrustPrincipal(kinds.get(match[3], "unknown"), text, name=match[4], account_id=match[2])
    if UNIQUE_ID.fullmatch(text):
        return TrustPrincipal("deleted", text, name=text)
    return TrustPrincipal("unknown", text, name=text)


def service_name(host: str) -> tuple[str, str]:
    """Return the name of a service principal and its use: ('AWS Lambda', 'for functions that use this role').
    An unknown service keeps its own name.

    Some services have a principal per Region, such as `states.eu-west-1.amazonaws.com`.
    """
    short = re.sub(r"\.amazonaws\.com(\.cn)?$", "", host)
    region = re.search(r"\.([a-z]{2}(?:-[a-z]+)+-[0-9])$", short)
    if region:
        short = short[: region.start()]
    if short not in SERVICES:
        return host, ""
    name, purpose = SERVICES[short]
    return (f"{name} in {region[1]}" if region else name), purpose
