"""The example bucket policies of the Amazon S3 User Guide, and queues and topics that services write to."""

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
    OTHER_ROOT,
    OTHER_USER,
    SESSION,
    USER,
    Case,
    Page,
    allow,
    deny,
)

CASES: list[Case] = []
ANYONE = {"arn": "*"}
BOTH = [BUCKET, f"{BUCKET}/*"]
page = Page("Examples of Amazon S3 bucket policies", CASES)

PUBLIC = allow("s3:GetObject", f"{BUCKET}/*", to="*")
page.case(
    "public: an anonymous caller reads", ALLOWED, principal=ANYONE, account=ACCOUNT, resource_policy=PUBLIC
)
page.case(
    "public: an anonymous caller does not write",
    NOT_ALLOWED,
    action="s3:PutObject",
    principal=ANYONE,
    account=ACCOUNT,
    resource_policy=PUBLIC,
)
page.case("public: a user of the account reads", ALLOWED, resource_policy=PUBLIC)
page.case(
    "public: a user of another account needs its own permission",
    NOT_ALLOWED,
    principal=OTHER_USER,
    account=ACCOUNT,
    resource_policy=PUBLIC,
)

TLS = [
    allow("s3:GetObject", f"{BUCKET}/*", to="*"),
    deny("s3:*", BOTH, to="*", when={"Bool": {"aws:SecureTransport": "false"}}),
]
for name, context, expected, loose in (
    ("over TLS", {"aws:SecureTransport": "true"}, ALLOWED, ""),
    ("without TLS", {"aws:SecureTransport": "false"}, DENIED, ""),
    ("left open", {}, ALLOWED, CONDITIONAL),
):
    page.case(f"TLS only: {name}", expected, loose=loose, context=context, resource_policy=TLS)

ENCRYPTED = [
    allow("s3:PutObject", f"{BUCKET}/*", to={"AWS": USER}),
    deny(
        "s3:PutObject",
        f"{BUCKET}/*",
        to="*",
        when={"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}},
    ),
]
UNENCRYPTED = deny(
    "s3:PutObject",
    f"{BUCKET}/*",
    to="*",
    when={"Null": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "true"}},
)
for name, value, expected in (
    ("with KMS", "aws:kms", ALLOWED),
    ("with another algorithm", "AES256", DENIED),
    ("without", None, DENIED),
):
    page.case(
        f"encryption asked for: {name}",
        expected,
        action="s3:PutObject",
        context={"s3:x-amz-server-side-encryption": value},
        resource_policy=ENCRYPTED,
    )
for name, value, expected in (("a key", "arn:aws:kms:us-east-2:1:key/a", ALLOWED), ("no key", None, DENIED)):
    page.case(
        f"a key of KMS asked for: {name}",
        expected,
        action="s3:PutObject",
        context={"s3:x-amz-server-side-encryption-aws-kms-key-id": value},
        identity=allow("s3:*"),
        resource_policy=UNENCRYPTED,
    )

OWNED = allow(
    ["s3:PutObject", "s3:PutObjectAcl"],
    f"{BUCKET}/*",
    to={"AWS": OTHER_ROOT},
    when={"StringEquals": {"s3:x-amz-acl": ["bucket-owner-full-control"]}},
)
for name, acl, expected in (
    ("full control for the owner", "bucket-owner-full-control", ALLOWED),
    ("another ACL", "public-read", NOT_ALLOWED),
    ("no ACL", None, NOT_ALLOWED),
):
    page.case(
        f"uploads of another account: {name}",
        expected,
        action="s3:PutObject",
        principal=OTHER_USER,
        account=ACCOUNT,
        context={"s3:x-amz-acl": acl},
        identity=allow("s3:*"),
        resource_policy=OWNED,
    )

NETS = [
    deny(
        "s3:*",
        BOTH,
        to="*",
        when={
            "NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24", "2001:DB8:1234:5678::/64"]}
        },
    )
]
for name, address, expected in (
    ("IPv4 of the first range", "192.0.2.7", ALLOWED),
    ("IPv4 of the second range", "203.0.113.7", ALLOWED),
    ("IPv6 of the range", "2001:db8:1234:5678::7", ALLOWED),
    ("IPv4 from elsewhere", "198.51.100.7", DENIED),
    ("IPv6 from elsewhere", "2001:db8:ffff::7", DENIED),
):
    page.case(
        f"addresses: {name}",
        expected,
        context={"aws:SourceIp": address},
        identity=allow("s3:*"),
        resource_policy=NETS,
    )
WITHIN = [
    allow(
        "s3:*",
        f"{BUCKET}/*",
        to="*",
        when={
            "IpAddress": {"aws:SourceIp": "192.0.2.0/24"},
            "NotIpAddress": {"aws:SourceIp": "192.0.2.188/32"},
        },
    )
]
for name, address, expected in (
    ("in the range", "192.0.2.1", ALLOWED),
    ("the one that is excepted", "192.0.2.188", NOT_ALLOWED),
):
    page.case(
        f"addresses with an exception: {name}",
        expected,
        principal=ANYONE,
        account=ACCOUNT,
        context={"aws:SourceIp": address},
        resource_policy=WITHIN,
    )

REFERER = allow(
    ["s3:GetObject"],
    f"{BUCKET}/*",
    to="*",
    when={"StringLike": {"aws:Referer": ["http://www.example.com/*", "http://example.com/*"]}},
)
for name, referer, expected in (
    ("the own site", "http://www.example.com/a.html", ALLOWED),
    ("another site", "http://www.example.net/a", NOT_ALLOWED),
    ("none", None, NOT_ALLOWED),
):
    page.case(
        f"referer: {name}",
        expected,
        principal=ANYONE,
        account=ACCOUNT,
        context={"aws:Referer": referer},
        resource_policy=REFERER,
    )

MFA = [
    allow("s3:GetObject", f"{BUCKET}/*", to={"AWS": USER}),
    deny("s3:*", f"{BUCKET}/taxdocuments/*", to="*", when={"Null": {"aws:MultiFactorAuthAge": True}}),
    deny(
        "s3:*",
        f"{BUCKET}/taxdocuments/*",
        to="*",
        when={"NumericGreaterThan": {"aws:MultiFactorAuthAge": 3600}},
    ),
]
TAX = f"{BUCKET}/taxdocuments/2020"
for name, resource, age, expected in (
    ("with fresh MFA", TAX, "120", ALLOWED),
    ("with MFA of just an hour", TAX, "3600", ALLOWED),
    ("with MFA that is too old", TAX, "3601", DENIED),
    ("without MFA", TAX, None, DENIED),
    ("elsewhere without MFA", OBJECT, None, ALLOWED),
):
    page.case(
        f"MFA: {name}",
        expected,
        resource=resource,
        context={"aws:MultiFactorAuthAge": age},
        resource_policy=MFA,
    )

FOLDERS = [
    allow(
        "s3:ListBucket",
        BUCKET,
        to={"AWS": USER},
        when={"StringEquals": {"s3:prefix": ["", "home/", "home/ana"], "s3:delimiter": ["/"]}},
    ),
    allow("s3:ListBucket", BUCKET, to={"AWS": USER}, when={"StringLike": {"s3:prefix": ["home/ana/*"]}}),
    allow("s3:*", f"{BUCKET}/home/ana/*", to={"AWS": USER}),
]
for name, prefix, delimiter, expected in (
    ("the root folder", "", "/", ALLOWED),
    ("the homes", "home/", "/", ALLOWED),
    ("the own home", "home/ana/x", None, ALLOWED),
    ("the homes without delimiter", "home/", None, NOT_ALLOWED),
    ("another home", "home/ben/", "/", NOT_ALLOWED),
):
    page.case(
        f"folders: {name}",
        expected,
        action="s3:ListBucket",
        resource=BUCKET,
        context={"s3:prefix": prefix, "s3:delimiter": delimiter},
        resource_policy=FOLDERS,
    )

LOGS = allow(
    "s3:PutObject",
    f"{BUCKET}/logs/*",
    to={"Service": "logging.s3.amazonaws.com"},
    when={
        "ArnLike": {"aws:SourceArn": "arn:aws:s3:::source-bucket"},
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
    },
)
for name, principal, source, account, expected in (
    ("of the bucket and account", "logging.s3.amazonaws.com", "arn:aws:s3:::source-bucket", ACCOUNT, ALLOWED),
    ("of another bucket", "logging.s3.amazonaws.com", "arn:aws:s3:::other", ACCOUNT, NOT_ALLOWED),
    ("of another account", "logging.s3.amazonaws.com", "arn:aws:s3:::source-bucket", OTHER, NOT_ALLOWED),
    ("by another service", "delivery.logs.amazonaws.com", "arn:aws:s3:::source-bucket", ACCOUNT, NOT_ALLOWED),
):
    page.case(
        f"access logs: {name}",
        expected,
        principal=principal,
        action="s3:PutObject",
        resource=f"{BUCKET}/logs/x",
        account=ACCOUNT,
        context={"aws:SourceArn": source, "aws:SourceAccount": account},
        resource_policy=LOGS,
    )

ORG = allow(
    "s3:GetObject", f"{BUCKET}/*", to="*", when={"StringEquals": {"aws:PrincipalOrgID": "o-aa111bb222"}}
)
page.case(
    "an organization: a user of its account",
    ALLOWED,
    context={"aws:PrincipalOrgID": "o-aa111bb222"},
    resource_policy=ORG,
)
page.case(
    "an organization: a user of another account of it",
    ALLOWED,
    principal=OTHER_USER,
    account=ACCOUNT,
    context={"aws:PrincipalOrgID": "o-aa111bb222"},
    identity=allow("s3:*"),
    resource_policy=ORG,
)
page.case(
    "an organization: a stranger",
    NOT_ALLOWED,
    principal=OTHER_USER,
    account=ACCOUNT,
    context={"aws:PrincipalOrgID": "o-zz999zz999"},
    identity=allow("s3:*"),
    resource_policy=ORG,
)
page.case(
    "an organization: an anonymous caller",
    NOT_ALLOWED,
    principal=ANYONE,
    account=ACCOUNT,
    resource_policy=ORG,
)
page.case("an organization: it is not told", NOT_ALLOWED, loose=CONDITIONAL, resource_policy=ORG)

page = Page("Controlling access from VPC endpoints with bucket policies", CASES)
VPCE = deny("s3:*", BOTH, to="*", when={"StringNotEquals": {"aws:SourceVpce": "vpce-1a2b3c4d"}})
VPC = deny("s3:*", BOTH, to="*", when={"StringNotEquals": {"aws:SourceVpc": "vpc-111bbb22"}})
for name, statement, key, value, expected in (
    ("through the endpoint", VPCE, "aws:SourceVpce", "vpce-1a2b3c4d", ALLOWED),
    ("through another endpoint", VPCE, "aws:SourceVpce", "vpce-other", DENIED),
    ("through no endpoint", VPCE, "aws:SourceVpce", None, DENIED),
    ("from the VPC", VPC, "aws:SourceVpc", "vpc-111bbb22", ALLOWED),
    ("from no VPC", VPC, "aws:SourceVpc", None, DENIED),
):
    page.case(name, expected, context={key: value}, identity=allow("s3:*"), resource_policy=statement)

page = Page("Cross-service confused deputy prevention, Amazon SNS to Amazon SQS", CASES)
QUEUE, TOPIC = f"arn:aws:sqs:us-east-2:{ACCOUNT}:jobs", f"arn:aws:sns:us-east-2:{ACCOUNT}:alerts"
FROM_TOPIC = allow(
    "sqs:SendMessage",
    QUEUE,
    to={"Service": "sns.amazonaws.com"},
    when={"ArnEquals": {"aws:SourceArn": TOPIC}},
)
SNS = "sns.amazonaws.com"
for name, principal, source, expected, loose in (
    ("the topic", SNS, TOPIC, ALLOWED, ""),
    ("another topic", SNS, f"{TOPIC}-2", NOT_ALLOWED, ""),
    ("no topic", SNS, None, NOT_ALLOWED, ""),
    ("a user directly", USER, TOPIC, NOT_ALLOWED, ""),
    ("a session directly", SESSION, TOPIC, NOT_ALLOWED, ""),
):
    page.case(
        name,
        expected,
        loose=loose,
        action="sqs:SendMessage",
        resource=QUEUE,
        principal=principal,
        context={"aws:SourceArn": source},
        resource_policy=FROM_TOPIC,
    )
page.case(
    "the topic is not told",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    action="sqs:SendMessage",
    resource=QUEUE,
    principal=SNS,
    resource_policy=FROM_TOPIC,
)
