"""Parses policy documents into statements. Parts that can't be understood become problems with their place.

Source: "Grammar of the IAM JSON policy language",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, Final

from iam.policy.request import text_of

CURRENT: Final = "2012-10-17"
VERSIONS: Final = frozenset({CURRENT, "2008-10-17"})
DIGITS: Final = 400
Names = tuple[str, ...]
Block = tuple[tuple[str, str, Names], ...]
Principals = Mapping[str, Names]


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """A part of the document that AWS would not understand, and its place, a path such as
    `Statement[2].Condition`.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as written, with single values turned into lists. Absent elements are None.

    `conditions` are (operator, key, values). The effect of a statement with problems is uncertain.
    """

    index: int
    sid: str
    allows: bool
    actions: Names
    is_not_action: bool
    resources: Names | None
    is_not_resource: bool
    principals: Principals | None
    is_not_principal: bool
    conditions: Block
    problems: tuple[DocumentProblem, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """A policy document: its statements in order, and the problems found in it."""

    version: str
    statements: tuple[Statement, ...]
    problems: tuple[DocumentProblem, ...] = ()
    id: str = ""

    @property
    def has_variables(self) -> bool:
        """True if policy variables work in this document, as they do from Version 2012-10-17."""
        return self.version == CURRENT


class JsonMembers(dict[str, Any]):
    """A JSON object that records the names it contains more than once. It keeps only their last value."""

    repeated: tuple[str, ...] = ()


def _members(pairs: list[tuple[str, Any]]) -> JsonMembers:
    members = JsonMembers(pairs)
    if len(members) != len(pairs):
        members.repeated = tuple(
            name for name, times in Counter(name for name, _ in pairs).items() if times > 1
        )
    return members


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= DIGITS else text


def _decimal(text: str) -> float | str:
    value = float(text)
    return value if isfinite(value) else text


def _refuse(name: str) -> None:
    raise ValueError(f"{name} isn’t a JSON number")


BYTE_ORDER_MARK: Final = "\ufeff"
HOOKS: Final[dict[str, Any]] = {
    "object_pairs_hook": _members,
    "parse_int": _whole,
    "parse_float": _decimal,
    "parse_constant": _refuse,
}
DECODER: Final = json.JSONDecoder(**HOOKS)


def parse(text: str | bytes) -> Any:
    """Parse JSON text, with objects as JsonMembers. Numbers that are too large stay text. Raises ValueError
    or RecursionError.
    """
    if isinstance(text, str) and not text.startswith(BYTE_ORDER_MARK):
        return DECODER.decode(text)
    return json.loads(text, **HOOKS)


@dataclass(slots=True)
class _DocumentReading:
    place: str
    problems: list[DocumentProblem] = field(default_factory=list)

    def problem(self, place: str, message: str) -> None:
        self.problems.append(DocumentProblem(f"{self.place}.{place}".strip("."), message))

    def once(self, place: str, source: Mapping[str, Any]) -> None:
        """Report each name that an object contains more than once."""
        if isinstance(source, JsonMembers):
            for name in source.repeated:
                self.problem(f"{place}.{name[:60]}".strip("."), "is given twice")

    def names(self, place: str, value: Any) -> Names:
        """Return a string or a list of strings as a tuple, and report anything else."""
        values = value if isinstance(value, list) else [value]
        if not values:
            self.problem(place, "is an empty list")
        wrong = [value for value in values if not isinstance(value, str)]
        if wrong:
            self.problem(place, f"holds {json.dumps(wrong[0])[:40]}, which isn’t a string")
        return tuple(value for value in values if isinstance(value, str))


def read(source: str | bytes | Mapping[str, Any]) -> PolicyDocument:
    """Parse a document from JSON text or parsed JSON. It never raises an error: invalid JSON gives a document
    with one problem.
    """
    if isinstance(source, str | bytes):
        try:
            source = parse(source)
        except (ValueError, RecursionError) as error:
            where = (
                f" (line {error.lineno}, column {error.colno})"
                if isinstance(error, json.JSONDecodeError)
                else ""
            )
            return PolicyDocument("", (), (DocumentProblem("", f"This isn’t valid JSON{where}."),))
    if not isinstance(source, Mapping):
        return PolicyDocument(
            "", (), (DocumentProblem("", "A policy is a JSON object with Version and Statement."),)
        )
    reading = _DocumentReading("")
    reading.once("", source)
    if reading.problems:
        # It is unknown which of two statement lists AWS would use, so neither is.
        return PolicyDocument("", (), tuple(reading.problems))
    version = source.get("Version", "2008-10-17")
    if not isinstance(version, str) or version not in VERSIONS:
        reading.problem("Version", f"is {_shown(version)}, and must be {CURRENT} or 2008-10-17")
    for name in sorted(map(str, source.keys() - {"Version", "Id", "Statement"})):
        reading.problem(name[:40], "isn’t an element of a policy")
    statements = _statements(source.get("Statement"), reading)
    readable_version = version if isinstance(version, str) else ""
    return PolicyDocument(
        readable_version,
        statements,
        tuple(reading.problems),
        str(source.get("Id", "")),
    )


def _statements(value: Any, reading: _DocumentReading) -> tuple[Statement, ...]:
    if value is None:
        reading.problem("Statement", "is missing")
        return ()
    statements = []
    listed = value if isinstance(value, list) else [value]
    for index, statement in enumerate(listed):
        if isinstance(statement, Mapping):
            statements.append(_statement(index, statement))
        else:
            reading.problem(f"Statement[{index}]", f"is {_shown(statement)}, which isn’t a JSON object")
    return tuple(statements)


ELEMENTS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)


def _statement(index: int, source: Mapping[str, Any]) -> Statement:
    reading = _DocumentReading(f"Statement[{index}]")
    reading.once("", source)
    if not source.keys() <= ELEMENTS:
        for name in sorted(map(str, source.keys() - ELEMENTS)):
            reading.problem(name[:40], "isn’t an element of a statement")
    effect = source.get("Effect")
    if effect not in ("Allow", "Deny"):
        reading.problem("Effect", f"is {_shown(effect)}, and must be Allow or Deny")
    actions, is_not_action = _element_or_opposite(source, "Action", reading)
    resources, is_not_resource = _element_or_opposite(source, "Resource", reading)
    principals, is_not_principal = _principals(source, reading)
    if actions is None:
        reading.problem("Action", "is missing, and so is NotAction")
    return Statement(
        index=index,
        sid=str(source.get("Sid", ""))[:200],
        allows=effect == "Allow",
        actions=actions or (),
        is_not_action=is_not_action,
        resources=resources,
        is_not_resource=is_not_resource,
        principals=principals,
        is_not_principal=is_not_principal,
        conditions=_conditions(source.get("Condition"), reading),
        problems=tuple(reading.problems),
    )


def _element_or_opposite(
    source: Mapping[str, Any], name: str, reading: _DocumentReading
) -> tuple[Names | None, bool]:
    """Return the values of an element or its opposite, and whether it was the opposite."""
    opposite = f"Not{name}"
    if name in source and opposite in source:
        reading.problem(opposite, f"is given together with {name}, and only one of them is allowed")
    if name in source:
        return reading.names(name, source[name]), False
    if opposite in source:
        return reading.names(opposite, source[opposite]), True
    return None, False


def _principals(source: Mapping[str, Any], reading: _DocumentReading) -> tuple[Principals | None, bool]:
    if "Principal" in source and "NotPrincipal" in source:
        reading.problem("NotPrincipal", "is given together with Principal, and only one of them is allowed")
    name = "Principal" if "Principal" in source else "NotPrincipal"
    value = source.get(name)
    if name not in source:
        return None, False
    is_not = name == "NotPrincipal"
    if value == "*":
        return {"AWS": ("*",)}, is_not
    if not isinstance(value, Mapping):
        reading.problem(name, f'is {_shown(value)}, and must be "*" or a JSON object')
        return {}, is_not
    reading.once(name, value)
    for kind in sorted(map(str, value.keys() - {"AWS", "Service", "Federated", "CanonicalUser"})):
        reading.problem(f"{name}.{kind}"[:60], "isn’t a principal type")
    return {str(kind): reading.names(f"{name}.{kind}", names) for kind, names in value.items()}, is_not


def _conditions(block: Any, reading: _DocumentReading) -> Block:
    if block is None:
        return ()
    if not isinstance(block, Mapping):
        reading.problem("Condition", f"is {_shown(block)}, and must be a JSON object")
        return ()
    reading.once("Condition", block)
    conditions = []
    for operator, keys in block.items():
        if not isinstance(keys, Mapping):
            reading.problem(f"Condition.{operator}"[:80], "must be a JSON object of keys and values")
            continue
        reading.once(f"Condition.{operator}"[:80], keys)
        for key, values in keys.items():
            listed = values if isinstance(values, list) else [values]
            if not all(isinstance(item, str | int | float | bool) for item in listed):
                reading.problem(f"Condition.{operator}.{key}"[:120], "must be a value or a list of values")
            texts = tuple(text_of(item) for item in listed if isinstance(item, str | int | float | bool))
            conditions.append((str(operator), str(key), texts))
    return tuple(conditions)


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    return json.dumps(value)[:40]
