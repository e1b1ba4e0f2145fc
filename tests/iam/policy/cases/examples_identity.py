"""The example identity-based policies of the IAM User Guide, as facts."""

from __future__ import annotations

from typing import Any

from tests.iam.policy.cases.notation import (
    ACCOUNT,
    ALLOWED,
    BUCKET,
    CONDITIONAL,
    DENIED,
    NOT_ALLOWED,
    OBJECT,
    OTHER,
    ROLE,
    SESSION,
    USER,
    Case,
    Page,
    allow,
    deny,
    policy,
)

CASES: list[Case] = []
INSTANCE = f"arn:aws:ec2:us-east-2:{ACCOUNT}:instance/i-1"

page = Page("AWS: Allows access based on date and time", CASES)
DATES = {
    "DateGreaterThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"},
    "DateLessThan": {"aws:CurrentTime": "2020-06-30T23:59:59Z"},
}
for name, now, expected in (
    ("before", "2020-03-31T23:59:59Z", NOT_ALLOWED),
    ("at the beginning", "2020-04-01T00:00:00Z", NOT_ALLOWED),
    ("between", "2020-05-15T12:00:00Z", ALLOWED),
    ("after", "2020-07-01T00:00:00Z", NOT_ALLOWED),
):
    page.case(name, expected, context={"aws:CurrentTime": now}, identity=allow("s3:GetObject", when=DATES))

page = Page(
    "AWS: Allows MFA-authenticated IAM users to manage their own credentials on the Security credentials "
    "page",
    CASES,
)
OWN = "arn:aws:iam::*:user/${aws:username}"
NO_MFA = deny(
    None,
    not_action=[
        "iam:CreateVirtualMFADevice",
        "iam:EnableMFADevice",
        "iam:GetUser",
        "iam:ListMFADevices",
        "sts:GetSessionToken",
    ],
    when={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
)
SELF = policy(allow(["iam:CreateAccessKey", "iam:ListMFADevices", "iam:GetUser"], OWN), NO_MFA)
OTHERS = USER.replace("ana", "ben")
for name, action, resource, context, expected, loose in (
    (
        "the own access key, with MFA",
        "iam:CreateAccessKey",
        USER,
        {"aws:MultiFactorAuthPresent": "true"},
        ALLOWED,
        "",
    ),
    (
        "the own access key, without MFA",
        "iam:CreateAccessKey",
        USER,
        {"aws:MultiFactorAuthPresent": "false"},
        DENIED,
        "",
    ),
    ("the own access key, with an access key", "iam:CreateAccessKey", USER, {}, DENIED, CONDITIONAL),
    (
        "the own MFA devices, without MFA",
        "iam:ListMFADevices",
        USER,
        {"aws:MultiFactorAuthPresent": "false"},
        ALLOWED,
        "",
    ),
    (
        "another user's access key",
        "iam:CreateAccessKey",
        OTHERS,
        {"aws:MultiFactorAuthPresent": "true"},
        NOT_ALLOWED,
        "",
    ),
):
    page.case(name, expected, loose=loose, action=action, resource=resource, context=context, identity=[SELF])

page = Page("AWS: Denies access to AWS based on the source IP", CASES)
NETS = {
    "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]},
    "Bool": {"aws:ViaAWSService": "false"},
}
for name, context, expected in (
    ("from the first range", {"aws:SourceIp": "192.0.2.9", "aws:ViaAWSService": "false"}, ALLOWED),
    ("from the second range", {"aws:SourceIp": "203.0.113.9", "aws:ViaAWSService": "false"}, ALLOWED),
    ("from elsewhere", {"aws:SourceIp": "198.51.100.1", "aws:ViaAWSService": "false"}, DENIED),
    (
        "from elsewhere, by a service on behalf",
        {"aws:SourceIp": "198.51.100.1", "aws:ViaAWSService": "true"},
        ALLOWED,
    ),
):
    page.case(name, expected, context=context, identity=[allow("s3:*"), deny("*", when=NETS)])

page = Page("AWS: Denies access to Amazon S3 resources outside your account except AWS Data Exchange", CASES)
ABROAD = deny("s3:*", when={"StringNotEquals": {"s3:ResourceAccount": [ACCOUNT]}})
page.case("a bucket of the account", ALLOWED, identity=[allow("s3:*"), ABROAD])
page.case(
    "a bucket of another account",
    DENIED,
    account=OTHER,
    identity=[allow("s3:*"), ABROAD],
    resource_policy=allow("s3:*", OBJECT, to={"AWS": USER}),
)

page = Page("Amazon DynamoDB: Allows row-level access to DynamoDB based on an Amazon Cognito ID", CASES)
TABLE = f"arn:aws:dynamodb:us-east-2:{ACCOUNT}:table/MyTable"
ROWS = allow(
    ["dynamodb:GetItem", "dynamodb:Query"],
    TABLE,
    when={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["${cognito-identity.amazonaws.com:sub}"]}},
)
SUB = {"cognito-identity.amazonaws.com:sub": "us-east-1:12345678"}
for name, keys, expected in (
    ("the own rows", ["us-east-1:12345678"], ALLOWED),
    ("other rows", ["us-east-1:87654321"], NOT_ALLOWED),
    ("own and other rows", ["us-east-1:12345678", "us-east-1:87654321"], NOT_ALLOWED),
):
    page.case(
        name,
        expected,
        principal=SESSION,
        action="dynamodb:GetItem",
        resource=TABLE,
        context=SUB | {"dynamodb:LeadingKeys": keys},
        identity=ROWS,
    )

page = Page(
    "Amazon EC2: Allows starting or stopping EC2 instances a user has tagged, programmatically and in the "
    "console",
    CASES,
)
TAGGED = policy(
    allow(
        ["ec2:StartInstances", "ec2:StopInstances"],
        "arn:aws:ec2:*:*:instance/*",
        when={"StringEquals": {"aws:ResourceTag/Owner": "${aws:username}"}},
    ),
    allow("ec2:DescribeInstances"),
)
for name, action, resource, context, expected, loose in (
    ("the own instance", "ec2:StopInstances", INSTANCE, {"aws:ResourceTag/Owner": "ana"}, ALLOWED, ""),
    ("another's instance", "ec2:StopInstances", INSTANCE, {"aws:ResourceTag/Owner": "ben"}, NOT_ALLOWED, ""),
    (
        "an instance without owner",
        "ec2:StopInstances",
        INSTANCE,
        {"aws:ResourceTag/Owner": None},
        NOT_ALLOWED,
        "",
    ),
    ("an instance of which nothing is known", "ec2:StopInstances", INSTANCE, {}, NOT_ALLOWED, CONDITIONAL),
    ("listing instances", "ec2:DescribeInstances", "*", {}, ALLOWED, ""),
    (
        "terminating the own instance",
        "ec2:TerminateInstances",
        INSTANCE,
        {"aws:ResourceTag/Owner": "ana"},
        NOT_ALLOWED,
        "",
    ),
):
    page.case(
        name, expected, loose=loose, action=action, resource=resource, context=context, identity=[TAGGED]
    )

page = Page("Amazon EC2: Limits terminating EC2 instances to an IP address range", CASES)
LIMITED = [
    allow("ec2:TerminateInstances"),
    deny(
        "ec2:TerminateInstances", when={"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]}}
    ),
]
for name, address, expected in (("within", "192.0.2.1", ALLOWED), ("outside", "8.8.8.8", DENIED)):
    page.case(
        name,
        expected,
        action="ec2:TerminateInstances",
        resource=INSTANCE,
        context={"aws:SourceIp": address},
        identity=LIMITED,
    )

page = Page(
    "Amazon S3: Allows IAM users access to their S3 home directory, programmatically and in the console",
    CASES,
)
HOME = policy(
    allow(["s3:ListAllMyBuckets", "s3:GetBucketLocation"]),
    allow(
        "s3:ListBucket", BUCKET, when={"StringLike": {"s3:prefix": ["", "home/", "home/${aws:username}/*"]}}
    ),
    allow("s3:*", [BUCKET + "/home/${aws:username}", BUCKET + "/home/${aws:username}/*"]),
)
for name, action, resource, prefix, expected in (
    ("listing all buckets", "s3:ListAllMyBuckets", "*", None, ALLOWED),
    ("listing the bucket", "s3:ListBucket", BUCKET, "", ALLOWED),
    ("listing the homes", "s3:ListBucket", BUCKET, "home/", ALLOWED),
    ("listing the own home", "s3:ListBucket", BUCKET, "home/ana/letters", ALLOWED),
    ("listing another home", "s3:ListBucket", BUCKET, "home/ben/", NOT_ALLOWED),
    ("listing without prefix", "s3:ListBucket", BUCKET, None, NOT_ALLOWED),
    ("writing to the own home", "s3:PutObject", f"{BUCKET}/home/ana/x", None, ALLOWED),
    ("writing to another home", "s3:PutObject", f"{BUCKET}/home/ben/x", None, NOT_ALLOWED),
    (
        "writing to a home that begins like the own",
        "s3:PutObject",
        f"{BUCKET}/home/anabel/x",
        None,
        NOT_ALLOWED,
    ),
):
    page.case(
        name, expected, action=action, resource=resource, context={"s3:prefix": prefix}, identity=[HOME]
    )

page = Page("Amazon S3: Allows Amazon Cognito users to access objects in their bucket", CASES)
COGNITO = allow("s3:GetObject", BUCKET + "/cognito/my-app/${cognito-identity.amazonaws.com:sub}/*")
page.case(
    "the own objects",
    ALLOWED,
    principal=SESSION,
    resource=f"{BUCKET}/cognito/my-app/us-east-1:12345678/x",
    context=SUB,
    identity=COGNITO,
)
page.case(
    "other objects",
    NOT_ALLOWED,
    principal=SESSION,
    resource=f"{BUCKET}/cognito/my-app/us-east-1:87654321/x",
    context=SUB,
    identity=COGNITO,
)

page = Page("Grant a user permissions to pass a role to an AWS service", CASES)
PASS = allow(
    "iam:PassRole",
    f"arn:aws:iam::{ACCOUNT}:role/EC2-roles-for-XYZ-*",
    when={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
)
XYZ = f"arn:aws:iam::{ACCOUNT}:role/EC2-roles-for-XYZ-1"
for name, resource, service, expected in (
    ("a role of the name to the service", XYZ, "ec2.amazonaws.com", ALLOWED),
    ("a role of the name to another service", XYZ, "lambda.amazonaws.com", NOT_ALLOWED),
    ("another role", ROLE, "ec2.amazonaws.com", NOT_ALLOWED),
):
    page.case(
        name,
        expected,
        action="iam:PassRole",
        resource=resource,
        context={"iam:PassedToService": service},
        identity=PASS,
    )

page = Page("Permissions boundaries for IAM entities, delegating responsibility to others", CASES)
XCOMPANY = f"arn:aws:iam::{ACCOUNT}:policy/XCompanyBoundaries"
DELEGATE: list[dict[str, Any]] = [
    allow(
        ["iam:CreateUser", "iam:PutUserPolicy"], when={"StringEquals": {"iam:PermissionsBoundary": XCOMPANY}}
    ),
    deny(["iam:CreatePolicyVersion", "iam:DeletePolicy"], XCOMPANY),
    deny("iam:DeleteUserPermissionsBoundary"),
]
for name, action, resource, boundary, expected in (
    ("a user with the boundary", "iam:CreateUser", OTHERS, XCOMPANY, ALLOWED),
    ("a user with another boundary", "iam:CreateUser", OTHERS, XCOMPANY + "2", NOT_ALLOWED),
    ("a user without boundary", "iam:CreateUser", OTHERS, None, NOT_ALLOWED),
    ("changing the boundary's policy", "iam:CreatePolicyVersion", XCOMPANY, None, DENIED),
    ("taking a boundary away", "iam:DeleteUserPermissionsBoundary", OTHERS, XCOMPANY, DENIED),
):
    page.case(
        name,
        expected,
        action=action,
        resource=resource,
        context={"iam:PermissionsBoundary": boundary},
        identity=DELEGATE,
    )

page = Page("IAM tutorial: Define permissions to access AWS resources based on tags", CASES)
SECRET = f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:a"
MATCHING = {
    "StringEquals": {
        f"aws:ResourceTag/access-{key}": f"${{aws:PrincipalTag/access-{key}}}" for key in ("project", "team")
    }
}
PEG = {"arn": SESSION, "tags": {"access-project": "peg", "access-team": "eng"}}
for name, tags, expected in (
    ("the same project and team", ("peg", "eng"), ALLOWED),
    ("another team", ("peg", "qas"), NOT_ALLOWED),
    ("another project", ("uni", "eng"), NOT_ALLOWED),
    ("no team", ("peg", None), NOT_ALLOWED),
):
    page.case(
        name,
        expected,
        principal=PEG,
        action="secretsmanager:GetSecretValue",
        resource=SECRET,
        context=dict(
            zip(("aws:ResourceTag/access-project", "aws:ResourceTag/access-team"), tags, strict=True)
        ),
        identity=allow("secretsmanager:*", when=MATCHING),
    )
page.case(
    "a caller without tags and a secret without tags",
    NOT_ALLOWED,
    principal={"arn": SESSION, "tags": {}},
    action="secretsmanager:GetSecretValue",
    resource=SECRET,
    context={"aws:ResourceTag/access-project": None, "aws:ResourceTag/access-team": None},
    identity=allow("secretsmanager:*", when=MATCHING),
)
