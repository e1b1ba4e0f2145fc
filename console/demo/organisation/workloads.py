"""Northline's workloads, each with a runtime role, a deploy role, and their policies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from console.demo.organisation.documents import (
    allow,
    arn,
    aws_managed,
    deny,
    document,
    github_trust,
    pod_trust,
    service_trust,
)
from console.demo.organisation.specs import Document, PolicySpec, RoleSpec, Tags
from console.demo.standin.ids import digest

APPLICATIONS = ("production", "staging")


@dataclass(frozen=True)
class WorkloadSpec:
    """A workload. `compute` is lambda, ecs, ec2 or eks; `needs` are (type, resource) pairs."""

    name: str
    team: str
    purpose: str
    compute: str
    needs: tuple[tuple[str, str], ...]
    accounts: tuple[str, ...] = APPLICATIONS


WORKLOADS = (
    WorkloadSpec(
        "pay-gateway",
        "payments",
        "Takes card payments from the shops",
        "ecs",
        (
            ("table", "pay-sessions"),
            ("secret", "pay/acquirer"),
            ("queue", "pay-authorised"),
            ("key", "card-data"),
        ),
    ),
    WorkloadSpec(
        "pay-settle",
        "payments",
        "Settles the day's payments with the operators",  # wording: keep
        "lambda",
        (
            ("read", "pay-ledger/exports"),
            ("write", "pay-artifacts/settle"),
            ("queue", "pay-settle"),
            ("key", "ledger"),
        ),
    ),
    WorkloadSpec(
        "pay-ledger",
        "payments",
        "Keeps the double-entry ledger",
        "ecs",
        (("table", "pay-entries"), ("write", "pay-ledger/exports"), ("key", "ledger")),
    ),
    WorkloadSpec(
        "pay-refund",
        "payments",
        "Refunds cancelled journeys",
        "lambda",
        (("table", "pay-refunds"), ("secret", "pay/acquirer"), ("topic", "pay-refunded")),
    ),
    WorkloadSpec(
        "pay-tokens",
        "payments",
        "Turns card numbers into tokens",
        "ecs",
        (("table", "pay-tokens"), ("key", "card-data"), ("secret", "pay/hsm")),
    ),
    WorkloadSpec(
        "booking-api",
        "ticketing",
        "Sells a seat or a cabin",
        "eks",
        (("table", "bookings"), ("queue", "ticket-issued"), ("secret", "booking/database")),
    ),
    WorkloadSpec(
        "seat-inventory",
        "ticketing",
        "Seat inventory",
        "eks",
        (("table", "seats"), ("stream", "seat-changes")),
    ),
    WorkloadSpec(
        "fare-engine",
        "ticketing",
        "Prices a journey",
        "eks",
        (("read", "fare-tables"), ("table", "fare-cache")),
    ),
    WorkloadSpec(
        "timetable-import",
        "ticketing",
        "Imports the operators' timetables every night",
        "lambda",
        (("read", "timetable-inbox"), ("write", "timetable-clean"), ("topic", "timetable-changed")),
    ),
    WorkloadSpec(
        "ticket-mailer",
        "ticketing",
        "Sends tickets by email",
        "lambda",
        (("read", "ticket-pdfs"), ("mail", "tickets.northline.example"), ("queue", "ticket-issued")),
    ),
    WorkloadSpec(
        "web-frontend",
        "web",
        "Serves northline.example",
        "eks",
        (("read", "web-assets"), ("secret", "web/session-key")),
    ),
    WorkloadSpec(
        "web-backoffice",
        "web",
        "The operators' back office",
        "ecs",
        (("table", "bookings"), ("secret", "backoffice/database"), ("read", "operator-documents")),
    ),
    WorkloadSpec(
        "notify-push",
        "mobile",
        "Delay notifications",
        "lambda",
        (("queue", "delay-events"), ("secret", "push/certificates"), ("table", "devices")),
    ),
    WorkloadSpec(
        "geo-lookup",
        "mobile",
        "Finds the nearest quay and station",
        "eks",
        (("read", "geo-tiles"), ("table", "geo-cache")),
    ),
    WorkloadSpec(
        "etl-nightly",
        "data-platform",
        "Copies bookings into the warehouse",
        "ec2",
        (("read", "lake-raw"), ("write", "lake-clean"), ("catalog", "bookings")),
        ("data",),
    ),
    WorkloadSpec(
        "stream-ingest",
        "data-platform",
        "Takes events from the applications",
        "ecs",
        (("stream", "events"), ("write", "lake-raw"), ("key", "lake")),
        ("data",),
    ),
    WorkloadSpec(
        "catalog-crawler",
        "data-platform",
        "Keeps the data catalogue",
        "lambda",
        (("read", "lake-clean"), ("catalog", "*")),
        ("data",),
    ),
    WorkloadSpec(
        "warehouse-loader",
        "data-platform",
        "Loads the reporting tables",
        "ec2",
        (("read", "lake-clean"), ("secret", "warehouse/loader"), ("key", "lake")),
        ("data",),
    ),
    WorkloadSpec(
        "gdpr-eraser",
        "data-platform",
        "Deletes personal data on request",
        "lambda",
        (("write", "lake-clean"), ("table", "erasure-requests"), ("key", "lake")),
        ("data",),
    ),
    WorkloadSpec(
        "punctuality-report",
        "analysts",
        "Writes the weekly punctuality report",
        "lambda",
        (("read", "lake-clean/punctuality"), ("write", "reports-public")),
        ("data",),
    ),
    WorkloadSpec(
        "query-gateway",
        "analysts",
        "Dashboard queries on the data lake",
        "eks",
        (("catalog", "reporting"), ("read", "lake-clean"), ("write", "query-results")),
        ("data",),
    ),
    WorkloadSpec(
        "demand-forecast",
        "machine-learning",
        "Predicts demand per departure",
        "ecs",
        (("read", "lake-clean/bookings"), ("write", "models/demand")),
        ("data",),
    ),
    WorkloadSpec(
        "delay-model",
        "machine-learning",
        "Predicts delays",
        "ecs",
        (("read", "lake-clean/punctuality"), ("write", "models/delay"), ("stream", "delay-scores")),
        ("data",),
    ),
    WorkloadSpec(
        "feature-store",
        "machine-learning",
        "Serves features to the models",
        "eks",
        (("table", "features"), ("read", "lake-clean")),
        ("data", "sandbox"),
    ),
)
TRUSTED = {"lambda": ("lambda",), "ecs": ("ecs-tasks",), "ec2": ("ec2",)}
LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")


def tags_of(workload: WorkloadSpec, account: str) -> Tags:
    """Return the tags that Northline's platform adds to everything that belongs to a workload."""
    return {
        "Team": workload.team,
        "Service": workload.name,
        "Environment": account,
        "Owner": f"{workload.team}@northline.example",
        "ManagedBy": "terraform",
    }


def statement_for(kind: str, resource: str, account: str) -> dict[str, Any]:
    """Return the minimal statement for a workload's resource."""
    bucket, _, prefix = resource.partition("/")
    objects = f"arn:aws:s3:::{bucket}/{prefix + '/' if prefix else ''}*"
    sid = kind.title() + "".join(
        part.title() for part in resource.replace("/", "-").replace(".", "-").split("-")
    )
    sid = "".join(letter for letter in sid if letter.isalnum())
    table = arn("dynamodb", account, f"table/{resource}")
    made = {
        "read": (("s3:GetObject", "s3:ListBucket"), [f"arn:aws:s3:::{bucket}", objects]),
        "write": (("s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload"), objects),
        "table": (
            ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:Query"),
            [table, f"{table}/index/*"],
        ),
        "queue": (
            ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
            arn("sqs", account, resource),
        ),
        "topic": ("sns:Publish", arn("sns", account, resource)),
        "stream": (
            (
                "kinesis:PutRecords",
                "kinesis:GetRecords",
                "kinesis:GetShardIterator",
                "kinesis:DescribeStreamSummary",
            ),
            arn("kinesis", account, f"stream/{resource}"),
        ),
        "secret": ("secretsmanager:GetSecretValue", arn("secretsmanager", account, f"secret:{resource}-*")),
        "mail": (("ses:SendEmail", "ses:SendRawEmail"), arn("ses", account, f"identity/{resource}")),
        "catalog": (
            ("glue:GetTable", "glue:GetTables", "glue:GetPartitions", "glue:BatchCreatePartition"),
            [
                arn("glue", account, "catalog"),
                arn("glue", account, f"database/{resource}"),
                arn("glue", account, f"table/{resource}/*"),
            ],
        ),
    }
    if kind == "key":
        through = {
            "StringEquals": {
                "kms:ViaService": ["s3.eu-west-1.amazonaws.com", "dynamodb.eu-west-1.amazonaws.com"]
            }
        }
        alias = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{resource}"}}
        return allow(
            sid, ("kms:Decrypt", "kms:GenerateDataKey"), arn("kms", account, "key/*"), **through, **alias
        )
    actions, resources = made[kind]
    return allow(sid, actions, resources)


def runtime_document(workload: WorkloadSpec, account: str, *, needs: int) -> Document:
    """Return the policy of a workload when it had the first `needs` of its needs."""
    logs = allow("Logs", LOGS, arn("logs", account, f"log-group:/northline/{workload.name}:*"))
    return document(logs, *(statement_for(kind, name, account) for kind, name in workload.needs[:needs]))


def runtime_policy(workload: WorkloadSpec, account_name: str, account: str) -> PolicySpec:
    """Return the policy of a workload with one version per added need, the oldest first."""
    number = int(digest("workload", workload.name, account_name)[:6], 16)
    count = len(workload.needs)
    oldest = 500 + number % 500
    versions = tuple(
        (
            runtime_document(workload, account, needs=needs),
            oldest - (oldest - 20 - number % 60) * (needs - 1) // max(1, count - 1),
        )
        for needs in range(1, count + 1)
    )
    return PolicySpec(
        name=f"{workload.name}-runtime",
        path="/workloads/",
        versions=versions,
        description=f"{workload.purpose}. Runtime permissions of {workload.name}",
        tags=tags_of(workload, account_name),
    )


def deploy_policy(workload: WorkloadSpec, account_name: str, account: str) -> PolicySpec:
    """Return the policy of a workload's pipeline, which can pass only the workload's own role."""
    number = int(digest("deploy", workload.name, account_name)[:6], 16)
    passed = {"lambda": "lambda.amazonaws.com", "ec2": "ec2.amazonaws.com"}.get(
        workload.compute, "ecs-tasks.amazonaws.com"
    )
    role = f"arn:aws:iam::{account}:role/workloads/{workload.name}"
    publish = {
        "lambda": (
            (
                "lambda:UpdateFunctionCode",
                "lambda:PublishVersion",
                "lambda:UpdateAlias",
                "lambda:GetFunction",
            ),
            arn("lambda", account, f"function:{workload.name}*"),
        ),
        "ec2": (("ec2:CreateLaunchTemplateVersion", "autoscaling:StartInstanceRefresh"), "*"),
        "ecs": (("ecs:RegisterTaskDefinition", "ecs:UpdateService", "ecs:DescribeServices"), "*"),
        "eks": (
            (
                "eks:DescribeCluster",
                "ecr:PutImage",
                "ecr:InitiateLayerUpload",
                "ecr:UploadLayerPart",
                "ecr:CompleteLayerUpload",
            ),
            "*",
        ),
    }[workload.compute]
    own_tag = {"StringEquals": {"aws:ResourceTag/Service": workload.name}} if publish[1] == "*" else {}
    first = document(
        allow("Publish", publish[0], publish[1], **own_tag),
        allow("PassOwnRole", "iam:PassRole", role, StringEquals={"iam:PassedToService": passed}),
    )
    guarded = document(*first["Statement"], deny("NeverDelete", (f"{_deletes(workload.compute)}",), "*"))
    age = 300 + number % 700
    versions = ((first, age), (guarded, age // 3)) if number % 3 else ((guarded, age),)
    return PolicySpec(
        name=f"{workload.name}-deploy",
        path="/pipelines/",
        versions=versions,
        description=f"Deployment permissions of {workload.name}",
        tags=tags_of(workload, account_name),
    )


def _deletes(compute: str) -> str:
    names = {"lambda": "lambda:DeleteFunction", "ec2": "ec2:DeleteLaunchTemplate", "eks": "eks:DeleteCluster"}
    return names.get(compute, "ecs:DeleteService")


def runtime_role(workload: WorkloadSpec, account_name: str, account: str) -> RoleSpec:
    """Return the role that the workload runs as."""
    number = int(digest("role", workload.name, account_name)[:6], 16)
    if workload.compute == "eks":
        trust = pod_trust(account, f"{workload.team}:{workload.name}")
    else:
        trust = service_trust(*TRUSTED[workload.compute])
    extra = {
        "lambda": (aws_managed("service-role/AWSLambdaBasicExecutionRole"),),
        "ecs": (aws_managed("AWSXRayDaemonWriteAccess"),),
        "ec2": (aws_managed("AmazonSSMManagedInstanceCore"), aws_managed("CloudWatchAgentServerPolicy")),
    }.get(workload.compute, ())
    return RoleSpec(
        name=workload.name,
        trust=trust,
        path="/workloads/",
        age=300 + number % 900,
        used=0.02 + number % 40 / 24,
        policies=(f"{workload.name}-runtime", *extra),
        boundary="WorkloadBoundary",
        tags=tags_of(workload, account_name),
        description=workload.purpose,
    )


def deploy_role(workload: WorkloadSpec, account_name: str, account: str) -> RoleSpec:
    """Return the role of the workload's GitHub pipeline. In production it trusts only the main branch,
    elsewhere any branch.
    """
    number = int(digest("deploy role", workload.name, account_name)[:6], 16)
    subject = f"repo:northline/{workload.name}:" + (
        "ref:refs/heads/main" if account_name == "production" else "*"
    )
    return RoleSpec(
        name=f"{workload.name}-deploy",
        trust=github_trust(account, subject),
        path="/pipelines/",
        age=200 + number % 500,
        used=0.1 + number % 300 / 24,
        policies=(f"{workload.name}-deploy",),
        boundary="WorkloadBoundary",
        tags=tags_of(workload, account_name),
        description=f"GitHub Actions deploys {workload.name}",
    )


def of_account(account_name: str, account: str) -> tuple[tuple[PolicySpec, ...], tuple[RoleSpec, ...]]:
    """Return all policies and roles of the account's workloads."""
    policies: list[PolicySpec] = []
    roles: list[RoleSpec] = []
    for workload in WORKLOADS:
        if account_name in workload.accounts:
            policies.append(runtime_policy(workload, account_name, account))
            policies.append(deploy_policy(workload, account_name, account))
            roles.append(runtime_role(workload, account_name, account))
            roles.append(deploy_role(workload, account_name, account))
    return tuple(policies), tuple(roles)
