"""Compiles wildcard patterns of the policy language to matchers that take linear time in the length of the
text, whatever the pattern.

`*` matches any characters, `?` matches one. Source: "IAM JSON policy elements: Resource",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final

Matcher = Callable[[str], bool]
Token = str
"""A single character or one of the wildcard marks below. The marks are longer than one character, so that a
character of a value is never taken for a wildcard.
"""

ANY: Final = "*any"
ONE: Final = "?one"
WITHIN: Final = "*within"
"""A `*` that stays within its segment of an ARN."""
ONE_WITHIN: Final = "?within"
"""A `?` that doesn't match a colon."""


def tokens(pattern: str) -> list[Token]:
    """Return the characters and wildcards of a pattern."""
    pattern_tokens: list[Token] = list(pattern)
    # A function call per letter would be slow: policies can have megabytes of them.
    for place, letter in enumerate(pattern):
        if letter == "*":
            pattern_tokens[place] = ANY
        elif letter == "?":
            pattern_tokens[place] = ONE
    return pattern_tokens


def compile_glob(pattern: str) -> Matcher:
    """Return a case-sensitive matcher of the whole text."""
    if "?" in pattern:
        return from_tokens(tokens(pattern))
    return _of_texts(pattern.split("*")) if "*" in pattern else pattern.__eq__


def from_tokens(parts: Sequence[Token]) -> Matcher:
    """Return the cheapest sufficient matcher: equality, a prefix, a suffix, pieces in order, or a state
    machine for the rest.
    """
    wild = {part for part in parts if len(part) > 1}
    if not wild:
        return "".join(parts).__eq__
    if wild <= {ONE, ONE_WITHIN}:
        return _of_fixed_length(parts)
    pieces = _split(parts)
    return _of_texts(["".join(piece) for piece in pieces]) if wild == {ANY} else _of_pieces(pieces)


def _of_fixed_length(parts: Sequence[Token]) -> Matcher:
    """Return a matcher of a fixed length: letters at their places and any characters elsewhere. It is cheaper
    to build than a regular expression.
    """
    size = len(parts)
    within = tuple(place for place, part in enumerate(parts) if part == ONE_WITHIN)
    texts: list[tuple[int, str]] = []
    begins = 0
    for place, part in enumerate((*parts, ONE)):
        if len(part) > 1:
            if begins < place:
                texts.append((begins, "".join(parts[begins:place])))
            begins = place + 1
    pieces = tuple(texts)

    def match(text: str) -> bool:
        if len(text) != size:
            return False
        for place, letters in pieces:
            if not text.startswith(letters, place):
                return False
        return ":" not in [text[place] for place in within]

    return match


def _split(parts: Sequence[Token]) -> list[list[Token]]:
    """Return the pieces between stars. The first or last piece is empty if the pattern begins or ends with a
    star.
    """
    pieces: list[list[Token]] = [[]]
    for part in parts:
        if part == ANY:
            pieces.append([])
        else:
            pieces[-1].append(part)
    return pieces


def _of_texts(pieces: list[str]) -> Matcher:
    """Match each piece at its leftmost place after the previous one. This is correct because a star matches
    anything.
    """
    first, *middle, last = pieces
    middle = [piece for piece in middle if piece]
    if not middle and not last:
        return (lambda text: True) if not first else (lambda text: text.startswith(first))
    if not middle:
        least = len(first) + len(last)
        return lambda text: len(text) >= least and text.startswith(first) and text.endswith(last)
    size = len(last)

    def match(text: str) -> bool:
        if not (text.startswith(first) and text.endswith(last)):
            return False
        at, end = len(first), len(text) - size
        for piece in middle:
            start = text.find(piece, at, end)
            if start < 0:
                return False
            at = start + len(piece)
        return at <= end

    return match


@dataclass(slots=True)
class _CommonPieces:
    """Patterns that begin with the same pieces: the endings of those that end here, and the next pieces of
    the others.
    """

    lasts: list[str] = field(default_factory=list)
    further: dict[str, _CommonPieces] = field(default_factory=dict)


def any_of_texts(patterns: Sequence[str]) -> Matcher:
    """Return a matcher that passes if any of the patterns does. They have stars and no question marks. A
    beginning that patterns share is searched once.
    """
    beginnings: dict[str, _CommonPieces] = {}
    for pattern in patterns:
        first, *middle, last = pattern.split("*")
        common = beginnings.setdefault(first, _CommonPieces())
        for piece in filter(None, middle):
            common = common.further.setdefault(piece, _CommonPieces())
        common.lasts.append(last)

    def match(text: str) -> bool:
        size = len(text)
        waiting = [(each, len(first)) for first, each in beginnings.items() if text.startswith(first)]
        while waiting:
            common, at = waiting.pop()
            for last in common.lasts:
                if text.endswith(last) and at <= size - len(last):
                    return True
            for piece, further in common.further.items():
                start = text.find(piece, at)
                if start >= 0:
                    waiting.append((further, start + len(piece)))
        return False

    return match


@dataclass(frozen=True, slots=True)
class _Piece:
    """The tokens between two stars, as a bit-parallel state machine: each bit of the state is a place, and
    each character advances all places at once.

    `letters` are the places that a given character passes, `ones` those that any character passes, and
    `ones_within` those that any character except a colon passes; `loops` are places that stay until a colon
    comes.
    """

    size: int
    letters: dict[str, int]
    ones: int
    ones_within: int
    loops: int

    def step(self, state: int, letter: str) -> int:
        """Return the places after another character."""
        passed = self.letters.get(letter, 0) | self.ones
        if letter == ":":
            return (state & passed) << 1
        return (state & (passed | self.ones_within)) << 1 | state & self.loops

    def end(self, text: str, at: int, *, anchored: bool) -> int:
        """Return the earliest end of the piece if it begins at `at` or, unless anchored, later. Return -1 if
        it doesn't match.
        """
        if not self.size:
            return at
        goal, again = 1 << self.size, 0 if anchored else 1
        state = 1
        for place in range(at, len(text)):
            state = self.step(state, text[place]) | again
            if state & goal:
                return place + 1
            if not state:
                return -1
        return -1

    def ends(self, text: str, at: int, *, anchored: bool) -> bool:
        """Return True if the piece matches up to the end of the text."""
        state, again = 1, 0 if anchored else 1
        if not anchored and not self.loops:
            # A piece without stars has a fixed length.
            at, again = max(at, len(text) - self.size), 0
        for place in range(at, len(text)):
            state = self.step(state, text[place]) | again
            if not state:
                return False
        return bool(state >> self.size & 1)


def _piece(parts: Sequence[Token]) -> _Piece:
    letters: dict[str, int] = {}
    ones = ones_within = loops = place = 0
    for part in parts:
        bit = 1 << place
        if part == WITHIN:
            loops |= bit
            continue
        place += 1
        if part == ONE:
            ones |= bit
        elif part == ONE_WITHIN:
            ones_within |= bit
        else:
            letters[part] = letters.get(part, 0) | bit
    return _Piece(place, letters, ones, ones_within, loops)


def _of_pieces(sources: list[list[Token]]) -> Matcher:
    """Match each piece at its earliest end, because the star after it matches the rest. The last piece must
    match at the end of the text.
    """
    start = "".join(takewhile(lambda part: len(part) == 1, sources[0]))
    made: list[_Piece] = []

    def match(text: str) -> bool:
        if not text.startswith(start):
            return False
        if not made:
            made.extend([_piece(source) for source in sources])
        if len(made) == 1:
            return made[0].ends(text, 0, anchored=True)
        first, *middle, last = made
        at = first.end(text, 0, anchored=True)
        for piece in middle:
            if at < 0:
                return False
            at = piece.end(text, at, anchored=False)
        return at >= 0 and last.ends(text, at, anchored=False)

    return match
