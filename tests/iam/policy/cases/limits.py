"""What limits an identity: permissions boundaries, session policies, and requests that cross accounts."""

from __future__ import annotations

from tests.iam.policy.cases.notation import (
    ACCOUNT,
    ALLOWED,
    BUCKET,
    CONDITIONAL,
    DENIED,
    NOT_ALLOWED,
    OBJECT,
    OTHER,
    OTHER_ROLE,
    OTHER_ROOT,
    OTHER_SESSION,
    OTHER_USER,
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

page = Page("Permissions boundaries for IAM entities", CASES)
SHIRLEY = f"arn:aws:iam::{ACCOUNT}:user/ShirleyRodriguez"
BOUNDARY = allow(["s3:*", "cloudwatch:*", "ec2:*"])
for name, action, identity, expected in (
    ("a boundary grants nothing by itself", "s3:ListAllMyBuckets", [], NOT_ALLOWED),
    (
        "what the policy allows and the boundary does not",
        "iam:CreateUser",
        allow("iam:CreateUser"),
        NOT_ALLOWED,
    ),
    ("what both allow", "ec2:RunInstances", allow("ec2:RunInstances"), ALLOWED),
    ("what neither allows", "sqs:CreateQueue", allow("ec2:*"), NOT_ALLOWED),
    ("an administrator within a boundary", "cloudwatch:PutMetricData", allow("*"), ALLOWED),
    ("an administrator outside of the boundary", "sns:Publish", allow("*"), NOT_ALLOWED),
):
    page.case(
        name, expected, principal=SHIRLEY, action=action, resource="*", identity=identity, boundary=BOUNDARY
    )
page.case(
    "a deny in the boundary is explicit", DENIED, identity=allow("*"), boundary=[allow("*"), deny("s3:*")]
)
page.case("a boundary of denies alone denies", DENIED, identity=allow("*"), boundary=deny("s3:*"))
page.case(
    "a boundary of denies alone allows nothing else", NOT_ALLOWED, identity=allow("*"), boundary=deny("ec2:*")
)
page.case("no boundary", ALLOWED, identity=allow("s3:*"), boundary=[])
page.case(
    "a boundary by resource",
    NOT_ALLOWED,
    identity=allow("s3:*"),
    boundary=allow("s3:*", "arn:aws:s3:::elsewhere/*"),
)
page.case(
    "a boundary by a condition that is open",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    identity=allow("s3:*"),
    boundary=allow("s3:*", when={"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}),
)
page.case(
    "a boundary by a variable",
    ALLOWED,
    resource=f"{BUCKET}/home/ana/x",
    identity=allow("s3:*"),
    boundary=allow("s3:*", BUCKET + "/home/${aws:username}/*"),
)
page.case(
    "a role's boundary", NOT_ALLOWED, principal=SESSION, identity=allow("s3:*"), boundary=allow("ec2:*")
)
page.case(
    "boundary and SCP must both allow",
    NOT_ALLOWED,
    identity=allow("s3:*"),
    boundary=allow("s3:*"),
    scps=[[allow("ec2:*")]],
)
page.case(
    "boundary, SCP and identity policy allow",
    ALLOWED,
    identity=allow("s3:*"),
    boundary=allow("*"),
    scps=[[allow("*")]],
)
NOT_ANA = deny("s3:*", OBJECT, not_to={"AWS": [USER, f"arn:aws:iam::{ACCOUNT}:root"]})
page.case(
    "NotPrincipal with Deny denies whoever has a boundary, named or not",
    DENIED,
    identity=allow("s3:*"),
    boundary=allow("*"),
    resource_policy=NOT_ANA,
)
page.case("NotPrincipal with Deny and no boundary", ALLOWED, identity=allow("s3:*"), resource_policy=NOT_ANA)
page.case(
    "NotPrincipal with Deny denies a role with a boundary",
    DENIED,
    principal=SESSION,
    identity=allow("s3:*"),
    boundary=allow("*"),
    resource_policy=deny("s3:*", OBJECT, not_to={"AWS": [SESSION, ROLE, f"arn:aws:iam::{ACCOUNT}:root"]}),
)
page.case(
    "ArnNotEquals on aws:PrincipalArn does not mind the boundary",
    ALLOWED,
    identity=allow("s3:*"),
    boundary=allow("*"),
    resource_policy=deny("s3:*", OBJECT, to="*", when={"ArnNotEquals": {"aws:PrincipalArn": USER}}),
)

page = Page("Policies and permissions in AWS Identity and Access Management, session policies", CASES)
page.case("a session policy grants nothing", NOT_ALLOWED, principal=SESSION, session=allow("s3:*"))
page.case(
    "the intersection of role and session policy",
    ALLOWED,
    principal=SESSION,
    identity=allow(["s3:*", "ec2:*"]),
    session=allow(["s3:Get*", "sqs:*"]),
)
page.case(
    "outside of the session policy",
    NOT_ALLOWED,
    principal=SESSION,
    action="ec2:RunInstances",
    resource="*",
    identity=allow(["s3:*", "ec2:*"]),
    session=allow(["s3:Get*", "sqs:*"]),
)
page.case(
    "outside of the role's policies",
    NOT_ALLOWED,
    principal=SESSION,
    action="sqs:SendMessage",
    resource="*",
    identity=allow(["s3:*", "ec2:*"]),
    session=allow(["s3:Get*", "sqs:*"]),
)
page.case(
    "several session policies are a union",
    ALLOWED,
    principal=SESSION,
    identity=allow("*"),
    session=[policy(allow("ec2:*")), policy(allow("s3:*"))],
)
page.case(
    "a deny in the session policy",
    DENIED,
    principal=SESSION,
    identity=allow("*"),
    session=[allow("*"), deny("s3:*")],
)
page.case(
    "role, boundary and session policy must all allow",
    NOT_ALLOWED,
    principal=SESSION,
    identity=allow("s3:*"),
    boundary=allow("ec2:*"),
    session=allow("s3:*"),
)
page.case(
    "an empty list is no session policy", ALLOWED, principal=SESSION, identity=allow("s3:*"), session=[]
)

page = Page("Cross-account policy evaluation logic", CASES)
TO_OTHER = allow("s3:GetObject", OBJECT, to={"AWS": OTHER_ROOT})
FROM = {"principal": OTHER_USER, "account": ACCOUNT}
page.case("both accounts allow", ALLOWED, **FROM, identity=allow("s3:GetObject"), resource_policy=TO_OTHER)
page.case("only the resource's account allows", NOT_ALLOWED, **FROM, resource_policy=TO_OTHER)
page.case("only the caller's account allows", NOT_ALLOWED, **FROM, identity=allow("s3:*"))
page.case("neither allows", NOT_ALLOWED, **FROM)
page.case(
    "the account by its number",
    ALLOWED,
    **FROM,
    identity=allow("s3:GetObject"),
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": OTHER}),
)
page.case(
    "the user is named, but its own account does not allow",
    NOT_ALLOWED,
    **FROM,
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": OTHER_USER}),
)
page.case(
    "everybody is let in, but the caller's own account does not allow",
    NOT_ALLOWED,
    **FROM,
    resource_policy=allow("s3:GetObject", OBJECT, to="*"),
)
page.case(
    "everybody is let in and the caller's account allows",
    ALLOWED,
    **FROM,
    identity=allow("s3:*"),
    resource_policy=allow("s3:GetObject", OBJECT, to="*"),
)
page.case(
    "another account is let in",
    NOT_ALLOWED,
    **FROM,
    identity=allow("s3:*"),
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": "arn:aws:iam::999999999999:root"}),
)
page.case(
    "the resource policy denies",
    DENIED,
    **FROM,
    identity=allow("s3:*"),
    resource_policy=[TO_OTHER, deny("s3:*", OBJECT, to={"AWS": OTHER_ROOT})],
)
page.case("the identity policy denies", DENIED, **FROM, identity=deny("s3:*"), resource_policy=TO_OTHER)
page.case(
    "the boundary limits, though the user is named",
    NOT_ALLOWED,
    **FROM,
    identity=allow("s3:*"),
    boundary=allow("ec2:*"),
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": OTHER_USER}),
)
SESSION_FROM = {"principal": OTHER_SESSION, "account": ACCOUNT}
page.case(
    "a role of another account, named",
    ALLOWED,
    **SESSION_FROM,
    identity=allow("s3:*"),
    resource_policy=allow("s3:*", OBJECT, to={"AWS": OTHER_ROLE}),
)
page.case(
    "a session of another account, named, without identity policy",
    NOT_ALLOWED,
    **SESSION_FROM,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": OTHER_SESSION}),
)
page.case(
    "the session policy limits across accounts",
    NOT_ALLOWED,
    **SESSION_FROM,
    identity=allow("s3:*"),
    session=allow("ec2:*"),
    resource_policy=allow("s3:*", OBJECT, to={"AWS": OTHER_SESSION}),
)
page.case(
    "the SCPs of the caller's account limit",
    NOT_ALLOWED,
    **FROM,
    identity=allow("s3:*"),
    resource_policy=TO_OTHER,
    scps=[[allow("ec2:*")]],
)
page.case(
    "the root user of another account by its name",
    ALLOWED,
    principal=OTHER_ROOT,
    account=ACCOUNT,
    resource_policy=TO_OTHER,
)
page.case(
    "the root user of another account has no rights here", NOT_ALLOWED, principal=OTHER_ROOT, account=ACCOUNT
)
QUEUE = f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs"
page.case(
    "the account in the ARN of the resource tells",
    NOT_ALLOWED,
    principal=OTHER_USER,
    action="sqs:SendMessage",
    resource=QUEUE,
    identity=allow("sqs:*"),
)
page.case(
    "both allow a queue",
    ALLOWED,
    principal=OTHER_USER,
    action="sqs:SendMessage",
    resource=QUEUE,
    identity=allow("sqs:*"),
    resource_policy=allow("sqs:SendMessage", QUEUE, to={"AWS": OTHER}),
)
page.case(
    "a bucket whose account is not told is taken for the caller's",
    ALLOWED,
    principal=OTHER_USER,
    identity=allow("s3:*"),
    note="A bucket's ARN has no account; the page speaks of accounts that are known.",
)
page.case(
    "the caller's own bucket, told",
    ALLOWED,
    principal=OTHER_USER,
    account=OTHER,
    identity=allow("s3:*"),
)
page.case(
    "the account of the caller may be told",
    NOT_ALLOWED,
    principal={"arn": USER, "account": ACCOUNT},
    account=OTHER,
    identity=allow("s3:*"),
)
PRODUCTION = "arn:aws:s3:::amzn-s3-demo-bucket-production"
CARLOS = "arn:aws:iam::111111111111:user/carlossalazar"
CARLOS_POLICY = policy(
    allow("s3:ListAllMyBuckets"),
    allow("s3:*Object*", f"{PRODUCTION}/*"),
    deny("s3:*", ["arn:aws:s3:::*log*", "arn:aws:s3:::*log*/*"]),
)
BUCKET_POLICY = allow(
    ["s3:GetObject*", "s3:PutObject*", "s3:ReplicateObject", "s3:RestoreObject"],
    f"{PRODUCTION}/*",
    to={"AWS": "arn:aws:iam::111111111111:user/carlossalazar"},
)
page = Page("Example cross-account policy evaluation", CASES)
for name, action, resource, expected in (
    ("saving a file to the bucket that both policies open", "s3:PutObject", f"{PRODUCTION}/plan", ALLOWED),
    ("what only his own policy allows", "s3:DeleteObject", f"{PRODUCTION}/plan", NOT_ALLOWED),
    ("what only the bucket policy allows", "s3:ReplicateObject", f"{PRODUCTION}-2/plan", NOT_ALLOWED),
    ("what his own policy denies", "s3:PutObject", f"{PRODUCTION}/logs/plan", DENIED),
    ("another bucket of that account", "s3:GetObject", "arn:aws:s3:::amzn-s3-demo-bucket3/x", NOT_ALLOWED),
):
    page.case(
        name,
        expected,
        principal=CARLOS,
        account="222222222222",
        action=action,
        resource=resource,
        identity=CARLOS_POLICY,
        resource_policy=BUCKET_POLICY,
    )
