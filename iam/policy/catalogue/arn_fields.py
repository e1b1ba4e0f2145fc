"""The fields of an ARN, by the pattern that AWS gives for its resource type. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

FIELD: Final = re.compile(r"\$\{([^}]*)\}")
PARTITION, ACCOUNT, REGION = "Partition", "Account", "Region"
SEGMENTS: Final = 6
MAX_ARN_LENGTH: Final = 1024


@lru_cache(maxsize=2048)
def pieces(pattern: str) -> tuple[tuple[str, str], ...]:
    """(fixed text, the field that follows it) of a pattern; the last field is "" where text ends it."""
    parts: list[tuple[str, str]] = []
    at = 0
    for match in FIELD.finditer(pattern):
        parts.append((pattern[at : match.start()], match[1]))
        at = match.end()
    if at < len(pattern):
        parts.append((pattern[at:], ""))
    return tuple(parts)


def values_of(arn: str, pattern: str) -> dict[str, str] | None:
    """The value of each field in an ARN of a policy, the partition too; None if the ARN does not have this
    form.
    """
    match = _reader(pattern).fullmatch(arn[:MAX_ARN_LENGTH])
    if match is None or any(not value for value in match.groups()):
        return None
    names = [name for _, name in pieces(pattern) if name]
    pairs = list(zip(names, match.groups(), strict=True))
    values = dict(pairs)
    if any(values[name] != value for name, value in pairs):
        return None
    return values


@lru_cache(maxsize=2048)
def _reader(pattern: str) -> re.Pattern[str]:
    """Fields of a segment end at its colon; in the resource, all but the last end at the next fixed text and
    hold no slash.
    """
    parts, before = pieces(pattern), ""
    text = ""
    names = [name for _, name in parts if name]
    for number, (fixed, name) in enumerate(parts):
        before += fixed
        text += re.escape(fixed)
        if not name:
            continue
        is_last = number == len(parts) - 1
        in_resource = before.count(":") >= SEGMENTS - 1
        if not in_resource:
            text += "([^:]*)"
        elif is_last and len(names) > 1:
            text += "(.*)"
        else:
            text += "([^:/]*)"
    return re.compile(text, re.DOTALL)
