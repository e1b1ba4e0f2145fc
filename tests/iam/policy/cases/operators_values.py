"""Condition operators that compare numbers, dates, truth values, bytes and addresses."""

from __future__ import annotations

from tests.iam.policy.cases.notation import ABSENT, Case, Page

CASES: list[Case] = []

page = Page("IAM JSON policy elements: Condition operators, numeric condition operators", CASES)
KEYS = "s3:max-keys"
page.conditions(
    [
        ("NumericEquals: the same", "NumericEquals", KEYS, "10", "10", True),
        ("NumericEquals: the same, written otherwise", "NumericEquals", KEYS, "10", "10.0", True),
        ("NumericEquals: a number of JSON", "NumericEquals", KEYS, 10, "10", True),
        ("NumericEquals: a number of JSON in the request", "NumericEquals", KEYS, "10", 10, True),
        ("NumericEquals: another", "NumericEquals", KEYS, "10", "11", False),
        ("NumericEquals: one of several", "NumericEquals", KEYS, ["1", "10"], "10", True),
        ("NumericEquals: a decimal", "NumericEquals", KEYS, "0.5", "0.50", True),
        ("NumericEquals: below zero", "NumericEquals", KEYS, "-3", "-3", True),
        ("NumericEquals: what is no number", "NumericEquals", KEYS, "10", "ten", False),
        ("NumericEquals: no number in the policy", "NumericEquals", KEYS, "ten", "ten", False),
        (
            "NumericEquals: large numbers are exact",
            "NumericEquals",
            KEYS,
            "9007199254740993",
            "9007199254740992",
            False,
        ),
        ("NumericEquals: absent", "NumericEquals", KEYS, "10", ABSENT, False),
        ("NumericNotEquals: the same", "NumericNotEquals", KEYS, "10", "10", False),
        ("NumericNotEquals: another", "NumericNotEquals", KEYS, "10", "11", True),
        ("NumericNotEquals: one of several", "NumericNotEquals", KEYS, ["9", "10"], "10", False),
        ("NumericNotEquals: absent", "NumericNotEquals", KEYS, "10", ABSENT, True),
        ("NumericLessThan: less", "NumericLessThan", KEYS, "10", "9", True),
        ("NumericLessThan: numbers are no texts", "NumericLessThan", KEYS, "10", "9.99", True),
        ("NumericLessThan: equal", "NumericLessThan", KEYS, "10", "10", False),
        ("NumericLessThan: more", "NumericLessThan", KEYS, "10", "11", False),
        ("NumericLessThan: less than one of several", "NumericLessThan", KEYS, ["5", "20"], "10", True),
        ("NumericLessThan: absent", "NumericLessThan", KEYS, "10", ABSENT, False),
        ("NumericLessThanEquals: less", "NumericLessThanEquals", KEYS, "10", "9", True),
        ("NumericLessThanEquals: equal", "NumericLessThanEquals", KEYS, "10", "10", True),
        ("NumericLessThanEquals: more", "NumericLessThanEquals", KEYS, "10", "10.1", False),
        ("NumericGreaterThan: more", "NumericGreaterThan", KEYS, "10", "100", True),
        ("NumericGreaterThan: equal", "NumericGreaterThan", KEYS, "10", "10", False),
        ("NumericGreaterThan: less", "NumericGreaterThan", KEYS, "10", "9", False),
        ("NumericGreaterThan: absent", "NumericGreaterThan", KEYS, "10", ABSENT, False),
        ("NumericGreaterThanEquals: more", "NumericGreaterThanEquals", KEYS, "10", "11", True),
        ("NumericGreaterThanEquals: equal", "NumericGreaterThanEquals", KEYS, "10", "10", True),
        ("NumericGreaterThanEquals: less", "NumericGreaterThanEquals", KEYS, "10", "-11", False),
    ]
)

page.conditions(
    [
        ("NumericNotEquals: no number in the policy", "NumericNotEquals", KEYS, "ten", "10", True),
        ("NumericNotEquals: no number in the request", "NumericNotEquals", KEYS, "10", "ten", True),
        ("NumericLessThan: no number in the policy", "NumericLessThan", KEYS, "ten", "1", False),
        ("NumericGreaterThan: no number in the request", "NumericGreaterThan", KEYS, "10", "ten", False),
    ],
    note="The page does not say what becomes of texts that are no numbers: they equal nothing.",
)

page = Page("IAM JSON policy elements: Condition operators, date condition operators", CASES)
NOW, ISSUED = "aws:CurrentTime", "aws:TokenIssueTime"
DAY = "2020-04-01T00:00:00Z"
page.conditions(
    [
        ("DateEquals: the same", "DateEquals", NOW, DAY, DAY, True),
        ("DateEquals: the same in another zone", "DateEquals", NOW, DAY, "2020-04-01T02:00:00+02:00", True),
        ("DateEquals: seconds since 1970", "DateEquals", NOW, DAY, "1585699200", True),
        (
            "DateEquals: seconds in the policy",
            "DateEquals",
            "aws:EpochTime",
            "1585699200",
            "1585699200",
            True,
        ),
        ("DateEquals: a number of JSON", "DateEquals", "aws:EpochTime", DAY, 1585699200, True),
        ("DateEquals: a day is its beginning", "DateEquals", NOW, "2020-04-01", DAY, True),
        ("DateEquals: a month is its beginning", "DateEquals", NOW, "2020-04", DAY, True),
        ("DateEquals: a year is its beginning", "DateEquals", NOW, "2020", "2020-01-01T00:00:00Z", True),
        ("DateEquals: without seconds", "DateEquals", NOW, "2020-04-01T00:00Z", DAY, True),
        (
            "DateEquals: parts of a second",
            "DateEquals",
            NOW,
            "2020-04-01T00:00:00.5Z",
            "2020-04-01T00:00:00.50Z",
            True,
        ),
        ("DateEquals: parts of a second count", "DateEquals", NOW, DAY, "2020-04-01T00:00:00.5Z", False),
        ("DateEquals: another second", "DateEquals", NOW, DAY, "2020-04-01T00:00:01Z", False),
        ("DateEquals: what is no date", "DateEquals", NOW, DAY, "yesterday", False),
        ("DateEquals: a day that is not", "DateEquals", NOW, "2020-02-30", "2020-02-30", False),
        ("DateEquals: no wildcards", "DateEquals", NOW, "2020-04-*", DAY, False),
        ("DateEquals: absent", "DateEquals", ISSUED, DAY, ABSENT, False),
        ("DateNotEquals: the same", "DateNotEquals", NOW, DAY, "1585699200", False),
        ("DateNotEquals: another", "DateNotEquals", NOW, DAY, "2020-04-02T00:00:00Z", True),
        ("DateNotEquals: absent", "DateNotEquals", ISSUED, DAY, ABSENT, True),
        ("DateLessThan: before", "DateLessThan", NOW, "2013-06-30T00:00:00Z", "2013-06-29T23:59:59Z", True),
        ("DateLessThan: at", "DateLessThan", NOW, DAY, DAY, False),
        ("DateLessThan: after", "DateLessThan", NOW, DAY, "2020-04-01T00:00:01Z", False),
        ("DateLessThan: zones are heeded", "DateLessThan", NOW, DAY, "2020-04-01T01:00:00+02:00", True),
        ("DateLessThan: absent", "DateLessThan", ISSUED, DAY, ABSENT, False),
        ("DateLessThanEquals: at", "DateLessThanEquals", NOW, DAY, DAY, True),
        ("DateLessThanEquals: after", "DateLessThanEquals", NOW, DAY, "2021-01-01", False),
        (
            "DateGreaterThan: after",
            "DateGreaterThan",
            ISSUED,
            "2020-01-01T00:00:01Z",
            "2020-01-01T00:00:02Z",
            True,
        ),
        ("DateGreaterThan: at", "DateGreaterThan", ISSUED, DAY, DAY, False),
        ("DateGreaterThan: before", "DateGreaterThan", ISSUED, DAY, "2019-12-31T23:59:59Z", False),
        ("DateGreaterThan: seconds against a date", "DateGreaterThan", NOW, DAY, "1585699201", True),
        ("DateGreaterThan: absent", "DateGreaterThan", ISSUED, DAY, ABSENT, False),
        ("DateGreaterThanEquals: at", "DateGreaterThanEquals", NOW, DAY, DAY, True),
        ("DateGreaterThanEquals: before", "DateGreaterThanEquals", NOW, DAY, "2020-03-31T23:59:59Z", False),
    ]
)
page.condition(
    "four digits are a year in the request too",
    "DateGreaterThan",
    NOW,
    "2019-12-31",
    "2020",
    True,
    note="The page allows W3C dates and seconds since 1970 and does not say which of them four digits are.",
)

page = Page("IAM JSON policy elements: Condition operators, Boolean condition operators", CASES)
TLS, MFA = "aws:SecureTransport", "aws:MultiFactorAuthPresent"
page.conditions(
    [
        ("Bool: true", "Bool", TLS, "true", "true", True),
        ("Bool: false", "Bool", TLS, "false", "false", True),
        ("Bool: not the same", "Bool", TLS, "true", "false", False),
        ("Bool: a truth value of JSON in the policy", "Bool", TLS, True, "true", True),
        ("Bool: a truth value of JSON in the request", "Bool", TLS, "false", False, True),
        ("Bool: capitals", "Bool", TLS, "true", "True", True),
        ("Bool: either", "Bool", TLS, ["true", "false"], "false", True),
        ("Bool: what is no truth value", "Bool", TLS, "true", "yes", False),
        ("Bool: no truth value in the policy", "Bool", TLS, "yes", "yes", False),
        ("Bool: true, absent", "Bool", MFA, "true", ABSENT, False),
        ("Bool: false, absent", "Bool", MFA, "false", ABSENT, False),
        ("BoolIfExists: false, absent", "BoolIfExists", MFA, "false", ABSENT, True),
        ("BoolIfExists: false, present", "BoolIfExists", MFA, "false", "true", False),
    ]
)

page = Page("IAM JSON policy elements: Condition operators, binary condition operators", CASES)
page.conditions(
    [
        ("BinaryEquals: the same bytes", "BinaryEquals", "x:bytes", "QmluYXJ5", "QmluYXJ5", True),
        ("BinaryEquals: other bytes", "BinaryEquals", "x:bytes", "QmluYXJ5", "QmluYXJ6", False),
        ("BinaryEquals: case counts", "BinaryEquals", "x:bytes", "QmluYXJ5", "qmluyxj5", False),
        ("BinaryEquals: no base64", "BinaryEquals", "x:bytes", "???", "???", False),
        ("BinaryEquals: one of several", "BinaryEquals", "x:bytes", ["AAAA", "QmluYXJ5"], "QmluYXJ5", True),
        ("BinaryEquals: absent", "BinaryEquals", "x:bytes", "QmluYXJ5", ABSENT, False),
    ]
)

page = Page("IAM JSON policy elements: Condition operators, IP address condition operators", CASES)
IP, NET, NET6 = "aws:SourceIp", "203.0.113.0/24", "2001:DB8:1234:5678::/64"
page.conditions(
    [
        ("IpAddress: within", "IpAddress", IP, NET, "203.0.113.7", True),
        ("IpAddress: the first", "IpAddress", IP, NET, "203.0.113.0", True),
        ("IpAddress: the last", "IpAddress", IP, NET, "203.0.113.255", True),
        ("IpAddress: just outside", "IpAddress", IP, NET, "203.0.114.0", False),
        ("IpAddress: just before", "IpAddress", IP, NET, "203.0.112.255", False),
        ("IpAddress: one address alone", "IpAddress", IP, "203.0.113.7", "203.0.113.7", True),
        ("IpAddress: one address alone, another", "IpAddress", IP, "203.0.113.7", "203.0.113.8", False),
        ("IpAddress: everything", "IpAddress", IP, "0.0.0.0/0", "8.8.8.8", True),
        ("IpAddress: IPv6 within", "IpAddress", IP, NET6, "2001:db8:1234:5678::1", True),
        ("IpAddress: IPv6 outside", "IpAddress", IP, NET6, "2001:db8:1234:5679::1", False),
        (
            "IpAddress: IPv6, written out",
            "IpAddress",
            IP,
            NET6,
            "2001:0db8:1234:5678:0000:0000:0000:0001",
            True,
        ),
        ("IpAddress: IPv6 is not in a range of IPv4", "IpAddress", IP, "0.0.0.0/0", "2001:db8::1", False),
        ("IpAddress: both kinds", "IpAddress", IP, [NET, NET6], "2001:db8:1234:5678::1", True),
        ("IpAddress: no range", "IpAddress", IP, "203.0.113.*", "203.0.113.7", False),
        ("IpAddress: no address", "IpAddress", IP, NET, "anywhere", False),
        (
            "IpAddress: a mask is no prefix",
            "IpAddress",
            IP,
            "203.0.113.0/255.255.255.0",
            "203.0.113.7",
            False,
        ),
        ("IpAddress: absent, as over a VPC endpoint", "IpAddress", IP, NET, ABSENT, False),
        ("NotIpAddress: within", "NotIpAddress", IP, NET, "203.0.113.7", False),
        ("NotIpAddress: outside", "NotIpAddress", IP, NET, "198.51.100.7", True),
        (
            "NotIpAddress: within one of several",
            "NotIpAddress",
            IP,
            ["192.0.2.0/24", NET],
            "203.0.113.7",
            False,
        ),
        ("NotIpAddress: outside all", "NotIpAddress", IP, ["192.0.2.0/24", NET], "198.51.100.7", True),
        ("NotIpAddress: absent", "NotIpAddress", IP, NET, ABSENT, True),
    ]
)
