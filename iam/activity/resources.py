"""Finds the resource of a call in its event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

from iam.activity.callers import ARN_LENGTH, text_of

PARTITIONS: Final = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"))
IAM_PARAMETERS: Final = (
    ("groupName", "arn:{partition}:iam::{account}:group/{}"),
    ("instanceProfileName", "arn:{partition}:iam::{account}:instance-profile/{}"),
    ("userName", "arn:{partition}:iam::{account}:user/{}"),
    ("roleName", "arn:{partition}:iam::{account}:role/{}"),
    ("policyArn", "{}"),
    ("policyName", "arn:{partition}:iam::{account}:policy/{}"),
    ("serialNumber", "{}"),
)
"""The parameter that names the resource on which IAM authorizes a call with several: AddUserToGroup on the
group, AttachUserPolicy on the user. Source: "Actions, resources, and condition keys for AWS Identity and
Access Management", https://docs.aws.amazon.com/service-authorization/latest/reference/
"""
PARAMETERS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "sts": (("roleArn", "{}"),),
    "lambda": (("functionName", "arn:{partition}:lambda:{region}:{account}:function:{}"),),
    "kms": (("keyId", "arn:{partition}:kms:{region}:{account}:key/{}"),),
    "secretsmanager": (("secretId", "arn:{partition}:secretsmanager:{region}:{account}:secret:{}"),),
    "dynamodb": (("tableName", "arn:{partition}:dynamodb:{region}:{account}:table/{}"),),
    "sqs": (("queueUrl", "{}"),),
    "sns": (("topicArn", "{}"),),
    "logs": (("logGroupName", "arn:{partition}:logs:{region}:{account}:log-group:{}"),),
    "ssm": (
        ("name", "arn:{partition}:ssm:{region}:{account}:parameter/{}"),
        ("documentName", "arn:{partition}:ssm:{region}:{account}:document/{}"),
        ("target", "{}"),
    ),
    "ec2": (("instanceId", "arn:{partition}:ec2:{region}:{account}:instance/{}"),),
    "cloudtrail": (("name", "arn:{partition}:cloudtrail:{region}:{account}:trail/{}"),),
    "rds": (("dBInstanceIdentifier", "arn:{partition}:rds:{region}:{account}:db:{}"),),
    "organizations": (("policyId", "{}"), ("targetId", "{}"), ("accountId", "{}")),
}
"""Per service, the parameters that name the resource, best first, with a template for the ARN. IAM names in
events have no path, so the ARN of an entity with a path differs, and is found by name.
"""
QUEUE_URL: Final = re.compile(r"https?://[^/]+/([0-9]{12})/([\w.-]+)", re.ASCII)
"""The URL of a queue in calls, with the account and the name after the host."""


@lru_cache(maxsize=100)
def partition_of(region: str) -> str:
    """Return the partition of a Region."""
    return next((name for start, name in PARTITIONS if region.startswith(start)), "aws")


def resource_of(service: str, record: Mapping[str, Any], account: str, region: str) -> str:
    """Return the ARN of the main resource, or its ID if the call has only that, or an empty string."""
    parameters = record.get("requestParameters")
    if service == "s3" and isinstance(parameters, dict):
        return _in_bucket(parameters, partition_of(region))
    if isinstance(parameters, dict):
        for name, template in IAM_PARAMETERS if service == "iam" else PARAMETERS.get(service, ()):
            if value := text_of(parameters.get(name), 1024):
                if value.startswith("arn:"):
                    return value
                place = {"partition": partition_of(region), "account": account, "region": region}
                if service == "sqs" and (queue := QUEUE_URL.fullmatch(value)):
                    owner, queue_name = queue.groups()
                    return f"arn:{place['partition']}:sqs:{region}:{owner}:{queue_name}"
                if service == "kms" and value.startswith("alias/"):
                    template = template.removesuffix("key/{}") + "{}"
                return template.format(value.lstrip("/"), **place)[:ARN_LENGTH]
    return _listed(record.get("resources"))


def _in_bucket(parameters: Mapping[str, Any], partition: str) -> str:
    bucket = text_of(parameters.get("bucketName"), 256)
    key = text_of(parameters.get("key"), 1024)
    if not bucket:
        return ""
    return f"arn:{partition}:s3:::{bucket}/{key}" if key else f"arn:{partition}:s3:::{bucket}"


def _listed(resources: Any) -> str:
    """Return the first ARN in the record's list of resources."""
    if isinstance(resources, list):
        for resource in resources:
            if isinstance(resource, dict) and (arn := text_of(resource.get("ARN"), ARN_LENGTH)):
                return arn
    return ""
