"""Whom Principal and NotPrincipal mean, in policies of resources."""

from __future__ import annotations

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
ANYONE = {"arn": "*"}
SERVICE = "cloudtrail.amazonaws.com"
CANONICAL = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"

page = Page("AWS JSON policy elements: Principal", CASES)
for name, principal, to, expected in (
    ("a user by ARN", USER, {"AWS": USER}, ALLOWED),
    ("one of several users", USER, {"AWS": [f"{USER}-2", USER]}, ALLOWED),
    ("user names are case sensitive", USER, {"AWS": USER.replace("ana", "Ana")}, NOT_ALLOWED),
    ("part of a name has no wildcard", USER, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/*"}, NOT_ALLOWED),
    ("part of an ARN has no wildcard", USER, {"AWS": f"arn:aws:iam::{ACCOUNT}:*"}, NOT_ALLOWED),
    ("a session's name has no wildcard", SESSION, {"AWS": SESSION.replace("night", "*")}, NOT_ALLOWED),
    ("everybody as a star", USER, "*", ALLOWED),
    ("everybody as a star under AWS", USER, {"AWS": "*"}, ALLOWED),
    ("everybody in a list", USER, {"AWS": [f"{USER}-2", "*"]}, ALLOWED),
    ("everybody, for a role's session", SESSION, "*", ALLOWED),
    ("everybody, for an anonymous caller", ANYONE, "*", ALLOWED),
    ("everybody under AWS, for an anonymous caller", ANYONE, {"AWS": "*"}, ALLOWED),
    ("a user, for an anonymous caller", ANYONE, {"AWS": USER}, NOT_ALLOWED),
    ("an account, for an anonymous caller", ANYONE, {"AWS": ACCOUNT}, NOT_ALLOWED),
    ("a service by its name", SERVICE, {"Service": SERVICE}, ALLOWED),
    ("one of several services", SERVICE, {"Service": ["ecs.amazonaws.com", SERVICE]}, ALLOWED),
    ("another service", SERVICE, {"Service": "ecs.amazonaws.com"}, NOT_ALLOWED),
    ("a service cannot be a star", SERVICE, {"Service": "*"}, NOT_ALLOWED),
    ("a service's name stands under Service", SERVICE, {"AWS": SERVICE}, NOT_ALLOWED),
    ("a service is not of the account", SERVICE, {"AWS": ROOT}, NOT_ALLOWED),
    (
        "the name of another region",
        "s3.ap-east-1.amazonaws.com",
        {"Service": "s3.amazonaws.com"},
        NOT_ALLOWED,
    ),
    (
        "the name of the region",
        "s3.ap-east-1.amazonaws.com",
        {"Service": "s3.ap-east-1.amazonaws.com"},
        ALLOWED,
    ),
    ("a service, for a user", USER, {"Service": SERVICE}, NOT_ALLOWED),
    ("a role by ARN, for its session", SESSION, {"AWS": ROLE}, ALLOWED),
    (
        "a role with a path, for its session",
        SESSION,
        {"AWS": f"arn:aws:iam::{ACCOUNT}:role/a/b/app"},
        ALLOWED,
    ),
    ("another role", SESSION, {"AWS": f"{ROLE}-2"}, NOT_ALLOWED),
    (
        "the role of that name in another account",
        SESSION,
        {"AWS": "arn:aws:iam::444455556666:role/app"},
        NOT_ALLOWED,
    ),
    ("a user of the role's name", SESSION, {"AWS": f"arn:aws:iam::{ACCOUNT}:user/app"}, NOT_ALLOWED),
    ("a session by ARN", SESSION, {"AWS": SESSION}, ALLOWED),
    ("a federated user by ARN", FEDERATED, {"AWS": FEDERATED}, ALLOWED),
    ("another federated user", FEDERATED, {"AWS": f"{FEDERATED}-2"}, NOT_ALLOWED),
    ("the root user by ARN", ROOT, {"AWS": ROOT}, ALLOWED),
    ("several kinds at once", SERVICE, {"AWS": USER, "Service": SERVICE}, ALLOWED),
):
    page.case(
        name, expected, principal=principal, account=ACCOUNT, resource_policy=allow("s3:*", OBJECT, to=to)
    )
page.case(
    "the session's name is not known of a role",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    principal=ROLE,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": SESSION}),
    note="A role stands for any of its sessions; one of them is named.",
)
page.case(
    "whose canonical id it is is not known",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    resource_policy=allow("s3:*", OBJECT, to={"CanonicalUser": CANONICAL}),
)
page.case(
    "the id of a deleted user means nobody",
    NOT_ALLOWED,
    resource_policy=allow("s3:*", OBJECT, to={"AWS": "AIDACKCEVSQ6C2EXAMPLE"}),
)
page.case(
    "the id of the user means the user",
    ALLOWED,
    principal={"arn": USER, "unique_id": "AIDACKCEVSQ6C2EXAMPLE"},
    resource_policy=allow("s3:*", OBJECT, to={"AWS": "AIDACKCEVSQ6C2EXAMPLE"}),
)
page.case(
    "the id of the role means the role",
    NOT_ALLOWED,
    principal={"arn": SESSION, "unique_id": "AROACLKWSDQRAOEXAMPLE"},
    boundary=allow("ec2:*"),
    resource_policy=allow("s3:*", OBJECT, to={"AWS": "AROACLKWSDQRAOEXAMPLE"}),
)

page = Page("AWS JSON policy elements: NotPrincipal", CASES)
for name, principal, not_to, expected in (
    ("a user beside its account", USER, [USER, ROOT], ALLOWED),
    ("a user beside its account's number", USER, [USER, ACCOUNT], ALLOWED),
    ("a user without its account", USER, [USER], DENIED),
    ("the account alone", USER, [ROOT], DENIED),
    ("another user", USER, [f"{USER}-2", ROOT], DENIED),
    ("a session beside role and account", SESSION, [SESSION, ROLE, ROOT], ALLOWED),
    ("a session without its role", SESSION, [SESSION, ROOT], DENIED),
    ("a session without its account", SESSION, [SESSION, ROLE], DENIED),
    ("the account's root user", ROOT, [ROOT], ALLOWED),
    ("another account's root user", ROOT, [OTHER_ROOT], DENIED),
):
    page.case(
        f"deny to all but: {name}",
        expected,
        principal=principal,
        identity=[] if principal == ROOT else allow("s3:*"),
        resource_policy=deny("s3:*", OBJECT, not_to={"AWS": not_to}),
    )
page.case(
    "deny to all but: the role and its account, for a role",
    ALLOWED,
    loose=CONDITIONAL,
    principal=ROLE,
    identity=allow("s3:*"),
    resource_policy=deny("s3:*", OBJECT, not_to={"AWS": [ROLE, ROOT]}),
    note="The page asks for role and account, and says that the session might be looked at too: its name is "
    "open.",
)
page.case(
    "deny to all but: the role without its account",
    DENIED,
    principal=ROLE,
    identity=allow("s3:*"),
    resource_policy=deny("s3:*", OBJECT, not_to={"AWS": [ROLE]}),
)
for name, principal, expected in (
    ("the service", SERVICE, ALLOWED),
    ("another", "config.amazonaws.com", DENIED),
):
    page.case(
        f"deny to all but a service: {name}",
        expected,
        principal=principal,
        resource_policy=[allow("s3:*", OBJECT, to="*"), deny("s3:*", OBJECT, not_to={"Service": SERVICE})],
    )
page.case(
    "an anonymous caller is among all others",
    DENIED,
    principal=ANYONE,
    resource_policy=[allow("s3:*", OBJECT, to="*"), deny("s3:*", OBJECT, not_to={"AWS": [USER, ROOT]})],
)
page.case(
    "NotPrincipal with Allow is not supported: undecidable",
    CONDITIONAL,
    loose=CONDITIONAL,
    resource_policy=allow("s3:*", OBJECT, not_to={"AWS": f"{USER}-2"}),
)
DENY_ROLES = deny(
    "s3:*",
    [BUCKET, OBJECT],
    to="*",
    when={"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/app"}},
)
for name, principal, expected in (("the role's session", SESSION, ALLOWED), ("a user", USER, DENIED)):
    page.case(
        f"instead, by aws:PrincipalArn: {name}",
        expected,
        principal=principal,
        identity=allow("s3:*"),
        resource_policy=DENY_ROLES,
    )
NOT_CODEBUILD = deny(
    "s3:*",
    OBJECT,
    to="*",
    when={"StringNotEqualsIfExists": {"aws:PrincipalServiceName": "codebuild.amazonaws.com"}},
)
for name, principal, expected in (
    ("that service", "codebuild.amazonaws.com", ALLOWED),
    ("another service", SERVICE, DENIED),
    ("a user, who has no service's name", USER, DENIED),
):
    page.case(
        f"instead, by aws:PrincipalServiceName: {name}",
        expected,
        principal=principal,
        identity=allow("s3:*") if principal == USER else [],
        resource_policy=[allow("s3:*", OBJECT, to="*"), NOT_CODEBUILD],
    )
