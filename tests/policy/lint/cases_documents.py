"""Cases of the document as a whole, of actions, of ARNs and of what is redundant."""

from __future__ import annotations

from tests.policy.lint.builders import (
    ACCOUNT,
    BUCKET,
    CONDITION,
    FIRST,
    PLAIN,
    ROLE,
    Case,
    allow,
    deny,
    policy,
    rcp,
    shared,
    trust,
    when,
)

DOCUMENTS = [
    Case("JSON_SYNTAX_ERROR", PLAIN.replace('"*"', "*").replace(': "Allow"', ": Allow"), "", PLAIN),
    Case(
        "DUPLICATE_KEYS",
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}]}',
        f"{FIRST}.Effect",
        PLAIN,
    ),
    Case(
        "DUPLICATE_KEYS",
        '{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}',
        "Version",
        PLAIN,
    ),
    Case(
        "DUPLICATE_KEYS_WITH_DIFFERENT_CASE",
        policy(allow(Condition={"StringEquals": {"aws:username": "a", "AWS:UserName": "b"}})),
        f"{CONDITION}.StringEquals.AWS:UserName",
        policy(allow(Condition={"StringEquals": {"aws:username": "a", "aws:userid": "b"}})),
    ),
    Case("DATA_TYPE_MISMATCH", "[]", "", PLAIN),
    Case("DATA_TYPE_MISMATCH", policy(allow(7)), f"{FIRST}.Action", PLAIN),
    Case("DATA_TYPE_MISMATCH", policy(allow(["s3:GetObject", None])), f"{FIRST}.Action[1]", PLAIN),
    Case("DATA_TYPE_MISMATCH", '{"Version": "2012-10-17", "Statement": "x"}', "Statement", PLAIN),
    Case("DATA_TYPE_MISMATCH", '{"Version": "2012-10-17", "Statement": [1]}', FIRST, PLAIN),
    Case("DATA_TYPE_MISMATCH", policy(allow(Condition=[])), CONDITION, PLAIN),
    Case("DATA_TYPE_MISMATCH", policy(allow(Condition={"Bool": "x"})), f"{CONDITION}.Bool", PLAIN),
    Case("DATA_TYPE_MISMATCH", policy(allow(), Version=2012), "Version", PLAIN),
    Case("DOCUMENT_TOO_LARGE", policy(allow(["s3:GetObject"] * 16_000)), "", PLAIN),
    Case("INVALID_POLICY_ELEMENT", policy(allow(Actions="s3:*")), f"{FIRST}.Actions", PLAIN),
    Case("INVALID_POLICY_ELEMENT", policy(allow(), Statements=[]), "Statements", PLAIN),
    Case(
        "INVALID_POLICY_ELEMENT",
        policy(allow(Principal={"AWS": ACCOUNT})),
        f"{FIRST}.Resource",
        trust({"AWS": ACCOUNT}),
        "trust",
    ),
    Case("INVALID_VERSION", policy(allow(), Version="2020-01-01"), "Version", PLAIN),
    Case("MISSING_VERSION", '{"Statement": []}', "", PLAIN),
    Case("OLD_VERSION", policy(allow(), Version="2008-10-17"), "Version", PLAIN),
    Case("MISSING_STATEMENT", '{"Version": "2012-10-17"}', "", PLAIN),
    Case("MISSING_STATEMENT", '{"Version": "2012-10-17", "Statement": []}', "Statement", PLAIN),
    Case("MISSING_EFFECT", policy(allow(Effect=None)), FIRST, PLAIN),
    Case("INVALID_EFFECT", policy(allow(Effect="allow")), f"{FIRST}.Effect", PLAIN),
    Case("MISSING_ACTION", policy(allow(None)), FIRST, policy(deny(None, NotAction="s3:*"))),
    Case(
        "MISSING_RESOURCE", policy(allow(resource=None)), FIRST, policy(deny(resource=None, NotResource="*"))
    ),
    Case("MISSING_RESOURCE", policy(allow(resource=None)), FIRST, PLAIN, "scp"),
    Case("UNSUPPORTED_ELEMENT_COMBINATION", policy(allow(NotAction="s3:*")), f"{FIRST}.NotAction", PLAIN),
    Case("UNSUPPORTED_ELEMENT_COMBINATION", policy(allow(NotResource="*")), f"{FIRST}.NotResource", PLAIN),
    Case("EMPTY_ARRAY_ACTION", policy(allow([])), f"{FIRST}.Action", PLAIN),
    Case("EMPTY_ARRAY_RESOURCE", policy(allow(resource=[])), f"{FIRST}.Resource", PLAIN),
    Case(
        "EMPTY_ARRAY_PRINCIPAL", trust({"AWS": []}), f"{FIRST}.Principal.AWS", trust({"AWS": ROLE}), "trust"
    ),
    Case("EMPTY_OBJECT_PRINCIPAL", trust({}), f"{FIRST}.Principal", trust({"AWS": ROLE}), "trust"),
    Case(
        "EMPTY_ARRAY_CONDITION",
        when("StringEquals", "aws:username", []),
        f"{CONDITION}.StringEquals.aws:username",
        PLAIN,
    ),
    Case("EMPTY_OBJECT_CONDITION", policy(allow(Condition={})), CONDITION, PLAIN),
    Case("EMPTY_OBJECT_CONDITION", policy(allow(Condition={"Bool": {}})), f"{CONDITION}.Bool", PLAIN),
    Case("EMPTY_SID_VALUE", policy(allow(Sid="")), f"{FIRST}.Sid", policy(allow(Sid="A1"))),
    Case("UNSUPPORTED_SID", policy(allow(Sid="a-b")), f"{FIRST}.Sid", policy(allow(Sid="ab9"))),
    Case("UNSUPPORTED_SID", policy(allow(Sid="ä")), f"{FIRST}.Sid", policy(deny(Sid="B")), "scp"),
    Case(
        "UNIQUE_SIDS_REQUIRED",
        policy(allow(Sid="A"), deny("s3:PutObject", Sid="A")),
        "Statement[1].Sid",
        policy(allow(Sid="A"), deny(Sid="B")),
    ),
    Case(
        "UNIQUE_SIDS_RECOMMENDED",
        policy(allow(Sid="A", Principal={"AWS": ROLE}), deny(Sid="A", Principal={"AWS": ROLE})),
        "Statement[1].Sid",
        policy(allow(Sid="A", Principal={"AWS": ROLE})),
        "resource",
    ),
    Case(
        "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA",
        policy(allow(Sid="a" * 6100)),
        "",
        policy(allow(Sid="a" * 5900)),
    ),
    Case(
        "POLICY_SIZE_EXCEEDS_ROLE_TRUST_POLICY_QUOTA",
        trust({"AWS": ROLE}, Sid="a" * 2000),
        "",
        trust({"AWS": ROLE}, Sid="a" * 1700),
        "trust",
    ),
    Case("POLICY_SIZE_EXCEEDS_SCP_QUOTA", policy(deny()) + " " * 5100, "", policy(deny()), "scp"),
    Case("POLICY_SIZE_EXCEEDS_RCP_QUOTA", rcp(Sid="a" * 5100), "", rcp(), "rcp"),
]

ACTIONS = [
    Case("INVALID_ACTION", policy(allow("GetObject")), f"{FIRST}.Action", PLAIN),
    Case("INVALID_ACTION", policy(allow("s3:Get:Object")), f"{FIRST}.Action", PLAIN),
    Case("INVALID_ACTION", policy(allow("")), f"{FIRST}.Action", policy(allow("*", "*"))),
    Case("INVALID_ACTION", policy(allow("s3:GetObjekt")), f"{FIRST}.Action", PLAIN),
    Case(
        "INVALID_ACTION",
        policy(deny(None, NotAction=["s3:GetObject", "iam:MakeUser"])),
        f"{FIRST}.NotAction[1]",
        PLAIN,
    ),
    Case(
        "INVALID_SERVICE_IN_ACTION",
        policy(allow("s33:GetObject")),
        f"{FIRST}.Action",
        policy(allow("S3:getobject")),
    ),
    Case("WILDCARD_IN_SERVICE_NAME", policy(deny("s*:GetObject")), f"{FIRST}.Action", policy(deny("*"))),
    Case("ACTION_MATCHES_NOTHING", policy(allow("s3:Fetch*")), f"{FIRST}.Action", policy(allow("s3:Get*"))),
    Case(
        "DEPRECATED_ACTION",
        policy(allow("lambda:InvokeAsync", "*")),
        f"{FIRST}.Action",
        policy(allow("lambda:InvokeFunction", "*")),
    ),
    Case(
        "ACTION_WITHOUT_RESOURCE_LEVEL_PERMISSIONS",
        policy(allow(["s3:GetObject", "s3:ListAllMyBuckets"])),
        f"{FIRST}.Action[1]",
        policy(allow(["s3:GetObject", "s3:ListAllMyBuckets"], "*")),
    ),
    Case(
        "ACTION_MATCHES_NO_RESOURCE",
        policy(allow(["s3:GetObject", "s3:ListBucket"])),
        f"{FIRST}.Action[1]",
        policy(allow(["s3:GetObject", "s3:ListBucket"], [BUCKET, f"{BUCKET}/*"])),
    ),
    Case(
        "ACTION_MATCHES_NO_RESOURCE",
        policy(allow("ec2:StartInstances", "arn:aws:ec2:*:*:volume/*")),
        f"{FIRST}.Action",
        policy(allow("ec2:StartInstances", "arn:aws:ec2:*:*:instance/*")),
    ),
    Case(
        "RESOURCE_MATCHES_NO_ACTION",
        policy(allow(resource=[f"{BUCKET}/*", BUCKET])),
        f"{FIRST}.Resource[1]",
        PLAIN,
    ),
]

ARNS = [
    Case("INVALID_ARN_PREFIX", policy(allow(resource="example/*")), f"{FIRST}.Resource", PLAIN),
    Case(
        "INVALID_ARN_PREFIX", policy(allow(resource="")), f"{FIRST}.Resource", policy(allow("s3:Get*", "*"))
    ),
    Case(
        "MISSING_ARN_FIELD",
        policy(allow(resource="arn:aws:s3:example")),
        f"{FIRST}.Resource",
        policy(allow(resource="arn:aws:s3:*")),
    ),
    Case(
        "INVALID_PARTITION",
        policy(allow(resource="arn:amazon:s3:::example/*")),
        f"{FIRST}.Resource",
        policy(allow(resource="arn:aws-cn:s3:::example/*")),
    ),
    Case(
        "INVALID_PARTITION",
        when("ArnLike", "aws:PrincipalArn", f"arn:amazon:iam::{ACCOUNT}:role/a"),
        f"{CONDITION}.ArnLike.aws:PrincipalArn",
        when("ArnLike", "aws:PrincipalArn", "arn:*:iam::*:role/a"),
    ),
    Case(
        "INVALID_ARN_REGION",
        policy(allow("sqs:SendMessage", f"arn:aws:sqs:europe:{ACCOUNT}:q")),
        f"{FIRST}.Resource",
        policy(allow("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q")),
    ),
    Case(
        "INVALID_ARN_ACCOUNT",
        policy(allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:1111:q")),
        f"{FIRST}.Resource",
        policy(allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:*:q")),
    ),
    Case(
        "INVALID_ARN_SERVICE_CASE",
        policy(allow(resource="arn:aws:S3:::example/*")),
        f"{FIRST}.Resource",
        PLAIN,
    ),
    Case("INVALID_SERVICE", policy(allow(resource="arn:aws:sthree:::example/*")), f"{FIRST}.Resource", PLAIN),
    Case(
        "ARN_REGION_NOT_ALLOWED",
        policy(allow("iam:GetRole", f"arn:aws:iam:eu-west-1:{ACCOUNT}:role/a")),
        f"{FIRST}.Resource",
        policy(allow("iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/a")),
    ),
    Case(
        "ARN_ACCOUNT_NOT_ALLOWED",
        policy(allow(resource=f"arn:aws:s3::{ACCOUNT}:example/a")),
        f"{FIRST}.Resource",
        PLAIN,
    ),
    Case(
        "MISSING_ARN_REGION",
        policy(allow("sqs:SendMessage", f"arn:aws:sqs::{ACCOUNT}:q")),
        f"{FIRST}.Resource",
        policy(allow("sqs:SendMessage", f"arn:aws:sqs:*:{ACCOUNT}:q")),
    ),
    Case(
        "MISSING_ARN_ACCOUNT",
        policy(allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1::q")),
        f"{FIRST}.Resource",
        policy(allow("sqs:SendMessage", "arn:aws:sqs:eu-west-1:*:q")),
    ),
    Case(
        "INVALID_ARN_RESOURCE",
        policy(allow("dynamodb:GetItem", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:tables/a")),
        f"{FIRST}.Resource",
        policy(allow("dynamodb:GetItem", f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/a")),
    ),
]

REDUNDANT = [
    Case(
        "REDUNDANT_ACTION",
        policy(allow(["s3:GetObject", "s3:Get*"])),
        f"{FIRST}.Action[0]",
        policy(allow(["s3:GetObject", "s3:Put*"])),
    ),
    Case(
        "REDUNDANT_ACTION",
        policy(allow(["s3:GetObject", "S3:getobject"])),
        f"{FIRST}.Action[1]",
        policy(allow(["s3:GetObject", "s3:GetObjectAcl"])),
    ),
    Case(
        "REDUNDANT_ACTION",
        policy(allow(["s3:*Object", "s3:Get*Object"])),
        f"{FIRST}.Action[1]",
        policy(allow(["s3:?etObject", "s3:*etObject?cl"])),
    ),
    Case(
        "REDUNDANT_ACTION",
        policy(allow("s3:Get*", "*"), allow(["s3:GetObject", "s3:PutObject"])),
        "Statement[1].Action[0]",
        policy(allow("s3:Get*"), allow(["s3:GetObject", "s3:PutObject"], "*")),
    ),
    Case(
        "REDUNDANT_RESOURCE",
        policy(allow(resource=[f"{BUCKET}/*", f"{BUCKET}/a/*"])),
        f"{FIRST}.Resource[1]",
        policy(allow(resource=[f"{BUCKET}/a*", f"{BUCKET}/A/*"])),
    ),
    Case(
        "REDUNDANT_STATEMENT",
        policy(allow("s3:*"), allow("s3:GetObject")),
        "Statement[1]",
        policy(allow("s3:*", Condition={"Bool": {"aws:SecureTransport": "true"}}), allow("s3:GetObject")),
    ),
    Case("REDUNDANT_STATEMENT", policy(allow(), allow()), "Statement[1]", policy(allow(), deny())),
    Case(
        "ALLOW_FULLY_DENIED",
        policy(allow(), deny("s3:*", "*")),
        FIRST,
        policy(allow(), deny("s3:*", f"{BUCKET}/secret/*")),
    ),
    Case(
        "ALLOW_FULLY_DENIED",
        policy(allow(), deny("s3:*", "*")),
        FIRST,
        policy(allow(), deny("s3:*", "*", Condition={"Bool": {"aws:SecureTransport": "false"}})),
    ),
    Case(
        "ACTION_DENIED",
        policy(allow(["s3:GetObject", "s3:PutObject"]), deny("s3:Put*", "*")),
        f"{FIRST}.Action[1]",
        policy(allow(["s3:GetObject", "s3:PutObject"]), deny("s3:Delete*", "*")),
    ),
    Case(
        "POLICY_SIZE_EXCEEDS_RESOURCE_POLICY_QUOTA",
        shared({"AWS": ROLE}, Sid="a" * 300),
        "",
        shared({"AWS": ROLE}),
        "resource",
    ),
]
