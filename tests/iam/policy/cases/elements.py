"""The elements of a statement: versions, actions, resources, wildcards, and what is not matched."""

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
    SESSION,
    USER,
    Case,
    Page,
    allow,
    deny,
    policy,
)

CASES: list[Case] = []

page = Page("IAM JSON policy elements: Action", CASES)
for name, action, pattern, expected in (
    ("a name", "iam:ListAccessKeys", "iam:ListAccessKeys", ALLOWED),
    ("case does not count", "iam:ListAccessKeys", "IAM:listaccesskeys", ALLOWED),
    ("case does not count in the request", "IAM:LISTACCESSKEYS", "iam:ListAccessKeys", ALLOWED),
    ("a star after the prefix", "iam:CreateAccessKey", "iam:*", ALLOWED),
    ("a star around a word", "iam:DeleteAccessKey", "iam:*AccessKey*", ALLOWED),
    ("a star around a word of other case", "iam:DeleteAccessKey", "iam:*accesskey*", ALLOWED),
    ("a star around a word that is missing", "iam:DeleteUser", "iam:*AccessKey*", NOT_ALLOWED),
    ("a star at the end", "s3:GetObjectAcl", "s3:GetObject*", ALLOWED),
    ("a name is not a beginning", "s3:GetObjectAcl", "s3:GetObject", NOT_ALLOWED),
    ("a star in the middle", "s3:GetBucketAcl", "s3:Get*Acl", ALLOWED),
    ("a question mark", "ec2:RunInstances", "ec2:RunInstance?", ALLOWED),
    ("a question mark is one character", "ec2:RunInstances", "ec2:RunInstances?", NOT_ALLOWED),
    ("everything", "sqs:SendMessage", "*", ALLOWED),
    ("one of several", "sqs:SendMessage", ["sns:Publish", "sqs:SendMessage"], ALLOWED),
    ("another service of the same action", "sns:ListTagsForResource", "sqs:ListTagsForResource", NOT_ALLOWED),
    ("a service whose name only begins so", "ec2messages:GetMessages", "ec2:*", NOT_ALLOWED),
    ("a name that nobody knows is kept", "example:DoIt", "example:Do*", ALLOWED),
):
    page.case(name, expected, action=action, resource="*", identity=allow(pattern))

page = Page("IAM JSON policy elements: NotAction", CASES)
ALL_BUT = allow(None, not_action="iam:*")
for name, action, statement, expected in (
    ("another service is allowed", "ec2:RunInstances", ALL_BUT, ALLOWED),
    ("what is named is not", "iam:CreateUser", ALL_BUT, NOT_ALLOWED),
    ("what is named in other case is not", "IAM:createuser", ALL_BUT, NOT_ALLOWED),
    (
        "one of several that are named",
        "s3:DeleteBucket",
        allow(None, not_action=["iam:*", "s3:DeleteBucket"]),
        NOT_ALLOWED,
    ),
    (
        "beside those that are named",
        "s3:ListBucket",
        allow(None, not_action=["iam:*", "s3:DeleteBucket"]),
        ALLOWED,
    ),
    (
        "all actions of S3 but one",
        "s3:PutObject",
        allow(None, "arn:aws:s3:::*", not_action="s3:DeleteBucket"),
        NOT_ALLOWED,
    ),
):
    page.case(name, expected, action=action, resource="*", identity=statement)
GUARD = deny(
    None,
    not_action=["iam:*", "sts:GetSessionToken"],
    when={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
)
page.case(
    "a deny of all but some, without MFA",
    DENIED,
    context={"aws:MultiFactorAuthPresent": "false"},
    identity=[allow("*"), GUARD],
)
page.case(
    "a deny of all but some, of these",
    ALLOWED,
    action="iam:ListUsers",
    resource="*",
    context={"aws:MultiFactorAuthPresent": "false"},
    identity=[allow("*"), GUARD],
)
page.case(
    "a deny of all but some, with MFA",
    ALLOWED,
    context={"aws:MultiFactorAuthPresent": "true"},
    identity=[allow("*"), GUARD],
)

page = Page("IAM JSON policy elements: Resource", CASES)
SLASHES = "arn:aws:s3:::amzn-s3-demo-bucket/*/test/*"
for name, resource, pattern, expected in (
    ("a star for a folder", f"{BUCKET}/1/test/object.jpg", SLASHES, ALLOWED),
    ("a star over slashes", f"{BUCKET}/1/2/test/object.jpg", SLASHES, ALLOWED),
    ("stars over slashes on both sides", f"{BUCKET}/1/2/test/3/object.jpg", SLASHES, ALLOWED),
    ("a star over many slashes", f"{BUCKET}/1///test///object.jpg", SLASHES, ALLOWED),
    ("a star for nothing between slashes", f"{BUCKET}//test/object.jpg", SLASHES, ALLOWED),
    ("a star for nothing at the end", f"{BUCKET}/1/test/", SLASHES, ALLOWED),
    ("a slash is missing before", f"{BUCKET}/1-test/object.jpg", SLASHES, NOT_ALLOWED),
    ("the first folder is missing", f"{BUCKET}/test/object.jpg", SLASHES, NOT_ALLOWED),
    ("the folder is missing", f"{BUCKET}/1/2/test.jpg", SLASHES, NOT_ALLOWED),
    ("user names are case sensitive", USER, f"arn:aws:iam::{ACCOUNT}:user/Ana", NOT_ALLOWED),
    (
        "a path of users",
        f"arn:aws:iam::{ACCOUNT}:user/accounting/ana",
        f"arn:aws:iam::{ACCOUNT}:user/accounting/*",
        ALLOWED,
    ),
    ("a user outside of the path", USER, f"arn:aws:iam::{ACCOUNT}:user/accounting/*", NOT_ALLOWED),
    ("the bucket is not its objects", BUCKET, f"{BUCKET}/*", NOT_ALLOWED),
    ("the objects are not the bucket", OBJECT, BUCKET, NOT_ALLOWED),
    ("a star without slash is both", OBJECT, f"{BUCKET}*", ALLOWED),
    ("a star without slash is other buckets too", f"{BUCKET}-2/x", f"{BUCKET}*", ALLOWED),
    ("everything", OBJECT, "*", ALLOWED),
    ("one of several", OBJECT, [BUCKET, f"{BUCKET}/*"], ALLOWED),
    ("a question mark", f"{BUCKET}/2024-test", f"{BUCKET}/????-test", ALLOWED),
    ("too few characters for question marks", f"{BUCKET}/224-test", f"{BUCKET}/????-test", NOT_ALLOWED),
    (
        "a star in region and account",
        f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs",
        "arn:aws:sqs:*:*:jobs",
        ALLOWED,
    ),
    (
        "a star in the region, another account",
        f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs",
        "arn:aws:sqs:*:999999999999:jobs",
        NOT_ALLOWED,
    ),
    (
        "a star that ends a segment goes beyond colons",
        f"arn:aws:lambda:us-east-2:{ACCOUNT}:function:f:1",
        "arn:aws:lambda:us-east-2:*",
        ALLOWED,
    ),
    ("a star that ends the service", OBJECT, "arn:aws:s3:*", ALLOWED),
    (
        "a star within a segment stays in it",
        f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs",
        "arn:aws:sqs:us-*2:jobs",
        NOT_ALLOWED,
    ),
    (
        "a star within the region",
        f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs",
        f"arn:aws:sqs:us-*-2:{ACCOUNT}:jobs",
        ALLOWED,
    ),
    (
        "a question mark is no colon",
        f"arn:aws:sqs::{ACCOUNT}:jobs",
        f"arn:aws:sqs?{ACCOUNT}:jobs",
        NOT_ALLOWED,
    ),
    (
        "the resource itself may have colons",
        f"arn:aws:logs:us-east-2:{ACCOUNT}:log-group:a:log-stream:b",
        f"arn:aws:logs:us-east-2:{ACCOUNT}:log-group:a:*",
        ALLOWED,
    ),
    ("a pattern for a request without resource", "*", f"{BUCKET}/*", NOT_ALLOWED),
):
    page.case(name, expected, action="x:Do", resource=resource, identity=allow("x:*", pattern))
page.case(
    "everything for a request without resource",
    ALLOWED,
    action="ec2:DescribeInstances",
    resource="*",
    identity=allow("ec2:*"),
)

page = Page("Identify AWS resources with Amazon Resource Names (ARNs)", CASES)
QUEUE = f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs"
for name, pattern, expected in (
    ("three segments are completed", "arn:aws:sqs", ALLOWED),
    ("four segments are completed", "arn:aws:sqs:us-east-2", ALLOWED),
    ("five segments are completed", f"arn:aws:sqs:us-east-2:{ACCOUNT}", ALLOWED),
    ("another service is not", "arn:aws:sns", NOT_ALLOWED),
    ("another region is not", "arn:aws:sqs:us-east-1", NOT_ALLOWED),
    ("six segments stand as they are", f"arn:aws:sqs:us-east-2:{ACCOUNT}:", NOT_ALLOWED),
):
    page.case(
        f"incomplete ARN: {name}",
        expected,
        action="sqs:SendMessage",
        resource=QUEUE,
        identity=allow("sqs:*", pattern),
    )
page.case(
    "incomplete ARN: in NotResource",
    NOT_ALLOWED,
    action="sqs:SendMessage",
    resource=QUEUE,
    identity=allow("sqs:*", None, not_resource="arn:aws:sqs"),
)
page.case(
    "incomplete ARN: no session policy may have one",
    CONDITIONAL,
    loose=CONDITIONAL,
    principal=SESSION,
    action="sqs:SendMessage",
    resource=QUEUE,
    identity=allow("sqs:*"),
    session=allow("sqs:*", "arn:aws:sqs"),
    note="STS takes no such policy; what would come of it is undecidable.",
)

page.case(
    "incomplete ARN: no session policy may have one beside others",
    CONDITIONAL,
    loose=CONDITIONAL,
    principal=SESSION,
    action="sqs:SendMessage",
    resource=QUEUE,
    identity=allow("sqs:*"),
    session=allow("sqs:*", ["*", "arn:aws:sqs"]),
)

page = Page("IAM JSON policy elements: NotResource", CASES)
HR = allow("s3:*", None, not_resource=["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"])
NOT_HR = deny("s3:*", None, not_resource=["arn:aws:s3:::HRBucket/Payroll", "arn:aws:s3:::HRBucket/Payroll/*"])
for name, resource, statements, expected in (
    ("allow: what is named is not", "arn:aws:s3:::HRBucket/Payroll/may", HR, NOT_ALLOWED),
    ("allow: all others are", OBJECT, HR, ALLOWED),
    ("allow: case counts", "arn:aws:s3:::hrbucket/Payroll/may", HR, ALLOWED),
    ("deny: what is named is not denied", "arn:aws:s3:::HRBucket/Payroll", [allow("s3:*"), NOT_HR], ALLOWED),
    ("deny: all others are", OBJECT, [allow("s3:*"), NOT_HR], DENIED),
    ("deny: nothing is allowed by it", "arn:aws:s3:::HRBucket/Payroll", NOT_HR, NOT_ALLOWED),
    ("all but everything is nothing", OBJECT, allow("s3:*", None, not_resource="*"), NOT_ALLOWED),
):
    page.case(name, expected, resource=resource, identity=statements)
page.case(
    "with NotAction: neither is named",
    ALLOWED,
    identity=allow(None, None, not_action="iam:*", not_resource="arn:aws:s3:::elsewhere/*"),
)
page.case(
    "with NotAction: the resource is named",
    NOT_ALLOWED,
    identity=allow(None, None, not_action="iam:*", not_resource=f"{BUCKET}/*"),
)

page = Page("IAM JSON policy elements: Version", CASES)
HOME = allow("s3:*", BUCKET + "/${aws:username}/*")
for name, version, resource, expected in (
    ("2012-10-17: variables are replaced", "2012-10-17", f"{BUCKET}/ana/x", ALLOWED),
    ("2008-10-17: variables are text", "2008-10-17", f"{BUCKET}/ana/x", NOT_ALLOWED),
    ("2008-10-17: that text itself", "2008-10-17", BUCKET + "/${aws:username}/x", ALLOWED),
    ("no version is 2008-10-17", None, f"{BUCKET}/ana/x", NOT_ALLOWED),
    ("no version: that text itself", None, BUCKET + "/${aws:username}/x", ALLOWED),
):
    page.case(name, expected, resource=resource, identity=[policy(HOME, version=version)])
page.case(
    "all else works without a version",
    ALLOWED,
    identity=[policy(allow("s3:Get*", f"{BUCKET}/*"), version=None)],
)

page = Page("Grammar of the IAM JSON policy language", CASES)
WHOLE: Any = {"Version": "2012-10-17", "Statement": allow("s3:*")}
page.case("one statement without a list", ALLOWED, identity=[WHOLE])
page.case(
    "a policy as text",
    ALLOWED,
    identity=[
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'
    ],
)
page.case(
    "an unreadable policy leaves the others in force", ALLOWED, identity=["{no json", policy(allow("s3:*"))]
)
page.case(
    "a deny stays in force beside an unreadable policy", DENIED, identity=["{no json", policy(deny("s3:*"))]
)
page.case(
    "values of conditions may be numbers",
    ALLOWED,
    context={"s3:max-keys": "5"},
    identity=allow("s3:*", when={"NumericLessThan": {"s3:max-keys": 10}}),
)
page.case(
    "an effect that is none is undecidable",
    CONDITIONAL,
    loose=CONDITIONAL,
    identity=[policy(allow("s3:*")), policy({"Effect": "deny", "Action": "s3:*", "Resource": "*"})],
    note="The values Allow and Deny are case sensitive; AWS takes no such policy.",
)
page.case(
    "an operator that is none is undecidable",
    CONDITIONAL,
    loose=CONDITIONAL,
    identity=allow("s3:*", when={"StringSounds": {"aws:username": "ana"}}),
)
page.case(
    "Null has no IfExists: undecidable",
    CONDITIONAL,
    loose=CONDITIONAL,
    identity=allow("s3:*", when={"NullIfExists": {"aws:username": "false"}}),
)
page.case(
    "a principal in an identity policy is undecidable",
    CONDITIONAL,
    loose=CONDITIONAL,
    identity=allow("s3:*", to="*"),
)
