"""The example service control policies of the AWS Organizations User Guide, as facts."""

from __future__ import annotations

from tests.iam.policy.cases.notation import (
    ACCOUNT,
    ALLOWED,
    CONDITIONAL,
    DENIED,
    ROLE,
    ROOT,
    SESSION,
    USER,
    Case,
    Page,
    allow,
    deny,
    policy,
)

CASES: list[Case] = []
FULL = policy(allow("*"))
ADMIN = allow("*")

page = Page("General examples (service control policies)", CASES)
GLOBAL = [
    "a4b:*",
    "cloudfront:*",
    "iam:*",
    "organizations:*",
    "route53:*",
    "s3:ListAllMyBuckets",
    "sts:*",
    "support:*",
]
REGIONS = deny(
    None,
    not_action=GLOBAL,
    when={
        "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]},
        "ArnNotLike": {"aws:PrincipalARN": ["arn:aws:iam::*:role/Role1AllowedToBypassThisSCP"]},
    },
)
BYPASS = f"arn:aws:iam::{ACCOUNT}:role/Role1AllowedToBypassThisSCP"
for name, action, region, principal, expected in (
    ("a region of the list", "ec2:RunInstances", "eu-west-1", USER, ALLOWED),
    ("another region", "ec2:RunInstances", "us-east-1", USER, DENIED),
    ("a global service in any region", "iam:CreateRole", "us-east-1", USER, ALLOWED),
    ("a role that may bypass it", "ec2:RunInstances", "us-east-1", BYPASS, ALLOWED),
    (
        "a session of a role that may bypass it",
        "ec2:RunInstances",
        "us-east-1",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Role1AllowedToBypassThisSCP/x",
        ALLOWED,
    ),
):
    page.case(
        f"regions: {name}",
        expected,
        action=action,
        resource="*",
        principal=principal,
        context={"aws:RequestedRegion": region},
        identity=ADMIN,
        scps=[[FULL, policy(REGIONS)]],
    )
page.case(
    "regions: the Region is left open",
    DENIED,
    loose=CONDITIONAL,
    action="ec2:RunInstances",
    resource="*",
    identity=ADMIN,
    scps=[[FULL, policy(REGIONS)]],
)
ADMIN_ROLE = f"arn:aws:iam::{ACCOUNT}:role/name-of-role-to-deny"
CHANGES = [
    "iam:AttachRolePolicy",
    "iam:DeleteRole",
    "iam:DetachRolePolicy",
    "iam:PutRolePolicy",
    "iam:UpdateRole",
]
PROTECT = deny(CHANGES, "arn:aws:iam::*:role/name-of-role-to-deny")
for name, action, resource, expected in (
    ("changing it", "iam:PutRolePolicy", ADMIN_ROLE, DENIED),
    ("reading it", "iam:GetRole", ADMIN_ROLE, ALLOWED),
    ("changing another", "iam:PutRolePolicy", ROLE, ALLOWED),
):
    page.case(
        f"a role that nobody changes: {name}",
        expected,
        action=action,
        resource=resource,
        identity=ADMIN,
        scps=[[FULL, policy(PROTECT)]],
    )
EXCEPT = deny(
    CHANGES,
    "arn:aws:iam::*:role/name-of-role-to-deny",
    when={"StringNotLike": {"aws:PrincipalARN": "arn:aws:iam::*:role/name-of-admin-role-to-allow"}},
)
for name, principal, expected in (
    ("an administrator who is a user", USER, DENIED),
    ("the role that may", f"arn:aws:sts::{ACCOUNT}:assumed-role/name-of-admin-role-to-allow/x", ALLOWED),
    ("another role", SESSION, DENIED),
):
    page.case(
        f"a role that one role changes: {name}",
        expected,
        action="iam:DeleteRole",
        resource=ADMIN_ROLE,
        principal=principal,
        identity=ADMIN,
        scps=[[FULL, policy(EXCEPT)]],
    )
MFA = deny(
    ["ec2:StopInstances", "ec2:TerminateInstances"],
    when={"BoolIfExists": {"aws:MultiFactorAuthPresent": False}},
)
for name, context, expected, loose in (
    ("with MFA", {"aws:MultiFactorAuthPresent": "true"}, ALLOWED, ""),
    ("without MFA", {"aws:MultiFactorAuthPresent": "false"}, DENIED, ""),
    ("with an access key, which has no such key", {}, DENIED, CONDITIONAL),
):
    page.case(
        f"stopping an instance {name}",
        expected,
        loose=loose,
        action="ec2:StopInstances",
        resource="*",
        context=context,
        identity=ADMIN,
        scps=[[FULL, policy(MFA)]],
    )
NO_ROOT = deny("ec2:*", when={"StringLike": {"aws:PrincipalArn": ["arn:aws:iam::*:root"]}})
for name, principal, action, expected in (
    ("the root user", ROOT, "ec2:RunInstances", DENIED),
    ("the root user and another service", ROOT, "s3:ListAllMyBuckets", ALLOWED),
    ("a user", USER, "ec2:RunInstances", ALLOWED),
    ("a session", SESSION, "ec2:RunInstances", ALLOWED),
):
    page.case(
        f"EC2 without the root user: {name}",
        expected,
        principal=principal,
        action=action,
        resource="*",
        identity=[] if principal == ROOT else ADMIN,
        scps=[[FULL, policy(NO_ROOT)]],
    )

page = Page("Example SCPs for Amazon EC2", CASES)
INSTANCE = f"arn:aws:ec2:us-east-2:{ACCOUNT}:instance/i-1"
MICRO = deny(
    "ec2:RunInstances",
    "arn:aws:ec2:*:*:instance/*",
    when={"StringNotEquals": {"ec2:InstanceType": "t2.micro"}},
)
for name, resource, context, expected in (
    ("the type that must be", INSTANCE, {"ec2:InstanceType": "t2.micro"}, ALLOWED),
    ("another type", INSTANCE, {"ec2:InstanceType": "m5.large"}, DENIED),
    ("the volume of the same call", f"arn:aws:ec2:us-east-2:{ACCOUNT}:volume/*", {}, ALLOWED),
):
    page.case(
        f"one type of instance: {name}",
        expected,
        action="ec2:RunInstances",
        resource=resource,
        context=context,
        identity=ADMIN,
        scps=[[FULL, policy(MICRO)]],
    )

page = Page("Example SCPs for tagging resources", CASES)
SECRET = f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:a"
TAGGED = [
    deny("secretsmanager:CreateSecret", when={"Null": {"aws:RequestTag/Project": "true"}}),
    deny("secretsmanager:CreateSecret", when={"Null": {"aws:RequestTag/CostCenter": "true"}}),
]
for name, context, expected in (
    ("both tags", {"aws:RequestTag/Project": "a", "aws:RequestTag/CostCenter": "b"}, ALLOWED),
    ("one tag", {"aws:RequestTag/Project": "a", "aws:RequestTag/CostCenter": None}, DENIED),
    ("no tag", {"aws:RequestTag/Project": None, "aws:RequestTag/CostCenter": None}, DENIED),
    ("tag keys in other case", {"aws:RequestTag/project": "a", "aws:RequestTag/COSTCENTER": "b"}, ALLOWED),
):
    page.case(
        f"tags on new secrets: {name}",
        expected,
        action="secretsmanager:CreateSecret",
        resource=SECRET,
        context=context,
        identity=ADMIN,
        scps=[[FULL, policy(*TAGGED)]],
    )
