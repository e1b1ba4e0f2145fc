"""Checks values of condition keys."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.web.middleware import parse_moment
from iam.activity.key_addresses import is_ip
from iam.policy.catalogue import ConditionKey, KeyType

EXPECTED = {
    KeyType.BOOL: "true or false",
    KeyType.NUMERIC: "a number",
    KeyType.DATE: "a time such as 2026-11-24T14:05:00Z, or seconds since 1970",
    KeyType.IP: "one IP address",
    KeyType.ARN: "an ARN",
}
PREVIEW_LENGTH = 80


def doubt_about(record: ConditionKey, key: str, values: Sequence[str]) -> Iterator[str]:
    """Yield a warning for each suspicious value of a key that AWS lists."""
    if len(values) > 1 and not record.is_multivalued:
        yield f"{key} has a single value in a request, not {len(values)}."
    for value in values:
        if not _fits(record.type, value):
            yield f"“{value[:PREVIEW_LENGTH]}” isn’t valid for {key}. It takes {EXPECTED[record.type]}."


def _fits(kind: KeyType, value: str) -> bool:
    if kind is KeyType.BOOL:
        return value.lower() in {"true", "false"}
    if kind is KeyType.NUMERIC:
        return _is_number(value)
    if kind is KeyType.DATE:
        return parse_moment(value) is not None or _is_number(value)
    if kind is KeyType.IP:
        return is_ip(value)
    return kind is not KeyType.ARN or (value.startswith("arn:") and value.count(":") >= 5)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
