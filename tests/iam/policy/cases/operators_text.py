"""Condition operators that compare texts and ARNs."""

from __future__ import annotations

from tests.iam.policy.cases.notation import ABSENT, Case, Page

CASES: list[Case] = []

page = Page("IAM JSON policy elements: Condition operators, string condition operators", CASES)
TAG = "aws:RequestTag/team"
page.conditions(
    [
        ("StringEquals: the same text", "StringEquals", TAG, "red", "red", True),
        ("StringEquals: another text", "StringEquals", TAG, "red", "blue", False),
        ("StringEquals: case counts", "StringEquals", TAG, "red", "Red", False),
        ("StringEquals: one of several values", "StringEquals", TAG, ["blue", "red"], "red", True),
        ("StringEquals: none of several values", "StringEquals", TAG, ["blue", "green"], "red", False),
        ("StringEquals: a star is a star", "StringEquals", TAG, "re*", "red", False),
        ("StringEquals: a star equals a star", "StringEquals", TAG, "re*", "re*", True),
        ("StringEquals: a question mark is one", "StringEquals", TAG, "re?", "red", False),
        ("StringEquals: a question mark equals one", "StringEquals", TAG, "re?", "re?", True),
        ("StringEquals: part of the text", "StringEquals", TAG, "re", "red", False),
        ("StringEquals: the empty text", "StringEquals", TAG, "", "", True),
        ("StringEquals: blanks count", "StringEquals", TAG, "red", "red ", False),
        ("StringEquals: absent", "StringEquals", TAG, "red", ABSENT, False),
        ("StringNotEquals: the same text", "StringNotEquals", TAG, "red", "red", False),
        ("StringNotEquals: another text", "StringNotEquals", TAG, "red", "blue", True),
        ("StringNotEquals: another case", "StringNotEquals", TAG, "red", "RED", True),
        ("StringNotEquals: one of several values", "StringNotEquals", TAG, ["blue", "red"], "red", False),
        ("StringNotEquals: none of several values", "StringNotEquals", TAG, ["blue", "green"], "red", True),
        ("StringNotEquals: absent", "StringNotEquals", TAG, "red", ABSENT, True),
        ("StringEqualsIgnoreCase: another case", "StringEqualsIgnoreCase", TAG, "red", "RED", True),
        ("StringEqualsIgnoreCase: the policy in capitals", "StringEqualsIgnoreCase", TAG, "RED", "red", True),
        ("StringEqualsIgnoreCase: another text", "StringEqualsIgnoreCase", TAG, "red", "blue", False),
        ("StringEqualsIgnoreCase: no wildcards", "StringEqualsIgnoreCase", TAG, "re*", "red", False),
        ("StringEqualsIgnoreCase: absent", "StringEqualsIgnoreCase", TAG, "red", ABSENT, False),
        ("StringNotEqualsIgnoreCase: another case", "StringNotEqualsIgnoreCase", TAG, "red", "Red", False),
        ("StringNotEqualsIgnoreCase: another text", "StringNotEqualsIgnoreCase", TAG, "red", "blue", True),
        ("StringNotEqualsIgnoreCase: absent", "StringNotEqualsIgnoreCase", TAG, "red", ABSENT, True),
    ]
)
PREFIX = "s3:prefix"
page.conditions(
    [
        ("StringLike: without wildcards", "StringLike", PREFIX, "home/", "home/", True),
        ("StringLike: case counts", "StringLike", PREFIX, "Home/*", "home/a", False),
        ("StringLike: a star at the end", "StringLike", PREFIX, "home/*", "home/ana/x", True),
        ("StringLike: a star takes nothing too", "StringLike", PREFIX, "home/*", "home/", True),
        ("StringLike: a star at the beginning", "StringLike", PREFIX, "*/x", "home/ana/x", True),
        ("StringLike: a star in the middle", "StringLike", PREFIX, "home/*/x", "home/ana/b/x", True),
        ("StringLike: two stars", "StringLike", PREFIX, "*ana*", "home/ana/x", True),
        ("StringLike: a piece twice, but there once", "StringLike", PREFIX, "*ana*ana*", "home/ana/x", False),
        ("StringLike: a question mark is one character", "StringLike", PREFIX, "home/an?", "home/ana", True),
        ("StringLike: a question mark is not none", "StringLike", PREFIX, "home/ana?", "home/ana", False),
        ("StringLike: two question marks", "StringLike", PREFIX, "??me", "home", True),
        ("StringLike: a star and a question mark", "StringLike", PREFIX, "*a?a", "home/ana", True),
        ("StringLike: at least two characters", "StringLike", PREFIX, "?*?", "h", False),
        ("StringLike: the empty pattern and the empty text", "StringLike", PREFIX, "", "", True),
        ("StringLike: the empty pattern", "StringLike", PREFIX, "", "home/", False),
        (
            "StringLike: one of several patterns",
            "StringLike",
            PREFIX,
            ["", "home/", "home/ana/*"],
            "home/ana/1",
            True,
        ),
        ("StringLike: brackets are no wildcards", "StringLike", PREFIX, "home/[a-z]na", "home/ana", False),
        ("StringLike: brackets are brackets", "StringLike", PREFIX, "home/[a-z]*", "home/[a-z]na", True),
        ("StringLike: a dot is a dot", "StringLike", PREFIX, "a.c*", "abc", False),
        ("StringLike: colons and slashes are characters", "StringLike", PREFIX, "a*d", "a:b/c:d", True),
        ("StringLike: over lines", "StringLike", PREFIX, "a*b", "a\n\nb", True),
        ("StringLike: absent", "StringLike", PREFIX, "*", ABSENT, False),
        ("StringNotLike: it fits", "StringNotLike", PREFIX, "home/*", "home/ana", False),
        ("StringNotLike: it does not fit", "StringNotLike", PREFIX, "home/*", "logs/ana", True),
        (
            "StringNotLike: one of several fits",
            "StringNotLike",
            PREFIX,
            ["logs/*", "home/*"],
            "home/ana",
            False,
        ),
        ("StringNotLike: absent", "StringNotLike", PREFIX, "home/*", ABSENT, True),
    ]
)

page = Page("IAM JSON policy elements: Condition operators, ARN condition operators", CASES)
SOURCE = "aws:SourceArn"
TOPIC = "arn:aws:sns:us-east-2:123456789012:alerts"
for operator in ("ArnEquals", "ArnLike"):
    page.conditions(
        [
            (f"{operator}: the same ARN", operator, SOURCE, TOPIC, TOPIC, True),
            (f"{operator}: another ARN", operator, SOURCE, TOPIC, f"{TOPIC}-2", False),
            (f"{operator}: case counts", operator, SOURCE, TOPIC, TOPIC.replace("alerts", "Alerts"), False),
            (
                f"{operator}: a star in the region",
                operator,
                SOURCE,
                "arn:aws:sns:*:123456789012:alerts",
                TOPIC,
                True,
            ),
            (f"{operator}: stars in several segments", operator, SOURCE, "arn:aws:sns:*:*:al*s", TOPIC, True),
            (
                f"{operator}: a question mark",
                operator,
                SOURCE,
                "arn:aws:sns:us-east-?:123456789012:alerts",
                TOPIC,
                True,
            ),
            (
                f"{operator}: a star does not cross a segment",
                operator,
                SOURCE,
                "arn:aws:sns:*:alerts",
                TOPIC,
                False,
            ),
            (
                f"{operator}: the last segment is one",
                operator,
                SOURCE,
                "arn:aws:sns:*:*:*",
                f"{TOPIC}:part/x:y",
                True,
            ),
            (
                f"{operator}: a star crosses slashes",
                operator,
                SOURCE,
                "arn:aws:iam::*:role/*",
                "arn:aws:iam::1:role/a/b",
                True,
            ),
            (
                f"{operator}: an empty segment",
                operator,
                SOURCE,
                "arn:aws:s3:::b*",
                "arn:aws:s3:::bucket",
                True,
            ),
            (
                f"{operator}: an empty segment is not any",
                operator,
                SOURCE,
                "arn:aws:s3:::b*",
                "arn:aws:s3::1:bucket",
                False,
            ),
            (f"{operator}: what is no ARN", operator, SOURCE, "arn:aws:sns:*:*:*", "alerts", False),
            (
                f"{operator}: one of several",
                operator,
                SOURCE,
                ["arn:aws:s3:::b", "arn:aws:sns:*:*:alerts"],
                TOPIC,
                True,
            ),
            (f"{operator}: absent", operator, SOURCE, TOPIC, ABSENT, False),
        ]
    )
for operator in ("ArnNotEquals", "ArnNotLike"):
    page.conditions(
        [
            (f"{operator}: the same ARN", operator, SOURCE, TOPIC, TOPIC, False),
            (f"{operator}: another ARN", operator, SOURCE, TOPIC, f"{TOPIC}-2", True),
            (f"{operator}: wildcards", operator, SOURCE, "arn:aws:sns:*:*:*", TOPIC, False),
            (f"{operator}: one of several", operator, SOURCE, ["arn:aws:s3:::b", TOPIC], TOPIC, False),
            (f"{operator}: absent", operator, SOURCE, TOPIC, ABSENT, True),
        ]
    )
page.condition(
    "an account in a text is compared as text by StringLike",
    "StringLike",
    SOURCE,
    "arn:aws:sns:*:alerts",
    TOPIC,
    True,
    note="String operators see one text, whose colons are characters like others.",
)
