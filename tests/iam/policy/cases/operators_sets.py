"""Set operators, keys with several values, keys that are absent, IfExists and Null."""

from __future__ import annotations

from tests.iam.policy.cases.notation import (
    ABSENT,
    ALLOWED,
    CONDITIONAL,
    DENIED,
    NOT_ALLOWED,
    Case,
    Page,
    allow,
    deny,
)

CASES: list[Case] = []
KEYS = "aws:TagKeys"
TWO = ["environment", "cost-center"]
ALL, SOME = "ForAllValues:StringEquals", "ForAnyValue:StringEquals"

page = Page("Single-valued vs. multivalued context keys", CASES)
page.conditions(
    [
        ("ForAllValues: one that is named", ALL, KEYS, TWO, ["environment"], True),
        ("ForAllValues: the other that is named", ALL, KEYS, TWO, ["cost-center"], True),
        ("ForAllValues: both that are named", ALL, KEYS, TWO, ["environment", "cost-center"], True),
        ("ForAllValues: one that is not named beside", ALL, KEYS, TWO, ["environment", "dept"], False),
        ("ForAllValues: only one that is not named", ALL, KEYS, TWO, ["dept"], False),
        ("ForAllValues: absent", ALL, KEYS, TWO, ABSENT, True),
        ("ForAllValues: an empty list", ALL, KEYS, TWO, [], True),
        ("ForAllValues: an empty text is no value", ALL, KEYS, TWO, "", True),
        ("ForAllValues: a single value without a list", ALL, KEYS, TWO, "environment", True),
        ("ForAllValues: case counts", ALL, KEYS, TWO, ["Environment"], False),
        ("ForAnyValue: one that is named", SOME, KEYS, TWO, ["environment"], True),
        ("ForAnyValue: the other that is named", SOME, KEYS, TWO, ["cost-center"], True),
        ("ForAnyValue: both that are named", SOME, KEYS, TWO, ["environment", "cost-center"], True),
        ("ForAnyValue: one that is not named beside", SOME, KEYS, TWO, ["environment", "dept"], True),
        ("ForAnyValue: only one that is not named", SOME, KEYS, TWO, ["dept"], False),
        ("ForAnyValue: absent", SOME, KEYS, TWO, ABSENT, False),
        ("ForAnyValue: an empty list", SOME, KEYS, TWO, [], False),
        ("ForAnyValue: an empty text is no value", SOME, KEYS, ["", "environment"], "", False),
        ("ForAllValues:StringLike", "ForAllValues:StringLike", KEYS, ["env*", "cost-*"], TWO, True),
        ("ForAllValues:StringLike: one does not fit", "ForAllValues:StringLike", KEYS, ["env*"], TWO, False),
        ("ForAnyValue:StringLike", "ForAnyValue:StringLike", KEYS, ["env*"], TWO, True),
        ("ForAnyValue:StringLike: none fits", "ForAnyValue:StringLike", KEYS, ["owner*"], TWO, False),
        (
            "ForAllValues:StringNotEquals: none is named",
            "ForAllValues:StringNotEquals",
            KEYS,
            ["owner"],
            TWO,
            True,
        ),
        (
            "ForAllValues:StringNotEquals: one is named",
            "ForAllValues:StringNotEquals",
            KEYS,
            ["cost-center"],
            TWO,
            False,
        ),
        (
            "ForAllValues:StringNotEquals: absent",
            "ForAllValues:StringNotEquals",
            KEYS,
            ["owner"],
            ABSENT,
            True,
        ),
        (
            "ForAnyValue:StringNotEquals: one is not named",
            "ForAnyValue:StringNotEquals",
            KEYS,
            ["cost-center"],
            TWO,
            True,
        ),
        ("ForAnyValue:StringNotEquals: all are named", "ForAnyValue:StringNotEquals", KEYS, TWO, TWO, False),
        ("ForAnyValue:StringNotEquals: absent", "ForAnyValue:StringNotEquals", KEYS, TWO, ABSENT, False),
        ("ForAllValues:StringNotLike: one fits", "ForAllValues:StringNotLike", KEYS, "env*", TWO, False),
        ("ForAnyValue:StringNotLike: one does not fit", "ForAnyValue:StringNotLike", KEYS, "env*", TWO, True),
        ("ForAnyValue:NumericLessThan", "ForAnyValue:NumericLessThan", "x:sizes", "10", ["20", "5"], True),
        ("ForAllValues:NumericLessThan", "ForAllValues:NumericLessThan", "x:sizes", "10", ["20", "5"], False),
        (
            "ForAnyValue:ArnLike",
            "ForAnyValue:ArnLike",
            "x:arns",
            "arn:aws:s3:::b*",
            ["x", "arn:aws:s3:::bc"],
            True,
        ),
        (
            "ForAllValues:ArnLike",
            "ForAllValues:ArnLike",
            "x:arns",
            "arn:aws:s3:::b*",
            ["arn:aws:s3:::bc"],
            True,
        ),
        (
            "ForAllValues:IpAddress",
            "ForAllValues:IpAddress",
            "x:ips",
            "10.0.0.0/8",
            ["10.1.1.1", "11.1.1.1"],
            False,
        ),
        (
            "ForAnyValue:IpAddress",
            "ForAnyValue:IpAddress",
            "x:ips",
            "10.0.0.0/8",
            ["10.1.1.1", "11.1.1.1"],
            True,
        ),
        ("ForAnyValue:Bool", "ForAnyValue:Bool", "x:flags", "true", ["false", "true"], True),
        (
            "ForAllValues:DateGreaterThan",
            "ForAllValues:DateGreaterThan",
            "x:dates",
            "2020",
            ["2021", "2019-01"],
            False,
        ),
    ]
)
page.conditions(
    [
        (
            "several values, operator without a set: one matches",
            "StringEquals",
            KEYS,
            "environment",
            TWO,
            True,
        ),
        ("several values, operator without a set: none matches", "StringEquals", KEYS, "owner", TWO, False),
        ("several values, negated: none matches", "StringNotEquals", KEYS, "owner", TWO, True),
        ("several values, negated: one matches", "StringNotEquals", KEYS, "environment", TWO, False),
    ],
    note="AWS asks for a set operator here and does not say what happens without one: the negated operator "
    "is the "
    "opposite of the plain one.",
)
NAMED = {ALL: {KEYS: TWO}, "Null": {KEYS: "false"}}
for name, tag_keys, strict, loose in (
    ("with Null: a named key", ["environment"], ALLOWED, ALLOWED),
    ("with Null: a key that is not named", ["environment", "dept"], NOT_ALLOWED, NOT_ALLOWED),
    ("with Null: absent", None, NOT_ALLOWED, NOT_ALLOWED),
):
    page.case(
        name,
        strict,
        loose=loose,
        action="ec2:DeleteTags",
        resource="*",
        context={KEYS: tag_keys} if tag_keys else {KEYS: None},
        identity=allow("ec2:DeleteTags", when=NAMED),
    )
page.case(
    "with Null: left open",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    action="ec2:DeleteTags",
    resource="*",
    identity=allow("ec2:DeleteTags", when=NAMED),
)
page.case(
    "a deny by ForAnyValue does not match when the key is absent",
    ALLOWED,
    loose=CONDITIONAL,
    action="ec2:DeleteTags",
    resource="*",
    identity=[allow("ec2:*"), deny("ec2:DeleteTags", when={SOME: {KEYS: TWO}})],
)

page = Page("IAM JSON policy elements: Condition operators, ...IfExists condition operators", CASES)
TYPE = "ec2:InstanceType"
page.conditions(
    [
        ("StringLikeIfExists: it fits", "StringLikeIfExists", TYPE, ["t1.*", "t2.*"], "t2.micro", True),
        (
            "StringLikeIfExists: it does not fit",
            "StringLikeIfExists",
            TYPE,
            ["t1.*", "t2.*"],
            "m5.large",
            False,
        ),
        ("StringLikeIfExists: absent", "StringLikeIfExists", TYPE, ["t1.*"], ABSENT, True),
        ("StringLike without IfExists: absent", "StringLike", TYPE, ["t1.*"], ABSENT, False),
    ]
)
for operator, wanted, value in (
    ("StringEquals", "a", "b"),
    ("StringEqualsIgnoreCase", "a", "b"),
    ("NumericEquals", "1", "2"),
    ("NumericLessThan", "1", "2"),
    ("NumericLessThanEquals", "1", "2"),
    ("NumericGreaterThan", "2", "1"),
    ("NumericGreaterThanEquals", "2", "1"),
    ("DateEquals", "2020-01-01", "2020-01-02"),
    ("DateLessThan", "2020-01-01", "2020-01-02"),
    ("DateLessThanEquals", "2020-01-01", "2020-01-02"),
    ("DateGreaterThan", "2020-01-02", "2020-01-01"),
    ("DateGreaterThanEquals", "2020-01-02", "2020-01-01"),
    ("BinaryEquals", "AAAA", "BBBB"),
    ("IpAddress", "10.0.0.0/8", "11.0.0.1"),
    ("ArnEquals", "arn:aws:s3:::a", "arn:aws:s3:::b"),
    ("ArnLike", "arn:aws:s3:::a*", "arn:aws:s3:::b"),
    ("ForAllValues:StringEquals", "a", ["b"]),
    ("ForAnyValue:StringEquals", "a", ["b"]),
):
    page.conditions(
        [
            (
                f"{operator}IfExists: present and another",
                f"{operator}IfExists",
                "x:key",
                wanted,
                value,
                False,
            ),
            (f"{operator}IfExists: absent", f"{operator}IfExists", "x:key", wanted, ABSENT, True),
        ]
    )
for operator, wanted in (
    ("StringNotEquals", "a"),
    ("StringNotLike", "a*"),
    ("NumericNotEquals", "1"),
    ("DateNotEquals", "2020-01-01"),
    ("NotIpAddress", "10.0.0.0/8"),
    ("ArnNotLike", "arn:aws:s3:::a*"),
):
    same = {"NotIpAddress": "10.0.0.1", "ArnNotLike": "arn:aws:s3:::a"}.get(operator, wanted)
    page.conditions(
        [
            (
                f"{operator}IfExists: present and the same",
                f"{operator}IfExists",
                "x:key",
                wanted,
                same,
                False,
            ),
            (f"{operator}IfExists: absent", f"{operator}IfExists", "x:key", wanted, ABSENT, True),
        ]
    )

page = Page("IAM JSON policy elements: Condition operators, Null condition operator", CASES)
ISSUED = "aws:TokenIssueTime"
page.conditions(
    [
        ("Null true: absent", "Null", ISSUED, "true", ABSENT, True),
        ("Null true: present", "Null", ISSUED, "true", "2020-01-01T00:00:00Z", False),
        ("Null false: absent", "Null", ISSUED, "false", ABSENT, False),
        ("Null false: present", "Null", ISSUED, "false", "2020-01-01T00:00:00Z", True),
        ("Null true: a truth value of JSON", "Null", ISSUED, True, ABSENT, True),
        ("Null false: a truth value of JSON", "Null", ISSUED, False, ABSENT, False),
        ("Null false: several values", "Null", KEYS, "false", TWO, True),
        ("Null true: an empty list", "Null", KEYS, "true", [], True),
    ]
)
page.case(
    "a request with null for a key does not have it",
    ALLOWED,
    action="ec2:RunInstances",
    resource="*",
    context={ISSUED: None},
    identity=allow("ec2:*", when={"Null": {ISSUED: "true"}}),
)

page = Page(
    "IAM JSON policy elements: Condition, evaluation logic for multiple context keys or values", CASES
)
BLOCK = {
    "StringEquals": {"aws:RequestTag/team": ["red", "blue"], "aws:RequestTag/stage": "test"},
    "IpAddress": {"aws:SourceIp": "203.0.113.0/24"},
}
FITS = {"aws:RequestTag/team": "blue", "aws:RequestTag/stage": "test", "aws:SourceIp": "203.0.113.9"}
for name, change, expected in (
    ("all keys and operators must match", {}, ALLOWED),
    ("one key of an operator does not match", {"aws:RequestTag/stage": "prod"}, NOT_ALLOWED),
    ("one operator does not match", {"aws:SourceIp": "198.51.100.1"}, NOT_ALLOWED),
    ("no value of a key matches", {"aws:RequestTag/team": "green"}, NOT_ALLOWED),
    ("key names in capitals", {"AWS:requesttag/TEAM": "red", "aws:RequestTag/team": None}, ALLOWED),
):
    context = {key: value for key, value in (FITS | change).items() if value is not None}
    page.case(name, expected, context=context, identity=allow("s3:*", when=BLOCK))
page.case(
    "a deny needs all of its conditions too",
    ALLOWED,
    context=FITS | {"aws:SourceIp": "198.51.100.1"},
    identity=[allow("s3:*"), deny("s3:*", when=BLOCK)],
)
page.case(
    "a deny whose conditions all match",
    DENIED,
    context=FITS,
    identity=[allow("s3:*"), deny("s3:*", when=BLOCK)],
)
page.case(
    "one key that does not match decides, whatever is open",
    NOT_ALLOWED,
    context={"aws:RequestTag/team": "green"},
    identity=allow("s3:*", when=BLOCK),
)
page.case(
    "what matches does not decide while others are open",
    NOT_ALLOWED,
    loose=CONDITIONAL,
    context={"aws:RequestTag/team": "red"},
    identity=allow("s3:*", when=BLOCK),
)
