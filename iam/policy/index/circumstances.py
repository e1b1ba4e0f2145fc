"""Generates circumstances of requests to evaluate: values of condition keys that satisfy the conditions of
some statements, and values that don't.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from itertools import chain, product
from math import prod
from typing import Final

from iam.policy.document import Statement
from iam.policy.glob import ANY, ONE, Token, tokens
from iam.policy.index.keys import variables_in
from iam.policy.letter_case import fold
from iam.policy.operators import IF_EXISTS, NULL, QUANTIFIERS, moment_of, number_of
from iam.policy.request import CURRENT_TIME, TIMES, Request, Values, moment_in, time_text
from iam.policy.variables import LITERALS, VARIABLE

Circumstance = tuple[tuple[str, Values], ...]
"""Pairs of key, as the policy writes it, and its values; sorted. All other keys are absent."""

MFA: Final = "aws:multifactorauthpresent"
ALWAYS: Final = frozenset(
    {*TIMES, "aws:securetransport", "aws:viaawsservice", "aws:requestedregion", "aws:useragent"}
)
"""Keys that every request has. Source: "AWS global condition context keys", Availability."""
OTHER: Final = "other"
MAX_VALUES: Final = 16
MAX_CIRCUMSTANCES: Final = 384
"""Up to this number, all combinations are tried. Beyond it, only one or two keys at a time are varied."""
LATER: Final = datetime(2099, 1, 1, tzinfo=UTC)
"""A time after all times in policies."""
ADDRESSES: Final = ("203.0.113.77", "198.51.100.9", "2001:db8::77")


@dataclass(slots=True)
class ConditionKeyUse:
    """A condition key as used by some statements."""

    name: str
    tests: list[tuple[str, str]] = field(default_factory=list)
    """Pairs of operator without quantifier, and value."""
    has_several: bool = False
    spellings: dict[str, None] = field(default_factory=dict)
    """The names under which requests contain the value. Both keys of the time are treated as one, since they
    have the same moment.
    """

    def values(self, *, now: datetime) -> list[Values]:
        """The values that the key may have in a request: satisfying ones first, absent last."""
        lowered = fold(self.name)
        now_of_times = now if lowered in TIMES else None
        values_by_text: dict[Values, None] = {}
        for operator, value in self.tests:
            for text in _samples(operator, value, now=now_of_times):
                values_by_text[(text,)] = None
        if (
            lowered not in TIMES
            and not values_by_text
            and any(operator == NULL for operator, _ in self.tests)
        ):
            values_by_text[(OTHER,)] = None
        single = list(values_by_text)[:MAX_VALUES]
        outside = None if lowered in TIMES else _outside(self.tests, lowered)
        if outside is not None:
            single.append((outside,))
        every: list[Values] = list(dict.fromkeys(single))
        if self.has_several:
            pairs = product(single, repeat=2)
            every += [(*left, *right) for left, right in pairs if left < right][:MAX_VALUES]
        if lowered in TIMES and not every:
            every = [(time_text(CURRENT_TIME, LATER),)]
        if lowered not in ALWAYS:
            every.append(())
        return every


def _samples(operator: str, value: str, *, now: datetime | None) -> Iterator[str]:
    """Values on both sides of an operator's condition."""
    if operator == NULL:
        return
    if operator.startswith("date") or (now is not None and operator.startswith("numeric")):
        yield from _moments(value, now=now)
    elif operator.startswith("numeric"):
        number = number_of(value)
        if number is not None:
            yield from (str(number + step) for step in (0, -1, 1))
    elif operator == "bool":
        yield from ("true", "false") if fold(value) == "true" else ("false", "true")
    elif operator in ("ipaddress", "notipaddress"):
        yield from _addresses(value)
    elif operator.startswith("arn") or operator in ("stringlike", "stringnotlike"):
        yield from _names(value)
    else:
        yield value


def _moments(value: str, *, now: datetime | None) -> Iterator[str]:
    """One second before, the moment itself, and one second after. Given `now`, earlier moments are left
    out.
    """
    seconds = moment_of(value)
    if seconds is None:
        return
    try:
        moment = datetime.fromtimestamp(float(seconds), UTC)
        moments = [moment - timedelta(seconds=1), moment, moment + timedelta(seconds=1)]
    except (OverflowError, ValueError, OSError):
        return
    if now is not None:
        moments = [moment for moment in moments if moment >= now] or [LATER]
    yield from (time_text(CURRENT_TIME, moment) for moment in moments)


def _addresses(value: str) -> Iterator[str]:
    try:
        network = ip_network(value.strip(), strict=False)
    except ValueError:
        return
    first, last = int(network[0]), int(network[-1])
    middle = min(first + 10, last)
    make = type(network[0])
    for number in dict.fromkeys((middle, first, last)):
        yield str(make(number))


def _names(value: str) -> Iterator[str]:
    for word in ("x", ""):
        text = "".join(_letter(part, word) for part in tokens(value))
        yield text
    if "?" in value:
        yield "".join(_letter(part, "example") for part in tokens(value))


def _letter(part: Token, word: str) -> str:
    if part == ONE:
        return "0"
    return word if part == ANY else part


def _outside(tests: Sequence[tuple[str, str]], key: str) -> str | None:
    """A value other than the named ones; None if the tested values cover both outcomes."""
    operators = {operator for operator, _ in tests if operator != NULL}
    if not operators or any(
        operator == "bool" or operator.startswith(("numeric", "date")) for operator in operators
    ):
        return None
    if operators & {"ipaddress", "notipaddress"}:
        networks = [_network(value) for _, value in tests]
        for text in ADDRESSES:
            address = ip_address(text)
            if not any(
                network is not None and network.version == address.version and address in network
                for network in networks
            ):
                return text
        return None
    if any(operator.startswith("arn") for operator in operators):
        return "arn:aws:other:us-east-1:999999999999:other"
    return OTHER


def _network(value: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(value.strip(), strict=False)
    except ValueError:
        return None


def circumstances(
    statements: Iterable[tuple[Statement, bool]],
    *,
    known: Request,
    never: frozenset[str],
    now: datetime,
) -> tuple[Circumstance, ...]:
    """The circumstances to try for some statements, each with whether its variables are supported. Those with
    MFA come first, then those with the fewest keys.

    `known` is a request of the principal that isn't strict; keys known in it are fixed. `never` are the
    lowercase keys that no request for the action has.
    """
    keys = _keys_of(statements, known=known, never=never)
    if not keys:
        return ((),)
    return _ordered(keys, [key.values(now=now) for key in keys])


def _keys_of(
    statements: Iterable[tuple[Statement, bool]], *, known: Request, never: frozenset[str]
) -> list[ConditionKeyUse]:
    keys_by_name: dict[str, ConditionKeyUse] = {}

    def key_of(name: str) -> ConditionKeyUse | None:
        lowered = fold(name)
        if lowered in never or known.values(lowered) is not None:
            return None
        common_name = CURRENT_TIME if lowered in TIMES else lowered
        key = keys_by_name.setdefault(common_name, ConditionKeyUse(name))
        key.spellings[name] = None
        return key

    for statement, has_variables in statements:
        for operator, name, values in statement.conditions:
            quantifier, _, base = fold(operator).rpartition(":")
            base = base.removesuffix(IF_EXISTS) if base != NULL else base
            key = key_of(name)
            if key is not None:
                key.has_several = key.has_several or quantifier in QUANTIFIERS
                for value in values:
                    key.tests.append((base, _text(value, has_variables=has_variables, known=known)))
        if has_variables:
            texts = chain.from_iterable(values for _, _, values in statement.conditions)
            for name in sorted(variables_in((*texts, *(statement.resources or ())))):
                key = key_of(name)
                if key is not None:
                    key.tests.append(("stringequals", "x"))
    return [keys_by_name[name] for name in sorted(keys_by_name, key=lambda name: (name != MFA, name))]


def _text(value: str, *, has_variables: bool, known: Request) -> str:
    """A condition value with variables replaced by the principal's values, or by a sample if the request
    decides.
    """
    if not has_variables or "${" not in value:
        return value

    def placeholder_value(match: re.Match[str]) -> str:
        inner = match.group(1)
        if inner in LITERALS:
            return str(inner)
        known_values = known.values(fold(inner.partition(",")[0].strip()))
        return "x" if known_values is None or len(known_values) != 1 else known_values[0]

    return VARIABLE.sub(placeholder_value, value)


def _ordered(keys: Sequence[ConditionKeyUse], values: Sequence[Sequence[Values]]) -> tuple[Circumstance, ...]:
    """Combinations of the keys' values: those with MFA first, then those with the fewest keys."""
    size = prod(map(len, values))
    rows = list(product(*values)) if size <= MAX_CIRCUMSTANCES else _some(values)
    lowered = [fold(key.name) for key in keys]

    def weight(row: tuple[Values, ...]) -> tuple[bool, int]:
        is_without_mfa = True
        present = 0
        for name, key_values in zip(lowered, row, strict=True):
            if name == MFA and key_values == ("true",):
                is_without_mfa = False
            if key_values and name not in ALWAYS:
                present += 1
        return is_without_mfa, present

    rows.sort(key=weight)
    return tuple(tuple(_named(keys, row)) for row in rows)


def _named(keys: Sequence[ConditionKeyUse], row: Sequence[Values]) -> Iterator[tuple[str, Values]]:
    """The keys that are present, under all their names."""
    for key, values in zip(keys, row, strict=True):
        for name in key.spellings if values else ():
            moment = moment_in(values) if fold(name) in TIMES else None
            yield name, values if moment is None else (time_text(fold(name), moment),)


def _some(values: Sequence[Sequence[Values]]) -> list[tuple[Values, ...]]:
    """All keys at their first value, all at their last, and both of these with one or two keys changed."""
    combinations: dict[tuple[Values, ...], None] = {}
    bases = [tuple(each[0] for each in values), tuple(each[-1] for each in values)]
    for base in bases:
        combinations[base] = None
        for place, each in enumerate(values):
            for value in each:
                combinations[(*base[:place], value, *base[place + 1 :])] = None
    for base in bases:
        for first in range(len(values)):
            for second in range(first + 1, len(values)):
                for first_value, two in product(values[first], values[second]):
                    row = list(base)
                    row[first], row[second] = first_value, two
                    combinations[tuple(row)] = None
                    if len(combinations) >= MAX_CIRCUMSTANCES * 4:
                        return list(combinations)
    return list(combinations)


__all__ = ["Circumstance", "circumstances"]
