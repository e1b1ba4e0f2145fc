"""The plain engine's rules of matching: actions, resources, variables and every condition operator."""

from __future__ import annotations

import base64
import ipaddress
import re
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from string import ascii_uppercase
from typing import Any

JSON = Any


def small(text: str) -> str:
    """In lower case, where only A to Z have one: for AWS a KELVIN SIGN is no k."""
    return "".join(letter.lower() if letter in ascii_uppercase else letter for letter in text)


def listed(value: JSON) -> list[Any]:
    """A list of what may be one or several."""
    return list(value) if isinstance(value, list) else [value]


def text_of(value: JSON) -> str:
    """As the policy language writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value % 1 == 0 else str(value)


def filled(pattern: str, context: dict[str, list[str]], *, variables: bool) -> list[tuple[str, str]] | None:
    """(kind, text) pieces: "text" or a wildcard; None when a variable has no value."""
    pieces: list[tuple[str, str]] = []
    while pattern:
        match = re.match(r"\$\{([^{}]*)\}", pattern) if variables else None
        if match is None:
            pieces.append(("wild" if pattern[0] in "*?" else "text", pattern[0]))
            pattern = pattern[1:]
            continue
        pattern = pattern[match.end() :]
        key, _, default = (part.strip() for part in match[1].partition(","))
        values = context.get(small(key), [])
        if match[1] in {"*", "?", "$"}:
            pieces.append(("text", match[1]))
        elif len(values) == 1:
            pieces += [("text", letter) for letter in values[0]]
        elif not values and re.fullmatch(r"'.*'", default):
            pieces += [("text", letter) for letter in default[1:-1]]
        else:
            return None
    return pieces


@cache
def regex(source: str, flags: int = re.DOTALL) -> re.Pattern[str]:
    """Compiled once."""
    return re.compile(source, flags)


def written(pieces: list[tuple[str, str]], star: str = ".*", sign: str = ".") -> str:
    """A regular expression of pieces."""
    return "".join({"*": star, "?": sign}[t] if kind == "wild" else re.escape(t) for kind, t in pieces)


def segments_of(pieces: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The first five segments of an ARN, and all the rest as the sixth."""
    segments_of: list[list[tuple[str, str]]] = [[]]
    for piece in pieces:
        if piece == ("text", ":") and len(segments_of) < 6:
            segments_of.append([])
        else:
            segments_of[-1].append(piece)
    return segments_of


def resource_fits(pattern: str, resource: str, context: dict[str, list[str]], *, variables: bool) -> bool:
    """The page on the Resource element, and that on ARNs for those that lack segments."""
    if "${" not in pattern:
        return fixed_resource_fits(pattern, resource)
    return _resource_fits(pattern, resource, context, variables=variables)


@cache
def fixed_resource_fits(pattern: str, resource: str) -> bool:
    """A pattern without a variable, whose answer does not depend on the request."""
    return _resource_fits(pattern, resource, {}, variables=False)


def _resource_fits(pattern: str, resource: str, context: dict[str, list[str]], *, variables: bool) -> bool:
    pieces = filled(pattern, context, variables=variables)
    if pieces is None:
        return False
    segments = segments_of(pieces)
    if pattern.startswith("arn:"):
        segments += [[("wild", "*")]] * (6 - len(segments))
    sources = []
    for place, segment in enumerate(segments):
        if place == 5:
            sources.append(written(segment))
            continue
        ends = segment[-1:] == [("wild", "*")]
        source = written(segment[:-1] if ends else segment, star="[^:]*", sign="[^:]")
        sources.append(source + ".*" if ends else source)
    return regex(":".join(sources)).fullmatch(resource) is not None


@cache
def action_fits(pattern: str, action: str) -> bool:
    """The page on the Action element."""
    source = written([("wild" if c in "*?" else "text", c) for c in pattern])
    return regex(source, re.DOTALL | re.IGNORECASE | re.ASCII).fullmatch(action) is not None


@cache
def moment(text: str) -> Fraction:
    """Seconds since 1970; raises ValueError."""
    if re.fullmatch(r"-?\d+(\.\d+)?", text) and not re.fullmatch(r"\d{4}", text):
        return Fraction(text)
    match = re.fullmatch(
        r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?)?)?", text
    )
    if match is None:
        raise ValueError(text)
    year, month, day, hour, minute, second = (
        int(match[n] or d) for n, d in zip(range(1, 7), (0, 1, 1, 0, 0, 0), strict=True)
    )
    seconds = Fraction(int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()))
    zone = match[8] or "Z"
    if zone != "Z":
        shift = int(zone[1:3]) * 3600 + int(zone[4:]) * 60
        seconds += shift if zone[0] == "-" else -shift
    return seconds + Fraction(match[7] or 0)


def value_fits(
    operator: str, wanted: str, value: str, context: dict[str, list[str]], *, variables: bool
) -> bool:
    """One value of the policy against one of the request; `operator` without Not, sets and IfExists."""
    if "${" not in wanted:
        return fixed_value_fits(operator, wanted, value)
    return _value_fits(operator, wanted, value, context, variables=variables)


@cache
def fixed_value_fits(operator: str, wanted: str, value: str) -> bool:
    """A value without a variable, whose answer does not depend on the rest of the request."""
    return _value_fits(operator, wanted, value, {}, variables=False)


def _value_fits(
    operator: str, wanted: str, value: str, context: dict[str, list[str]], *, variables: bool
) -> bool:
    if operator.startswith(("string", "arn")):
        pieces = filled(wanted, context, variables=variables)
        if pieces is None:
            return False
        text = "".join(t for _, t in pieces)
        if operator == "stringequals":
            return text == value
        if operator == "stringequalsignorecase":
            return small(text) == small(value)
        if operator == "stringlike":
            return regex(written(pieces)).fullmatch(value) is not None
        mine, theirs = segments_of(pieces), value.split(":", 5)
        return pieces == [("wild", "*")] or (
            len(mine) == len(theirs) == 6
            and all(regex(written(a)).fullmatch(b) is not None for a, b in zip(mine, theirs, strict=True))
        )
    if operator == "bool":
        return small(wanted) in {"true", "false"} and small(wanted) == small(value)
    try:
        if operator == "ipaddress":
            if re.fullmatch(r"[0-9a-fA-F.:]+(/\d+)?", wanted.strip()) is None:
                return False
            inner = ipaddress.ip_network(value, strict=False)
            outer = ipaddress.ip_network(wanted.strip(), strict=False)
            return inner.version == outer.version and inner[0] >= outer[0] and inner[-1] <= outer[-1]
        if operator == "binaryequals":
            return base64.b64decode(wanted, validate=True) == base64.b64decode(value, validate=True)
        read = moment if operator.startswith("date") else Fraction
        left, right = read(value), read(wanted)
    except ValueError:
        return False
    compare = operator.removeprefix("date").removeprefix("numeric")
    return {
        "equals": left == right,
        "lessthan": left < right,
        "lessthanequals": left <= right,
        "greaterthan": left > right,
        "greaterthanequals": left >= right,
    }[compare]


def condition_met(
    operator: str, key: str, wanted: JSON, context: dict[str, list[str]], *, variables: bool
) -> bool:
    """One key of one operator."""
    name = small(operator)
    values = context.get(small(key), [])
    policy_values = [text_of(item) for item in listed(wanted)]
    if name == "null":
        return ("false" if values else "true") in [small(policy_value) for policy_value in policy_values]
    sets = name.split(":")[0] if ":" in name else ""
    name = name.split(":")[-1]
    optional = name.endswith("ifexists")
    name = name.removesuffix("ifexists")
    negated = "not" in name
    name = name.replace("not", "")
    if sets and values == [""]:
        values = []
    if not values:
        return optional or sets == "forallvalues" or (negated and not sets)

    def one(value: str) -> bool:
        fits = any(value_fits(name, each, value, context, variables=variables) for each in policy_values)
        return fits != negated

    if sets == "forallvalues" or (negated and not sets):
        return all(one(value) for value in values)
    return any(one(value) for value in values)
