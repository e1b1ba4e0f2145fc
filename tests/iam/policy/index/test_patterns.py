"""Containment and intersection of resource patterns, against all short texts over a small alphabet."""

from __future__ import annotations

import itertools
from functools import lru_cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.policy.arns import resource_matcher, resource_tokens
from iam.policy.glob import tokens
from iam.policy.index.patterns import ResourcePattern, pattern_of, relation
from iam.policy.logic import NO, OPEN, YES

LETTERS = "a:z"
"""No pattern below has a z: it stands for all letters that patterns do not name."""
SIZE = 4
TEXTS = [
    "".join(letters) for size in range(2 * SIZE + 1) for letters in itertools.product(LETTERS, repeat=size)
]
"""Two patterns that meet do so in a text that is no longer than both together."""
PATTERNS = st.text(alphabet="a:*?", max_size=SIZE)
STARS = st.text(alphabet="ab*", max_size=SIZE)
in_time = settings(deadline=None)


@lru_cache(maxsize=2000)
def texts_of(pattern: str) -> frozenset[str]:
    matches = resource_matcher(tokens(pattern))
    return frozenset(filter(matches, TEXTS))


@in_time
@given(PATTERNS, PATTERNS)
def test_patterns_meet_when_some_text_is_of_both(left: str, right: str) -> None:
    assert pattern_of(left).overlaps(pattern_of(right)) == bool(texts_of(left) & texts_of(right))


@in_time
@given(PATTERNS, PATTERNS)
def test_a_pattern_never_takes_in_more_than_its_own_texts(outer: str, inner: str) -> None:
    if pattern_of(outer).takes_in(pattern_of(inner)):
        assert texts_of(inner) <= texts_of(outer)


@in_time
@given(STARS, STARS)
def test_without_question_marks_and_segments_containment_is_found_always(outer: str, inner: str) -> None:
    for_z = inner.replace("*", "z")
    assert pattern_of(outer).takes_in(pattern_of(inner)) == resource_matcher(tokens(outer))(for_z)


@in_time
@given(PATTERNS)
def test_every_pattern_takes_in_itself(pattern: str) -> None:
    assert pattern_of(pattern).takes_in(pattern_of(pattern))


@in_time
@given(PATTERNS, st.sampled_from(TEXTS))
def test_a_text_without_wildcards_is_matched_as_by_the_engine(pattern: str, text: str) -> None:
    expected = YES if resource_matcher(tokens(pattern))(text) else NO
    assert relation(pattern_of(pattern), pattern_of(text)) == expected


@pytest.mark.parametrize(
    ("statement", "asked", "expected"),
    [
        ("arn:aws:s3:::prod-*", "arn:aws:s3:::prod-data/*", YES),
        ("arn:aws:s3:::prod-data/*", "arn:aws:s3:::prod-*", OPEN),
        ("arn:aws:s3:::*/secret", "arn:aws:s3:::prod-*", OPEN),
        ("arn:aws:s3:::test-*", "arn:aws:s3:::prod-*", NO),
        ("arn:aws:s3:::prod-data", "arn:aws:s3:::prod-*", OPEN),
        ("*", "arn:aws:s3:::prod-*", YES),
        ("arn:aws:iam::*:role/app", "arn:aws:iam::111111111111:role/*", OPEN),
        ("arn:aws:iam::*:role/*", "arn:aws:iam::111111111111:role/*", YES),
        ("arn:aws:sqs:eu-*-1:111111111111:q", "arn:aws:sqs:eu-west-1:111111111111:*", OPEN),
        ("arn:aws:sqs:eu-w*t-1:*:q", "arn:aws:sqs:eu-w*t-1:111111111111:q", YES),
        ("arn:aws:sqs:eu-west-?:*:q", "arn:aws:sqs:eu-west-?:111111111111:q", YES),
    ],
)
def test_relations_of_arns(statement: str, asked: str, expected: int) -> None:
    assert relation(pattern_of(statement), pattern_of(asked)) == expected


def test_a_hostile_pattern_costs_no_more_than_its_length() -> None:
    hostile = "*a?" * 700
    assert pattern_of(hostile).overlaps(pattern_of("a*b?*" * 700))
    assert not pattern_of(f"{hostile}c").takes_in(pattern_of(hostile))


def test_parts_that_were_filled_from_variables_are_letters() -> None:
    filled = ResourcePattern(resource_tokens([*tokens("home/"), "*", "/"]))
    assert not filled.takes_in(pattern_of("home/x/"))
    assert filled.overlaps(pattern_of("home/*"))
