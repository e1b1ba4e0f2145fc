"""Patterns: every kind of matcher against the plain engine's regular expressions, on all short texts."""

from __future__ import annotations

import random
from itertools import product

import pytest

from iam.policy import variables
from iam.policy.arns import arn_like, is_incomplete, missing_segments, resource_matcher, text_matchers
from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.glob import ANY, ONE, ONE_WITHIN, WITHIN, any_of_texts, compile_glob, from_tokens, tokens
from iam.policy.logic import NO, YES
from iam.policy.operators import OPERATORS, moment_of, number_of, range_of, table
from iam.policy.request import Principal, Request
from tests.iam.policy.naive_matching import fixed_resource_fits, regex, resource_fits

TEXTS = ["".join(letters) for length in range(6) for letters in product("ab:", repeat=length)]
WRITTEN = {ANY: ".*", ONE: ".", WITHIN: "[^:]*", ONE_WITHIN: "[^:]"}


def _all_patterns(alphabet: tuple[str, ...], longest: int) -> list[tuple[str, ...]]:
    return [parts for length in range(longest + 1) for parts in product(alphabet, repeat=length)]


@pytest.mark.parametrize(
    "alphabet", [("a", ANY, ONE), ("a", ":", ANY), ("a", WITHIN, ANY), (ONE_WITHIN, WITHIN, ":", ONE)]
)
def test_every_short_pattern_fits_what_it_should(alphabet: tuple[str, ...]) -> None:
    texts = TEXTS[: 3**5]
    for parts in _all_patterns(alphabet, 4 if len(alphabet) == 4 else 5):
        match = from_tokens(parts)
        wanted = regex("".join(WRITTEN.get(part, part) for part in parts)).fullmatch
        wrong = [text for text in texts if match(text) is not (wanted(text) is not None)]
        assert wrong == [], parts


STARRED = ["".join(parts) for parts in _all_patterns(("a", "b", "*"), 5) if "*" in parts]


@pytest.mark.parametrize("seed", range(60))
def test_patterns_that_are_matched_together_match_what_one_of_them_does(seed: int) -> None:
    patterns = random.Random(seed).sample(STARRED, seed % 12 + 1)
    wanted = [regex(pattern.replace("*", ".*")) for pattern in patterns]
    together = any_of_texts(patterns)
    wrong = [text for text in TEXTS if together(text) is not any(each.fullmatch(text) for each in wanted)]
    assert wrong == [], patterns


def test_patterns_of_resources_are_matched_together_only_where_their_stars_take_anything() -> None:
    names = ["arn:aws:s3:::a*/x*", "arn:aws:s3:::a*/y*z", "arn:aws:sqs:*:*:q*r", "arn:aws:ec2:e*u:*:a*b*"]
    names += ["arn:aws:iam::*:role/*/w*", "arn:aws:s3:::?*k", "arn:aws:s3:::plain"]
    texts = ["arn:aws:s3:::abc/xy", "arn:aws:s3:::abc/y1z", "arn:aws:s3:::kk", "arn:aws:s3:::plain"]
    texts += ["arn:aws:sqs:a:b:c:q1r", "arn:aws:ec2:eu:1:ab", "arn:aws:ec2:e:1:ab", "arn:aws:ec2:eu:x:1:ab"]
    texts += ["arn:aws:iam::1:role/p/w", "arn:aws:iam::1:role/w", "arn:aws:s3:::k", "arn:aws:s3:::a/y"]
    matchers = text_matchers(names)
    assert len(matchers) == 4
    for text in texts:
        wanted = any(fixed_resource_fits(name, text) for name in names)
        assert any(match(text) for match in matchers) is wanted, text


def test_ten_thousand_stars_in_patterns_that_are_matched_together_are_no_deep_calls() -> None:
    pattern = "a*" * 10_000
    match = any_of_texts([pattern, f"{pattern}b"])
    assert match("a" * 10_000)
    assert match(f"{'a' * 10_000}cb")
    assert not match("a" * 9_999)


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("?b", ["ab", "\nb"], ["b", "aab"]),
        ("a*?b", ["axb", "a\n\nb"], ["ab"]),
        ("a*b*c", ["abc", "axxbyyc", "abbc", "abcbc"], ["ab", "ac", "abcx", "xabc", "acb"]),
        ("*ab*ab*", ["abab", "xabyabz"], ["ab", "aba", "xabyb"]),
        ("ab*ba", ["abba", "abxba"], ["aba", "ab", "ba"]),
        ("*aa", ["aa", "aaa"], ["a", "aab"]),
        ("aa*aa*aa", ["aaaaaa", "aaxaaaa"], ["aaaaa"]),
        ("?*?", ["ab", "abc"], ["a", ""]),
        ("*?b", ["ab", "aab", "bb"], ["b", "ba"]),
        ("a?*b?*c", ["axbyc", "axxbyyc"], ["abc", "axbc", "abyc"]),
        ("*a?c*e", ["abcde", "xabce", "aaace"], ["abde", "abcdef", "ace"]),
        ("a?c*a?e", ["abcade", "abcxade"], ["abcae", "acade", "abcad"]),
    ],
)
def test_pieces_stand_in_their_order_and_never_overlap(
    pattern: str, fits: list[str], fits_not: list[str]
) -> None:
    match = compile_glob(pattern)
    assert [text for text in fits if not match(text)] == []
    assert [text for text in fits_not if match(text)] == []


RESOURCES = (
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/c:d",
    "arn:aws:sqs:r:1:q",
    "arn:aws:sqs:r:1:",
    "arn:aws:sqs::1:q",
    "arn:aws:x:r:1:a:b:c",
    "arn:aws:x:r:1:a:b",
    "arn:aws:xyr:1:a:b:c",
    "arn:aws:sqs:r:1",
    "arn:aws:x:r:12:34:a",
    "*",
    "",
    "::::::",
)
RESOURCE_PATTERNS = (
    "arn:aws:s3",
    "arn:aws:s*",
    "arn:*",
    "arn:aws:sq?:?:1:?",
    "arn:aws:sqs:*:1:q",
    "arn:aws:*q:r:1:q",
    "arn:aws:*s:*:q",
    "arn:a*s:sqs:r:1:q",
    "arn:aws:sqs:r?1:q",
    "arn:aws:x:r:1:a?b?c",
    "arn:aws:x:r:1:a*c",
    "arn:aws:x:r:1:*:c",
    "arn:aws:sqs:r:1:",
    "arn:aws:sqs:r:1",
    "arn:aws:s3:::*:*",
    "arn:aws:x*1:a:b:c",
    "arn:aws:x*r:1:a:b:c",
    "arn:aws:x?r:1:a:b:c",
    "arn:aw*r:1:a:b:c",
    "arn:*1:a:b:c:d",
    "a*n:aws:x:r:1:a:b",
    "arn:a?s:x:r:?:a?b",
    "arn:aws:*:1:a:b",
    "arn:aws:x:*:a:b",
    "arn:aws:x:r*:a:b",
    "arn:aws:x:r:1*4:a",
    "arn:aws:x:r:12?34:a",
    "arn:aws:x:*r:1:a*",
    "arn",
    "a*",
    "*:q",
    "?",
    "**",
    "",
)


@pytest.mark.parametrize("pattern", RESOURCE_PATTERNS)
def test_a_pattern_of_resources_fits_what_the_page_says(pattern: str) -> None:
    parts = tokens(pattern)
    if is_incomplete(parts):
        parts += missing_segments(parts)
    match = resource_matcher(parts)
    wrong = [
        text for text in RESOURCES if match(text) is not resource_fits(pattern, text, {}, variables=False)
    ]
    assert wrong == []


@pytest.mark.parametrize("pattern", RESOURCE_PATTERNS)
def test_a_statement_fits_the_resources_that_its_pattern_fits(pattern: str) -> None:
    statement = {"Effect": "Allow", "Action": "x:y", "Resource": pattern}
    policies = compile_set([("x", read({"Statement": statement}))], kind=PolicyKind.IDENTITY)
    who = Principal("arn:aws:iam::111122223333:user/ana")
    wrong = [
        text
        for text in RESOURCES
        if (policies.judge(Request("x:y", text, who)) == (NO, YES))
        is not resource_fits(pattern, text, {}, variables=False)
    ]
    assert wrong == []


def test_incomplete_arns_are_told_from_complete_ones_and_from_other_texts() -> None:
    assert [text for text in RESOURCE_PATTERNS if is_incomplete(text)] == [
        "arn:aws:s3",
        "arn:aws:s*",
        "arn:*",
        "arn:aws:*s:*:q",
        "arn:aws:sqs:r?1:q",
        "arn:aws:sqs:r:1",
    ]
    assert missing_segments("arn:aws:sqs") == [":", ANY] * 3
    assert missing_segments("arn:aws:sqs:r:1:q") == []


def test_arns_are_compared_segment_by_segment() -> None:
    assert arn_like(tokens("*"))("anything")
    assert not arn_like(tokens("arn:aws:*"))("arn:aws:s3:::b")
    assert arn_like(tokens("arn:aws:*:*:*:*"))("arn:aws:s3:::b:c")
    assert not arn_like(tokens("arn:aws:*:*:*:*"))("arn:aws:s3::b")
    assert arn_like(tokens("arn:aws:x:::a:*"))("arn:aws:x:::a:b:c")
    assert not arn_like(tokens("arn:aws:x:::a"))("arn:aws:x:::a:b")


def _filled(text: str, **context: object) -> str:
    who = Principal("arn:aws:iam::111122223333:user/ana", tags={})
    request = Request(
        "s3:GetObject", "*", who, context={key.replace("_", ":"): v for key, v in context.items()}
    )
    return "".join(variables.read(text, has_variables=True).fill(request))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${aws:username}", "ana"),
        ("x${aws:username}y${aws:username}z", "xanayanaz"),
        ("${ aws:username }", "ana"),
        ("${aws:PrincipalTag/team, 'all'}", "all"),
        ("${aws:PrincipalTag/team,'all'}", "all"),
        ("${aws:PrincipalTag/team, ''}", ""),
        ("${aws:PrincipalTag/team, 'a, b'}", "a, b"),
        ("${aws:username, 'all'}", "ana"),
        ("${*}${?}${$}", "*?$"),
        ("${aws:username", "${aws:username"),
        ("$aws:username}", "$aws:username}"),
        ("a*?", f"a{ANY}{ONE}"),
    ],
)
def test_a_text_is_filled(text: str, filled: str) -> None:
    assert _filled(text) == filled


@pytest.mark.parametrize(
    "text",
    [
        "${aws:PrincipalTag/team}",
        "${aws:PrincipalTag/team, all}",
        "${aws:PrincipalTag/team, 'all}",
        "${aws:PrincipalTag/team, '}",
    ],
)
def test_a_text_without_value_or_default_is_not_filled(text: str) -> None:
    with pytest.raises(variables.AbsentVariableError):
        _filled(text)


def test_a_value_of_many_characters_is_filled_up_to_a_bound() -> None:
    assert _filled("${x:y}${x:y}", x_y="v" * 50_000) == "v" * 100_000
    with pytest.raises(variables.AbsentVariableError):
        _filled("${x:y}${x:y}z", x_y="v" * 50_000)


def test_several_values_fill_nothing_and_an_open_key_leaves_it_open() -> None:
    with pytest.raises(variables.AbsentVariableError):
        _filled("${x:y, 'z'}", x_y=["a", "b"])
    with pytest.raises(variables.OpenVariableError):
        _filled("${x:y, 'z'}")


@pytest.mark.parametrize(
    "text", ["", "x", "1.", ".5", "1e", "0x1", "1_000", "٣", "1 2", "--1", "inf", "nan", "1e1234567890"]
)
def test_what_is_no_number(text: str) -> None:
    assert number_of(text) is None


def test_long_numbers_and_moments_are_read_too() -> None:
    assert number_of("1" + "0" * 1000) == 10**1000
    assert number_of(" +1.50 ") == number_of("1.5") == number_of("15e-1")
    assert moment_of("1" * 1000) is None
    assert moment_of(f"{10**15 - 1}") == 10**15 - 1
    assert moment_of(f"{10**15}") is None
    assert moment_of(f"-{10**15 - 1}") == 1 - 10**15
    assert moment_of(f"-{10**15}") is None
    assert moment_of(" 1970-01-02 ") == 86400
    assert moment_of("1969-12-31T23:59:59.5Z") == number_of("-0.5")


def test_moments_and_ranges_of_more_than_two_hundred_characters_are_none() -> None:
    fraction = "2020-01-01T00:00:00." + "0" * 179 + "Z"
    assert len(fraction) == 200
    assert moment_of(fraction) == moment_of("2020-01-01")
    assert moment_of(fraction.replace(".", ".0")) is None
    assert number_of("1".rjust(201)) == number_of("1".rjust(200)) == 1
    assert range_of("::1".rjust(200)) == range_of("::1")
    assert range_of("::1".rjust(201)) is None


FITTING = {
    "StringEquals": ("aB", "aB", "ab"),
    "StringEqualsIgnoreCase": ("aB", "Ab", "abc"),
    "StringLike": ("aB*", "aBc", "abc"),
    "NumericEquals": ("2", "2.0", "3"),
    "NumericLessThan": ("2", "1", "2"),
    "NumericLessThanEquals": ("2", "2", "3"),
    "NumericGreaterThan": ("2", "3", "2"),
    "NumericGreaterThanEquals": ("2", "2", "1"),
    "DateEquals": ("2020", "2020-01-01", "2021"),
    "DateLessThan": ("2020", "2019", "2020"),
    "DateLessThanEquals": ("2020", "2020", "2021"),
    "DateGreaterThan": ("2020", "2021", "2020"),
    "DateGreaterThanEquals": ("2020", "2020", "2019"),
    "Bool": ("true", "TRUE", "false"),
    "BinaryEquals": ("YQ==", "YQ==", "Yg=="),
    "IpAddress": ("10.0.0.0/8", "10.1.1.1", "11.1.1.1"),
    "ArnEquals": ("arn:aws:s3:::a*", "arn:aws:s3:::ab", "arn:aws:s3:::b"),
    "ArnLike": ("arn:aws:s3:::a*", "arn:aws:s3:::ab", "arn:aws:s3:::b"),
}
"""A value of the policy, one of a request that fits it, and one that does not."""
OPPOSITES = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}
WITH_VARIABLES = ("String", "Arn")


def test_the_table_of_operators_is_that_of_the_page() -> None:
    operators_by_name = {operator.name: operator for operator in table().values()}
    assert operators_by_name.keys() == FITTING.keys() | OPPOSITES.keys()
    assert table().keys() == OPERATORS.keys() == {name.lower() for name in operators_by_name}
    for name, operator in operators_by_name.items():
        wanted, fits, fits_not = FITTING[OPPOSITES.get(name, name)]
        match = operator.make(tokens(wanted))
        assert (match(fits), match(fits_not)) == (True, False), name
        assert operator.is_negated is (name in OPPOSITES), name
        assert operator.is_text is name.startswith(WITH_VARIABLES), name


@pytest.mark.parametrize(
    "text",
    [
        "2020-W01",
        "2020-001",
        "2020-1-1",
        "2020-01-01 00:00",
        "2020-01-01T00",
        "2020-13",
        "2020-01-01T00:00:00,5Z",
        "2020-01-01T00:00:00z",
        "0000",
    ],
)
def test_what_is_no_date_of_w3c(text: str) -> None:
    assert moment_of(text) is None
