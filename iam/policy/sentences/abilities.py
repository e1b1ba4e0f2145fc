"""What actions, alone or together, allow, in the words of a service's users. Data.

An ability is only mentioned if all of its `needs` are allowed on the same resources. `with_it` are further
actions that its phrase covers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class PhrasedAbility:
    """An ability: "read" "items in", of the resource type `kind` ("" if the actions have none). Verbs are
    listed in their `order`.
    """

    verb: str
    noun: str
    kind: str
    needs: frozenset[str]
    with_it: frozenset[str]
    order: int


OBJECTS: Final = ""
"""The phrase for S3 objects comes from the place: "objects under s3://…", "the object s3://…"."""

_ROWS: Final = (
    # service, verb, noun, resource type, required actions, further actions that the phrase covers
    (
        "s3",
        "list",
        OBJECTS,
        "object list",
        "ListBucket",
        "GetBucketLocation ListBucketVersions ListBucketMultipartUploads",
    ),
    (
        "s3",
        "read",
        OBJECTS,
        "object",
        "GetObject",
        (
        "GetObjectVersion GetObjectAttributes GetObjectVersionAttributes GetObjectTagging "
        "GetObjectVersionTagging"
        ),
    ),
    ("s3", "write", OBJECTS, "object", "PutObject", "AbortMultipartUpload ListMultipartUploadParts"),
    ("s3", "delete", OBJECTS, "object", "DeleteObject", ""),
    ("s3", "see the Region of", "", "bucket", "GetBucketLocation", ""),
    ("s3", "list", "the buckets of the account", "", "ListAllMyBuckets", ""),
    ("dynamodb", "read", "items in", "table", "GetItem", "BatchGetItem Query Scan DescribeTable"),
    ("dynamodb", "query", "", "index", "Query", "Scan"),
    ("dynamodb", "add and replace", "items in", "table", "PutItem", "BatchWriteItem"),
    ("dynamodb", "update", "items in", "table", "UpdateItem", ""),
    ("dynamodb", "delete", "items in", "table", "DeleteItem", ""),
    ("dynamodb", "list", "the DynamoDB tables of the account", "", "ListTables", ""),
    ("sqs", "send messages to", "", "queue", "SendMessage", "GetQueueUrl"),
    (
        "sqs",
        "receive and delete messages from",
        "",
        "queue",
        "ReceiveMessage DeleteMessage",
        "ChangeMessageVisibility GetQueueAttributes GetQueueUrl",
    ),
    ("sqs", "receive messages from", "", "queue", "ReceiveMessage", "GetQueueAttributes GetQueueUrl"),
    ("sns", "publish messages to", "", "topic", "Publish", "GetTopicAttributes"),
    ("lambda", "invoke", "", "function", "InvokeFunction", ""),
    (
        "lambda",
        "change the code of",
        "",
        "function",
        "UpdateFunctionCode",
        "GetFunction GetFunctionConfiguration ListVersionsByFunction ListAliases GetAlias",
    ),
    ("lambda", "publish versions of", "", "function", "PublishVersion", ""),
    ("lambda", "create and move aliases of", "", "function", "CreateAlias UpdateAlias", ""),
    ("lambda", "list", "the Lambda functions of the account", "", "ListFunctions", "GetAccountSettings"),
    (
        "logs",
        "read",
        "log events in",
        "log-group",
        "FilterLogEvents",
        "GetLogEvents DescribeLogStreams GetLogGroupFields GetLogRecord StartQuery",
    ),
    ("logs", "read", "log events in", "log-stream", "GetLogEvents", ""),
    ("secretsmanager", "read", "", "Secret", "GetSecretValue", "DescribeSecret ListSecretVersionIds"),
    (
        "ssm",
        "read",
        "",
        "parameter",
        "GetParameter",
        "GetParameters GetParametersByPath GetParameterHistory",
    ),
    ("ssm", "change", "", "parameter", "PutParameter", ""),
    ("kms", "encrypt and decrypt with", "", "key", "Decrypt Encrypt", (
        "DescribeKey GenerateDataKey GenerateDataKeyWithoutPlaintext"
    )),
    ("kms", "decrypt with", "", "key", "Decrypt", "DescribeKey"),
    ("kms", "encrypt with", "", "key", "Encrypt", "GenerateDataKey GenerateDataKeyWithoutPlaintext"),
    ("ecr", "upload images to", "", "repository", (
        "PutImage CompleteLayerUpload InitiateLayerUpload UploadLayerPart"
    ), "BatchCheckLayerAvailability"),
    ("ecr", "download images from", "", "repository", (
        "BatchGetImage GetDownloadUrlForLayer"
    ), "DescribeImages ListImages"),
    ("ecr", "sign in to the container registry", "", "", "GetAuthorizationToken", ""),
    ("ec2", "start", "", "instance", "StartInstances", ""),
    ("ec2", "stop", "", "instance", "StopInstances", ""),
    ("ec2", "restart", "", "instance", "RebootInstances", ""),
    ("ec2", "terminate", "", "instance", "TerminateInstances", ""),
    ("ec2", "see", "EC2 instances and their status", "", "DescribeInstances", (
        "DescribeInstanceStatus DescribeTags"
    )),
    ("rds", "restart", "", "db", "RebootDBInstance", ""),
    ("rds-db", "sign in as", "", "db-user", "connect", ""),
    ("ecs", "update", "", "service", "UpdateService", "DescribeServices"),
    ("ecs", "register versions of", "", "task-definition", "RegisterTaskDefinition", ""),
    ("eks", "see the Kubernetes objects of", "", "cluster", "AccessKubernetesApi", ""),
    ("eks", "describe", "", "cluster", "DescribeCluster", "ListNodegroups"),
    ("eks", "list", "the EKS clusters of the account", "", "ListClusters", ""),
    ("cloudfront", "clear the cache of", "", "distribution", "CreateInvalidation", (
        "GetDistribution GetInvalidation ListInvalidations"
    )),
    ("cloudfront", "list", "the CloudFront distributions of the account", "", "ListDistributions", ""),
    ("cloudwatch", "read", "metrics", "", "GetMetricData", "GetMetricStatistics ListMetrics"),
    ("cloudwatch", "see", "", "dashboard", "GetDashboard", ""),
    ("cloudwatch", "change", "", "dashboard", "PutDashboard", ""),
    ("iam", "pass", "", "role", "PassRole", ""),
    ("sts", "assume", "", "role", "AssumeRole", "TagSession SetSourceIdentity"),
    ("ssm", "start Session Manager sessions on", "", "instance", "StartSession", ""),
    ("ce", "read", "costs and usage", "", "GetCostAndUsage", (
        "GetCostAndUsageWithResources GetCostForecast GetUsageForecast GetDimensionValues GetTags"
    )),
    ("support", "open", "support cases", "", "CreateCase", (
        "DescribeCases DescribeServices DescribeSeverityLevels AddAttachmentsToSet DescribeAttachment "
        "DescribeCommunications"
    )),
    ("support", "answer", "support cases", "", "AddCommunicationToCase", ""),
    ("support", "close", "support cases", "", "ResolveCase", ""),
)  # fmt: skip
LISTING: Final = "object list"
"""The kind of s3:ListBucket, which is allowed on a bucket and lists its objects."""


@cache
def _by_service() -> dict[str, tuple[PhrasedAbility, ...]]:
    abilities: dict[str, list[PhrasedAbility]] = defaultdict(list)
    for order, row in enumerate(_ROWS):
        service, verb, noun, kind, needed, included = row
        ability = PhrasedAbility(verb, noun, kind, _names(service, needed), _names(service, included), order)
        abilities[service].append(ability)
    return {service: tuple(rows) for service, rows in abilities.items()}


def _names(service: str, words: str) -> frozenset[str]:
    return frozenset(f"{service}:{word}" for word in words.split())


def abilities_of(service: str, actions: frozenset[str]) -> Iterator[tuple[PhrasedAbility, frozenset[str]]]:
    """Yield the abilities of a service's actions, each with the actions that it covers. An action that
    defines an ability is not mentioned again if another ability of the same resource covers it.
    """
    needs: set[str] = set()
    covered: dict[str, set[str]] = defaultdict(set)
    for ability in _by_service().get(service, ()):
        kind = kind_of_resource(ability)
        if ability.needs <= actions and not ability.needs <= needs | covered[kind]:
            needs |= ability.needs
            covered[kind] |= ability.with_it
            yield ability, (ability.needs | ability.with_it) & actions


def kind_of_resource(ability: PhrasedAbility) -> str:
    """Return the type of the resource that its actions work on. Objects are listed on the bucket."""
    return "bucket" if ability.kind == LISTING else ability.kind
