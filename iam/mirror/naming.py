"""What people call things that AWS names tersely: persons behind logins, and who may assume a role."""

from __future__ import annotations

import re
from collections.abc import Mapping

_NAME_TAGS = ("displayname", "fullname", "name")
_PERSONAL = re.compile(r"[^\W\d_]{2,}(-[^\W\d_]+)*([._][^\W\d_]+(-[^\W\d_]+)*)+")
_WORD = re.compile(r"[^\W\d_]+")


def display_name(login: str, tags: Mapping[str, str] | None = None) -> str:
    """The name of whoever has a login: the tag DisplayName, FullName or Name if there is one, else read off the login.

    `maya.okafor` and `maya.okafor@example.com` give Maya Okafor; what is no first and last name stays as it is (`ci-release`).
    """
    if tags:
        told = {key.replace("-", "").replace("_", "").lower(): _plain(value) for key, value in tags.items()}
        for key in _NAME_TAGS:
            if told.get(key):
                return told[key]
    local = login.partition("@")[0]
    if not _PERSONAL.fullmatch(local):
        return login
    return _WORD.sub(lambda m: m.group().capitalize(), re.sub(r"[._]", " ", local))


def _plain(value: str) -> str:
    """A tag as a name on one line: without what cannot be seen and yet changes how the rest is read."""
    return "".join(letter for letter in value if letter.isprintable()).strip()


TRUST_WORDS = {
    "any": "Anyone",
    "oidc": "OpenID Connect",
    "saml": "SAML",
    "cross-account": "Another account",
    "account": "This account",
    "service-linked": "AWS, service-linked",
    "": "Nobody",
}
_SERVICE_WORDS = {
    "apigateway": "API Gateway",
    "application-autoscaling": "Auto Scaling",
    "backup": "AWS Backup",
    "batch": "AWS Batch",
    "cloudformation": "CloudFormation",
    "cloudtrail": "CloudTrail",
    "codebuild": "CodeBuild",
    "codedeploy": "CodeDeploy",
    "codepipeline": "CodePipeline",
    "config": "AWS Config",
    "dms": "DMS",
    "ec2": "EC2",
    "ecs": "ECS",
    "ecs-tasks": "ECS tasks",
    "edgelambda": "Lambda@Edge",
    "eks": "EKS",
    "eks-fargate-pods": "EKS on Fargate",
    "elasticmapreduce": "EMR",
    "events": "EventBridge",
    "firehose": "Firehose",
    "glue": "Glue",
    "iot": "IoT",
    "kinesisanalytics": "Kinesis Analytics",
    "lambda": "Lambda",
    "monitoring": "CloudWatch",
    "monitoring.rds": "RDS monitoring",
    "pipes": "EventBridge Pipes",
    "pods": "EKS pods",
    "rds": "RDS",
    "redshift": "Redshift",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "scheduler": "EventBridge Scheduler",
    "sns": "SNS",
    "ssm": "Systems Manager",
    "states": "Step Functions",
    "transfer": "Transfer Family",
    "vpc-flow-logs": "VPC Flow Logs",
}


def trusted_by(category: str) -> str:
    """Who may assume a role, from the category of its state: `service:ec2` is EC2, `saml` is SAML, "" is Nobody."""
    if category.startswith("service:"):
        name = category.removeprefix("service:")
        return _SERVICE_WORDS.get(name, name)
    return TRUST_WORDS.get(category, category)
