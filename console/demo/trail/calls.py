"""Which calls belong to which service: (name of the event, parameters, is read-only)."""

from __future__ import annotations

from typing import Any, Final

SampleCall = tuple[str, dict[str, Any] | None, bool]
CALLS: Final[dict[str, tuple[SampleCall, ...]]] = {
    "athena": (
        ("ListWorkGroups", None, True),
        ("GetQueryResults", {"queryExecutionId": "5f0c1a52"}, True),
        ("StartQueryExecution", {"workGroup": "analysts"}, False),
    ),
    "cloudfront": (
        ("ListDistributions2020_05_31", None, True),
        ("CreateInvalidation2020_05_31", {"distributionId": "E2NORTHLINE"}, False),
    ),
    "dynamodb": (
        ("ListTables", None, True),
        ("DescribeTable", {"tableName": "tickets"}, True),
    ),
    "ec2": (
        ("DescribeInstances", None, True),
        ("DescribeSecurityGroups", None, True),
        ("DescribeVpcs", None, True),
    ),
    "ecr": (
        ("DescribeRepositories", None, True),
        ("BatchGetImage", {"repositoryName": "platform/base"}, True),
    ),
    "eks": (
        ("ListClusters", None, True),
        ("DescribeCluster", {"name": "northline"}, True),
    ),
    "glue": (
        ("GetJobs", None, True),
        ("StartJobRun", {"jobName": "nightly-ledger"}, False),
    ),
    "lambda": (
        ("ListFunctions20150331", None, True),
        ("GetFunction20150331v2", {"functionName": "pay-settle"}, True),
        ("UpdateFunctionCode20150331v2", {"functionName": "pay-settle"}, False),
    ),
    "logs": (
        ("DescribeLogGroups", None, True),
        ("StartQuery", {"logGroupName": "/aws/lambda/pay-settle"}, True),
    ),
    "monitoring": (
        ("DescribeAlarms", None, True),
        ("GetMetricData", None, True),
        ("PutMetricAlarm", {"alarmName": "latency"}, False),
    ),
    "redshift": (("DescribeClusters", None, True),),
    "s3": (
        ("ListBuckets", None, True),
        ("GetBucketLocation", {"bucketName": "pay-artifacts"}, True),
        ("GetBucketPolicy", {"bucketName": "pay-artifacts"}, True),
    ),
    "sagemaker": (
        ("ListTrainingJobs", None, True),
        ("CreateTrainingJob", {"trainingJobName": "fares"}, False),
    ),
    "ses": (("GetSendQuota", None, True),),
    "sns": (
        ("ListTopics", None, True),
        ("GetTopicAttributes", {"topicArn": "arn:aws:sns:eu-west-1:447109238816:releases"}, True),
    ),
    "sqs": (
        ("ListQueues", None, True),
        ("GetQueueAttributes", {"queueUrl": "https://sqs.eu-west-1.amazonaws.com/447109238816/pay"}, True),
    ),
    "ssm": (
        ("DescribeInstanceInformation", None, True),
        ("GetParameter", {"name": "platform/version"}, True),
    ),
}
"""Services by the name that CloudTrail gives them, without `.amazonaws.com`."""
EMAIL_SOURCE: Final = {"ses": "email"}
"""CloudTrail's name of a service where it is not that of the permissions."""
