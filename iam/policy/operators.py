"""Every condition operator: how one value of the request is compared with one value of the policy.

Source: "IAM JSON policy elements: Condition operators",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from iam.policy.arns import arn_like
from iam.policy.glob import ANY, ONE, Matcher, Token, from_tokens

Maker = Callable[[Sequence[Token]], Matcher]
NUMBER = re.compile(r"\s*[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?\s*")
DIGITS = 400
MONTH = re.compile(r"[0-9]{4}-[0-9]{2}")
LATEST = 1e15
PLAIN = {ANY: "*", ONE: "?"}


@dataclass(frozen=True, slots=True)
class Operator:
    """`make` gives the matcher of one value of the policy; `is_negated` when it must match none of them.

    `is_text` says that variables are replaced in the values, and that a value is compared as it is written.
    """

    name: str
    make: Maker
    is_negated: bool = False
    is_text: bool = True


def plain(parts: Sequence[Token]) -> str:
    """The text of tokens in which wildcards mean nothing."""
    return "".join(PLAIN.get(part, part) for part in parts)


def _never(text: str) -> bool:
    return False


def _equals(parts: Sequence[Token]) -> Matcher:
    return plain(parts).__eq__


def _equals_ignoring_case(parts: Sequence[Token]) -> Matcher:
    wanted = plain(parts).lower()
    return lambda text: text.lower() == wanted


@lru_cache(maxsize=4096)
def number_of(text: str) -> int | float | None:
    """A number, whole where it is written so, so that large ones stay exact; None for what is none."""
    if NUMBER.fullmatch(text) is None:
        return None
    return float(text) if "." in text or "e" in text.lower() else int(text) if len(text) < DIGITS else None


@lru_cache(maxsize=4096)
def moment_of(text: str) -> float | None:
    """Seconds since 1970 of a W3C date or of seconds written out; None for what is neither. Dates without a zone are UTC."""
    seconds = number_of(text)
    if seconds is not None:
        return float(seconds) if abs(seconds) < LATEST else None
    try:
        moment = datetime.fromisoformat(f"{text}-01" if MONTH.fullmatch(text) else text.strip())
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _compared(read: Callable[[str], float | None], compare: Callable[[float, float], bool]) -> Maker:
    def make(parts: Sequence[Token]) -> Matcher:
        wanted = read(plain(parts))
        if wanted is None:
            return _never
        limit = wanted

        def match(text: str) -> bool:
            found = read(text)
            return found is not None and compare(found, limit)

        return match

    return make


def _bool(parts: Sequence[Token]) -> Matcher:
    wanted = plain(parts).lower()
    return (lambda text: text.lower() == wanted) if wanted in {"true", "false"} else _never


def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def _binary(parts: Sequence[Token]) -> Matcher:
    wanted = _bytes(plain(parts))
    return _never if wanted is None else lambda text: _bytes(text) == wanted


@lru_cache(maxsize=4096)
def network_of(text: str) -> IPv4Network | IPv6Network | None:
    """A range in CIDR form, or one address; None for what is neither."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def _ip(parts: Sequence[Token]) -> Matcher:
    network = network_of(plain(parts))
    if network is None:
        return _never
    low, mask, version = int(network.network_address), int(network.netmask), network.version

    def match(text: str) -> bool:
        try:
            address = ip_address(text)
        except ValueError:
            other = network_of(text)
            return other is not None and other.version == version and other.subnet_of(network)  # type: ignore[arg-type]
        return address.version == version and int(address) & mask == low

    return match


def _pair(name: str, opposite: str, make: Maker, *, is_text: bool) -> list[Operator]:
    return [
        Operator(name, make, is_text=is_text),
        Operator(opposite, make, is_negated=True, is_text=is_text),
    ]


def _ordered(prefix: str, read: Callable[[str], float | None]) -> list[Operator]:
    equal = _compared(read, operator.eq)
    return [
        *_pair(f"{prefix}Equals", f"{prefix}NotEquals", equal, is_text=False),
        Operator(f"{prefix}LessThan", _compared(read, operator.lt), is_text=False),
        Operator(f"{prefix}LessThanEquals", _compared(read, operator.le), is_text=False),
        Operator(f"{prefix}GreaterThan", _compared(read, operator.gt), is_text=False),
        Operator(f"{prefix}GreaterThanEquals", _compared(read, operator.ge), is_text=False),
    ]


OPERATORS: dict[str, Operator] = {
    found.name.lower(): found
    for found in (
        *_pair("StringEquals", "StringNotEquals", _equals, is_text=True),
        *_pair("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", _equals_ignoring_case, is_text=True),
        *_pair("StringLike", "StringNotLike", from_tokens, is_text=True),
        *_ordered("Numeric", number_of),
        *_ordered("Date", moment_of),
        Operator("Bool", _bool),
        Operator("BinaryEquals", _binary, is_text=False),
        *_pair("IpAddress", "NotIpAddress", _ip, is_text=False),
        *_pair("ArnEquals", "ArnNotEquals", arn_like, is_text=True),
        *_pair("ArnLike", "ArnNotLike", arn_like, is_text=True),
    )
}
"""By their names in lower case; Null is none of them, since it compares nothing."""

QUANTIFIERS = {"forallvalues": "ForAllValues", "foranyvalue": "ForAnyValue"}
IF_EXISTS = "ifexists"
NULL = "null"
