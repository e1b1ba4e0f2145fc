"""KMS keys, whose own policy must allow or delegate, and VPC endpoints."""

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
    ROLE,
    ROOT,
    SESSION,
    USER,
    Case,
    Page,
    allow,
    deny,
)

CASES: list[Case] = []
KEY = f"arn:aws:kms:us-east-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
DECRYPT = {"action": "kms:Decrypt", "resource": KEY}
MAY = allow("kms:*", KEY)
DELEGATES = allow("kms:*", to={"AWS": ROOT})

page = Page("Key policies in AWS KMS", CASES)
page.case("no one has permissions without the key policy", NOT_ALLOWED, **DECRYPT, identity=allow("*"))
page.case(
    "a key policy that is null is none", NOT_ALLOWED, **DECRYPT, identity=allow("*"), resource_policy=None
)
page.case("the root user has none without the key policy", NOT_ALLOWED, **DECRYPT, principal=ROOT)
page.case(
    "the root user by a key policy that names the account",
    ALLOWED,
    **DECRYPT,
    principal=ROOT,
    resource_policy=DELEGATES,
)
page.case(
    "the root user, whom the key policy does not name",
    NOT_ALLOWED,
    **DECRYPT,
    principal=ROOT,
    resource_policy=allow("kms:*", to={"AWS": USER}),
)
page.case(
    "the key policy names the user: that is enough",
    ALLOWED,
    **DECRYPT,
    resource_policy=allow("kms:*", to={"AWS": USER}),
)
page.case(
    "the key policy names the role: that is enough",
    ALLOWED,
    **DECRYPT,
    principal=SESSION,
    resource_policy=allow("kms:*", to={"AWS": ROLE}),
)
page.case(
    "the key policy names another user",
    NOT_ALLOWED,
    **DECRYPT,
    identity=MAY,
    resource_policy=allow("kms:*", to={"AWS": f"{USER}-2"}),
)
page.case(
    "the key policy allows another action",
    NOT_ALLOWED,
    **DECRYPT,
    identity=MAY,
    resource_policy=allow("kms:Encrypt", to={"AWS": USER}),
)
page.case(
    "actions that concern no key need no key policy",
    ALLOWED,
    action="kms:ListKeys",
    resource="*",
    identity=allow("kms:ListKeys"),
)
page.case(
    "creating a key needs no key policy",
    ALLOWED,
    action="kms:CreateKey",
    resource="*",
    identity=allow("kms:CreateKey"),
)

page = Page("Default key policy", CASES)
page.case(
    "the account delegates and the identity policy allows",
    ALLOWED,
    **DECRYPT,
    identity=MAY,
    resource_policy=DELEGATES,
)
page.case(
    "the account delegates, the identity policy does not allow",
    NOT_ALLOWED,
    **DECRYPT,
    resource_policy=DELEGATES,
)
page.case(
    "the account delegates only some actions",
    NOT_ALLOWED,
    **DECRYPT,
    identity=MAY,
    resource_policy=allow("kms:Describe*", to={"AWS": ROOT}),
)
page.case(
    "the account delegates: the boundary limits",
    NOT_ALLOWED,
    **DECRYPT,
    identity=MAY,
    boundary=allow("s3:*"),
    resource_policy=DELEGATES,
)
page.case(
    "the account delegates: the identity policy denies",
    DENIED,
    **DECRYPT,
    identity=[MAY, deny("kms:Decrypt")],
    resource_policy=DELEGATES,
)
page.case(
    "the key policy denies",
    DENIED,
    **DECRYPT,
    identity=MAY,
    resource_policy=[DELEGATES, deny("kms:Decrypt", to={"AWS": USER})],
)

page = Page("Allowing users in other accounts to use a KMS key", CASES)
SHARED = allow("kms:Decrypt", to={"AWS": OTHER_ROOT})
page.case(
    "both accounts allow",
    ALLOWED,
    **DECRYPT,
    principal=OTHER_USER,
    identity=MAY,
    resource_policy=[DELEGATES, SHARED],
)
page.case(
    "only the key policy allows",
    NOT_ALLOWED,
    **DECRYPT,
    principal=OTHER_USER,
    resource_policy=[DELEGATES, SHARED],
)
page.case(
    "only the user's policy allows",
    NOT_ALLOWED,
    **DECRYPT,
    principal=OTHER_USER,
    identity=MAY,
    resource_policy=DELEGATES,
)

page = Page("AWS KMS condition keys", CASES)
VIA = allow(
    "kms:*",
    to={"AWS": "*"},
    when={"StringEquals": {"kms:CallerAccount": ACCOUNT, "kms:ViaService": "ec2.us-east-2.amazonaws.com"}},
)
for name, principal, context, expected, loose in (
    (
        "through the service, of the account",
        USER,
        {"kms:ViaService": "ec2.us-east-2.amazonaws.com"},
        ALLOWED,
        "",
    ),
    ("through another service", USER, {"kms:ViaService": "s3.us-east-2.amazonaws.com"}, NOT_ALLOWED, ""),
    ("not through a service", USER, {"kms:ViaService": None}, NOT_ALLOWED, ""),
    ("of another account", OTHER_USER, {"kms:ViaService": "ec2.us-east-2.amazonaws.com"}, NOT_ALLOWED, ""),
    ("left open", USER, {}, NOT_ALLOWED, CONDITIONAL),
):
    page.case(
        f"kms:ViaService and kms:CallerAccount: {name}",
        expected,
        loose=loose,
        **DECRYPT,
        principal=principal,
        context=context,
        identity=MAY if principal == OTHER_USER else [],
        resource_policy=VIA,
    )
CONTEXT = {"StringEquals": {"kms:EncryptionContext:AppName": "ExampleApp"}}
for name, key, value, expected in (
    ("the pair", "kms:EncryptionContext:AppName", "ExampleApp", ALLOWED),
    ("another value", "kms:EncryptionContext:AppName", "exampleapp", NOT_ALLOWED),
    ("another name", "kms:EncryptionContext:Name", "ExampleApp", NOT_ALLOWED),
):
    context = {"kms:EncryptionContext:AppName": None} | {key: value}
    page.case(
        f"kms:EncryptionContext: {name}",
        expected,
        **DECRYPT,
        context=context,
        resource_policy=allow("kms:Decrypt", to={"AWS": USER}, when=CONTEXT),
    )
GRANTS = allow(
    "kms:CreateGrant",
    to={"AWS": USER},
    when={"ForAllValues:StringEquals": {"kms:GrantOperations": ["Encrypt", "Decrypt"]}},
)
for name, operations, expected in (
    ("some of them", ["Decrypt"], ALLOWED),
    ("all of them", ["Decrypt", "Encrypt"], ALLOWED),
    ("one more", ["Decrypt", "CreateGrant"], NOT_ALLOWED),
):
    page.case(
        f"kms:GrantOperations: {name}",
        expected,
        action="kms:CreateGrant",
        resource=KEY,
        context={"kms:GrantOperations": operations},
        resource_policy=GRANTS,
    )
FOR_AWS = allow("kms:CreateGrant", to={"AWS": USER}, when={"Bool": {"kms:GrantIsForAWSResource": "true"}})
page.case(
    "kms:GrantIsForAWSResource: it is",
    ALLOWED,
    action="kms:CreateGrant",
    resource=KEY,
    context={"kms:GrantIsForAWSResource": "true"},
    resource_policy=FOR_AWS,
)
page.case(
    "kms:GrantIsForAWSResource: it is not",
    NOT_ALLOWED,
    action="kms:CreateGrant",
    resource=KEY,
    context={"kms:GrantIsForAWSResource": "false"},
    resource_policy=FOR_AWS,
)

page = Page("Control access to VPC endpoints using endpoint policies", CASES)
S3 = allow("s3:*")
SECRET = {
    "action": "secretsmanager:GetSecretValue",
    "resource": f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:a",
}
page.case("no endpoint", ALLOWED, identity=S3)
page.case("the default policy of an endpoint", ALLOWED, identity=S3, endpoint=allow("*", to="*"))
page.case("an endpoint policy grants nothing", NOT_ALLOWED, endpoint=allow("*", to="*"))
page.case(
    "an endpoint policy for one bucket",
    ALLOWED,
    identity=S3,
    endpoint=allow("s3:*", [BUCKET, f"{BUCKET}/*"], to="*"),
)
page.case(
    "an endpoint policy for another bucket",
    NOT_ALLOWED,
    identity=S3,
    endpoint=allow("s3:*", "arn:aws:s3:::elsewhere/*", to="*"),
)
page.case(
    "an endpoint policy for other actions",
    NOT_ALLOWED,
    identity=S3,
    endpoint=allow(["s3:PutObject", "s3:ListBucket"], to="*"),
)
page.case(
    "an endpoint policy denies",
    DENIED,
    identity=S3,
    endpoint=[allow("*", to="*"), deny("s3:GetObject", to="*")],
)
page.case(
    "an endpoint policy limits what the bucket policy grants",
    NOT_ALLOWED,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": USER}),
    endpoint=allow("ec2:*", to="*"),
)
page.case(
    "an endpoint policy limits the root user", NOT_ALLOWED, principal=ROOT, endpoint=allow("ec2:*", to="*")
)
BY_ARN = allow("s3:*", to="*", when={"StringEquals": {"aws:PrincipalArn": USER}})
page.case("a principal by aws:PrincipalArn", ALLOWED, identity=S3, endpoint=BY_ARN)
page.case(
    "another principal by aws:PrincipalArn", NOT_ALLOWED, principal=SESSION, identity=S3, endpoint=BY_ARN
)
page.case(
    "the account at an endpoint of S3 means its root user",
    ALLOWED,
    principal=ROOT,
    endpoint=allow("s3:*", to={"AWS": ACCOUNT}),
)
page.case(
    "the account at an endpoint of S3, for a user: depends on the kind of endpoint",
    CONDITIONAL,
    loose=CONDITIONAL,
    identity=S3,
    endpoint=allow("s3:*", to={"AWS": ACCOUNT}),
    note=(
        "At a gateway endpoint it means the root user only, at an interface endpoint everybody; S3 has both."
    ),
)
page.case(
    "the account at an interface endpoint",
    ALLOWED,
    **SECRET,
    identity=allow("*"),
    endpoint=allow("*", to={"AWS": ROOT}),
)
page.case(
    "another account at an interface endpoint",
    NOT_ALLOWED,
    **SECRET,
    identity=allow("*"),
    endpoint=allow("*", to={"AWS": OTHER}),
)
page.case(
    "a user at an interface endpoint",
    ALLOWED,
    **SECRET,
    identity=allow("*"),
    endpoint=allow("*", to={"AWS": USER}),
)
page.case(
    "organization only, within",
    ALLOWED,
    identity=S3,
    context={"aws:PrincipalOrgID": "o-1"},
    endpoint=allow("*", to="*", when={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
)
page.case(
    "organization only, outside",
    NOT_ALLOWED,
    identity=S3,
    context={"aws:PrincipalOrgID": "o-2"},
    endpoint=allow("*", to="*", when={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
)
page.case(
    "resources of the account only",
    NOT_ALLOWED,
    account=OTHER,
    identity=S3,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": USER}),
    endpoint=allow("*", to="*", when={"StringEquals": {"aws:ResourceAccount": ACCOUNT}}),
)
