"""Guardrails: boundaries and self-service policies in each account, and SCPs and RCPs above them."""

from __future__ import annotations

from console.demo.organisation.documents import ORGANISATION_ID, allow, deny, deny_but, document
from console.demo.organisation.specs import OrganisationPolicy, PolicySpec

OWN_USER = "arn:aws:iam::*:user/*/${aws:username}"
TAGS = {"Team": "iam", "Owner": "ines.duarte@northline.example", "ManagedBy": "terraform"}
# What a user must be able to do before MFA is set up, including a forced change of the first password.
BEFORE_MFA = (
    "iam:ChangePassword",
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:GetAccountPasswordPolicy",
    "iam:GetUser",
    "iam:ListMFADevices",
    "iam:ListVirtualMFADevices",
    "iam:ResyncMFADevice",
    "sts:GetSessionToken",
)
GLOBAL_SERVICES = (
    "account:*",
    "aws-portal:*",
    "budgets:*",
    "ce:*",
    "cloudfront:*",
    "health:*",
    "iam:*",
    "organizations:*",
    "route53:*",
    "sts:*",
    "support:*",
    "waf:*",
)


def account_policies(account_name: str) -> tuple[PolicySpec, ...]:
    """Return the policies that the IAM team created in every account."""
    own_credentials = allow(
        "OwnCredentials",
        (
            "iam:ChangePassword",
            "iam:CreateAccessKey",
            "iam:DeleteAccessKey",
            "iam:UpdateAccessKey",
            "iam:ListAccessKeys",
            "iam:GetAccessKeyLastUsed",
            "iam:GetUser",
            "iam:ListMFADevices",
            "iam:EnableMFADevice",
            "iam:ResyncMFADevice",
            "iam:UploadSSHPublicKey",
            "iam:ListSSHPublicKeys",
            "iam:DeleteSSHPublicKey",
        ),
        OWN_USER,
    )
    own_device = allow(
        "OwnDevice",
        ("iam:CreateVirtualMFADevice", "iam:DeleteVirtualMFADevice"),
        "arn:aws:iam::*:mfa/${aws:username}",
    )
    look = allow("Look", ("iam:GetAccountPasswordPolicy", "iam:ListUsers", "iam:ListVirtualMFADevices"))
    within = document(
        allow("Everything", "*"),
        deny(
            "NoIdentities",
            ("iam:CreateUser", "iam:CreateAccessKey", "iam:*Group*", "organizations:*", "account:*"),
        ),
        deny("KeepTrail", ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:UpdateTrail")),
    )
    return (
        PolicySpec(
            "SelfService",
            ((document(look, own_credentials), 900), (document(look, own_credentials, own_device), 420)),
            "/guardrails/",
            "Self-service for password, access keys and MFA device",
            TAGS,
        ),
        PolicySpec(
            "RequireMfa",
            ((_require_mfa(()), 500), (_require_mfa(BEFORE_MFA), 480)),
            "/guardrails/",
            "Requires MFA for everything except enrolling a device",
            TAGS,
        ),
        PolicySpec(
            "WorkloadBoundary",
            ((within, 800),),
            "/guardrails/",
            "Permissions boundary for workload roles: no IAM, no CloudTrail changes",
            TAGS,
        ),
        PolicySpec(
            "TeamBoundary",
            (_team_boundary(account_name),),
            "/guardrails/",
            "Permissions boundary for product teams",
            TAGS,
        ),
    )


def _require_mfa(exempt: tuple[str, ...]) -> dict[str, object]:
    allowed = exempt or ("iam:ChangePassword",)
    return document(
        deny_but("DenyWithoutMfa", allowed, BoolIfExists={"aws:MultiFactorAuthPresent": "false"}),
    )


def _team_boundary(account_name: str) -> tuple[dict[str, object], int]:
    services = (
        "s3:*",
        "dynamodb:*",
        "lambda:*",
        "sqs:*",
        "sns:*",
        "logs:*",
        "cloudwatch:*",
        "ecs:*",
        "ecr:*",
        "eks:Describe*",
        "glue:*",
        "athena:*",
        "sagemaker:*",
        "kinesis:*",
        "secretsmanager:GetSecretValue",
        "ec2:Describe*",
    )
    identities = ("iam:Get*", "iam:List*", "iam:ChangePassword", "iam:*MFADevice", "iam:*AccessKey*")
    more = (
        ("iam:PassRole", "cloudformation:*") if account_name == "sandbox" else ("cloudformation:Describe*",)
    )
    return document(allow("Services", services), allow("Own", identities), allow("More", more)), 640


SCPS = (
    OrganisationPolicy(
        "DenyLeaving",
        "SERVICE_CONTROL_POLICY",
        document(deny("StayInside", ("organizations:LeaveOrganization", "account:CloseAccount"))),
        ("Root",),
        "Accounts can't leave the organization",  # wording: keep
    ),
    OrganisationPolicy(
        "EuropeOnly",
        "SERVICE_CONTROL_POLICY",
        document(
            deny_but(
                "OutsideEurope",
                GLOBAL_SERVICES,
                StringNotEquals={"aws:RequestedRegion": ["eu-west-1", "eu-central-1", "us-east-1"]},
            )
        ),
        ("Workloads",),
        "Data stays in Europe; us-east-1 only for global services",
    ),
    OrganisationPolicy(
        "ProtectEvidence",
        "SERVICE_CONTROL_POLICY",
        document(
            deny(
                "Trail", ("cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors")
            ),
            deny("Config", ("config:DeleteConfigurationRecorder", "config:StopConfigurationRecorder")),
            deny("LogBuckets", ("s3:DeleteBucket", "s3:PutBucketPolicy"), "arn:aws:s3:::northline-trail-*"),
        ),
        ("Workloads",),
        "Audit trails can't be disabled",  # wording: keep
    ),
    OrganisationPolicy(
        "NoRootUser",
        "SERVICE_CONTROL_POLICY",
        document(deny("Root", "*", "*", StringLike={"aws:PrincipalArn": "arn:aws:iam::*:root"})),
        ("Workloads",),
        "No root user access in workload accounts",
    ),
    OrganisationPolicy(
        "SandboxLimits",
        "SERVICE_CONTROL_POLICY",
        document(
            deny(
                "Expensive",
                (
                    "ec2:PurchaseReservedInstancesOffering",
                    "savingsplans:*",
                    "redshift:CreateCluster",
                    "sagemaker:CreateCluster",
                ),
            ),
            deny("NoVendors", "aws-marketplace:*"),
            deny(
                "NoNewAdministrators",
                ("iam:AttachUserPolicy", "iam:AttachRolePolicy"),
                "*",
                ArnEquals={"iam:PolicyARN": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ),
        ),
        ("Experiments",),
        "Limits cost in sandbox accounts",
    ),
)
RCPS = (
    OrganisationPolicy(
        "DataPerimeter",
        "RESOURCE_CONTROL_POLICY",
        document(
            {
                "Sid": "OnlyNorthline",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:GetObject", "s3:PutObject", "kms:Decrypt", "secretsmanager:GetSecretValue"],
                "Resource": "*",
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANISATION_ID},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            }
        ),
        ("Workloads",),
        "Data and secrets only for Northline principals and AWS services",
    ),
    OrganisationPolicy(
        "NoConfusedDeputy",
        "RESOURCE_CONTROL_POLICY",
        document(
            {
                "Sid": "OwnSourcesOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["s3:*", "sqs:*"],
                "Resource": "*",
                "Condition": {
                    "StringNotEqualsIfExists": {"aws:SourceOrgID": ORGANISATION_ID},
                    "Null": {"aws:SourceAccount": "false"},
                    "Bool": {"aws:PrincipalIsAWSService": "true"},
                },
            }
        ),
        ("Root",),
        "AWS services access our buckets and queues only for our accounts",
    ),
)
