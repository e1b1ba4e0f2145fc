"""The condition operators: each compares a value of the request with a value of the policy.

Source: "IAM JSON policy elements: Condition operators",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import operator
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address, ip_network

from iam.policy.arns import arn_like, arn_like_text
from iam.policy.glob import ANY, ONE, Matcher, Token, compile_glob, from_tokens
from iam.policy.letter_case import fold

Reader = Callable[[str], "Decimal | None"]
Maker = Callable[[Sequence[Token]], Matcher]
NUMBER = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?\s*", re.ASCII)
W3C = re.compile(
    r"[0-9]{4}(-[0-9]{2}(-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:?[0-9]{2})?)?)?)?"
)
"""The date formats of https://www.w3.org/TR/NOTE-datetime. A time without a zone is also accepted."""
FIRST = "0000-01-01"
LATEST = 10**15
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CIDR = re.compile(r"\s*[0-9A-Fa-f:.]+(/[0-9]{1,3})?\s*", re.ASCII)
REMEMBERED = 200
"""Longer texts are not cached, so that the cache stays small."""
PLAIN = {ANY: "*", ONE: "?"}


@dataclass(frozen=True, slots=True)
class ConditionOperator:
    """A condition operator. `make` returns the matcher of a policy value; `is_negated` requires that no value
    matches.

    `is_text` means that variables in the values are replaced. Source: "IAM policy elements: Variables and
    tags", Condition element.
    """

    name: str
    make: Maker
    is_text: bool
    is_negated: bool = False
    make_of_text: Callable[[str], Matcher] | None = None
    """The same for a text without variables, for operators in which `*` and `?` are wildcards. If None,
    `make` takes the text itself.
    """

    def of_text(self, value: str) -> Matcher:
        """Return the matcher of a value without variables."""
        return self.make(value) if self.make_of_text is None else self.make_of_text(value)


def plain(parts: Sequence[Token]) -> str:
    """Return the text of tokens, with wildcards as ordinary characters. A text is returned unchanged."""
    if isinstance(parts, str):
        return parts
    return "".join(PLAIN.get(part, part) for part in parts)


def _never(text: str) -> bool:
    return False


def _equals(parts: Sequence[Token]) -> Matcher:
    return plain(parts).__eq__


def _equals_ignoring_case(parts: Sequence[Token]) -> Matcher:
    wanted = fold(plain(parts))
    return lambda text: fold(text) == wanted


def number_of(text: str) -> Decimal | None:
    """Parse an exact number of any size. Returns None if the text isn't a number."""
    return _number(text) if len(text) <= REMEMBERED else _number.__wrapped__(text)


@lru_cache(maxsize=4096)
def _number(text: str) -> Decimal | None:
    return None if NUMBER.fullmatch(text) is None else Decimal(text.strip())


def moment_of(text: str) -> Decimal | None:
    """Parse a W3C date or a number of seconds, and return the seconds since 1970. Returns None for any other
    text.

    Four digits are a W3C year, because no one writes such small numbers of seconds. Dates without a zone are
    UTC.
    """
    return _moment(text.strip()) if len(text) <= REMEMBERED else None


@lru_cache(maxsize=4096)
def _moment(text: str) -> Decimal | None:
    if W3C.fullmatch(text) is None:
        seconds = _number(text)
        return seconds if seconds is not None and -LATEST < seconds < LATEST else None
    try:
        moment = datetime.fromisoformat(text + FIRST[len(text) :])
    except ValueError:
        return None
    passed = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - EPOCH
    return passed.days * 86400 + passed.seconds + Decimal(passed.microseconds) / 1_000_000


def _compared(read: Reader, compare: Callable[[Decimal, Decimal], bool]) -> Maker:
    def make(parts: Sequence[Token]) -> Matcher:
        wanted = read(plain(parts))
        if wanted is None:
            return _never
        limit = wanted

        def match(text: str) -> bool:
            number = read(text)
            return number is not None and compare(number, limit)

        return match

    return make


def _bool(parts: Sequence[Token]) -> Matcher:
    wanted = fold(plain(parts))
    return (lambda text: fold(text) == wanted) if wanted in {"true", "false"} else _never


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _binary(parts: Sequence[Token]) -> Matcher:
    wanted = _bytes(plain(parts))
    return _never if wanted is None else lambda text: _bytes(text) == wanted


Range = tuple[int, int, int]
"""The IP version, and the lowest and highest address as numbers."""


def range_of(text: str) -> Range | None:
    """Parse an IP address or a CIDR range. Returns None for any other text."""
    return _range(text) if len(text) <= REMEMBERED else None


@lru_cache(maxsize=4096)
def _range(text: str) -> Range | None:
    if (match := PLAIN_RANGE.fullmatch(text)) is not None:
        return _plain_range(match)
    with suppress(ValueError):
        address = ip_address(text)
        return address.version, int(address), int(address)
    if CIDR.fullmatch(text):
        with suppress(ValueError):
            network = ip_network(text.strip(), strict=False)
            return network.version, int(network[0]), int(network[-1])
    return None


OCTET = "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
PLAIN_RANGE = re.compile(rf"{OCTET}\.{OCTET}\.{OCTET}\.{OCTET}(?:/(3[0-2]|[12]?[0-9]))?", re.ASCII)


def _plain_range(match: re.Match[str]) -> Range:
    """Parse an IPv4 address or range in its usual form. The library takes ten times as long."""
    first, second, third, fourth = (int(octet) for octet in match.groups()[:4])
    number = first << 24 | second << 16 | third << 8 | fourth
    inside = (1 << 32 - int(match[5] or 32)) - 1
    return 4, number & ~inside, number | inside


def _ip(parts: Sequence[Token]) -> Matcher:
    wanted = range_of(plain(parts))
    return _never if wanted is None else _within(wanted)


@lru_cache(maxsize=4096)
def _within(wanted: Range) -> Matcher:
    version, low, high = wanted

    def match(text: str) -> bool:
        value_range = range_of(text)
        return (
            value_range is not None
            and value_range[0] == version
            and low <= value_range[1]
            and value_range[2] <= high
        )

    return match


def _pair(
    name: str,
    opposite: str,
    make: Maker,
    *,
    is_text: bool,
    make_of_text: Callable[[str], Matcher] | None = None,
) -> list[ConditionOperator]:
    return [
        ConditionOperator(name, make, is_text=is_text, make_of_text=make_of_text),
        ConditionOperator(opposite, make, is_text=is_text, is_negated=True, make_of_text=make_of_text),
    ]


def _ordered(prefix: str, read: Reader) -> list[ConditionOperator]:
    equal = _compared(read, operator.eq)
    return [
        *_pair(f"{prefix}Equals", f"{prefix}NotEquals", equal, is_text=False),
        ConditionOperator(f"{prefix}LessThan", _compared(read, operator.lt), is_text=False),
        ConditionOperator(f"{prefix}LessThanEquals", _compared(read, operator.le), is_text=False),
        ConditionOperator(f"{prefix}GreaterThan", _compared(read, operator.gt), is_text=False),
        ConditionOperator(f"{prefix}GreaterThanEquals", _compared(read, operator.ge), is_text=False),
    ]


def table() -> dict[str, ConditionOperator]:
    """Return all operators by their names in lower case. Null isn't included, because it compares nothing."""
    every_operator = (
        *_pair("StringEquals", "StringNotEquals", _equals, is_text=True),
        *_pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _equals_ignoring_case, is_text=True),
        *_pair("StringLike", "StringNotLike", from_tokens, is_text=True, make_of_text=compile_glob),
        *_ordered("Numeric", number_of),
        *_ordered("Date", moment_of),
        ConditionOperator("Bool", _bool, is_text=False),
        ConditionOperator("BinaryEquals", _binary, is_text=False),
        *_pair("IpAddress", "NotIpAddress", _ip, is_text=False),
        *_pair("ArnEquals", "ArnNotEquals", arn_like, is_text=True, make_of_text=arn_like_text),
        *_pair("ArnLike", "ArnNotLike", arn_like, is_text=True, make_of_text=arn_like_text),
    )
    return {fold(operator.name): operator for operator in every_operator}


OPERATORS = table()

QUANTIFIERS = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}
IF_EXISTS = "ifexists"
NULL = "null"
