"""How ARNs are matched: by the Resource element, and segment by segment by the operators ArnLike and ArnEquals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.policy.glob import ANY, ONE, ONE_WITHIN, WITHIN, Matcher, Token, from_tokens

SEGMENTS: Final = 6
START: Final = ("a", "r", "n", ":")


def is_incomplete(parts: Sequence[object]) -> bool:
    """Whether a pattern of a Resource element, as text or as tokens, is an ARN that lacks segments."""
    return tuple(parts[: len(START)]) == START and parts.count(":") < SEGMENTS - 1


def missing_segments(parts: Sequence[object]) -> list[Token]:
    """What AWS puts after an incomplete ARN: anything in each segment that is missing.

    Source: "Identify AWS resources with Amazon Resource Names (ARNs)", limitations on wildcard usage.
    """
    return [":", ANY] * (SEGMENTS - 1 - parts.count(":"))


def resource_matcher(parts: Sequence[Token]) -> Matcher:
    """The matcher of one pattern of a Resource element.

    A `*` that ends a segment may go on beyond colons, other wildcards stay in theirs; the last segment, the resource
    itself, is one, whatever colons or slashes it has. Source: "IAM JSON policy elements: Resource".
    """
    return from_tokens(resource_tokens(parts))


def resource_tokens(parts: Sequence[Token]) -> list[Token]:
    """The pattern with the wildcards marked that stay within their segment."""
    found: list[Token] = []
    segment = 1
    for place, part in enumerate(parts):
        if part == ":":
            segment += 1
        if segment == SEGMENTS:
            return [*found, *parts[place:]]
        ends_segment = place + 1 == len(parts) or parts[place + 1] == ":"
        if part == ANY and not ends_segment:
            part = WITHIN
        found.append(ONE_WITHIN if part == ONE else part)
    return found


def arn_like(parts: Sequence[Token]) -> Matcher:
    """The matcher of ArnLike and ArnEquals, which are the same: each of the six segments by itself.

    Source: "IAM JSON policy elements: Condition operators", Amazon Resource Name (ARN) condition operators.
    """
    if list(parts) == [ANY]:
        return lambda text: True
    segments = _segments(parts)
    if len(segments) < SEGMENTS:
        return lambda text: False
    # A segment that takes anything is not asked, and the longest is asked first: it tells the most apart.
    asked = [(place, segment) for place, segment in enumerate(segments) if segment != [ANY]]
    asked.sort(key=lambda one: -len(one[1]))
    matchers = tuple((place, from_tokens(segment)) for place, segment in asked)

    def match(text: str) -> bool:
        found = text.split(":", SEGMENTS - 1)
        if len(found) != SEGMENTS:
            return False
        for place, matches in matchers:  # noqa: SIM110 - half the time of all() with a generator
            if not matches(found[place]):
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
