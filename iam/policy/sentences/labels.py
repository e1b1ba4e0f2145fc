"""The names of services and resource types in sentences. Without side effects."""

from __future__ import annotations

from typing import Final

from iam.policy.catalogue import AccessLevel, catalogue

SERVICES: Final = {
    "autoscaling": "EC2 Auto Scaling",
    "ce": "Cost Explorer",
    "cloudformation": "CloudFormation",
    "ecr": "ECR",
    "ecs": "ECS",
    "eks": "EKS",
    "elasticloadbalancing": "Elastic Load Balancing",
    "es": "OpenSearch",
    "execute-api": "API Gateway",
    "apigateway": "API Gateway",
    "iam": "IAM",
    "kms": "KMS",
    "logs": "CloudWatch Logs",
    "rds-db": "RDS databases",
    "sso": "IAM Identity Center",
    "sts": "STS",
}
"""Common names, where the published title is long or, for CloudFormation and API Gateway, that of a related
service.
"""

TYPES: Final = {
    ("autoscaling", "autoScalingGroup"): ("Auto Scaling group", "Auto Scaling groups"),
    ("cloudfront", "distribution"): ("CloudFront distribution", "CloudFront distributions"),
    ("cloudwatch", "dashboard"): ("CloudWatch dashboard", "CloudWatch dashboards"),
    ("dynamodb", "index"): ("DynamoDB index", "DynamoDB indexes"),
    ("ec2", "instance"): ("EC2 instance", "EC2 instances"),
    ("iam", "mfa"): ("MFA device", "MFA devices"),
    ("iam", "user"): ("IAM user", "IAM users"),
    ("iam", "role"): ("role", "roles"),
    ("iam", "group"): ("group", "groups"),
    ("iam", "policy"): ("policy", "policies"),
    ("kms", "alias"): ("KMS alias", "KMS aliases"),
    ("logs", "log-group"): ("log group", "log groups"),
    ("rds", "db"): ("RDS database", "RDS databases"),
    ("rds-db", "db-user"): ("database user", "database users"),
    ("secretsmanager", "Secret"): ("secret", "secrets"),
    ("ssm", "document"): ("Systems Manager document", "Systems Manager documents"),
    ("ssm", "parameter"): ("parameter", "parameters"),
    ("ssm", "session"): ("Session Manager session", "Session Manager sessions"),
    ("sts", "role"): ("role", "roles"),
}
"""Singular and plural by (service of the ARN, resource type)."""
MAKERS: Final = ("Amazon ", "AWS ")


def service_name(prefix: str) -> str:
    """Return the common name of a service, such as "S3" or "Lambda", or the prefix if AWS publishes none."""
    if not prefix:
        return "several services"
    name = SERVICES.get(prefix)
    if name:
        return name
    title = catalogue().title(prefix)
    for maker in MAKERS:
        title = title.removeprefix(maker)
    return title


def type_names(service: str, kind: str) -> tuple[str, str]:
    """Return singular and plural of a resource type, such as "SQS queue" and "SQS queues"."""
    names = TYPES.get((service, kind))
    if names:
        return names
    single = f"{service_name(service)} {kind.replace('-', ' ')}"
    if single.endswith("y") and single[-2:-1] not in "aeiou":
        return single, f"{single[:-1]}ies"
    return single, f"{single}s"


NOT_PERMISSIONS: Final = frozenset({"rds-db:connect"})
"""Actions that AWS lists under permissions management although they only sign in to a database."""


def level_of(action: str) -> AccessLevel | None:
    """Return the access level under which sentences count an action, or None for an unknown one."""
    return AccessLevel.WRITE if action in NOT_PERMISSIONS else catalogue().level(action)
