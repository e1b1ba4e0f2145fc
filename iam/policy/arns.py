"""Matches ARNs for the Resource element and, segment by segment, for the operators ArnLike and ArnEquals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

from iam.policy.glob import (
    ANY,
    ONE,
    ONE_WITHIN,
    WITHIN,
    Matcher,
    Token,
    any_of_texts,
    compile_glob,
    from_tokens,
    tokens,
)

S = TypeVar("S", bound=Sequence[Any])

SEGMENTS: Final = 6
START: Final = ("a", "r", "n", ":")
MANY_STARRED: Final = 4
"""Number of patterns from which it is faster to match them together."""


def is_incomplete(parts: Sequence[object]) -> bool:
    """Return True if a Resource pattern, as text or as tokens, is an ARN that lacks segments."""
    return tuple(parts[: len(START)]) == START and parts.count(":") < SEGMENTS - 1


def missing_segments(parts: Sequence[object]) -> list[Token]:
    """Return the tokens with which AWS completes an ARN: a wildcard for each missing segment.

    Source: "Identify AWS resources with Amazon Resource Names (ARNs)", limitations on wildcard usage.
    """
    return [":", ANY] * (SEGMENTS - 1 - parts.count(":"))


def resource_matcher(parts: Sequence[Token]) -> Matcher:
    """Return the matcher of one Resource pattern.

    A `*` at the end of a segment also matches colons; other wildcards stay within their segment. The last
    segment, the resource itself, can contain colons and slashes. Source: "IAM JSON policy elements:
    Resource".
    """
    return from_tokens(resource_tokens(parts))


def text_matcher(name: str) -> Matcher:
    """Return the matcher of a complete Resource pattern without variables."""
    return compile_glob(name) if _ends_segments(name) else resource_matcher(tokens(name))


def text_matchers(names: Sequence[str]) -> list[Matcher]:
    """Return matchers of complete Resource patterns without variables. If many of them have stars, they share
    one matcher.
    """
    starred = [name for name in names if "*" in name and "?" not in name and _ends_segments(name)]
    if len(starred) < MANY_STARRED:
        return [text_matcher(name) for name in names]
    together = set(starred)
    return [any_of_texts(starred), *(text_matcher(name) for name in names if name not in together)]


def _ends_segments(name: str) -> bool:
    """Return True if wildcards are only at the end of segments. Each of them then matches any characters, and
    the pattern needs no tokens.
    """
    head = name.split(":", SEGMENTS - 1)[: SEGMENTS - 1]
    return not any("?" in segment or "*" in segment[:-1] for segment in head)


def resource_tokens(parts: Sequence[Token]) -> list[Token]:
    """Return the pattern with the wildcards marked that stay within their segment."""
    segment_tokens: list[Token] = []
    segment = 1
    for place, part in enumerate(parts):
        if part == ":":
            segment += 1
        if segment == SEGMENTS:
            return [*segment_tokens, *parts[place:]]
        ends_segment = place + 1 == len(parts) or parts[place + 1] == ":"
        if part == ANY and not ends_segment:
            part = WITHIN
        elif part == ONE:
            part = ONE_WITHIN
        segment_tokens.append(part)
    return segment_tokens


def arn_like_text(pattern: str) -> Matcher:
    """Return the matcher `arn_like` of a text without variables."""
    segments = pattern.split(":", SEGMENTS - 1)
    if pattern == "*" or len(segments) < SEGMENTS:
        return arn_like(tokens(pattern))
    return _each(
        [(place, compile_glob(segment)) for place, segment in _by_length(segments) if segment != "*"]
    )


def arn_like(parts: Sequence[Token]) -> Matcher:
    """Return the matcher of ArnLike and ArnEquals, which behave the same: they compare each of the six
    segments separately.

    Source: "IAM JSON policy elements: Condition operators", Amazon Resource Name (ARN) condition operators.
    """
    if list(parts) == [ANY]:
        return lambda text: True
    segments = _segments(parts)
    if len(segments) < SEGMENTS:
        return lambda text: False
    return _each(
        [(place, from_tokens(segment)) for place, segment in _by_length(segments) if segment != [ANY]]
    )


def _by_length(segments: Sequence[S]) -> list[tuple[int, S]]:
    """Return the numbered segments, longest first, because the longest rules out the most texts."""
    return sorted(enumerate(segments), key=lambda numbered: -len(numbered[1]))


def _each(matchers: Sequence[tuple[int, Matcher]]) -> Matcher:
    """Return a matcher that compares the listed segments. Segments that match anything are not in
    the list.
    """

    def match(text: str) -> bool:
        parts = text.split(":", SEGMENTS - 1)
        if len(parts) != SEGMENTS:
            return False
        for place, matches in matchers:  # noqa: SIM110 - half the time of all() with a generator
            if not matches(parts[place]):
                return False
        return True

    return match


def _segments(parts: Sequence[Token]) -> list[list[Token]]:
    segments: list[list[Token]] = [[]]
    for part in parts:
        if part == ":" and len(segments) < SEGMENTS:
            segments.append([])
        else:
            segments[-1].append(part)
    return segments
