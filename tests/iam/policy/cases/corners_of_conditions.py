"""Corners of the pages on conditions and variables: sets, open variables, values that are none."""

from __future__ import annotations

from tests.iam.policy.cases.notation import (
    ABSENT,
    ACCOUNT,
    ALLOWED,
    CONDITIONAL,
    NOT_ALLOWED,
    OBJECT,
    ROLE,
    Case,
    Page,
    allow,
)

CASES: list[Case] = []

page = Page("IAM JSON policy elements: Condition operators, corners", CASES)
page.conditions(
    [
        ("a range of the request within", "IpAddress", "x:range", "203.0.113.0/24", "203.0.113.128/25", True),
        (
            "a range of the request that is wider",
            "IpAddress",
            "x:range",
            "203.0.113.0/24",
            "203.0.112.0/23",
            False,
        ),
        ("bits beyond the length of a range", "IpAddress", "x:range", "203.0.113.5/24", "203.0.113.77", True),
        ("a range of the policy that is none", "IpAddress", "x:range", "10.0.0.0/33", "10.0.0.1", False),
        ("an address of the request that is none", "IpAddress", "x:range", "0.0.0.0/0", "300.1.1.1", False),
        ("a range of the request of IPv6", "IpAddress", "x:range", "0.0.0.0/0", "2001:db8::/32", False),
        (
            "blanks around an address of the policy",
            "IpAddress",
            "x:range",
            " 203.0.113.0/24 ",
            "203.0.113.1",
            True,
        ),
    ],
    note="The page speaks of single addresses in requests; a range is in another when all of it is.",
)
page.conditions(
    [
        ("Null of both values", "Null", "x:y", ["true", "false"], "a", True),
        ("Null of neither value", "Null", "x:y", "maybe", "a", False),
        ("operators in lower case", "stringequals", "x:y", "a", "a", True),
        ("sets in lower case", "foranyvalue:stringequalsifexists", "x:y", "a", ["b", "a"], True),
        ("numbers with blanks", "NumericEquals", "x:y", " 5 ", "5", True),
        ("numbers with exponents", "NumericEquals", "x:y", "1e3", "1000", True),
        ("a truth value in the request that is a number", "Bool", "x:y", "true", 1, False),
        ("no value in the policy", "StringEquals", "x:y", [], "a", False),
        ("no value in the policy, negated", "StringNotEquals", "x:y", [], "a", True),
        ("an ARN that lacks segments", "ArnLike", "x:y", "arn:aws:s3", "arn:aws:s3:::b", False),
        ("an ARN of anything", "ArnLike", "x:y", "*", "arn:aws:s3:::b", True),
    ]
)
page.conditions(
    [
        (
            "a variable, several values: one matches",
            "StringEquals",
            "x:y",
            "${aws:username}",
            ["b", "ana"],
            True,
        ),
        (
            "a variable, several values: none matches",
            "StringEquals",
            "x:y",
            "${aws:username}",
            ["b", "c"],
            False,
        ),
        (
            "a variable, several values, negated: one",
            "StringNotEquals",
            "x:y",
            "${aws:username}",
            ["b", "ana"],
            False,
        ),
        (
            "a variable, several values, negated: none",
            "StringNotEquals",
            "x:y",
            "${aws:username}",
            ["b", "c"],
            True,
        ),
    ]
)
for name, operator in (
    ("a set that is none", "ForSomeValues:StringEquals"),
    ("a set of nothing", ":StringEquals"),
    ("a set without operator", "ForAllValues:"),
    ("an operator of nothing", ""),
    ("an operator twice IfExists", "StringEqualsIfExistsIfExists"),
):
    page.case(f"{name}: undecidable", CONDITIONAL, identity=allow("s3:*", when={operator: {"x:y": "a"}}))
page.condition("Null of both values, open", "Null", "x:y", ["true", "false"], None, True)
page.case("Null of neither value, open", NOT_ALLOWED, identity=allow("s3:*", when={"Null": {"x:y": "maybe"}}))
page.case(
    "Null of both values, left open",
    ALLOWED,
    identity=allow("s3:*", when={"Null": {"x:y": ["true", "false"]}}),
)
OPEN_TAG = "${aws:RequestTag/team}"
for name, operator, wanted, value, strict, loose in (
    ("an open variable", "StringEquals", OPEN_TAG, "a", NOT_ALLOWED, CONDITIONAL),
    ("an open variable, negated", "StringNotEquals", OPEN_TAG, "a", ALLOWED, CONDITIONAL),
    ("an open variable beside a value that matches", "StringEquals", [OPEN_TAG, "a"], "a", ALLOWED, ALLOWED),
    (
        "an open variable beside a value that matches, negated",
        "StringNotEquals",
        [OPEN_TAG, "a"],
        "a",
        NOT_ALLOWED,
        NOT_ALLOWED,
    ),
    (
        "an open variable, all of several",
        "ForAllValues:StringEquals",
        [OPEN_TAG, "a"],
        ["a", "b"],
        NOT_ALLOWED,
        CONDITIONAL,
    ),
    (
        "an open variable, one of several",
        "ForAnyValue:StringEquals",
        [OPEN_TAG, "a"],
        ["a", "b"],
        ALLOWED,
        ALLOWED,
    ),
    (
        "an open variable, none of several",
        "ForAnyValue:StringEquals",
        [OPEN_TAG, "x"],
        ["a", "b"],
        NOT_ALLOWED,
        CONDITIONAL,
    ),
    (
        "an open variable, one of several not",
        "ForAnyValue:StringNotEquals",
        [OPEN_TAG, "a"],
        ["a", "b"],
        ALLOWED,
        CONDITIONAL,
    ),
    (
        "an open variable, all of several not",
        "ForAllValues:StringNotEquals",
        [OPEN_TAG, "a"],
        ["a", "b"],
        NOT_ALLOWED,
        NOT_ALLOWED,
    ),
    ("an open variable, with an empty text", "ForAllValues:StringEquals", OPEN_TAG, "", ALLOWED, ALLOWED),
    (
        "an open variable, with an empty text and no set",
        "StringEquals",
        OPEN_TAG,
        "",
        NOT_ALLOWED,
        CONDITIONAL,
    ),
):
    page.case(
        name,
        strict,
        loose=loose,
        context={"x:y": value},
        identity=allow("s3:*", when={operator: {"x:y": wanted}}),
    )

page = Page("IAM policy elements: Variables and tags, corners", CASES)
HOME = "arn:aws:s3:::amzn-s3-demo-bucket/${aws:RequestTag/team}.csv"
for name, statement, strict, loose in (
    ("an open variable in Resource", allow("s3:*", HOME), NOT_ALLOWED, CONDITIONAL),
    ("an open variable in NotResource", allow("s3:*", None, not_resource=HOME), ALLOWED, CONDITIONAL),
    ("an open variable beside a pattern that fits", allow("s3:*", [HOME, OBJECT]), ALLOWED, ALLOWED),
    (
        "an open variable in a name that cannot fit",
        allow("s3:*", HOME.replace("demo", "other")),
        NOT_ALLOWED,
        NOT_ALLOWED,
    ),
    (
        "an open variable in a NotResource that cannot fit",
        allow("s3:*", None, not_resource=HOME.replace("demo", "other")),
        ALLOWED,
        ALLOWED,
    ),
    (
        "an open variable beside one that fits",
        allow("s3:*", [HOME, OBJECT.replace("report", "${*}"), "arn:aws:s3:::*.csv"]),
        ALLOWED,
        ALLOWED,
    ),
    (
        "an open variable beside a filled one that fits",
        allow("s3:*", [HOME, OBJECT + "${x:none, ''}", "*/report${x:dot, '.'}csv"]),
        ALLOWED,
        CONDITIONAL,
    ),
):
    page.case(name, strict, loose=loose, context={}, identity=statement)
page.case(
    "an open variable before a filled one that fits",
    ALLOWED,
    context={"x:dot": "."},
    identity=allow("s3:*", [HOME, "arn:aws:s3:::*/report${x:dot}csv"]),
)
page.case(
    "an absent variable before a filled one that fits",
    ALLOWED,
    context={"aws:RequestTag/team": None, "x:dot": "."},
    identity=allow("s3:*", [HOME, "arn:aws:s3:::*/report${x:dot}csv"]),
)
page.case(
    "an absent variable before a value that matches",
    ALLOWED,
    context={"aws:RequestTag/team": None, "x:y": "a", "x:z": "a"},
    identity=allow("s3:*", when={"StringEquals": {"x:y": [OPEN_TAG, "${x:z}"]}}),
)

page = Page("IAM and AWS STS condition context keys", CASES)
SERVICE = "cloudtrail.amazonaws.com"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
SAML = f"arn:aws:iam::{ACCOUNT}:saml-provider/corporate"
COGNITO = "cognito-identity.amazonaws.com"
ABSENT_KEYS = {
    SERVICE: ("aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:username"),
    OIDC: (
        "aws:username",
        "aws:PrincipalIsAWSService",
        "aws:PrincipalServiceName",
        "aws:PrincipalServiceNamesList",
    ),
    SAML: ("aws:username", "aws:PrincipalIsAWSService", "aws:FederatedProvider"),
}
CALLS = {SERVICE: "AssumeRole", OIDC: "AssumeRoleWithWebIdentity", SAML: "AssumeRoleWithSAML"}
KINDS = {SERVICE: "Service", OIDC: "Federated", SAML: "Federated"}
for caller, keys in ABSENT_KEYS.items():
    for key in keys:
        for is_absent, expected in (("true", ALLOWED), ("false", NOT_ALLOWED)):
            page.case(
                f"{caller} has no {key}: {is_absent}",
                expected,
                principal=caller,
                action=f"sts:{CALLS[caller]}",
                resource=ROLE,
                resource_policy=allow(
                    "sts:*", None, to={KINDS[caller]: caller}, when={"Null": {key: is_absent}}
                ),
            )
for caller in (OIDC, COGNITO):
    page.case(
        f"{caller} is the provider",
        ALLOWED,
        principal=caller,
        action="sts:AssumeRoleWithWebIdentity",
        resource=ROLE,
        resource_policy=allow(
            "sts:*",
            None,
            to={"Federated": caller},
            when={"StringEquals": {"aws:FederatedProvider": caller}},
        ),
    )
for name, provider, expected in (
    ("account and name of the SAML provider", f"{ACCOUNT}/corporate", ALLOWED),
    ("another SAML provider", f"{ACCOUNT}/other", NOT_ALLOWED),
):
    page.case(
        name,
        expected,
        principal=SAML,
        action="sts:AssumeRoleWithSAML",
        resource=ROLE,
        resource_policy=allow(
            "sts:*", None, to={"Federated": SAML}, when={"StringEquals": {"saml:doc": provider}}
        ),
    )
page.condition(
    "a role's id is not the id of its sessions",
    "StringEquals",
    "aws:userid",
    "AROAEXAMPLE",
    ABSENT,
    False,
    principal={"arn": ROLE, "unique_id": "AROAEXAMPLE"},
)
page.condition(
    "which id a session of a role has is open",
    "Null",
    "aws:userid",
    "true",
    ABSENT,
    True,
    principal={"arn": ROLE, "unique_id": "AROAEXAMPLE"},
)

page = Page("Grammar of the IAM JSON policy language, values of conditions", CASES)
page.conditions(
    [
        ("true is a text in lower case", "StringEquals", "x:y", "true", True, True),
        ("false is a text in lower case", "StringEquals", "x:y", "false", False, True),
        ("true of the policy too", "StringEquals", "x:y", True, "true", True),
        ("true is not written with a capital", "StringEquals", "x:y", "True", True, False),
        ("a whole number is written without a point", "StringEquals", "x:y", "5", 5.0, True),
        ("a broken number with it", "StringEquals", "x:y", "5.5", 5.5, True),
        ("a whole number of the policy", "StringEquals", "x:y", 5, "5", True),
    ]
)
