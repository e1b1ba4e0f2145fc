"""Actions that CloudTrail records only if a trail logs data events, or never. Their absence from events
doesn't show that they weren't used.

Sources: "Logging data events" in the CloudTrail User Guide,
https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-data-events-with-cloudtrail.html; for S3
https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html; for iam:PassRole
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from iam.policy.catalogue import catalogue
from iam.policy.compiled import CompiledStatement
from iam.policy.letter_case import fold

DATA_EVENTS: Final = (
    "s3:GetObject*",
    "s3:PutObject*",
    "s3:DeleteObject*",
    "s3:RestoreObject",
    "s3:AbortMultipartUpload",
    "s3:ListBucket",
    "s3:ListBucketVersions",
    "s3:ListMultipartUploadParts",
    "s3express:CreateSession",
    "lambda:InvokeFunction*",
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:GetShardIterator",
    "dynamodb:PartiQL*",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
    "sqs:SendMessage",
    "sqs:ReceiveMessage",
    "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibility",
    "sns:Publish",
    "kinesis:GetRecords",
    "kinesis:GetShardIterator",
    "kinesis:PutRecord*",
    "kinesis:SubscribeToShard",
    "firehose:PutRecord*",
    "events:PutEvents",
    "cloudwatch:PutMetricData",
    "logs:PutLogEvents",
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "ebs:GetSnapshotBlock",
    "ebs:ListSnapshotBlocks",
    "ebs:ListChangedBlocks",
    "ebs:PutSnapshotBlock",
    "rds-data:ExecuteStatement",
    "rds-data:BatchExecuteStatement",
    "sagemaker:InvokeEndpoint*",
    "timestream:WriteRecords",
    "timestream:Select",
    "cassandra:Select",
    "cassandra:Modify",
    "codeartifact:ReadFromRepository",
    "aoss:APIAccessAll",
)
NEVER_RECORDED: Final = (
    "iam:PassRole",
    "sts:TagSession",
    "sts:SetSourceIdentity",
    "rds-db:connect",
    "elasticfilesystem:Client*",
    "kafka-cluster:*",
    "neptune-db:*",
    "es:ESHttp*",
    "execute-api:Invoke",
    "execute-api:ManageConnections",
    "iot:Connect",
    "iot:Publish",
    "iot:Receive",
    "iot:Subscribe",
    "ssmmessages:*",
    "ec2messages:*",
)


@cache
def unrecorded_patterns(recorded_services: frozenset[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return (pattern, its actions) for permissions that can be used without an event. `recorded_services`
    are the services whose data events were seen, so that these are recorded.
    """
    patterns = [*NEVER_RECORDED]
    patterns += [name for name in DATA_EVENTS if name.partition(":")[0] not in recorded_services]
    known = catalogue()
    expanded = ((pattern, known.expand(pattern)) for pattern in patterns)
    return tuple((pattern, actions) for pattern, actions in expanded if actions)


@cache
def data_actions() -> frozenset[str]:
    """Return the names of actions that are data events."""
    known = catalogue()
    names: list[str] = []
    for pattern in DATA_EVENTS:
        names += known.expand(pattern)
    return frozenset(names)


@cache
def never_recorded_actions() -> frozenset[str]:
    """Return the names of actions that no trail records."""
    known = catalogue()
    names: list[str] = []
    for pattern in NEVER_RECORDED:
        names += known.expand(pattern)
    return frozenset(names)


def unrecorded_of(compiled: CompiledStatement, recorded: frozenset[str]) -> Iterator[str]:
    """Yield the actions that the statement allows and no event would record. A pattern is given if all of its
    actions are allowed.
    """
    for pattern, actions in unrecorded_patterns(recorded):
        spoken = [action for action in actions if compiled.covers_action(fold(action))]
        if len(spoken) == len(actions):
            yield pattern
        else:
            yield from spoken


def is_unrecorded(compiled: CompiledStatement, recorded: frozenset[str]) -> bool:
    """Return True if no event would record anything that the statement allows."""
    if compiled.source.is_not_action:
        return False
    hidden: set[str] = set()
    for name in unrecorded_of(compiled, recorded):
        hidden.update(catalogue().expand(name))
    return all(hidden.issuperset(catalogue().expand(name)) for name in compiled.source.actions)
