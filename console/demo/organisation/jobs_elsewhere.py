"""Job functions in the data, staging, sandbox and management accounts."""

from __future__ import annotations

from typing import Final

from console.demo.organisation.documents import allow, arn, aws_managed, deny, document
from console.demo.organisation.jobs import LOGS_READ, METRICS, job_group, job_policy
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.organisation.specs import GroupSpec, PolicySpec

Jobs = tuple[tuple[PolicySpec, ...], tuple[GroupSpec, ...]]


IAM_ADMINISTRATION: Final = job_policy(
    "IamAdministration",
    "Break-glass IAM administration",
    "iam",
    document(allow("Identities", ("iam:*", "access-analyzer:*"))),
)


def data() -> Jobs:
    """Return the job functions for the warehouse, the lake and the models."""
    account = ACCOUNT_IDS["data"]
    lake = ["arn:aws:s3:::lake-clean", "arn:aws:s3:::lake-clean/*"]
    models = ["arn:aws:s3:::models", "arn:aws:s3:::models/*"]
    glue_role = f"arn:aws:iam::{account}:role/workloads/glue-*"
    passed = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    query = ("athena:StartQueryExecution", "athena:GetQuery*", "athena:ListWorkGroups", "glue:Get*")
    policies = (
        job_policy(
            "OncallRead",
            "Read access for on-call engineers",
            "platform",
            document(allow("Logs", LOGS_READ)),
            document(allow("Logs", LOGS_READ), allow("Metrics", METRICS)),
        ),
        job_policy(
            "GlueWrite",
            "Builds and runs the nightly jobs",
            "data-platform",
            document(allow("Jobs", "glue:*")),
            document(allow("Jobs", ("glue:*Job*", "glue:*Crawler*", "glue:Get*"))),
            document(
                allow("Jobs", ("glue:*Job*", "glue:*Crawler*", "glue:Get*")),
                allow("PassJobRoles", "iam:PassRole", glue_role, **passed),
            ),
        ),
        job_policy(
            "LakeWrite",
            "Write access to data lake tables",
            "data-platform",
            document(
                allow("Objects", ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"), lake)
            ),
            document(
                allow("Objects", ("s3:GetObject", "s3:PutObject", "s3:ListBucket"), lake),
                allow("Tables", ("lakeformation:GetDataAccess", "glue:UpdateTable", "glue:CreateTable")),
            ),
        ),
        job_policy(
            "AnalystRead",
            "Queries the data lake",
            "analysts",
            document(allow("Query", query), allow("Lake", ("s3:GetObject", "s3:ListBucket"), lake)),
            document(
                allow("Query", query),
                allow("Lake", ("s3:GetObject", "s3:ListBucket"), lake),
                allow("Results", "s3:PutObject", "arn:aws:s3:::query-results/${aws:username}/*"),
                deny("NoPersonalData", "s3:GetObject", "arn:aws:s3:::lake-clean/travellers/*"),
            ),
        ),
        job_policy(
            "NotebookUse",
            "Notebooks and model training",
            "machine-learning",
            document(
                allow(
                    "Notebooks",
                    ("sagemaker:CreatePresignedDomainUrl", "sagemaker:Describe*", "sagemaker:List*"),
                ),
                allow("Models", ("s3:GetObject", "s3:PutObject", "s3:ListBucket"), models),
            ),
            document(
                allow(
                    "Notebooks",
                    ("sagemaker:CreatePresignedDomainUrl", "sagemaker:Describe*", "sagemaker:List*"),
                ),
                allow("Train", ("sagemaker:CreateTrainingJob", "sagemaker:StopTrainingJob")),
                allow("Models", ("s3:GetObject", "s3:PutObject", "s3:ListBucket"), models),
            ),
        ),
        job_policy(
            "ContractorRead",
            "Reporting tables for contractors, until their contract ends",
            "contractors",
            document(allow("Reports", ("s3:GetObject", "s3:ListBucket"), ["arn:aws:s3:::reports-public/*"])),
            document(
                allow(
                    "Reports",
                    ("s3:GetObject", "s3:ListBucket"),
                    ["arn:aws:s3:::reports-public", "arn:aws:s3:::reports-public/*"],
                    DateLessThan={"aws:CurrentTime": "2027-03-31T22:00:00Z"},
                )
            ),
        ),
        job_policy(
            "WarehouseAdmin",
            "Warehouse administration",
            "data-platform",
            document(
                allow("Warehouse", ("redshift:Describe*", "redshift:ModifyCluster", "redshift-data:*")),
                allow(
                    "Credentials", "redshift:GetClusterCredentials", arn("redshift", account, "dbuser:*/etl")
                ),
            ),
        ),
        job_policy(
            "SREWrite",
            "Operations in the data account",
            "sre",
            document(allow("Operate", ("ecs:*", "autoscaling:*", "ec2:Describe*", "rds:Describe*"))),
        ),
        job_policy(
            "StreamOperate",
            "Manages stream shards",
            "data-platform",
            document(
                allow(
                    "Streams", ("kinesis:*Shard*", "kinesis:Describe*"), arn("kinesis", account, "stream/*")
                )
            ),
        ),
        IAM_ADMINISTRATION,
    )
    groups = (
        job_group("everyone", 1300, "SelfService", "RequireMfa"),
        job_group("platform-oncall", 1000, "OncallRead"),
        job_group("iam-admins", 1200, "IamAdministration"),
        job_group("sre", 1100, "SREWrite"),
        job_group("data-platform", 1200, "GlueWrite", "LakeWrite", "WarehouseAdmin", "StreamOperate"),
        job_group("analysts", 1150, "AnalystRead"),
        job_group("ml-research", 800, "NotebookUse", aws_managed("AmazonSageMakerReadOnly")),
        job_group("security-readers", 1000, aws_managed("SecurityAudit")),
        job_group("billing-readers", 900, aws_managed("AWSBillingReadOnlyAccess")),
        job_group("contractors", 700, "ContractorRead", path="/contractors/"),
        job_group("machine-pipelines", 900, "StreamOperate", path="/machines/"),
    )
    return policies, groups


def enter_staging() -> Jobs:
    """Return the job functions of staging, where product teams try their releases."""
    account = ACCOUNT_IDS["staging"]
    functions, cluster = arn("lambda", account, "function:*"), arn("eks", account, "cluster/north-staging")
    queues, tables = arn("sqs", account, "*"), arn("dynamodb", account, "table/*")
    develop = allow("Functions", ("lambda:Get*", "lambda:List*", "lambda:InvokeFunction"), functions)
    logs = allow("Logs", LOGS_READ)
    policies = (
        job_policy(
            "PlatformStaging",
            "Runs the staging clusters",
            "platform",
            document(allow("Clusters", ("eks:*", "ecs:*", "ecr:*"))),
            document(
                allow("Clusters", ("eks:*", "ecs:*", "ecr:*")), allow("Machines", ("ec2:*", "autoscaling:*"))
            ),
        ),
        job_policy(
            "StagingDeploy",
            "Releases to staging",
            "platform",
            document(allow("Code", ("lambda:UpdateFunctionCode", "lambda:PublishVersion"), functions)),
            document(
                allow("Code", ("lambda:UpdateFunctionCode", "lambda:PublishVersion"), functions),
                allow("Cluster", ("eks:DescribeCluster", "eks:AccessKubernetesApi"), cluster),
            ),
        ),
        job_policy(
            "PaymentsDev",
            "Develops payments",
            "payments",
            document(develop, logs),
            document(develop, logs, allow("Queues", "sqs:*", queues), allow("Tables", "dynamodb:*", tables)),
        ),
        job_policy(
            "TicketingDev",
            "Develops ticketing",
            "ticketing",
            document(develop, logs),
            document(develop, logs, allow("Tables", ("dynamodb:*Item", "dynamodb:Query"), tables)),
        ),
        job_policy(
            "MobileDev",
            "Develops the apps",
            "mobile",
            document(develop, logs, allow("Push", ("sns:*", "mobiletargeting:*"))),
        ),
        job_policy(
            "WebDev",
            "Develops the website",
            "web",
            document(develop, logs, allow("Assets", "s3:*", ["arn:aws:s3:::web-assets-staging/*"])),
        ),
        job_policy(
            "QaRun",
            "Runs test suites and resets test data",
            "qa",
            document(
                develop,
                logs,
                allow("Data", ("dynamodb:BatchWriteItem", "dynamodb:Scan"), tables),
                allow("Devices", "devicefarm:*"),
            ),
        ),
        job_policy(
            "KestrelProbe",
            "Permissions for penetration testers",
            "contractors",
            document(allow("Look", ("ec2:Describe*", "eks:Describe*", "elasticloadbalancing:Describe*"))),
        ),
        IAM_ADMINISTRATION,
    )
    groups = (
        job_group("everyone", 1400, "SelfService"),
        job_group("platform", 1300, "PlatformStaging"),
        job_group("deployers", 1100, "StagingDeploy"),
        job_group("iam-admins", 1200, "IamAdministration"),
        job_group("payments-dev", 1250, "PaymentsDev"),
        job_group("ticketing-dev", 1250, "TicketingDev"),
        job_group("mobile-dev", 900, "MobileDev"),
        job_group("web-dev", 1000, "WebDev"),
        job_group("qa", 950, "QaRun"),
        job_group("security-readers", 1000, aws_managed("SecurityAudit")),
        job_group("contractors", 500, "KestrelProbe", path="/contractors/"),
        job_group("machine-tests", 700, "QaRun", path="/machines/"),
    )
    return policies, groups


def sandbox() -> Jobs:
    """Return the job functions of the sandbox, where everyone can try things within limits."""
    anything = ("lambda:*", "dynamodb:*", "s3:*", "sqs:*", "sns:*", "ecs:*", "glue:*", "athena:*", "logs:*")
    policies = (
        job_policy(
            "BuilderWrite",
            "Tries services out",
            "platform",
            document(allow("Try", anything)),
            document(allow("Try", (*anything, "bedrock:InvokeModel*")), deny("NoUsers", "iam:CreateUser")),
        ),
        job_policy(
            "BedrockTrial",
            "Tries language models",
            "machine-learning",
            document(allow("Models", ("bedrock:InvokeModel", "bedrock:List*"))),
        ),
        IAM_ADMINISTRATION,
    )
    groups = (
        job_group("builders", 1000, "BuilderWrite", "SelfService"),
        job_group("iam-admins", 1000, "IamAdministration"),
        job_group("security-readers", 900, aws_managed("SecurityAudit")),
        job_group("machine-experiments", 400, "BedrockTrial", path="/machines/"),
    )
    return policies, groups


def management() -> Jobs:
    """Return the few job functions of the management account: organization, billing and Gatehouse's hub."""
    policies = (
        job_policy(
            "OrganisationAdmin",
            "Manages accounts and SCPs",
            "iam",
            document(allow("Organization", ("organizations:*", "account:*"))),
        ),
        job_policy(
            "ConsolidatedBill",
            "Reads all billing data",
            "finance",
            document(allow("Bill", ("ce:*", "cur:*", "billing:Get*", "invoicing:List*"))),
        ),
    )
    groups = (
        job_group("organisation-admins", 1600, "OrganisationAdmin"),
        job_group("billing-readers", 1600, "ConsolidatedBill", aws_managed("AWSBillingReadOnlyAccess")),
    )
    return policies, groups
