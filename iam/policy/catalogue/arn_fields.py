"""Parses the fields of an ARN by AWS's ARN format of its resource type. Without side effects."""

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
    """Return (fixed text, the field that follows it) for each part of a format. The last field is "" if the
    format ends with text.
    """
    parts: list[tuple[str, str]] = []
    at = 0
    for match in FIELD.finditer(pattern):
        parts.append((pattern[at : match.start()], match[1]))
        at = match.end()
    if at < len(pattern):
        parts.append((pattern[at:], ""))
    return tuple(parts)


def values_of(arn: str, pattern: str) -> dict[str, str] | None:
    """Return the value of each field in a policy's ARN, including the partition, or None if the ARN doesn't
    have this format.
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
    """Return the regular expression of a format. Fields of a segment end at its colon; in the resource, all
    but the last end at the next fixed text and contain no slash.
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
