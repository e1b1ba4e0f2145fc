"""A small policy evaluation for enforcement, role trust and SimulatePrincipalPolicy.

It is deliberately independent of Gatehouse's policy engine, so that the engine is not tested against itself.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any

Context = dict[str, list[str]]
ALLOWED, EXPLICIT_DENY, IMPLICIT_DENY = "allowed", "explicitDeny", "implicitDeny"


class UnevaluatedOperatorError(Exception):
    """Raised for a condition operator that isn't supported here."""


@dataclass(frozen=True)
class AuthorizationQuestion:
    """The question whether a principal can do `action` on `resource`. The keys of `context` are in lower
    case.
    """

    action: str
    resource: str
    context: Context = field(default_factory=dict)
    principals: frozenset[str] = frozenset()


def decide(documents: Iterable[str], question: AuthorizationQuestion) -> str:
    """Return the combined result. An explicitDeny overrides allowed, which overrides implicitDeny."""
    decision = IMPLICIT_DENY
    for document in documents:
        for statement in statements(document):
            if not applies(statement, question):
                continue
            if statement.get("Effect") == "Deny":
                return EXPLICIT_DENY
            decision = ALLOWED
    return decision


def statements(document: str) -> list[dict[str, Any]]:
    """Return a document's statements as a list, even if it has a single statement without a list."""
    content = json.loads(document)["Statement"]
    return content if isinstance(content, list) else [content]


def applies(statement: dict[str, Any], question: AuthorizationQuestion) -> bool:
    """Return True if a statement applies to the question.

    If a condition operator is unknown, an Allow doesn't apply and a Deny does, which is the cautious choice.
    """
    matched = (
        _matches_action(statement, question.action)
        and _matches_resource(statement, question)
        and _matches_principal(statement, question.principals)
    )
    if not matched:
        return False
    try:
        return all(
            _holds_for_all(operator, keys, question.context)
            for operator, keys in statement.get("Condition", {}).items()
        )
    except UnevaluatedOperatorError:
        return statement.get("Effect") == "Deny"


def listed(value: Any) -> list[str]:
    """Return a policy element as a list of strings. JSON Booleans and numbers are converted as by AWS."""
    values = value if isinstance(value, list) else [value]
    return [_as_text(element) for element in values]


def _as_text(element: Any) -> str:
    return json.dumps(element) if isinstance(element, bool) else str(element)


@lru_cache(maxsize=20_000)
def glob(pattern: str, *, case: bool = True) -> re.Pattern[str]:
    """Return a pattern with * and ? as a regular expression."""
    parts = {"*": ".*", "?": "."}
    text = "".join(parts.get(letter) or re.escape(letter) for letter in pattern)
    flags = re.DOTALL if case else re.DOTALL | re.IGNORECASE | re.ASCII
    return re.compile(text, flags)


def _matches_action(statement: dict[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(glob(p, case=False).fullmatch(action) for p in listed(statement["NotAction"]))
    return any(glob(p, case=False).fullmatch(action) for p in listed(statement.get("Action", [])))


def _matches_resource(statement: dict[str, Any], question: AuthorizationQuestion) -> bool:
    def hit(patterns: Any) -> bool:
        return any(
            glob(resolved).fullmatch(question.resource)
            for pattern in listed(patterns)
            if (resolved := fill_in_variables(pattern, question.context)) is not None
        )

    if "NotResource" in statement:
        return not hit(statement["NotResource"])
    return hit(statement["Resource"]) if "Resource" in statement else True


def _matches_principal(statement: dict[str, Any], principals: frozenset[str]) -> bool:
    if "NotPrincipal" in statement:
        return not _names_one(statement["NotPrincipal"], principals)
    return _names_one(statement["Principal"], principals) if "Principal" in statement else True


def _names_one(element: Any, principals: frozenset[str]) -> bool:
    if element == "*":
        return True
    named = set(chain.from_iterable(listed(names) for names in element.values()))
    return "*" in named or bool(named & principals)


def fill_in_variables(pattern: str, context: Context) -> str | None:
    """Return the pattern with its policy variables replaced; None if a variable has no value and no
    default.
    """
    missing = False

    def value(match: re.Match[str]) -> str:
        nonlocal missing
        name, _, default = match[1].partition(",")
        if name in {"*", "?", "$"}:
            return name
        values = context.get(name.strip().lower())
        if values:
            return values[0]
        missing = missing or not default
        return default.strip().strip("'")

    text = re.sub(r"\$\{([^}]+)\}", value, pattern)
    return None if missing else text


def _holds_for_all(operator: str, keys: dict[str, Any], context: Context) -> bool:
    return all(_condition(operator, key, listed(wanted), context) for key, wanted in keys.items())


def _condition(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    quantifier, _, plain = operator.rpartition(":")
    optional = plain.endswith("IfExists")
    plain = plain.removesuffix("IfExists")
    values = context.get(key.lower())
    if plain == "Null":
        return (values is None) == (wanted[0].lower() == "true")
    negative = "Not" in plain
    positive = plain.replace("Not", "", 1) if negative else plain
    compare = OPERATORS.get(positive)
    if compare is None or quantifier not in {"", "ForAnyValue", "ForAllValues"}:
        raise UnevaluatedOperatorError(operator)
    if values is None:
        return optional or negative or quantifier == "ForAllValues"
    resolved = [text for w in wanted if (text := fill_in_variables(w, context)) is not None]
    hits = [any(compare(value, w) for w in resolved) != negative for value in values]
    return all(hits) if quantifier == "ForAllValues" or (negative and not quantifier) else any(hits)


def _number(test: Callable[[float, float], bool]) -> Callable[[str, str], bool]:
    return lambda value, wanted: test(float(value), float(wanted))


def _date(test: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    return lambda value, wanted: test(
        datetime.fromisoformat(value.replace("Z", "+00:00")),
        datetime.fromisoformat(wanted.replace("Z", "+00:00")),
    )


def _arn(value: str, wanted: str) -> bool:
    """Compare two ARNs by segment. Only the last segment can contain more colons."""
    left, right = value.split(":", 5), wanted.split(":", 5)
    return len(left) == len(right) and all(glob(w).fullmatch(v) for v, w in zip(left, right, strict=True))


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": lambda value, wanted: bool(glob(wanted).fullmatch(value)),
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "IpAddress": lambda value, wanted: (
        ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    ),
    "NumericEquals": _number(lambda a, b: a == b),
    "NumericLessThan": _number(lambda a, b: a < b),
    "NumericLessThanEquals": _number(lambda a, b: a <= b),
    "NumericGreaterThan": _number(lambda a, b: a > b),
    "NumericGreaterThanEquals": _number(lambda a, b: a >= b),
    "DateEquals": _date(lambda a, b: a == b),
    "DateLessThan": _date(lambda a, b: a < b),
    "DateLessThanEquals": _date(lambda a, b: a <= b),
    "DateGreaterThan": _date(lambda a, b: a > b),
    "DateGreaterThanEquals": _date(lambda a, b: a >= b),
}
