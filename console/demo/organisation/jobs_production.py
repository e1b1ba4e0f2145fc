"""Job functions in the production account."""

from __future__ import annotations

from console.demo.organisation.documents import allow, arn, aws_managed, deny, document
from console.demo.organisation.jobs import LOGS_READ, METRICS, job_group, job_policy
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.organisation.specs import GroupSpec, PolicySpec


def production() -> tuple[tuple[PolicySpec, ...], tuple[GroupSpec, ...]]:
    """Return the policies and groups of the production account."""
    account = ACCOUNT_IDS["production"]
    pay, seat = arn("lambda", account, "function:pay-*"), arn("lambda", account, "function:timetable-*")
    code = (
        "lambda:Get*",
        "lambda:List*",
        "lambda:UpdateFunctionCode",
        "lambda:PublishVersion",
        "lambda:UpdateAlias",
    )
    cluster = arn("eks", account, "cluster/north-production")
    ledger = allow(
        "LedgerExports",
        ("s3:GetObject", "s3:ListBucket"),
        ["arn:aws:s3:::pay-ledger", "arn:aws:s3:::pay-ledger/*"],
    )
    oncall = [
        document(allow("Logs", LOGS_READ), allow("Metrics", METRICS)),
        document(allow("Logs", LOGS_READ), allow("Metrics", METRICS), ledger),
        document(allow("Logs", LOGS_READ), allow("Metrics", (*METRICS, "cloudwatch:GetDashboard")), ledger),
        document(
            allow("Logs", LOGS_READ),
            allow("Metrics", METRICS),
            ledger,
            allow("Traces", ("xray:GetTraceSummaries", "xray:BatchGetTraces")),
        ),
        document(
            allow("Logs", LOGS_READ),
            ledger,
            allow("Metrics", METRICS),
            allow("Traces", ("xray:Get*", "xray:BatchGetTraces")),
            allow("Health", "health:Describe*"),
        ),
    ]
    policies = (
        job_policy("OncallRead", "Read access for on-call engineers", "platform", *oncall, first=3),
        job_policy(
            "OncallOperate",
            "Restart permissions for on-call engineers",
            "platform",
            document(
                allow(
                    "Restart",
                    ("ecs:UpdateService", "autoscaling:StartInstanceRefresh", "rds:RebootDBInstance"),
                )
            ),
            document(
                allow(
                    "Restart",
                    ("ecs:UpdateService", "autoscaling:StartInstanceRefresh"),
                    "*",
                    StringEquals={"aws:ResourceTag/Environment": "production"},
                ),
                allow("Scale", "application-autoscaling:RegisterScalableTarget"),
            ),
        ),
        job_policy(
            "PaymentsDev",
            "Payments development: reads functions and logs, sends test events",
            "payments",
            document(allow("Look", ("lambda:Get*", "lambda:List*"), pay), allow("Logs", LOGS_READ)),
            document(
                allow("Look", ("lambda:Get*", "lambda:List*", "lambda:InvokeFunction"), pay),
                allow("Logs", LOGS_READ),
                allow("Queues", ("sqs:Get*", "sqs:List*", "sqs:SendMessage"), arn("sqs", account, "pay-*")),
            ),
            document(
                allow("Look", ("lambda:Get*", "lambda:List*"), pay),
                allow("Logs", LOGS_READ),
                allow("Queues", ("sqs:Get*", "sqs:List*"), arn("sqs", account, "pay-*")),
                deny("NoCards", "dynamodb:*", arn("dynamodb", account, "table/pay-tokens")),
            ),
        ),
        job_policy("LedgerRead", "Reads ledger exports", "payments", document(ledger)),
        job_policy(
            "TicketingDev",
            "Ticketing development: reads functions, tables and logs",
            "ticketing",
            document(
                allow("Look", ("lambda:Get*", "lambda:List*"), seat),
                allow("Logs", LOGS_READ),
                allow(
                    "Tables",
                    ("dynamodb:Describe*", "dynamodb:Query"),
                    arn("dynamodb", account, "table/bookings"),
                ),
            ),
            document(
                allow("Look", ("lambda:Get*", "lambda:List*"), seat),
                allow("Logs", LOGS_READ),
                allow("Tables", "dynamodb:Describe*", arn("dynamodb", account, "table/*")),
            ),
        ),
        job_policy(
            "TicketingDeploy",
            "Releases ticketing",
            "ticketing",
            document(allow("Code", code, seat), allow("Cluster", "eks:DescribeCluster", cluster)),
        ),
        job_policy(
            "WebDev",
            "Website development: assets, logs, CDN",
            "web",
            document(
                allow(
                    "Assets",
                    ("s3:GetObject", "s3:PutObject", "s3:ListBucket"),
                    ["arn:aws:s3:::web-assets", "arn:aws:s3:::web-assets/*"],
                ),
                allow("Network", ("cloudfront:Get*", "cloudfront:List*", "cloudfront:CreateInvalidation")),
                allow("Logs", LOGS_READ),
            ),
        ),
        job_policy(
            "SREWrite",
            "Operations in production",
            "sre",
            document(
                allow(
                    "Operate",
                    ("ecs:*", "autoscaling:*", "elasticloadbalancing:*", "rds:Describe*", "ec2:Describe*"),
                )
            ),
            document(
                allow(
                    "Operate",
                    (
                        "ecs:*",
                        "autoscaling:*",
                        "elasticloadbalancing:*",
                        "rds:Describe*",
                        "rds:RebootDBInstance",
                        "ec2:Describe*",
                    ),
                ),
                allow(
                    "Shell",
                    ("ssm:StartSession", "ssm:TerminateSession"),
                    "*",
                    StringEquals={"aws:ResourceTag/Team": "sre"},
                ),
            ),
        ),
        job_policy(
            "IamAdministration",
            "Break-glass IAM administration",
            "iam",
            document(
                allow(
                    "Identities",
                    ("iam:*", "access-analyzer:*", "organizations:Describe*", "organizations:List*"),
                ),
                deny("NotWithoutMfa", "iam:*", "*", BoolIfExists={"aws:MultiFactorAuthPresent": "false"}),
            ),
        ),
        job_policy(
            "SecurityReadExtra",
            "Additions to SecurityAudit",
            "security",
            document(
                allow(
                    "Findings",
                    (
                        "securityhub:Get*",
                        "guardduty:Get*",
                        "guardduty:List*",
                        "access-analyzer:List*",
                        "macie2:Get*",
                    ),
                )
            ),
        ),
        job_policy(
            "SupportDesk",
            "Looks up bookings and resends tickets",
            "support",
            document(
                allow(
                    "Bookings",
                    ("dynamodb:GetItem", "dynamodb:Query"),
                    arn("dynamodb", account, "table/bookings"),
                ),
                allow("Resend", "sqs:SendMessage", arn("sqs", account, "ticket-issued")),
            ),
        ),
        job_policy(
            "CostExplorerRead",
            "Cost allocation",
            "finance",
            document(
                allow("Costs", ("ce:Get*", "ce:List*", "cur:DescribeReportDefinitions", "budgets:ViewBudget"))
            ),
        ),
        job_policy(
            "ReleaseWrite",
            "Permissions of the release bot",
            "platform",
            document(
                allow("Publish", code, arn("lambda", account, "function:*")),
                allow("Images", ("ecr:*", "ecs:RegisterTaskDefinition")),
                allow("Tag", ("lambda:TagResource", "ecs:TagResource")),
            ),
            document(
                allow("Publish", code, arn("lambda", account, "function:*")),
                allow("Tag", ("lambda:TagResource", "ecs:TagResource")),
                allow(
                    "Images",
                    (
                        "ecr:PutImage",
                        "ecr:InitiateLayerUpload",
                        "ecr:UploadLayerPart",
                        "ecr:CompleteLayerUpload",
                        "ecr:GetAuthorizationToken",
                    ),
                ),
            ),
        ),
        job_policy(
            "BackupWrite",
            "Permissions of the backup agents",
            "platform",
            document(
                allow(
                    "Store",
                    ("s3:PutObject", "s3:ListBucket"),
                    ["arn:aws:s3:::northline-backup", "arn:aws:s3:::northline-backup/*"],
                ),
                allow("Snapshots", ("ec2:CreateSnapshot", "ec2:DescribeVolumes", "ec2:CreateTags")),
            ),
        ),
        job_policy(
            "MetricsRead",
            "Permissions of the monitoring bots",
            "sre",
            document(allow("Metrics", METRICS), allow("Tags", "tag:GetResources")),
        ),
        job_policy(
            "DenyLedgerExport",
            "Denies access to ledger exports",
            "payments",
            document(deny("NoExport", "s3:GetObject", "arn:aws:s3:::pay-ledger/exports/*")),
        ),
    )
    groups = (
        job_group("everyone", 1500, "SelfService"),
        job_group("platform-oncall", 1100, "OncallRead", "OncallOperate"),
        job_group("deployers", 800, "PaymentsDeploy", "TicketingDeploy"),
        job_group("iam-admins", 1400, "IamAdministration", aws_managed("AdministratorAccess")),
        job_group("sre", 1300, "SREWrite", "CrossAccountHop", aws_managed("CloudWatchReadOnlyAccess")),
        job_group("payments-dev", 1250, "PaymentsDev", "LedgerRead"),
        job_group("ticketing-dev", 1250, "TicketingDev"),
        job_group("web-dev", 1000, "WebDev"),
        job_group("security-readers", 1200, "SecurityReadExtra", aws_managed("SecurityAudit")),
        job_group("billing-readers", 1350, "CostExplorerRead", aws_managed("AWSBillingReadOnlyAccess")),
        job_group("support", 900, "SupportDesk", aws_managed("AWSSupportAccess")),
        job_group("machine-deploy", 950, "MetricsRead", path="/machines/"),
        job_group("machine-storage", 950, "BackupWrite", path="/machines/"),
        job_group("machine-metrics", 700, "MetricsRead", path="/machines/"),
    )
    return policies, groups
