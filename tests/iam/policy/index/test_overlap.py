"""What two patterns have in common takes in the texts of both, and no others; and it is found quickly for
long patterns.
"""

from __future__ import annotations

import random

import pytest

from iam.policy.glob import ANY, ONE, ONE_WITHIN, WITHIN, from_tokens
from iam.policy.index.overlap import MAX_OVERLAPS, Tokens, overlaps
from iam.policy.index.patterns import normal
from iam.policy.index.probes import pattern_tokens
from tests.work import calls_of

LETTERS = "aab:"
WILD = (ANY, WITHIN, ONE, ONE_WITHIN)


def pattern(dice: random.Random) -> Tokens:
    """A short pattern over few letters, so that two often meet."""
    parts = [
        dice.choice(LETTERS) if dice.random() < 0.6 else dice.choice(WILD) for _ in range(dice.randint(1, 6))
    ]
    return tuple(normal(parts))


@pytest.mark.parametrize("seed", range(40))
def test_the_overlap_takes_in_what_both_take_in(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(20):
        first, other = pattern(dice), pattern(dice)
        overlap = overlaps(first, other)
        assert set(overlap) == set(overlaps(other, first)) or MAX_OVERLAPS in (
            len(overlap),
            len(overlaps(other, first)),
        )
        left, right = from_tokens(first), from_tokens(other)
        shared = [from_tokens(each) for each in overlap]
        for _ in range(200):
            text = "".join(dice.choice(LETTERS) for _ in range(dice.randint(0, 7)))
            is_of_both = left(text) and right(text)
            is_of_overlap = any(matches(text) for matches in shared)
            # A list that was cut takes in less, and never more.
            assert is_of_overlap == is_of_both or (is_of_both and len(overlap) == MAX_OVERLAPS), (
                first,
                other,
                text,
            )


def test_the_work_of_long_patterns_with_many_stars_has_a_limit() -> None:
    tokens = pattern_tokens(
        "arn:aws:s3:::b-" + "*".join(f"part{n:02}/of/a/long/key" for n in range(20)) + "*"
    )
    other = pattern_tokens("arn:aws:s3:::*" + "*".join(f"{n:02}/of" for n in range(20)) + "*")
    overlaps.cache_clear()
    assert calls_of(lambda: overlaps(tokens, other)) <= 60_000
    assert len(overlaps(tokens, other)) == MAX_OVERLAPS
