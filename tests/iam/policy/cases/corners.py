"""Corners of the pages that no example shows: names that only look alike, other partitions, resources of
other kinds.
"""

from __future__ import annotations

from tests.iam.policy.cases.notation import (
    ACCOUNT,
    ALLOWED,
    CONDITIONAL,
    DENIED,
    FEDERATED,
    NOT_ALLOWED,
    OBJECT,
    OTHER,
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
CANONICAL = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"

page = Page("AWS JSON policy elements: Principal, names that look alike", CASES)
for name, principal, to, expected in (
    ("a role of another partition", SESSION, ROLE.replace("aws", "aws-cn", 1), NOT_ALLOWED),
    ("a role of another service", SESSION, ROLE.replace("iam", "sts"), NOT_ALLOWED),
    ("an ARN without role", SESSION, f"arn:aws:iam::{ACCOUNT}", NOT_ALLOWED),
    ("a session of another role, for a role", ROLE, SESSION.replace("app", "web"), NOT_ALLOWED),
    ("a session of another account, for a role", ROLE, SESSION.replace(ACCOUNT, OTHER), NOT_ALLOWED),
    ("a session of another partition, for a role", ROLE, SESSION.replace("aws", "aws-cn", 1), NOT_ALLOWED),
    ("a federated user of the role's name, for a role", ROLE, FEDERATED.replace("ana", "app"), NOT_ALLOWED),
    ("a session without its role, for a role", ROLE, f"arn:aws:sts::{ACCOUNT}", NOT_ALLOWED),
    ("the account of another partition", USER, ROOT.replace("aws", "aws-cn", 1), NOT_ALLOWED),
    ("the id of another", {"arn": USER, "unique_id": "AIDA1"}, "AIDA2", NOT_ALLOWED),
    ("an empty name", USER, "", NOT_ALLOWED),
    ("a role's name with something after it", SESSION, f"{ROLE}:x", NOT_ALLOWED),
    ("a role's name with something before it", SESSION, f"x:{ROLE}", NOT_ALLOWED),
    (
        "a session of a role with a longer name, for a role",
        ROLE,
        SESSION.replace("app", "app:x"),
        NOT_ALLOWED,
    ),
    ("a session with something before it, for a role", ROLE, f"x:{SESSION}", NOT_ALLOWED),
    (
        "the user of another partition, of itself",
        "arn:aws-cn:iam::1:user/a",
        "arn:aws-cn:iam::1:user/a",
        ALLOWED,
    ),
    ("a caller without an account, by name", "somebody", "somebody", ALLOWED),
):
    page.case(name, expected, principal=principal, resource_policy=allow("s3:*", OBJECT, to={"AWS": to}))
page.case(
    "a user by its id: its boundary does not limit",
    ALLOWED,
    principal={"arn": USER, "unique_id": "AIDAEXAMPLE"},
    boundary=allow("ec2:*"),
    resource_policy=allow("s3:*", OBJECT, to={"AWS": "AIDAEXAMPLE"}),
)
page.case(
    "the account of another partition, of its user",
    ALLOWED,
    principal=f"arn:aws-us-gov:iam::{ACCOUNT}:user/ana",
    identity=allow("kms:*"),
    action="kms:Decrypt",
    resource=f"arn:aws-us-gov:kms:us-gov-west-1:{ACCOUNT}:key/1",
    resource_policy=allow("kms:*", to={"AWS": f"arn:aws-us-gov:iam::{ACCOUNT}:root"}),
)
page.case(
    "a provider that is a service too",
    ALLOWED,
    principal="cognito-identity.amazonaws.com",
    action="sts:AssumeRole",
    resource=ROLE,
    resource_policy=allow("sts:AssumeRole", None, to={"Service": "cognito-identity.amazonaws.com"}),
)
page.case(
    "a service of China",
    ALLOWED,
    principal="ec2.amazonaws.com.cn",
    action="sts:AssumeRole",
    resource=ROLE,
    resource_policy=allow("sts:AssumeRole", None, to={"Service": "ec2.amazonaws.com.cn"}),
)
page.case(
    "a service is none of the providers",
    NOT_ALLOWED,
    principal="ec2.amazonaws.com",
    action="sts:AssumeRole",
    resource=ROLE,
    resource_policy=allow("sts:AssumeRole", None, to={"Federated": "ec2.amazonaws.com"}),
)

page = Page("AWS JSON policy elements: NotPrincipal, corners", CASES)
for name, principal, not_to, strict, loose in (
    ("everybody", USER, {"AWS": "*"}, ALLOWED, ALLOWED),
    ("the account and a canonical id", USER, {"AWS": ROOT, "CanonicalUser": CANONICAL}, DENIED, CONDITIONAL),
    ("a federated user beside its account", FEDERATED, {"AWS": [FEDERATED, ROOT]}, ALLOWED, ALLOWED),
    ("a federated user without its account", FEDERATED, {"AWS": FEDERATED}, DENIED, DENIED),
    ("a caller without an account", "somebody", {"AWS": "somebody"}, ALLOWED, ALLOWED),
    ("the account, of a role", ROLE, {"AWS": ROOT}, DENIED, DENIED),
    ("the role, of a role", ROLE, {"AWS": ROLE}, DENIED, DENIED),
    ("the role and the account, of a session", SESSION, {"AWS": [ROLE, ROOT]}, DENIED, DENIED),
    ("the role and the account, of a role", ROLE, {"AWS": [ROLE, ROOT]}, ALLOWED, CONDITIONAL),
):
    page.case(
        f"deny to all but: {name}",
        strict,
        loose=loose,
        principal=principal,
        identity=allow("s3:*"),
        session=allow("s3:*"),
        resource_policy=deny("s3:*", OBJECT, not_to=not_to),
    )
page.case(
    "no RCP has it: undecidable",
    CONDITIONAL,
    loose=CONDITIONAL,
    identity=allow("s3:*"),
    rcps=[[policy(allow("*", to="*")), policy(deny("s3:*", not_to={"AWS": f"{USER}-2"}))]],
)

page = Page("Policy evaluation logic, which actions need the policy of a resource", CASES)
ALIAS = f"arn:aws:kms:us-east-2:{ACCOUNT}:alias/a"
for action, resource, expected in (
    ("sts:AssumeRole", "*", NOT_ALLOWED),
    ("sts:AssumeRoleWithSAML", ROLE, NOT_ALLOWED),
    ("sts:AssumeRoleWithWebIdentity", ROLE, NOT_ALLOWED),
    ("sts:SetSourceIdentity", ROLE, NOT_ALLOWED),
    ("sts:TagSession", USER, ALLOWED),
    ("sts:TagSession", FEDERATED, ALLOWED),
    ("sts:DecodeAuthorizationMessage", "*", ALLOWED),
    ("iam:PassRole", ROLE, ALLOWED),
    ("iam:UpdateAssumeRolePolicy", ROLE, ALLOWED),
    ("kms:CreateAlias", ALIAS, ALLOWED),
    ("kms:CreateAlias", f"arn:aws:kms:us-east-2:{ACCOUNT}:key/1", NOT_ALLOWED),
    ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:key/1", ALLOWED),
    ("ec2:DescribeInstances", "*", ALLOWED),
):
    page.case(f"{action} on {resource}", expected, action=action, resource=resource, identity=allow("*"))
page.case(
    "the root user tags no session of a role that does not trust it",
    NOT_ALLOWED,
    principal=ROOT,
    action="sts:TagSession",
    resource=ROLE,
)

page = Page("Grammar of the IAM JSON policy language, corners", CASES)
page.case("a resource policy without Principal: undecidable", CONDITIONAL, resource_policy=allow("s3:*"))
page.case("an RCP without Principal: undecidable", CONDITIONAL, identity=allow("s3:*"), rcps=[[allow("*")]])
page.case(
    "an endpoint policy without Principal: undecidable",
    CONDITIONAL,
    identity=allow("s3:*"),
    endpoint=allow("*"),
)
page.case("an identity policy without Resource: undecidable", CONDITIONAL, identity=allow("s3:*", None))
page.case(
    "a boundary without Resource: undecidable",
    CONDITIONAL,
    identity=allow("s3:*"),
    boundary=allow("s3:*", None),
)
page.case(
    "an SCP with a Principal: undecidable", CONDITIONAL, identity=allow("s3:*"), scps=[[allow("*", to="*")]]
)
page.case("a deny that is undecidable", CONDITIONAL, identity=[allow("s3:*"), deny("s3:*", None)])
page.case(
    "a deny that is undecidable, of another action", ALLOWED, identity=[allow("s3:*"), deny("ec2:*", None)]
)
page.case(
    "what does not fit is not undecidable", NOT_ALLOWED, identity=allow("s3:*", "arn:aws:s3:::x", to="*")
)

page = Page("Service control policies (SCPs), corners", CASES)
page.case(
    "a role by its own ARN is restricted",
    NOT_ALLOWED,
    principal=ROLE,
    identity=allow("s3:*"),
    scps=[[allow("ec2:*")]],
)
page.case(
    "an anonymous caller is not",
    ALLOWED,
    principal={"arn": "*"},
    account=ACCOUNT,
    resource_policy=allow("s3:*", OBJECT, to="*"),
    scps=[[]],
)
page.case(
    "a provider is not",
    ALLOWED,
    principal=f"arn:aws:iam::{ACCOUNT}:saml-provider/p",
    action="sts:AssumeRoleWithSAML",
    resource=ROLE,
    resource_policy=allow(
        "sts:AssumeRoleWithSAML", None, to={"Federated": f"arn:aws:iam::{ACCOUNT}:saml-provider/p"}
    ),
    scps=[[]],
)
page.case(
    "open allows of one level and a deny of another",
    DENIED,
    identity=allow("s3:*"),
    scps=[[allow("*", when={"Bool": {"x:y": "true"}})], [allow("*"), deny("s3:*")]],
)

page = Page("Control access to VPC endpoints using endpoint policies, corners", CASES)
TABLE = f"arn:aws:dynamodb:us-east-2:{ACCOUNT}:table/t"
page.case(
    "the account at an endpoint of DynamoDB: depends on the kind of endpoint",
    CONDITIONAL,
    loose=CONDITIONAL,
    action="dynamodb:GetItem",
    resource=TABLE,
    identity=allow("*"),
    endpoint=allow("*", to={"AWS": ACCOUNT}),
)
page.case(
    "a role at an endpoint",
    ALLOWED,
    principal=SESSION,
    identity=allow("s3:*"),
    endpoint=allow("*", to={"AWS": ROLE}),
)
page.case(
    "a deny to the account at an endpoint",
    DENIED,
    identity=allow("s3:*"),
    endpoint=[allow("*", to="*"), deny("s3:*", to={"AWS": ACCOUNT})],
    note="Whether it means the root user only is not known; a deny that may hold holds.",
)
page.case(
    "NotPrincipal at an endpoint, with a boundary",
    DENIED,
    identity=allow("s3:*"),
    boundary=allow("*"),
    endpoint=[allow("*", to="*"), deny("s3:*", not_to={"AWS": [USER, ROOT]})],
)
page.case(
    "NotPrincipal at an endpoint, without boundary",
    ALLOWED,
    identity=allow("s3:*"),
    endpoint=[allow("*", to="*"), deny("s3:*", not_to={"AWS": [USER, ROOT]})],
)
