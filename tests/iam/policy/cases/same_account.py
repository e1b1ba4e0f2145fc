"""Requests within one account: identity policies, resource policies, and whom the latter name."""

from __future__ import annotations

from tests.iam.policy.cases.notation import (
    ACCOUNT,
    ALLOWED,
    BUCKET,
    DENIED,
    FEDERATED,
    NOT_ALLOWED,
    OBJECT,
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

page = Page("Policy evaluation for requests within a single account", CASES)
page.case("no policy at all is an implicit deny", NOT_ALLOWED)
page.case("an identity policy allows", ALLOWED, identity=allow("s3:GetObject", OBJECT))
page.case("an identity policy for another action", NOT_ALLOWED, identity=allow("s3:PutObject", OBJECT))
page.case("an identity policy for another resource", NOT_ALLOWED, identity=allow("s3:*", f"{BUCKET}-2/*"))
page.case(
    "one of several policies of a user allows",
    ALLOWED,
    identity=[policy(allow("ec2:*")), policy(allow("s3:*"))],
)
page.case(
    "a deny in a second policy wins", DENIED, identity=[policy(allow("s3:*")), policy(deny("s3:GetObject"))]
)
page.case("a deny before the allow wins", DENIED, identity=[deny("s3:GetObject"), allow("s3:*")])
page.case("a deny of another action does nothing", ALLOWED, identity=[allow("s3:*"), deny("s3:PutObject")])
page.case("a deny alone is explicit", DENIED, identity=deny("s3:*"))
page.case(
    "the bucket policy alone grants to a user",
    ALLOWED,
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": USER}),
)
page.case(
    "identity and resource policies are a union",
    ALLOWED,
    identity=allow("s3:PutObject", OBJECT),
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": USER}),
)
page.case(
    "a deny in the bucket policy beats the identity policy",
    DENIED,
    identity=allow("s3:*"),
    resource_policy=deny("s3:GetObject", OBJECT, to={"AWS": USER}),
)
page.case(
    "a deny in the identity policy beats the bucket policy",
    DENIED,
    identity=deny("s3:GetObject"),
    resource_policy=allow("s3:*", OBJECT, to={"AWS": USER}),
)
page.case(
    "a bucket policy for somebody else leaves the identity policy in force",
    ALLOWED,
    identity=allow("s3:*"),
    resource_policy=allow("s3:*", OBJECT, to={"AWS": f"arn:aws:iam::{ACCOUNT}:user/ben"}),
)
page.case(
    "a bucket policy for somebody else grants nothing",
    NOT_ALLOWED,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": f"arn:aws:iam::{ACCOUNT}:user/ben"}),
)
page.case("a bucket policy that is null is none", ALLOWED, identity=allow("s3:*"), resource_policy=None)
page.case("the root user needs no policy", ALLOWED, principal=ROOT)
page.case(
    "the root user needs no policy for IAM", ALLOWED, principal=ROOT, action="iam:CreateUser", resource=USER
)
page.case(
    "a bucket policy can deny the root user",
    DENIED,
    principal=ROOT,
    resource_policy=deny("s3:GetObject", OBJECT, to="*"),
)
page.case(
    "a role's session by the role's policies", ALLOWED, principal=SESSION, identity=allow("s3:GetObject")
)
page.case("a role asked for by its own ARN", ALLOWED, principal=ROLE, identity=allow("s3:GetObject"))

page = Page("How AWS enforcement code logic evaluates requests to allow or deny access", CASES)
TO_ROLE, TO_SESSION = (
    allow("s3:GetObject", OBJECT, to={"AWS": ROLE}),
    allow("s3:GetObject", OBJECT, to={"AWS": SESSION}),
)
TO_USER = allow("s3:GetObject", OBJECT, to={"AWS": USER})
NOTHING_HERE = allow("ec2:*")
page.case(
    "the role is named: no identity policy is needed", ALLOWED, principal=SESSION, resource_policy=TO_ROLE
)
page.case(
    "the role is named: its boundary limits",
    NOT_ALLOWED,
    principal=SESSION,
    resource_policy=TO_ROLE,
    boundary=NOTHING_HERE,
)
page.case(
    "the role is named: the session policy limits",
    NOT_ALLOWED,
    principal=SESSION,
    resource_policy=TO_ROLE,
    session=NOTHING_HERE,
)
page.case(
    "the role is named: boundary and session policy allow",
    ALLOWED,
    principal=SESSION,
    resource_policy=TO_ROLE,
    boundary=allow("s3:*"),
    session=allow("s3:GetObject"),
)
page.case(
    "the session is named: neither boundary nor session policy limits",
    ALLOWED,
    principal=SESSION,
    resource_policy=TO_SESSION,
    boundary=NOTHING_HERE,
    session=NOTHING_HERE,
)
page.case(
    "the session is named: a deny in the boundary still denies",
    DENIED,
    principal=SESSION,
    resource_policy=TO_SESSION,
    boundary=[allow("*"), deny("s3:GetObject")],
)
page.case(
    "the session is named: a deny in the session policy still denies",
    DENIED,
    principal=SESSION,
    resource_policy=TO_SESSION,
    session=deny("s3:*"),
)
page.case(
    "another session of the role is named",
    NOT_ALLOWED,
    principal=SESSION,
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": f"{SESSION}-2"}),
)
page.case(
    "the user is named: the boundary does not limit", ALLOWED, resource_policy=TO_USER, boundary=NOTHING_HERE
)
page.case(
    "the user is named: a deny in the boundary denies",
    DENIED,
    resource_policy=TO_USER,
    boundary=[allow("*"), deny("s3:*")],
)
page.case(
    "everybody, by aws:PrincipalArn: the boundary does not limit",
    ALLOWED,
    principal=SESSION,
    resource_policy=allow("s3:GetObject", OBJECT, to="*", when={"ArnEquals": {"aws:PrincipalArn": ROLE}}),
    boundary=NOTHING_HERE,
)
page.case(
    "everybody, by aws:PrincipalArn: the session policy does not limit",
    ALLOWED,
    principal=SESSION,
    resource_policy=allow(
        "s3:GetObject", OBJECT, to={"AWS": "*"}, when={"ArnEquals": {"aws:PrincipalArn": ROLE}}
    ),
    session=NOTHING_HERE,
)
page.case(
    "everybody, by aws:PrincipalArn of another role",
    NOT_ALLOWED,
    principal=SESSION,
    resource_policy=allow(
        "s3:GetObject", OBJECT, to="*", when={"ArnEquals": {"aws:PrincipalArn": f"{ROLE}-2"}}
    ),
)
page.case(
    "the account is named: that alone gives its users nothing",
    NOT_ALLOWED,
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": ROOT}),
    note="A grant to the own account delegates to it; an identity policy is needed, as for any resource of "
    "it.",
)
page.case(
    "the account is named and an identity policy allows",
    ALLOWED,
    identity=allow("s3:GetObject"),
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": ACCOUNT}),
)
page.case(
    "a federated session without session policy has no permissions",
    NOT_ALLOWED,
    principal=FEDERATED,
    identity=allow("*"),
)
page.case(
    "a federated session with a session policy",
    ALLOWED,
    principal=FEDERATED,
    identity=allow("s3:*"),
    session=allow("s3:GetObject"),
)
page.case(
    "a federated session: the session policy does not allow",
    NOT_ALLOWED,
    principal=FEDERATED,
    identity=allow("s3:*"),
    session=allow("s3:PutObject"),
)
page.case(
    "a federated session: the user's policies do not allow",
    NOT_ALLOWED,
    principal=FEDERATED,
    identity=allow("ec2:*"),
    session=allow("s3:GetObject"),
)
page.case(
    "a federated session that is named needs no session policy",
    ALLOWED,
    principal=FEDERATED,
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": FEDERATED}),
)
page.case(
    "a federated session that is named is not limited by its session policy",
    ALLOWED,
    principal=FEDERATED,
    session=NOTHING_HERE,
    boundary=NOTHING_HERE,
    resource_policy=allow("s3:GetObject", OBJECT, to={"AWS": FEDERATED}),
)
page.case("the session of a role without session policy", ALLOWED, principal=SESSION, identity=allow("s3:*"))

page = Page("Example of identity-based and resource-based policy evaluation", CASES)
CARLOS = f"arn:aws:iam::{ACCOUNT}:user/carlossalazar"
OWN, LOGS = "arn:aws:s3:::amzn-s3-demo-bucket-carlos", "arn:aws:s3:::amzn-s3-demo-bucket-carlos-logs"
CARLOS_POLICY = policy(
    allow(["s3:GetBucketLocation", "s3:GetAccountPublicAccessBlock", "s3:ListAllMyBuckets"]),
    allow("s3:*", [OWN, f"{OWN}/*"]),
    deny("s3:*", "arn:aws:s3:::*log*"),
)
LOG_POLICY = allow("s3:*", [LOGS, f"{LOGS}/*"], to={"AWS": CARLOS})
for name, action, resource, expected in (
    ("his own bucket", "s3:PutObject", f"{OWN}/a.txt", ALLOWED),
    ("a bucket of logs, which both policies speak of", "s3:PutObject", f"{LOGS}/a.txt", DENIED),
    (
        "a bucket that no policy speaks of",
        "s3:PutObject",
        "arn:aws:s3:::amzn-s3-demo-bucket9/a.txt",
        NOT_ALLOWED,
    ),
    ("listing all buckets", "s3:ListAllMyBuckets", "*", ALLOWED),
    ("an object of his own bucket whose name has log in it", "s3:PutObject", f"{OWN}/catalog.txt", DENIED),
):
    page.case(
        name,
        expected,
        principal=CARLOS,
        action=action,
        resource=resource,
        identity=CARLOS_POLICY,
        resource_policy=LOG_POLICY,
    )

page = Page("The difference between explicit and implicit denies", CASES)
page.case(
    "EC2 is not spoken of", NOT_ALLOWED, action="ec2:StopInstances", resource="*", identity=allow("s3:*")
)
page.case(
    "an implicit deny can be overcome by another policy",
    ALLOWED,
    action="iam:ListUsers",
    resource="*",
    identity=[policy(allow("s3:*")), policy(allow("iam:*"))],
)
page.case(
    "an explicit deny cannot",
    DENIED,
    action="iam:ListUsers",
    resource="*",
    identity=[policy(deny(None, "*", not_action="s3:*")), policy(allow("iam:*"))],
)
page.case(
    "deny with NotAction leaves what it names",
    ALLOWED,
    identity=[deny(None, "*", not_action="s3:*"), allow("s3:*")],
)
page.case(
    "deny with NotAction allows nothing by itself", NOT_ALLOWED, identity=deny(None, "*", not_action="s3:*")
)

page = Page("Identity-based policies and resource-based policies", CASES)
QUEUE = f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs"
page.case(
    "a queue's policy for a user",
    ALLOWED,
    action="sqs:SendMessage",
    resource=QUEUE,
    resource_policy=allow("sqs:SendMessage", QUEUE, to={"AWS": USER}),
)
page.case(
    "a queue's policy for another action",
    NOT_ALLOWED,
    action="sqs:ReceiveMessage",
    resource=QUEUE,
    resource_policy=allow("sqs:SendMessage", QUEUE, to={"AWS": USER}),
)
page.case(
    "a queue's policy without fitting resource",
    NOT_ALLOWED,
    action="sqs:SendMessage",
    resource=QUEUE,
    resource_policy=allow("sqs:*", f"{QUEUE}-2", to={"AWS": USER}),
)

page = Page("GetCallerIdentity (AWS STS API Reference)", CASES)
page.case("no permission is needed", ALLOWED, action="sts:GetCallerIdentity", resource="*")
page.case(
    "a deny does not take it away", ALLOWED, action="sts:GetCallerIdentity", resource="*", identity=deny("*")
)
page = Page("GetSessionToken (AWS STS API Reference)", CASES)
page.case(
    "policies do not control it", ALLOWED, action="sts:GetSessionToken", resource="*", identity=deny("sts:*")
)

page = Page("PutBucketPolicy (Amazon S3 API Reference)", CASES)
LOCKED = deny("s3:*", [BUCKET, f"{BUCKET}/*"], to="*")
for name, action, principal, expected in (
    ("the owner's root user can mend a policy that locks it out", "s3:PutBucketPolicy", ROOT, ALLOWED),
    ("the owner's root user can delete it", "s3:DeleteBucketPolicy", ROOT, ALLOWED),
    ("the owner's root user can read it", "s3:GetBucketPolicy", ROOT, ALLOWED),
    ("nothing else is open to the root user", "s3:DeleteBucket", ROOT, DENIED),
    ("an administrator who is a user stays locked out", "s3:PutBucketPolicy", USER, DENIED),
):
    page.case(
        name,
        expected,
        action=action,
        resource=BUCKET,
        principal=principal,
        identity=[] if principal == ROOT else allow("*"),
        resource_policy=LOCKED,
    )
page.case(
    "but an SCP can keep the root user from it",
    DENIED,
    action="s3:PutBucketPolicy",
    resource=BUCKET,
    principal=ROOT,
    resource_policy=LOCKED,
    scps=[[allow("*"), deny("s3:PutBucketPolicy")]],
)
page.case(
    "the root user of another account is locked out",
    DENIED,
    action="s3:PutBucketPolicy",
    resource=BUCKET,
    principal="arn:aws:iam::444455556666:root",
    account=ACCOUNT,
    resource_policy=LOCKED,
)
