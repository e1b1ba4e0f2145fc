"""Service control policies and resource control policies: levels, and who and what is exempt."""

from __future__ import annotations

from typing import Any

from tests.iam.policy.cases.notation import (
    ACCOUNT,
    ALLOWED,
    BUCKET,
    CONDITIONAL,
    DENIED,
    FEDERATED,
    NOT_ALLOWED,
    OBJECT,
    OTHER_ROOT,
    OTHER_USER,
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
S3 = allow("s3:*")
NO_DELETE = policy(deny("s3:DeleteObject"))

page = Page("SCP evaluation", CASES)
for name, scps, expected in (
    ("FullAWSAccess at every level", [[FULL], [FULL], [FULL]], ALLOWED),
    ("a level without a policy allows nothing", [[FULL], [], [FULL]], NOT_ALLOWED),
    ("the only level without a policy", [[]], NOT_ALLOWED),
    ("an account without a policy", [[FULL], [FULL], []], NOT_ALLOWED),
    ("no levels: not in an organization", [], ALLOWED),
    ("a deny at the root reaches the account", [[FULL, policy(deny("s3:*"))], [FULL], [FULL]], DENIED),
    ("a deny at a unit", [[FULL], [FULL, policy(deny("s3:GetObject"))], [FULL]], DENIED),
    ("a deny at the account", [[FULL], [FULL], [FULL, policy(deny("s3:Get*"))]], DENIED),
    ("a deny of something else", [[FULL, NO_DELETE], [FULL], [FULL]], ALLOWED),
    ("an allow list that has the service", [[FULL], [policy(allow(["s3:*", "ec2:*"]))], [FULL]], ALLOWED),
    ("an allow list without the service", [[FULL], [policy(allow(["ec2:*", "rds:*"]))], [FULL]], NOT_ALLOWED),
    (
        "a lower level cannot give back what a higher one lacks",
        [[policy(allow("ec2:*"))], [FULL]],
        NOT_ALLOWED,
    ),
    ("two policies of one level are a union", [[policy(allow("ec2:*")), policy(allow("s3:*"))]], ALLOWED),
    ("two levels are an intersection", [[policy(allow("ec2:*"))], [policy(allow("s3:*"))]], NOT_ALLOWED),
    (
        "a deny beside an allow list that lacks it is explicit",
        [[policy(allow("ec2:*")), policy(deny("s3:*"))]],
        DENIED,
    ),
):
    page.case(name, expected, identity=S3, scps=scps)
page.case("FullAWSAccess grants nothing by itself", NOT_ALLOWED, scps=[[FULL]])

page = Page("Service control policies (SCPs)", CASES)
ONLY_EC2 = [[allow("ec2:*")]]
SLR = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
for name, principal, expected in (
    ("users of member accounts are restricted", USER, NOT_ALLOWED),
    ("roles of member accounts are restricted", SESSION, NOT_ALLOWED),
    ("the root user of a member account is restricted", ROOT, NOT_ALLOWED),
    ("the management account's users are not", {"arn": USER, "management_account": True}, ALLOWED),
    ("the management account's root user is not", {"arn": ROOT, "management_account": True}, ALLOWED),
    ("service-linked roles are not", SLR, ALLOWED),
    ("sessions of service-linked roles are not", {"arn": SESSION, "service_linked": True}, ALLOWED),
):
    identity: Any = [] if ROOT in str(principal) else S3
    page.case(name, expected, principal=principal, identity=identity, scps=ONLY_EC2)
page.case(
    "denies do not reach the management account",
    ALLOWED,
    principal={"arn": USER, "management_account": True},
    identity=S3,
    scps=[[FULL, policy(deny("*"))]],
)
page.case(
    "denies do not reach service-linked roles",
    ALLOWED,
    principal=SLR,
    identity=S3,
    scps=[[FULL, policy(deny("*"))]],
)
page.case(
    "callers of other organizations are not restricted by the owner's",
    ALLOWED,
    principal=OTHER_USER,
    account=ACCOUNT,
    identity=S3,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": OTHER_ROOT}),
    note="`scps` are those of the caller's account; the owner's have no say.",
)
page.case(
    "a service is not restricted",
    ALLOWED,
    principal="cloudtrail.amazonaws.com",
    action="s3:PutObject",
    account=ACCOUNT,
    resource_policy=allow("s3:PutObject", OBJECT, to={"Service": "cloudtrail.amazonaws.com"}),
    scps=ONLY_EC2,
)
page.case(
    "an SCP limits what a resource policy grants directly",
    NOT_ALLOWED,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": USER}),
    scps=ONLY_EC2,
)
page.case(
    "federated sessions are restricted",
    NOT_ALLOWED,
    principal=FEDERATED,
    identity=S3,
    session=S3,
    scps=ONLY_EC2,
)
page.case(
    "an SCP by a condition that is open",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    identity=S3,
    scps=[[allow("*", when={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}})]],
)
page.case(
    "a deny of an SCP that is open: the key is absent in a real request",
    DENIED,
    loose=CONDITIONAL,
    identity=S3,
    scps=[[FULL, policy(deny("*", when={"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}))]],
)
page.case(
    "an allow of an SCP for some resources",
    NOT_ALLOWED,
    identity=S3,
    scps=[[allow("s3:*", "arn:aws:s3:::elsewhere/*")]],
)
page.case(
    "a deny of an SCP with NotResource",
    ALLOWED,
    identity=S3,
    scps=[[FULL, policy(deny("s3:*", None, not_resource=[BUCKET, f"{BUCKET}/*"]))]],
)

page = Page("Resource control policies (RCPs)", CASES)
QUEUE = f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs"
KEY = f"arn:aws:kms:us-east-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EVERYTHING = policy(allow("*", to="*"))


def forbid(action: str = "*", **elements: Any) -> dict[str, Any]:
    """An RCP beside RCPFullAWSAccess, as they always stand."""
    return policy(allow("*", to="*"), deny(action, to="*", **elements))


page.case("no RCPs: everything is allowed", ALLOWED, identity=S3)
page.case("RCPFullAWSAccess at every level", ALLOWED, identity=S3, rcps=[[EVERYTHING], [EVERYTHING]])
page.case("RCPFullAWSAccess grants nothing by itself", NOT_ALLOWED, rcps=[[EVERYTHING]])
page.case("a deny at the root", DENIED, identity=S3, rcps=[[forbid("s3:*")], [EVERYTHING]])
page.case("a deny at the account", DENIED, identity=S3, rcps=[[EVERYTHING], [forbid("s3:GetObject")]])
page.case("a deny of another action", ALLOWED, identity=S3, rcps=[[forbid("s3:PutObject")]])
page.case(
    "a level that does not allow", NOT_ALLOWED, identity=S3, rcps=[[EVERYTHING], [allow("sqs:*", to="*")]]
)
for name, expected, level in (
    ("a level that names none", ALLOWED, []),
    ("a deny of another action alone", ALLOWED, [policy(deny("s3:PutObject", to="*"))]),
    ("a deny alone", DENIED, [policy(deny("s3:GetObject", to="*"))]),
):
    page.case(
        name,
        expected,
        identity=S3,
        rcps=[[EVERYTHING], level],
        note="RCP evaluation: RCPFullAWSAccess is attached everywhere, and cannot be detached.",
    )
page.case("a level that names none grants nothing", NOT_ALLOWED, rcps=[[]])
page.case(
    "callers of other accounts are restricted",
    DENIED,
    principal=OTHER_USER,
    account=ACCOUNT,
    identity=S3,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": OTHER_ROOT}),
    rcps=[[forbid("s3:*")]],
)
page.case("the root user is restricted", DENIED, principal=ROOT, rcps=[[forbid("s3:*")]])
page.case(
    "services are restricted",
    DENIED,
    principal="cloudtrail.amazonaws.com",
    account=ACCOUNT,
    resource_policy=allow("s3:*", OBJECT, to={"Service": "cloudtrail.amazonaws.com"}),
    rcps=[[forbid("s3:*")]],
)
page.case(
    "anonymous callers are restricted",
    DENIED,
    principal={"arn": "*"},
    account=ACCOUNT,
    resource_policy=allow("s3:*", OBJECT, to="*"),
    rcps=[[forbid("s3:*")]],
)
page.case("service-linked roles are not", ALLOWED, principal=SLR, identity=S3, rcps=[[forbid("s3:*")]])
page.case(
    "sessions of service-linked roles are not",
    ALLOWED,
    principal={"arn": SESSION, "service_linked": True},
    identity=S3,
    rcps=[[forbid("s3:*")]],
)
page.case(
    "resources of the management account are not",
    ALLOWED,
    principal={"arn": USER, "management_account": True},
    identity=S3,
    rcps=[[forbid("s3:*")]],
)
page.case(
    "but resources of member accounts are, from the management account too",
    DENIED,
    principal={"arn": OTHER_USER, "management_account": True},
    account=ACCOUNT,
    identity=S3,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": OTHER_ROOT}),
    rcps=[[forbid("s3:*")]],
)
for service, action, resource, expected in (
    ("s3", "s3:PutObject", OBJECT, DENIED),
    ("sqs", "sqs:SendMessage", QUEUE, DENIED),
    (
        "secretsmanager",
        "secretsmanager:GetSecretValue",
        f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:a",
        DENIED,
    ),
    ("dynamodb", "dynamodb:GetItem", f"arn:aws:dynamodb:us-east-2:{ACCOUNT}:table/a", DENIED),
    ("ecr", "ecr:BatchGetImage", f"arn:aws:ecr:us-east-2:{ACCOUNT}:repository/a", DENIED),
    ("aoss", "aoss:APIAccessAll", f"arn:aws:aoss:us-east-2:{ACCOUNT}:collection/a", DENIED),
    (
        "cognito-idp",
        "cognito-idp:AdminGetUser",
        f"arn:aws:cognito-idp:us-east-2:{ACCOUNT}:userpool/a",
        DENIED,
    ),
    ("logs", "logs:PutLogEvents", f"arn:aws:logs:us-east-2:{ACCOUNT}:log-group:a", DENIED),
    ("ec2, which has none", "ec2:StartInstances", f"arn:aws:ec2:us-east-2:{ACCOUNT}:instance/i-1", ALLOWED),
    ("iam, which has none", "iam:GetUser", USER, ALLOWED),
    (
        "lambda, which has none",
        "lambda:InvokeFunction",
        f"arn:aws:lambda:us-east-2:{ACCOUNT}:function:f",
        ALLOWED,
    ),
):
    page.case(
        f"RCPs of {service}",
        expected,
        action=action,
        resource=resource,
        identity=allow("*"),
        rcps=[[forbid("*")]],
    )
KEY_POLICY = allow("kms:*", to={"AWS": ROOT})
page.case(
    "RCPs of kms",
    DENIED,
    action="kms:Decrypt",
    resource=KEY,
    identity=allow("*"),
    resource_policy=KEY_POLICY,
    rcps=[[forbid("*")]],
)
page.case(
    "kms:RetireGrant is not restricted",
    ALLOWED,
    action="kms:RetireGrant",
    resource=KEY,
    identity=allow("*"),
    resource_policy=KEY_POLICY,
    rcps=[[forbid("*")]],
)
TRUST = allow("sts:AssumeRole", None, to={"Service": "autoscaling.amazonaws.com"})
page.case(
    "assuming a service role is restricted",
    DENIED,
    principal="autoscaling.amazonaws.com",
    action="sts:AssumeRole",
    resource=f"arn:aws:iam::{ACCOUNT}:role/service",
    resource_policy=TRUST,
    rcps=[[forbid("sts:*")]],
)
page.case(
    "assuming a service-linked role is not",
    ALLOWED,
    principal="autoscaling.amazonaws.com",
    action="sts:AssumeRole",
    resource=SLR,
    resource_policy=TRUST,
    rcps=[[forbid("sts:*")]],
)

page = Page("RCP syntax", CASES)
for name, to, expected in (
    ("everybody as a star", "*", DENIED),
    ("everybody under AWS", {"AWS": "*"}, DENIED),
    ("the caller, whom no RCP may name: undecidable", {"AWS": USER}, CONDITIONAL),
    ("somebody else, whom no RCP may name", {"AWS": OTHER_ROOT}, ALLOWED),
):
    rcp = policy(allow("*", to="*"), deny("s3:*", to=to))
    page.case(f"a deny to {name}", expected, identity=S3, rcps=[[rcp]])

page = Page("Resource control policy examples", CASES)
ORG = {
    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-1234567890"},
    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
}
PERIMETER = [[forbid("s3:*", when=ORG)]]
for name, principal, context, expected in (
    ("a caller of the organization", USER, {"aws:PrincipalOrgID": "o-1234567890"}, ALLOWED),
    ("a caller of another organization", USER, {"aws:PrincipalOrgID": "o-0987654321"}, DENIED),
    ("a caller of no organization", USER, {"aws:PrincipalOrgID": None}, DENIED),
    ("a service", "cloudtrail.amazonaws.com", {}, ALLOWED),
    ("nobody known", {"arn": "*"}, {}, DENIED),
):
    page.case(
        f"organization only: {name}",
        expected,
        principal=principal,
        context=context,
        account=ACCOUNT,
        identity=S3 if principal == USER else [],
        resource_policy=allow("s3:*", OBJECT, to="*"),
        rcps=PERIMETER,
    )
page.case(
    "organization only: left open",
    DENIED,
    loose=CONDITIONAL,
    identity=S3,
    rcps=PERIMETER,
    note="Absent, StringNotEqualsIfExists is met, and so is the deny.",
)
TLS = [[forbid("*", when={"BoolIfExists": {"aws:SecureTransport": "false"}})]]
page.case(
    "secure transport only: it is", ALLOWED, identity=S3, context={"aws:SecureTransport": "true"}, rcps=TLS
)
page.case(
    "secure transport only: it is not",
    DENIED,
    identity=S3,
    context={"aws:SecureTransport": "false"},
    rcps=TLS,
)
DEPUTY = {
    "StringNotEqualsIfExists": {"aws:SourceOrgID": "o-1234567890"},
    "Null": {"aws:SourceAccount": "false"},
    "Bool": {"aws:PrincipalIsAWSService": "true"},
}
SERVICE = "config.amazonaws.com"
for name, principal, context, expected in (
    ("a service for an account of the organization", SERVICE, {"aws:SourceOrgID": "o-1234567890"}, ALLOWED),
    ("a service for a stranger", SERVICE, {"aws:SourceOrgID": "o-0987654321"}, DENIED),
    ("a user", USER, {"aws:SourceOrgID": "o-0987654321"}, ALLOWED),
):
    page.case(
        f"confused deputy: {name}",
        expected,
        principal=principal,
        action="s3:PutObject",
        context=context | {"aws:SourceAccount": "999999999999"},
        account=ACCOUNT,
        identity=S3 if principal == USER else [],
        resource_policy=allow("s3:*", OBJECT, to={"Service": SERVICE}),
        rcps=[[forbid("s3:*", when=DEPUTY)]],
    )
