"""Compares two resource patterns: whether one covers the other, and whether they overlap.

For a question about a pattern (`arn:aws:s3:::prod-*`), a statement whose pattern covers it decides for all of
it; one that only overlaps decides for a part. The time is linear in the length of one pattern, with steps on
integers as wide as the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.policy.arns import resource_tokens
from iam.policy.glob import ANY, ONE, ONE_WITHIN, WITHIN, Token, tokens
from iam.policy.logic import NO, OPEN, YES

STARS: Final = frozenset({ANY, WITHIN})
SWAPPED: Final = {(ANY, ONE), (WITHIN, ONE_WITHIN)}
"""A star and a single-character wildcard whose order doesn't matter."""


def normal(parts: Sequence[Token]) -> list[Token]:
    """Normalize a pattern: `*?` becomes `?*`, and adjacent stars become one."""
    tokens_left: list[Token] = []
    for part in parts:
        last = tokens_left[-1] if tokens_left else ""
        if (last, part) in SWAPPED:
            tokens_left[-1:] = [part, last]
        elif part in STARS and last in STARS:
            tokens_left[-1] = ANY if ANY in (part, last) else WITHIN
        else:
            tokens_left.append(part)
    return tokens_left


class ResourcePattern:
    """A pattern as an automaton: positions between its characters are bits of an integer, and a star is a
    loop at a position.
    """

    __slots__ = (
        "_any", "_colons", "_goal", "_letters", "_ones", "_ones_within", "_within", "is_beginning",
        "is_everything", "parts", "start",
    )  # fmt: skip

    def __init__(self, parts: Sequence[Token]) -> None:
        """`parts` must distinguish stars that stay within a segment from other stars."""
        self.parts = normal(parts)
        self._any = self._within = self._ones = self._ones_within = self._colons = 0
        self._letters: dict[str, int] = {}
        bit = 1
        for part in self.parts:
            if part == ANY:
                self._any |= bit
            elif part == WITHIN:
                self._within |= bit
            else:
                self._step(part, bit)
                bit <<= 1
        self._goal = bit
        wild = next((place for place, part in enumerate(self.parts) if len(part) > 1), len(self.parts))
        self.start = "".join(self.parts[:wild])
        """The characters before the first wildcard."""
        self.is_beginning = self.parts[wild:] == [ANY]
        """True if the pattern is `start` followed by a single star."""
        self.is_everything = self.parts == [ANY]

    def _step(self, part: Token, bit: int) -> None:
        if part == ONE:
            self._ones |= bit
        elif part == ONE_WITHIN:
            self._ones_within |= bit
        else:
            self._letters[part] = self._letters.get(part, 0) | bit
            if part == ":":
                self._colons |= bit

    def takes_in(self, other: ResourcePattern) -> bool:
        """True if every text that matches the other pattern matches this one. Never wrongly True; can be
        wrongly False if `?` and stars mix.
        """
        if not other.start.startswith(self.start):
            return False
        state, loops = 1, self._any | self._within
        for part in other.parts:
            if part == ANY:
                state &= self._any
            elif part == WITHIN:
                state &= loops
            elif part == ONE:
                state = (state & self._ones) << 1 | state & self._any
            elif part == ONE_WITHIN:
                state = (state & (self._ones | self._ones_within)) << 1 | state & loops
            else:
                state = self._after(part, state)
            if not state:
                return False
        return bool(state & self._goal)

    def overlaps(self, other: ResourcePattern) -> bool:
        """True if some text matches both patterns."""
        if not (self.start.startswith(other.start) or other.start.startswith(self.start)):
            return False
        state, loops = 1, self._any | self._within
        for part in other.parts:
            if part == ANY:
                state = (self._goal << 1) - (state & -state)
            elif part == WITHIN:
                state = self._up_to_a_colon(state)
            elif part == ONE:
                state = (state & (self._goal - 1)) << 1 | state & loops
            elif part == ONE_WITHIN:
                state = (state & (self._goal - 1) & ~self._colons) << 1 | state & loops
            else:
                state = self._after(part, state)
            if not state:
                return False
        return bool(state & self._goal)

    def _after(self, letter: str, state: int) -> int:
        """The positions that a character leads to."""
        if letter == ":":
            return (state & (self._colons | self._ones)) << 1 | state & self._any
        steps = self._letters.get(letter, 0) | self._ones | self._ones_within
        return (state & steps) << 1 | state & (self._any | self._within)

    def _up_to_a_colon(self, state: int) -> int:
        """All positions reachable by characters other than a colon."""
        passable = self._goal - 1 & ~self._colons
        while True:
            further = state | (state & passable) << 1
            if further == state:
                return state
            state = further


def pattern_of(text: str) -> ResourcePattern:
    """Parse a pattern as a Resource element does."""
    return ResourcePattern(resource_tokens(tokens(text)))


def relation(statement: ResourcePattern, asked: ResourcePattern) -> int:
    """YES, OPEN or NO: whether a statement's pattern matches all, some or none of what the question asks
    about.
    """
    if statement.is_beginning and asked.start.startswith(statement.start):
        return YES
    if asked.is_everything:
        # A pattern other than a lone star matches a part of everything.
        return OPEN
    if statement.is_beginning and asked.is_beginning:
        return OPEN if statement.start.startswith(asked.start) else NO
    if statement.takes_in(asked):
        return YES
    return OPEN if statement.overlaps(asked) else NO
