"""The overlap of two resource patterns, as patterns: that of `docs/*` and `*/2026` is `docs/*/2026` and
`docs/2026`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from iam.policy.glob import ANY, ONE, ONE_WITHIN, WITHIN, Matcher, Token, from_tokens
from iam.policy.index.patterns import STARS, normal

Tokens = tuple[Token, ...]
MAX_OVERLAPS: Final = 6
"""The maximum number of overlaps. Patterns with many stars overlap in very many ways; in practice the first
ones cover the others.
"""
STEPS: Final = 20_000


@lru_cache(maxsize=16384)
def overlaps(tokens: Tokens, other: Tokens) -> tuple[Tokens, ...]:
    """Patterns that together match exactly the texts that match both, the most general first; at most
    `MAX_OVERLAPS`.
    """
    if tokens == other:
        return (tokens,)
    for left, right in ((tokens, other), (other, tokens)):
        if is_literal(left):
            return (left,) if matcher_of(right)("".join(left)) else ()
        if left[-1] == ANY and is_literal(left[:-1]) and right[: len(left) - 1] == left[:-1]:
            return (right,)
    shared = _shared(tokens, other)
    patterns: dict[Tokens, None] = {}
    for tail in islice(_ways(tokens[shared:], other[shared:]), MAX_OVERLAPS * 3):
        patterns[(*tokens[:shared], *normal(tail))] = None
        if len(patterns) >= MAX_OVERLAPS:
            break
    return tuple(patterns)


def is_literal(pattern: Tokens) -> bool:
    """True if the pattern has no wildcard."""
    return all(len(part) == 1 for part in pattern)


@lru_cache(maxsize=4096)
def matcher_of(pattern: Tokens) -> Matcher:
    """A function that tells whether a text matches the pattern."""
    return from_tokens(pattern)


def _shared(tokens: Tokens, other: Tokens) -> int:
    """The number of characters that both begin with."""
    shared = 0
    for left, right in zip(tokens, other, strict=False):
        if left != right or len(left) > 1:
            break
        shared += 1
    return shared


class TokenChain(NamedTuple):
    """The output so far as a linked list, from its end."""

    part: Tokens
    before: TokenChain | None


def _ways(tokens: Tokens, other: Tokens) -> Iterator[list[Token]]:
    """Search depth first over pairs of positions in the two patterns, with the output so far as a chain."""
    steps = _steps(tokens, other)
    if steps is None:
        return
    end = (len(tokens), len(other))
    stack: list[tuple[Spot, TokenChain | None]] = [((0, 0), None)]
    taken = 0
    while stack and taken < STEPS:
        taken += 1
        spot, chain = stack.pop()
        if spot == end:
            yield _unchained(chain)
            continue
        for following, part in reversed(steps[spot]):
            stack.append((following, TokenChain(part, chain) if part else chain))


def _unchained(chain: TokenChain | None) -> list[Token]:
    parts: list[Tokens] = []
    while chain is not None:
        parts.append(chain.part)
        chain = chain.before
    unchained: list[Token] = []
    for part in reversed(parts):
        unchained += part
    return unchained


Spot = tuple[int, int]
"""A position in the first pattern and one in the second."""
Move = tuple[int, int, Tokens]
"""The steps in the first and in the second pattern, and the output."""
Steps = dict[Spot, list[tuple[Spot, Tokens]]]


class IndexedPattern:
    """A pattern with, for each position, the end of the literal run that begins there."""

    __slots__ = ("ends", "parts", "size", "text")

    def __init__(self, parts: Tokens) -> None:
        self.parts, self.size = parts, len(parts)
        letters = []
        for part in parts:
            letter = part if len(part) == 1 else " "
            letters.append(letter)
        self.text = "".join(letters)
        ends = [self.size] * (self.size + 1)
        for place in range(self.size - 1, -1, -1):
            ends[place] = ends[place + 1] if len(parts[place]) == 1 else place
        self.ends = ends


_written = lru_cache(maxsize=16384)(IndexedPattern)


def _moves(written: IndexedPattern, other: IndexedPattern, i: int, j: int) -> list[Move]:
    """The possible steps; for a star, the longest first. Literal runs are matched in one step."""
    left = written.parts[i] if i < written.size else None
    right = other.parts[j] if j < other.size else None
    if left is not None and right is not None and len(left) == len(right) == 1:
        length = min(written.ends[i] - i, other.ends[j] - j)
        if written.text[i : i + length] != other.text[j : j + length]:
            return []
        return [(length, length, written.parts[i : i + length])]
    if left in STARS and right in STARS:
        star = WITHIN if WITHIN in (left, right) else ANY
        return [(1, 0, (star,)), (0, 1, (star,))]
    if left in STARS:
        return list(_taken(written, i, other, j))
    if right in STARS:
        return [(takes, goes, part) for goes, takes, part in _taken(other, j, written, i)]
    if left is None or right is None:
        return []
    both = _both(left, right)
    return [(1, 1, (both,))] if both else []


def _taken(starred: IndexedPattern, i: int, other: IndexedPattern, j: int) -> Iterator[Move]:
    """The steps in which a star matches a part of the other pattern, which has no star there: the whole
    literal run, or its beginnings after which the star can end.
    """
    star = starred.parts[i]
    if j == other.size:
        yield 1, 0, ()
        return
    if other.ends[j] == j:
        if taken := _within(other.parts[j], star):
            yield 0, 1, (taken,)
        yield 1, 0, ()
        return
    letters = other.text[j : other.ends[j]]
    most = letters.find(":") if star == WITHIN else -1
    if most < 0:
        most = len(letters)
        yield 0, most, other.parts[j : j + most]
    follows = starred.text[i + 1 : starred.ends[i + 1]] if i + 1 < starred.size else ""
    for size in range(min(most, len(letters) - 1), -1, -1):
        if follows and letters[size] != follows[0]:
            continue
        if i + 1 == starred.size:
            return
        yield 1, size, other.parts[j : j + size]


def _within(part: Token, star: Token | None) -> Token:
    """The result of a star matching a character or single-character wildcard; "" if it can't."""
    if star == ANY:
        return part
    if part == ":":
        return ""
    return ONE_WITHIN if part == ONE else part


def _both(left: Token, right: Token) -> Token:
    """The overlap of two characters or single-character wildcards; "" for none."""
    if left == right:
        return left
    singles = (ONE, ONE_WITHIN)
    if left in singles and right in singles:
        return ONE_WITHIN
    if left in singles:
        return "" if left == ONE_WITHIN and right == ":" else right
    if right in singles:
        return "" if right == ONE_WITHIN and left == ":" else left
    return ""


def _steps(tokens: Tokens, other: Tokens) -> Steps | None:
    """For each reachable spot, the steps that can lead to both ends; None if none can.

    Only reachable spots are visited. Most aren't reachable, since the characters before them differ.
    """
    left, right = _written(tokens), _written(other)
    end = (left.size, right.size)
    steps: Steps = {}
    waiting: list[Spot] = [(0, 0)]
    while waiting:
        spot = waiting.pop()
        if spot in steps:
            continue
        i, j = spot
        following = [((i + di, j + dj), part) for di, dj, part in _moves(left, right, i, j)]
        steps[spot] = following
        waiting += [reached for reached, _ in following]
    if end not in steps:
        return None
    alive = {end}
    for spot in sorted(steps, key=sum, reverse=True):
        steps[spot] = [step for step in steps[spot] if step[0] in alive]
        if steps[spot]:
            alive.add(spot)
    return steps


def may_overlap(tokens: Tokens, other: Tokens) -> bool:
    """False if the characters before the first wildcards rule out a common text. A quick check before
    `overlaps`.
    """
    for left, right in zip(tokens, other, strict=False):
        if len(left) > 1 or len(right) > 1:
            return True
        if left != right:
            return False
    longer, shorter = (tokens, other) if len(tokens) > len(other) else (other, tokens)
    return len(tokens) == len(other) or len(longer[len(shorter)]) > 1
