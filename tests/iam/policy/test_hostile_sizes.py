"""Large policies of every hostile shape take a time in proportion to their size, and are decided as small
ones are.
"""

from __future__ import annotations

from cProfile import Profile

import pytest

from iam.policy.arns import arn_like, arn_like_text, resource_matcher, text_matcher
from iam.policy.glob import compile_glob, from_tokens, tokens
from iam.policy.operators import range_of
from tests.bench.hostile_documents import SHAPES, SIZE, steps, text_of

SMALL = SIZE // 40


def calls_of(text: str) -> int:
    """How many functions are called while a text goes through all steps; times would tell how busy the
    machine is.
    """
    profile = Profile()
    profile.enable()
    try:
        for _ in steps(text):
            pass
    finally:
        profile.disable()
    return sum(entry.callcount for entry in profile.getstats())


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_size_takes_twice_the_calls(shape: str) -> None:
    half, whole = (text_of(SHAPES[shape], size=size) for size in (SMALL, 2 * SMALL))
    calls_of(half)
    assert calls_of(whole) < 2.5 * calls_of(half)


PATTERNS = (
    "a",
    "*",
    "a*",
    "*a",
    "a*b",
    "a?c",
    "?",
    "**",
    "a*?c",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/*",
    "arn:aws:s3:*:*:b",
    "arn:aws:s3::1?:b*",
    "arn:*:s3:::b?c",
    "arn:a*s:s3:::b",
    "arn:aws:ec2:*:1:i/*x?",
)
TEXTS = (
    "",
    "a",
    "ab",
    "abc",
    "axxb",
    "a:c",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/x:y",
    "arn:aws:s3:eu:1:b",
    "arn:aws:s3:eu:x:1:b",
    "arn:aws:s3::12:bc",
    "arn:aws:s3:::bxc",
    "arn:axs:s3:::b",
    "arn:aws:ec2:r:1:i/axb",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_text_is_matched_as_its_tokens_are(pattern: str) -> None:
    parts = tokens(pattern)
    for text in TEXTS:
        assert compile_glob(pattern)(text) == from_tokens(parts)(text), text
        assert text_matcher(pattern)(text) == resource_matcher(parts)(text), text
        assert arn_like_text(pattern)(text) == arn_like(parts)(text), text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10.0.0.0/8", (4, 10 << 24, (11 << 24) - 1)),
        ("10.1.2.3/8", (4, 10 << 24, (11 << 24) - 1)),
        ("0.0.0.0/0", (4, 0, 2**32 - 1)),
        ("255.255.255.255", (4, 2**32 - 1, 2**32 - 1)),
        ("1.2.3.4/32", (4, 0x01020304, 0x01020304)),
        ("1.2.3.4/33", None),
        ("256.1.1.1", None),
        ("01.2.3.4", None),
        ("1.2.3", None),
    ],
)
def test_ranges_of_version_4(text: str, value: object) -> None:
    assert range_of(text) == value
