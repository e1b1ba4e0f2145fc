"""Calls by service. Values in braces are filled in for the account and the user."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from console.demo.organisation.documents import arn


class SampleCall(NamedTuple):
    """An event name and its parameters. `resource` is the resource if the parameters don't name it in the way
    that policies do.
    """

    name: str
    parameters: Mapping[str, str] | None = None
    is_read: bool = True
    resource: str = ""


OWN_USER: Final = "arn:aws:iam::{account}:user{path}{user}"
CLUSTER: Final = arn("eks", "{account}", "cluster/{cluster}")
STREAM: Final = arn("kinesis", "{account}", "stream/{stream}")
TABLE: Final = arn("glue", "{account}", "table/bookings/departures")
SENDER: Final = arn("ses", "{account}", "identity/tickets.northline.example")
QUEUES: Final = "https://sqs.eu-west-1.amazonaws.com/{account}/"
PLACES: Final[dict[str, dict[str, str]]] = {
    "management": {},
    "production": {"cluster": "north-production", "bucket": "pay-artifacts"},
    "data": {"cluster": "north-data", "bucket": "lake-clean", "function": "catalog-crawler"},
    "staging": {"cluster": "north-staging", "bucket": "web-assets-staging"},
    "sandbox": {"cluster": "north-sandbox", "bucket": "buoy-trial", "function": "buoy-trial"},
}
USUAL_PLACE: Final = {
    "bucket": "northline-trail-archive",
    "cluster": "north",
    "function": "pay-settle",
    "stream": "events",
}
"""Default names of resources if the account has no other of that type."""
CALLS: Final[dict[str, tuple[SampleCall, ...]]] = {
    "athena": (
        SampleCall("ListWorkGroups"),
        SampleCall("GetQueryExecution", {"queryExecutionId": "5f0c1a52"}),
        SampleCall("GetQueryResults", {"queryExecutionId": "5f0c1a52"}),
        SampleCall("StartQueryExecution", {"workGroup": "analysts"}, is_read=False),
    ),
    "autoscaling": (SampleCall("DescribeAutoScalingGroups"),),
    "bedrock": (SampleCall("ListFoundationModels"),),
    "ce": (SampleCall("GetCostAndUsage", {"granularity": "DAILY"}), SampleCall("GetCostForecast")),
    "cloudfront": (
        SampleCall("ListDistributions2020_05_31"),
        SampleCall("CreateInvalidation2020_05_31", {"distributionId": "E2NORTHLINE"}, is_read=False),
    ),
    "dynamodb": (
        SampleCall("ListTables"),
        SampleCall("DescribeTable", {"tableName": "bookings"}),
        SampleCall("DescribeTimeToLive", {"tableName": "bookings"}),
    ),
    "ec2": (
        SampleCall("DescribeInstances"),
        SampleCall("DescribeSecurityGroups"),
        SampleCall("DescribeVpcs"),
        SampleCall("DescribeVolumes"),
        SampleCall("CreateSnapshot", {"volumeId": "vol-0a51c7be2f9d3e604"}, is_read=False),
    ),
    "ecr": (
        SampleCall("DescribeRepositories"),
        SampleCall("GetAuthorizationToken"),
        SampleCall("BatchGetImage", {"repositoryName": "platform/base"}),
    ),
    "ecs": (
        SampleCall("ListClusters"),
        SampleCall("DescribeServices", {"cluster": "pay", "services": "pay-gateway"}),
    ),
    "eks": (
        SampleCall("ListClusters"),
        SampleCall("DescribeCluster", {"name": "{cluster}"}, resource=CLUSTER),
    ),
    "glue": (
        SampleCall("GetJobs"),
        SampleCall("GetTable", {"databaseName": "bookings", "name": "departures"}, resource=TABLE),
        SampleCall("StartJobRun", {"jobName": "nightly-ledger"}, is_read=False),
    ),
    "iam": (
        SampleCall("ListRoles"),
        SampleCall("ListPolicies"),
        SampleCall("GetAccountSummary"),
        SampleCall("ListGroups"),
    ),
    "kinesis": (
        SampleCall("DescribeStreamSummary", {"streamName": "{stream}"}, resource=STREAM),
        SampleCall("ListShards", {"streamName": "{stream}"}, resource=STREAM),
    ),
    "lambda": (
        SampleCall("ListFunctions20150331"),
        SampleCall("GetFunction20150331v2", {"functionName": "{function}"}),
        SampleCall("GetFunctionConfiguration20150331v2", {"functionName": "{function}"}),
        SampleCall("GetFunction20150331v2", {"functionName": "timetable-import"}),
        SampleCall("UpdateFunctionCode20150331v2", {"functionName": "{function}"}, is_read=False),
    ),
    "logs": (
        SampleCall("DescribeLogGroups"),
        SampleCall("StartQuery", {"logGroupName": "/aws/lambda/{function}"}),
        SampleCall("GetQueryResults", {"queryId": "c7f3a1d0-52be"}),
    ),
    "monitoring": (
        SampleCall("DescribeAlarms"),
        SampleCall("GetMetricData"),
        SampleCall("ListMetrics"),
        SampleCall("PutMetricAlarm", {"alarmName": "latency"}, is_read=False),
    ),
    "organizations": (SampleCall("ListAccounts"), SampleCall("DescribeOrganization")),
    "rds": (SampleCall("DescribeDBInstances"),),
    "redshift": (SampleCall("DescribeClusters"),),
    "s3": (
        SampleCall("ListBuckets"),
        SampleCall("GetBucketLocation", {"bucketName": "{bucket}"}),
        SampleCall("GetBucketPolicy", {"bucketName": "{bucket}"}),
    ),
    "sagemaker": (
        SampleCall("ListTrainingJobs"),
        SampleCall("DescribeTrainingJob", {"trainingJobName": "fares"}),
        SampleCall("CreateTrainingJob", {"trainingJobName": "fares"}, is_read=False),
    ),
    "ses": (
        SampleCall("GetSendQuota"),
        SampleCall("SendEmail", {"source": "tickets.northline.example"}, is_read=False, resource=SENDER),
    ),
    "sns": (
        SampleCall("ListTopics"),
        SampleCall("GetTopicAttributes", {"topicArn": arn("sns", "{account}", "releases")}),
    ),
    "sqs": (
        SampleCall("ListQueues"),
        SampleCall("GetQueueAttributes", {"queueUrl": f"{QUEUES}pay-settle"}),
        SampleCall("GetQueueAttributes", {"queueUrl": f"{QUEUES}pay-authorised"}),
        SampleCall("GetQueueAttributes", {"queueUrl": f"{QUEUES}ticket-issued"}),
    ),
    "ssm": (
        SampleCall("DescribeInstanceInformation"),
        SampleCall("GetParameter", {"name": "platform/version"}),
    ),
    "support": (SampleCall("DescribeCases"),),
}
"""Sample calls by service, under the name that CloudTrail gives it, without `.amazonaws.com`."""
ABOUT_ONESELF: Final[dict[str, tuple[SampleCall, ...]]] = {
    "iam": (
        SampleCall("ListMFADevices", {"userName": "{user}"}, resource=OWN_USER),
        SampleCall("ListAccessKeys", {"userName": "{user}"}, resource=OWN_USER),
        SampleCall("GetAccountPasswordPolicy"),
    )
}
"""Calls of people who can't make any of the other calls."""
EMAIL_SOURCE: Final = {"ses": "email"}
"""CloudTrail's name of a service if it differs from the prefix of its actions."""


def filled(text: str, values: Mapping[str, Any]) -> str:
    """Return the text of a call with its placeholders filled in."""
    return text.format_map(values) if "{" in text else text
