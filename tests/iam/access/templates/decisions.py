"""What the shipped templates allow and what they do not, written down by hand from AWS's pages.

Each row: action, resource, context, whether it is allowed. Source of actions and their resources: "Actions,
resources, and condition keys for AWS services"; of the examples of policies: "Example IAM identity-based
policies".
"""

from __future__ import annotations

from typing import Any, NamedTuple

HERE, ELSEWHERE = "111122223333", "999988887777"
REGION = "eu-west-1"
TEAM = {"aws:ResourceTag/team": "payments"}
OTHERS = {"aws:ResourceTag/team": "search"}
FRESH, STALE = {"aws:MultiFactorAuthAge": 60}, {"aws:MultiFactorAuthAge": 7200}
IN_REGION, OUT_OF_REGION = {"aws:RequestedRegion": REGION}, {"aws:RequestedRegion": "us-east-1"}


class Row(NamedTuple):
    """One decision."""

    action: str
    resource: str
    context: dict[str, Any]
    allowed: bool


def yes(action: str, resource: str = "*", **context: Any) -> Row:
    return Row(action, resource, context.get("context", {}), True)


def no(action: str, resource: str = "*", **context: Any) -> Row:
    return Row(action, resource, context.get("context", {}), False)


def _arn(service: str, rest: str, *, account: str = HERE, region: str = REGION) -> str:
    return f"arn:aws:{service}:{region}:{account}:{rest}"


BUCKET = "arn:aws:s3:::pay-artifacts"
FUNCTION = _arn("lambda", "function:pay-settle")
INSTANCE = _arn("ec2", "instance/i-0abc")
LOGS = _arn("logs", "log-group:/aws/lambda/pay-settle")
TABLE = _arn("dynamodb", "table/payments")
QUEUE, TOPIC = _arn("sqs", "pay-events"), _arn("sns", "deploys")
KEY = _arn("kms", "key/1234abcd-12ab-34cd-56ef-1234567890ab")
SECRET = _arn("secretsmanager", "secret:payments/settle/db-AbCdEf")
SERVICE = _arn("ecs", "service/payments/pay-api")
CLUSTER = _arn("eks", "cluster/payments", region=REGION)
DASHBOARD = _arn("cloudwatch", "dashboard/payments-api", region="")
REPOSITORY = _arn("ecr", "repository/payments/api")
DATABASE = _arn("rds-db", "dbuser:db-ABCDEFGHIJKL01234/reporting")
PARAMETER = _arn("ssm", "parameter/payments/settle/db")
CDN = f"arn:aws:cloudfront::{HERE}:distribution/E1ABCDEFGHIJKL"
ROLE = f"arn:aws:iam::{HERE}:role/pay-api-task"
OWN = {"aws:ResourceAccount": HERE}

TABLE_OF_DECISIONS: dict[str, list[Row]] = {
    "read-bucket": [
        yes("s3:ListBucket", BUCKET),
        yes("s3:GetObject", f"{BUCKET}/settle/1.csv"),
        no("s3:PutObject", f"{BUCKET}/settle/1.csv"),
        no("s3:DeleteObject", f"{BUCKET}/settle/1.csv"),
        no("s3:GetObject", "arn:aws:s3:::pay-artifacts-2/1.csv"),
        no("s3:ListAllMyBuckets"),
    ],
    "read-prefix": [
        yes("s3:GetObject", f"{BUCKET}/settle/1.csv"),
        yes("s3:ListBucket", BUCKET, context={"s3:prefix": "settle/"}),
        no("s3:ListBucket", BUCKET, context={"s3:prefix": "hr/"}),
        no("s3:ListBucket", BUCKET, context={"s3:prefix": ""}),
        no("s3:GetObject", f"{BUCKET}/hr/1.csv"),
    ],
    "write-prefix": [
        yes("s3:PutObject", f"{BUCKET}/settle/1.csv", context=OWN),
        no("s3:PutObject", f"{BUCKET}/settle/1.csv", context={"aws:ResourceAccount": ELSEWHERE}),
        no("s3:PutObject", f"{BUCKET}/hr/1.csv", context=OWN),
        no("s3:GetObject", f"{BUCKET}/settle/1.csv", context=OWN),
        no("s3:DeleteObject", f"{BUCKET}/settle/1.csv", context=OWN),
        no("s3:PutObjectAcl", f"{BUCKET}/settle/1.csv", context=OWN),
    ],
    "deploy-lambda": [
        yes("lambda:UpdateFunctionCode", FUNCTION),
        yes("lambda:UpdateAlias", f"{FUNCTION}:live"),
        no("lambda:UpdateFunctionCode", _arn("lambda", "function:hr-sync")),
        no("lambda:UpdateFunctionConfiguration", FUNCTION),
        no("lambda:AddPermission", FUNCTION),
        no("iam:PassRole", ROLE),
    ],
    "read-billing": [
        yes("ce:GetCostAndUsage"),
        yes("budgets:ViewBudget", f"arn:aws:budgets::{HERE}:budget/all"),
        no("budgets:ModifyBudget", f"arn:aws:budgets::{HERE}:budget/all"),
        no("billing:UpdateBillingPreferences"),
        no("payments:MakePayment"),
    ],
    "on-call": [
        yes("ec2:RebootInstances", INSTANCE, context=TEAM | FRESH),
        no("ec2:RebootInstances", INSTANCE, context=TEAM | STALE),
        no("ec2:RebootInstances", INSTANCE, context=TEAM),
        no("ec2:RebootInstances", INSTANCE, context=OTHERS | FRESH),
        no("ec2:TerminateInstances", INSTANCE, context=TEAM | FRESH),
        yes("ecs:UpdateService", SERVICE, context=TEAM | FRESH),
        yes("logs:FilterLogEvents", LOGS, context=TEAM | FRESH),
        no("logs:FilterLogEvents", LOGS, context=OTHERS | FRESH),
        no("rds:DeleteDBInstance", _arn("rds", "db:main"), context=TEAM | FRESH),
    ],
    "read-logs": [
        yes("logs:FilterLogEvents", LOGS),
        yes("logs:GetLogEvents", f"{LOGS}:log-stream:2026"),
        yes("logs:DescribeLogGroups"),
        no("logs:FilterLogEvents", _arn("logs", "log-group:/aws/lambda/hr")),
        no("logs:DeleteLogGroup", LOGS),
    ],
    "start-stop-ec2": [
        yes("ec2:StartInstances", INSTANCE, context=TEAM),
        no("ec2:StartInstances", INSTANCE, context=OTHERS),
        no("ec2:StartInstances", INSTANCE),
        yes("ec2:DescribeInstances"),
        no("ec2:TerminateInstances", INSTANCE, context=TEAM),
        no("ec2:CreateTags", INSTANCE, context=TEAM),
    ],
    "deploy-ecs": [
        yes("ecs:UpdateService", SERVICE),
        no("ecs:UpdateService", _arn("ecs", "service/payments/hr-api")),
        yes("iam:PassRole", ROLE, context={"iam:PassedToService": "ecs-tasks.amazonaws.com"}),
        no("iam:PassRole", ROLE, context={"iam:PassedToService": "ec2.amazonaws.com"}),
        no(
            "iam:PassRole",
            f"arn:aws:iam::{HERE}:role/admin",
            context={"iam:PassedToService": "ecs-tasks.amazonaws.com"},
        ),
        no("ecs:DeleteService", SERVICE),
    ],
    "reach-eks": [
        yes("eks:DescribeCluster", CLUSTER),
        no("eks:DescribeCluster", _arn("eks", "cluster/other")),
        no("eks:UpdateClusterConfig", CLUSTER),
        no("eks:CreateAccessEntry", CLUSTER),
    ],
    "view-ec2": [
        yes("ec2:DescribeVolumes", context=IN_REGION),
        no("ec2:DescribeVolumes", context=OUT_OF_REGION),
        no("ec2:StopInstances", INSTANCE, context=IN_REGION),
        no("ec2:GetPasswordData", INSTANCE, context=IN_REGION),
    ],
    "view-rds": [
        yes("rds:DescribeDBInstances", _arn("rds", "db:main"), context=IN_REGION),
        no("rds:DescribeDBInstances", _arn("rds", "db:main"), context=OUT_OF_REGION),
        no("rds:DownloadDBLogFilePortion", _arn("rds", "db:main"), context=IN_REGION),
        no("rds:CreateDBSnapshot", _arn("rds", "db:main"), context=IN_REGION),
    ],
    "connect-rds": [
        yes("rds-db:connect", DATABASE),
        no("rds-db:connect", _arn("rds-db", "dbuser:db-ABCDEFGHIJKL01234/admin")),
        no("rds-db:connect", _arn("rds-db", "dbuser:db-OTHER/reporting")),
    ],
    "read-dynamodb": [
        yes("dynamodb:Query", TABLE),
        yes("dynamodb:Query", f"{TABLE}/index/by-day"),
        no("dynamodb:PutItem", TABLE),
        no("dynamodb:Scan", _arn("dynamodb", "table/people")),
        no("dynamodb:GetRecords", f"{TABLE}/stream/1"),
    ],
    "consume-sqs": [
        yes("sqs:ReceiveMessage", QUEUE),
        yes("sqs:DeleteMessage", QUEUE),
        no("sqs:SendMessage", QUEUE),
        no("sqs:PurgeQueue", QUEUE),
        no("sqs:ReceiveMessage", _arn("sqs", "pay-events-dead")),
    ],
    "publish-sns": [
        yes("sns:Publish", TOPIC),
        no("sns:Subscribe", TOPIC),
        no("sns:SetTopicAttributes", TOPIC),
        no("sns:Publish", _arn("sns", "alarms")),
    ],
    "use-kms-key": [
        yes("kms:Decrypt", KEY),
        yes("kms:GenerateDataKey", KEY),
        no("kms:PutKeyPolicy", KEY),
        no("kms:ScheduleKeyDeletion", KEY),
        no("kms:CreateGrant", KEY),
        no("kms:Decrypt", _arn("kms", "key/0000abcd-12ab-34cd-56ef-1234567890ab")),
    ],
    "read-secrets": [
        yes("secretsmanager:GetSecretValue", SECRET),
        no("secretsmanager:GetSecretValue", _arn("secretsmanager", "secret:hr/db-AbCdEf")),
        no("secretsmanager:GetSecretValue", _arn("secretsmanager", "secret:payments/settle-2-AbCdEf")),
        no("secretsmanager:PutSecretValue", SECRET),
        no("secretsmanager:PutResourcePolicy", SECRET),
    ],
    "read-parameters": [
        yes("ssm:GetParameter", PARAMETER),
        yes("ssm:GetParametersByPath", _arn("ssm", "parameter/payments/settle")),
        no("ssm:GetParameter", _arn("ssm", "parameter/hr/db")),
        no("ssm:PutParameter", PARAMETER),
    ],
    "support-cases": [
        yes("support:CreateCase"),
        yes("support:DescribeCases"),
        no("support:PutCaseAttributes"),
        no("supportplans:CreateSupportPlanSchedule"),
    ],
    "edit-dashboards": [
        yes("cloudwatch:PutDashboard", DASHBOARD),
        no("cloudwatch:PutDashboard", _arn("cloudwatch", "dashboard/hr", region="")),
        no("cloudwatch:DeleteDashboards", DASHBOARD),
        no("cloudwatch:DeleteAlarms", _arn("cloudwatch", "alarm:x")),
        yes("cloudwatch:GetMetricData"),
    ],
    "audit-iam": [
        yes("iam:GetRole", ROLE),
        yes("iam:ListUsers"),
        yes("iam:SimulatePrincipalPolicy", ROLE),
        no("iam:CreateAccessKey", f"arn:aws:iam::{HERE}:user/ana"),
        no("iam:PassRole", ROLE),
        no("iam:UpdateAssumeRolePolicy", ROLE),
    ],
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_enable-user-change.html
    "own-password": [
        yes("iam:ChangePassword", f"arn:aws:iam::{HERE}:user/ana"),
        yes("iam:ChangePassword", f"arn:aws:iam::{HERE}:user/payments/ana"),
        no("iam:ChangePassword", f"arn:aws:iam::{HERE}:user/ben"),
        no("iam:ChangePassword", f"arn:aws:iam::{HERE}:user/ana/ben"),
        no("iam:ChangePassword", f"arn:aws:iam::{ELSEWHERE}:user/ana"),
        no("iam:UpdateLoginProfile", f"arn:aws:iam::{HERE}:user/ana"),
        yes("iam:GetAccountPasswordPolicy"),
        no("iam:UpdateAccountPasswordPolicy"),
    ],
    "shell-by-tag": [
        yes(
            "ssm:StartSession",
            INSTANCE,
            context={"ssm:resourceTag/team": "payments", "ssm:SessionDocumentAccessCheck": True},
        ),
        no("ssm:StartSession", INSTANCE, context={"ssm:resourceTag/team": "search"}),
        yes("ssm:StartSession", _arn("ssm", "document/SSM-SessionManagerRunShell")),
        no("ssm:StartSession", _arn("ssm", "document/AWS-StartPortForwardingSession")),
        yes("ssm:TerminateSession", _arn("ssm", "session/AIDAEXAMPLE-1")),
        yes("ssm:TerminateSession", _arn("ssm", "session/ana-0a1b2c")),
        no("ssm:TerminateSession", _arn("ssm", "session/AIDAOTHER-1")),
        no("ssm:TerminateSession", _arn("ssm", "session/ben-0a1b2c")),
        no(
            "ssm:StartSession",
            _arn("ssm", "document/SSM-SessionManagerRunShell"),
            context={"ssm:SessionDocumentAccessCheck": False},
        ),
        no("ssm:SendCommand", INSTANCE, context={"ssm:resourceTag/team": "payments"}),
    ],
    "push-images": [
        yes("ecr:PutImage", REPOSITORY),
        yes("ecr:GetAuthorizationToken"),
        no("ecr:PutImage", _arn("ecr", "repository/hr/api")),
        no("ecr:DeleteRepository", REPOSITORY),
        no("ecr:SetRepositoryPolicy", REPOSITORY),
        no("ecr:BatchDeleteImage", REPOSITORY),
    ],
    "clear-cdn": [
        yes("cloudfront:CreateInvalidation", CDN),
        no("cloudfront:CreateInvalidation", f"arn:aws:cloudfront::{HERE}:distribution/E2OTHER"),
        no("cloudfront:UpdateDistribution", CDN),
    ],
}
KEY_POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{HERE}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
"""What AWS gives a key by default: it leaves it to the account's own policies. Source: "Default key
policy".
"""
