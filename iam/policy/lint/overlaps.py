"""Tests whether a policy's pattern can match a resource type, whose ARN AWS defines with placeholders.

Both are patterns, and the question is whether some ARN matches both. All places of the policy's pattern are
advanced at once, as bits of a number, through the parts of the type's ARN.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from iam.policy.glob import ANY, ONE
from iam.policy.variables import PolicyVariable, read

PLACEHOLDER: Final = re.compile(r"\$\{([^}]*)\}|(\*)")
SEGMENTS: Final = 6
MAX_LENGTH: Final = 2048
WITHOUT_SLASH: Final = frozenset(
    {
        "AccessPointName",
        "BucketName",
        "ClusterName",
        "GlobalTableName",
        "InstanceId",
        "KeyId",
        "QueueName",
        "RestApiId",
        "TableName",
        "TopicName",
        "VolumeId",
    }
)
"""Placeholders for names that can contain neither a slash nor a colon. Others can."""


@dataclass(frozen=True, slots=True)
class PatternGap:
    """A placeholder: it matches any characters except `but`, and can be empty if `may_be_empty`."""

    but: str = ""
    may_be_empty: bool = False


@dataclass(frozen=True, slots=True)
class _Pattern:
    """Bits by what follows a place of the pattern: a letter, any letter, or a star."""

    letters: dict[str, int]
    ones: int
    loops: int
    goal: int

    def after(self, state: int, letter: str) -> int:
        return (state & (self.letters.get(letter, 0) | self.ones)) << 1 | state & self.loops

    def across(self, state: int, gap: PatternGap) -> int:
        """Return all places that can be reached by letters that the gap allows."""
        barred = 0
        for letter in gap.but:
            barred |= self.letters.get(letter, 0)
        passable = ~barred & self.goal - 1
        begun = state if gap.may_be_empty else (state & passable) << 1 | state & self.loops
        # The carry of the addition runs from each place to the end of the range that can be passed from
        # there.
        return begun | (passable + (begun & passable)) ^ passable


@lru_cache(maxsize=1024)
def _pattern(text: str, has_variables: bool) -> _Pattern:
    letters: dict[str, int] = {}
    ones = loops = place = 0
    for part in read(text, has_variables=has_variables).parts:
        bit = 1 << place
        if part == ANY or isinstance(part, PolicyVariable):
            loops |= bit
            continue
        place += 1
        if part == ONE:
            ones |= bit
        else:
            letters[part] = letters.get(part, 0) | bit
    return _Pattern(letters, ones, loops, 1 << place)


@lru_cache(maxsize=4096)
def _parts(arn: str) -> tuple[str | PatternGap, ...]:
    return tuple(_split(arn))


def _split(arn: str) -> Iterator[str | PatternGap]:
    at, colons = 0, 0
    for match in PLACEHOLDER.finditer(arn):
        yield from arn[at : match.start()]
        colons += arn.count(":", at, match.start())
        at = match.end()
        if colons < SEGMENTS - 1:
            yield PatternGap(":")
        elif match.group(1) in WITHOUT_SLASH:
            yield PatternGap(":/")
        else:
            yield PatternGap("", may_be_empty=True)
    yield from arn[at:]


@lru_cache(maxsize=16_384)
def can_mean(text: str, arn: str, *, has_variables: bool) -> bool:
    """Return True if some ARN matches both the pattern of a Resource element and the ARN format of a resource
    type.

    A pattern longer than any ARN isn't checked and counts as matching.
    """
    if len(text) > MAX_LENGTH:
        return True
    pattern = _pattern(text, has_variables)
    state = 1
    for part in _parts(arn):
        state = pattern.across(state, part) if isinstance(part, PatternGap) else pattern.after(state, part)
        if not state:
            return False
    return bool(state & pattern.goal)
