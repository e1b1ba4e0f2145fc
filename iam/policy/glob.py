"""Wildcard patterns of the policy language, compiled to matchers whose time is linear in the text, whatever the pattern.

`*` stands for any characters, `?` for one. Source: "IAM JSON policy elements: Resource",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

Matcher = Callable[[str], bool]
Token = str
"""One character, or one of the two marks below; so that a character of a value is never taken for a wildcard."""

ANY: Final = "*any"
ONE: Final = "?one"
WITHIN: Final = "*within"
"""A `*` that stays within its segment of an ARN."""


def tokens(pattern: str) -> list[Token]:
    """The characters and wildcards of a pattern."""
    return [ANY if c == "*" else ONE if c == "?" else c for c in pattern]


def compile_glob(pattern: str) -> Matcher:
    """A matcher of the whole text, telling upper and lower case apart."""
    return from_tokens(tokens(pattern))


def from_tokens(parts: Sequence[Token]) -> Matcher:
    """The cheapest matcher that does: equality, a beginning, an end, pieces in their order, or states for the rest."""
    wild = {part for part in parts if len(part) > 1}
    if not wild:
        return "".join(parts).__eq__
    if wild == {ONE}:
        return _of_fixed_length(parts)
    return _of_pieces(_split(parts)) if wild == {ANY} else _of_states(parts)


def _of_fixed_length(parts: Sequence[Token]) -> Matcher:
    source = "".join("." if part == ONE else re.escape(part) for part in parts)
    found = re.compile(source, re.DOTALL).fullmatch
    return lambda text: found(text) is not None


def _split(parts: Sequence[Token]) -> list[str]:
    """The literal pieces between the stars; the first and the last are empty where a star begins or ends the pattern."""
    pieces: list[list[str]] = [[]]
    for part in parts:
        if part == ANY:
            pieces.append([])
        else:
            pieces[-1].append(part)
    return ["".join(piece) for piece in pieces]


def _of_pieces(pieces: list[str]) -> Matcher:
    """Each piece at its leftmost place after the one before, which is right because a star takes anything."""
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
            found = text.find(piece, at, end)
            if found < 0:
                return False
            at = found + len(piece)
        return at <= end

    return match


def _of_states(parts: Sequence[Token]) -> Matcher:
    """All places of the pattern at once, as bits of one number: a step for each character of the text."""
    any_loops, within_loops, ones, place = 0, 0, 0, 0
    letters: dict[str, int] = {}
    for part in parts:
        bit = 1 << place
        if part == ANY:
            any_loops |= bit
        elif part == WITHIN:
            within_loops |= bit
        else:
            place += 1
            if part == ONE:
                ones |= bit
            else:
                letters[part] = letters.get(part, 0) | bit
    goal, loops = 1 << place, any_loops | within_loops

    def match(text: str) -> bool:
        state = 1
        for letter in text:
            stay = any_loops if letter == ":" else loops
            state = (state & (letters.get(letter, 0) | ones)) << 1 | state & stay
            if not state:
                return False
        return bool(state & goal)

    return match
