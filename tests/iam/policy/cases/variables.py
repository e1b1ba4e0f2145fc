"""Policy variables, and the condition keys that follow from who asks."""

from __future__ import annotations

from typing import Any

from tests.iam.policy.cases.notation import (
    ABSENT,
    ACCOUNT,
    ALLOWED,
    BUCKET,
    CONDITIONAL,
    DENIED,
    FEDERATED,
    NOT_ALLOWED,
    OBJECT,
    OTHER,
    OTHER_USER,
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
TEAM = {"arn": USER, "tags": {"team": "yellow"}}
NO_TAGS: dict[str, Any] = {"arn": USER, "tags": {}}

page = Page("IAM policy elements: Variables and tags", CASES)
HOME = BUCKET + "/${aws:username}/*"
DEFAULT = "arn:aws:s3:::amzn-s3-demo-bucket-${aws:PrincipalTag/team, 'company-wide'}"
for name, resource, principal, pattern, expected in (
    ("the user's own folder", f"{BUCKET}/ana/x", USER, HOME, ALLOWED),
    ("another user's folder", f"{BUCKET}/ben/x", USER, HOME, NOT_ALLOWED),
    (
        "the name of the variable in other case",
        f"{BUCKET}/ana/x",
        USER,
        BUCKET + "/${AWS:UserName}/*",
        ALLOWED,
    ),
    ("user names are case sensitive", f"{BUCKET}/Ana/x", USER, HOME, NOT_ALLOWED),
    (
        "a user with a path has the name alone",
        f"{BUCKET}/ana/x",
        f"arn:aws:iam::{ACCOUNT}:user/a/b/ana",
        HOME,
        ALLOWED,
    ),
    ("a role's session has no user name", f"{BUCKET}/night/x", SESSION, HOME, NOT_ALLOWED),
    ("a role's session has not the role's name", f"{BUCKET}/app/x", SESSION, HOME, NOT_ALLOWED),
    (
        "without a name the text itself is not meant",
        BUCKET + "/${aws:username}/x",
        SESSION,
        HOME,
        NOT_ALLOWED,
    ),
    ("a tag of the caller", "arn:aws:s3:::amzn-s3-demo-bucket-yellow", TEAM, DEFAULT, ALLOWED),
    ("another tag than the caller's", "arn:aws:s3:::amzn-s3-demo-bucket-red", TEAM, DEFAULT, NOT_ALLOWED),
    (
        "the default is not for whom has the tag",
        "arn:aws:s3:::amzn-s3-demo-bucket-company-wide",
        TEAM,
        DEFAULT,
        NOT_ALLOWED,
    ),
    (
        "the default where the tag is missing",
        "arn:aws:s3:::amzn-s3-demo-bucket-company-wide",
        NO_TAGS,
        DEFAULT,
        ALLOWED,
    ),
    ("another than the default", "arn:aws:s3:::amzn-s3-demo-bucket-yellow", NO_TAGS, DEFAULT, NOT_ALLOWED),
    (
        "several variables",
        f"{BUCKET}/ana/yellow",
        TEAM,
        BUCKET + "/${aws:username}/${aws:PrincipalTag/team}",
        ALLOWED,
    ),
    ("a star is a star", f"{BUCKET}/a*b", USER, BUCKET + "/a${*}b", ALLOWED),
    ("a star that is a star takes nothing else", f"{BUCKET}/aXb", USER, BUCKET + "/a${*}b", NOT_ALLOWED),
    ("a question mark is a question mark", f"{BUCKET}/a?b", USER, BUCKET + "/a${?}b", ALLOWED),
    ("a question mark takes nothing else", f"{BUCKET}/aXb", USER, BUCKET + "/a${?}b", NOT_ALLOWED),
    (
        "a dollar sign is a dollar sign",
        BUCKET + "/${aws:username}",
        USER,
        BUCKET + "/${$}{aws:username}",
        ALLOWED,
    ),
    ("wildcards beside a variable", f"{BUCKET}/x/ana-1/y", USER, BUCKET + "/?/${aws:username}-*", ALLOWED),
):
    page.case(name, expected, resource=resource, principal=principal, identity=allow("s3:*", pattern))
page.case(
    "a tag that is not known",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    resource="arn:aws:s3:::amzn-s3-demo-bucket-yellow",
    identity=allow("s3:*", "arn:aws:s3:::amzn-s3-demo-bucket-${aws:PrincipalTag/team}"),
)
page.case(
    "a wildcard in a tag is none",
    NOT_ALLOWED,
    resource=f"{BUCKET}/secret",
    principal={"arn": USER, "tags": {"team": "*"}},
    identity=allow("s3:*", BUCKET + "/${aws:PrincipalTag/team}"),
    note="The page does not say what a star in a value does; it must not grant more than its text.",
)
page.case(
    "a key with several values is no variable",
    NOT_ALLOWED,
    resource=f"{BUCKET}/a",
    context={"aws:TagKeys": ["a", "b"]},
    identity=allow("s3:*", BUCKET + "/${aws:TagKeys}"),
)
page.case(
    "a variable without value in NotResource names nothing",
    ALLOWED,
    principal=NO_TAGS,
    identity=allow("s3:*", None, not_resource=BUCKET + "/${aws:PrincipalTag/team}/*"),
    note="What such a pattern stands for matches no resource, and what is not named is meant.",
)
for kind, row in (
    ("a boundary", {"identity": allow("s3:*"), "boundary": allow("s3:*", HOME)}),
    ("a session policy", {"identity": allow("s3:*"), "session": allow("s3:*", HOME)}),
    ("an SCP", {"identity": allow("s3:*"), "scps": [[allow("s3:*", HOME)]]}),
    ("a resource policy", {"resource_policy": allow("s3:*", HOME, to={"AWS": USER})}),
    ("an endpoint policy", {"identity": allow("s3:*"), "endpoint": allow("s3:*", HOME, to="*")}),
):
    page.case(f"in {kind}: it fits", ALLOWED, resource=f"{BUCKET}/ana/x", **row)
    page.case(f"in {kind}: it does not fit", NOT_ALLOWED, resource=f"{BUCKET}/ben/x", **row)
TAG, OWN = "s3:ExistingObjectTag/owner", "${aws:PrincipalTag/owner}"
OWNER: dict[str, Any] = {"principal": {"arn": USER, "tags": {"owner": "ana"}}}
NOBODY: dict[str, Any] = {"principal": NO_TAGS}
page.conditions(
    [
        ("in a condition: the same", "StringEquals", TAG, OWN, "ana", True),
        ("in a condition: another", "StringEquals", TAG, OWN, "ben", False),
        ("in a condition: negated, the same", "StringNotEquals", TAG, OWN, "ana", False),
        ("in a condition: negated, another", "StringNotEquals", TAG, OWN, "ben", True),
        ("in a condition: with wildcards", "StringLike", TAG, f"{OWN}-*", "ana-1", True),
        ("in a condition: ignoring case", "StringEqualsIgnoreCase", TAG, OWN, "ANA", True),
        (
            "in a condition: an ARN",
            "ArnLike",
            "aws:SourceArn",
            f"arn:aws:sns:*:*:{OWN}",
            "arn:aws:sns:a:1:ana",
            True,
        ),
        (
            "in a condition: another ARN",
            "ArnLike",
            "aws:SourceArn",
            f"arn:aws:sns:*:*:{OWN}",
            "arn:aws:sns:a:1:ben",
            False,
        ),
        ("in a condition: one of several values", "StringEquals", TAG, ["x", OWN], "ana", True),
        ("in a condition: in a set", "ForAllValues:StringEquals", "aws:TagKeys", OWN, ["ana"], True),
        ("in a condition: in a set, not", "ForAnyValue:StringEquals", "aws:TagKeys", OWN, ["ben"], False),
        ("in a condition: a star that is a star", "StringLike", TAG, "a${*}", "a*", True),
        ("in a condition: a star that takes nothing else", "StringLike", TAG, "a${*}", "ana", False),
        ("in a condition: of a key that is absent", "StringEquals", TAG, OWN, ABSENT, False),
    ],
    **OWNER,
)
page.conditions(
    [
        ("without value: it does not match", "StringEquals", TAG, OWN, "ana", False),
        ("without value: it does not match with wildcards", "StringLike", TAG, f"{OWN}*", "ana", False),
        ("without value: it does not match an empty text", "StringEquals", TAG, OWN, "", False),
        ("without value: negated, it matches", "StringNotEquals", TAG, OWN, "ana", True),
        ("without value: negated with wildcards, it matches", "StringNotLike", TAG, f"{OWN}*", "ana", True),
        ("without value: a default", "StringEquals", TAG, "${aws:PrincipalTag/owner, 'all'}", "all", True),
        ("without value: another value of the list", "StringEquals", TAG, [OWN, "ana"], "ana", True),
    ],
    **NOBODY,
)
page.condition(
    "2008-10-17: the text itself", "StringEquals", TAG, OWN, OWN, True, version="2008-10-17", **OWNER
)
page.condition(
    "2008-10-17: not the value", "StringEquals", TAG, OWN, "ana", False, version="2008-10-17", **OWNER
)
for operator, key, value, row in (
    ("NumericEquals", "s3:max-keys", "5", "5"),
    ("NumericLessThan", "s3:max-keys", "5", "4"),
    ("NumericLessThanEquals", "s3:max-keys", "5", "5"),
    ("NumericGreaterThan", "s3:max-keys", "5", "6"),
    ("NumericGreaterThanEquals", "s3:max-keys", "5", "5"),
    ("DateEquals", "aws:CurrentTime", "5", "5"),
    ("DateLessThan", "aws:CurrentTime", "5", "4"),
    ("DateLessThanEquals", "aws:CurrentTime", "5", "5"),
    ("DateGreaterThan", "aws:CurrentTime", "5", "6"),
    ("DateGreaterThanEquals", "aws:CurrentTime", "5", "5"),
    ("Bool", "aws:SecureTransport", "true", "true"),
    ("IpAddress", "aws:SourceIp", "10.0.0.1", "10.0.0.1"),
    ("BinaryEquals", "x:bytes", "AAAA", "AAAA"),
):
    who = {"arn": USER, "tags": {"owner": value}}
    page.condition(f"not with {operator}", operator, key, OWN, row, False, principal=who)
page.conditions(
    [
        ("with ArnEquals", "ArnEquals", "aws:SourceArn", f"arn:aws:s3:::{OWN}", "arn:aws:s3:::ana", True),
        (
            "with ArnNotEquals",
            "ArnNotEquals",
            "aws:SourceArn",
            f"arn:aws:s3:::{OWN}",
            "arn:aws:s3:::ana",
            False,
        ),
        (
            "with ArnNotLike",
            "ArnNotLike",
            "aws:SourceArn",
            f"arn:aws:s3:::{OWN}*",
            "arn:aws:s3:::ana1",
            False,
        ),
        ("with StringNotLike", "StringNotLike", TAG, f"{OWN}*", "ana1", False),
        ("with StringNotEqualsIgnoreCase", "StringNotEqualsIgnoreCase", TAG, OWN, "ANA", False),
    ],
    **OWNER,
)

page = Page("IAM policy elements: Variables and tags, principal key values", CASES)
ID = "AROADBQP57FF2AEXAMPLE"
for who, principal, key, value in (
    ("the root user", ROOT, "aws:userid", ACCOUNT),
    ("the root user", ROOT, "aws:PrincipalType", "Account"),
    ("the root user", ROOT, "aws:username", None),
    ("a user", USER, "aws:username", "ana"),
    ("a user", USER, "aws:PrincipalType", "User"),
    (
        "a user whose id is given",
        {"arn": USER, "unique_id": "AIDACKCEVSQ6C2EXAMPLE"},
        "aws:userid",
        "AIDACKCEVSQ6C2EXAMPLE",
    ),
    ("a federated user", FEDERATED, "aws:userid", f"{ACCOUNT}:ana"),
    ("a federated user", FEDERATED, "aws:PrincipalType", "FederatedUser"),
    ("a federated user", FEDERATED, "aws:username", None),
    ("a role's session", SESSION, "aws:PrincipalType", "AssumedRole"),
    ("a role's session", SESSION, "aws:username", None),
    ("a role", ROLE, "aws:PrincipalType", "AssumedRole"),
    ("a role", ROLE, "aws:username", None),
    (
        "a role's session whose role's id is given",
        {"arn": SESSION, "unique_id": ID},
        "aws:userid",
        f"{ID}:night",
    ),
    ("an anonymous caller", {"arn": "*"}, "aws:userid", "anonymous"),
    ("an anonymous caller", {"arn": "*"}, "aws:PrincipalType", "Anonymous"),
    ("an anonymous caller", {"arn": "*"}, "aws:username", None),
):
    when = {"Null": {key: "true"}} if value is None else {"StringEquals": {key: value}}
    statement = allow("s3:*", OBJECT, to="*", when=when)
    page.case(f"{key} of {who}", ALLOWED, principal=principal, account=ACCOUNT, resource_policy=statement)

page = Page("AWS global condition context keys", CASES)
for who, principal, key, value in (
    ("a user", USER, "aws:PrincipalArn", USER),
    ("a role's session is the role", SESSION, "aws:PrincipalArn", ROLE),
    ("a role", ROLE, "aws:PrincipalArn", ROLE),
    ("a federated user", FEDERATED, "aws:PrincipalArn", FEDERATED),
    ("the root user", ROOT, "aws:PrincipalArn", ROOT),
    ("an anonymous caller", {"arn": "*"}, "aws:PrincipalArn", None),
    ("a service", "config.amazonaws.com", "aws:PrincipalArn", None),
    ("a user", USER, "aws:PrincipalAccount", ACCOUNT),
    ("a session", SESSION, "aws:PrincipalAccount", ACCOUNT),
    ("an anonymous caller", {"arn": "*"}, "aws:PrincipalAccount", "anonymous"),
    ("a user", USER, "aws:PrincipalIsAWSService", "false"),
    ("a service-linked role", {"arn": SESSION, "service_linked": True}, "aws:PrincipalIsAWSService", "false"),
    ("a service", "config.amazonaws.com", "aws:PrincipalIsAWSService", "true"),
    ("an anonymous caller", {"arn": "*"}, "aws:PrincipalIsAWSService", None),
    ("a service", "config.amazonaws.com", "aws:PrincipalServiceName", "config.amazonaws.com"),
    ("a user", USER, "aws:PrincipalServiceName", None),
    ("a user", USER, "aws:PrincipalServiceNamesList", None),
    ("an anonymous caller", {"arn": "*"}, "aws:PrincipalServiceName", None),
    ("a service", "config.amazonaws.com", "aws:PrincipalOrgID", None),
    ("an anonymous caller", {"arn": "*"}, "aws:PrincipalOrgID", None),
    ("a service", "config.amazonaws.com", "aws:username", None),
    ("a tag of the user", TEAM, "aws:PrincipalTag/team", "yellow"),
    ("a tag of the user, in other case", TEAM, "aws:principaltag/TEAM", "yellow"),
    ("a tag that the user has not", TEAM, "aws:PrincipalTag/stage", None),
    ("a tag of the root user", ROOT, "aws:PrincipalTag/team", None),
    ("a tag of a service", "config.amazonaws.com", "aws:PrincipalTag/team", None),
    ("the resource", USER, "aws:ResourceAccount", ACCOUNT),
    ("the resource, for S3", USER, "s3:ResourceAccount", ACCOUNT),
):
    when = {"Null": {key: "true"}} if value is None else {"StringEquals": {key: value}}
    statement = allow("s3:*", OBJECT, to="*", when=when)
    page.case(f"{key} of {who}", ALLOWED, principal=principal, account=ACCOUNT, resource_policy=statement)
page.case(
    "what the request says goes before what follows",
    ALLOWED,
    principal=SESSION,
    context={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/path/app"},
    identity=allow("s3:*", when={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/path/app"}}),
)
page.case(
    "a session's ARN is no value of aws:PrincipalArn",
    NOT_ALLOWED,
    principal=SESSION,
    identity=allow("s3:*", when={"ArnEquals": {"aws:PrincipalArn": SESSION}}),
)
page.case(
    "aws:ResourceAccount of another account",
    NOT_ALLOWED,
    account=OTHER,
    identity=allow("s3:*", when={"StringEquals": {"aws:ResourceAccount": ACCOUNT}}),
    resource_policy=allow("s3:*", OBJECT, to={"AWS": USER}),
)
page.case(
    "a deny of callers of other accounts, for one of them",
    DENIED,
    principal=OTHER_USER,
    account=ACCOUNT,
    identity=allow("s3:*"),
    resource_policy=[
        allow("s3:*", OBJECT, to="*"),
        deny("s3:*", OBJECT, to="*", when={"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}),
    ],
)
page.case(
    "a deny of callers of other accounts, for the own",
    ALLOWED,
    identity=allow("s3:*"),
    resource_policy=deny("s3:*", OBJECT, to="*", when={"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}),
)
page.case(
    "tags of the session in the context",
    ALLOWED,
    principal=SESSION,
    context={"aws:PrincipalTag/team": "red"},
    identity=allow("s3:*", when={"StringEquals": {"aws:PrincipalTag/team": "red"}}),
)
page.case(
    "tags that are not known",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    principal=SESSION,
    identity=allow("s3:*", when={"StringEquals": {"aws:PrincipalTag/team": "red"}}),
)
for name, paths, pattern, expected in (
    ("in the unit", ["o-1/r-1/ou-1/"], "o-1/r-1/ou-1/", ALLOWED),
    ("below the unit", ["o-1/r-1/ou-1/ou-2/"], "o-1/r-1/ou-1/*", ALLOWED),
    ("only below the unit", ["o-1/r-1/ou-1/"], "o-1/r-1/ou-1/ou-*", NOT_ALLOWED),
    ("in another organization", ["o-2/r-1/ou-1/"], "o-1/*", NOT_ALLOWED),
):
    page.case(
        f"aws:PrincipalOrgPaths {name}",
        expected,
        context={"aws:PrincipalOrgPaths": paths},
        identity=allow("s3:*", when={"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": pattern}}),
    )
ROOT_KEYS = policy(
    allow("*"),
    deny(
        "*",
        when={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}, "Null": {"aws:AssumedRoot": "true"}},
    ),
)
page.case(
    "aws:AssumedRoot: the root user's own credentials",
    DENIED,
    principal=ROOT,
    context={"aws:AssumedRoot": None},
    scps=[[ROOT_KEYS]],
)
page.case(
    "aws:AssumedRoot: a privileged session",
    ALLOWED,
    principal=ROOT,
    context={"aws:AssumedRoot": "true"},
    scps=[[ROOT_KEYS]],
)
