"""How ARNs are matched: by the Resource element, and segment by segment by the operators ArnLike and ArnEquals."""

from __future__ import annotations

from collections.abc import Sequence

from iam.policy.glob import ANY, WITHIN, Matcher, Token, from_tokens

SEGMENTS = 6


def resource_matcher(parts: Sequence[Token]) -> Matcher:
    """The matcher of one pattern of a Resource element.

    A `*` that ends a segment may go on beyond colons, one within a segment may not; the last segment, the resource
    itself, is one, whatever colons or slashes it has. Source: "IAM JSON policy elements: Resource".
    """
    return from_tokens(resource_tokens(parts))


def resource_tokens(parts: Sequence[Token]) -> list[Token]:
    """The pattern with the stars marked that stay within their segment."""
    found: list[Token] = []
    segment = 1
    for place, part in enumerate(parts):
        if part == ":":
            segment += 1
        ends_segment = place + 1 == len(parts) or parts[place + 1] == ":"
        is_bound = part == ANY and segment < SEGMENTS and not ends_segment
        found.append(WITHIN if is_bound else part)
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
    matchers = [from_tokens(segment) for segment in segments]

    def match(text: str) -> bool:
        found = text.split(":", SEGMENTS - 1)
        return len(found) == SEGMENTS and all(
            matches(part) for matches, part in zip(matchers, found, strict=True)
        )

    return match


def _segments(parts: Sequence[Token]) -> list[list[Token]]:
    segments: list[list[Token]] = [[]]
    for part in parts:
        if part == ":" and len(segments) < SEGMENTS:
            segments.append([])
        else:
            segments[-1].append(part)
    return segments
