"""Conditions of policies as phrases that follow "only when": for people, who need not know the operators."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from iam.policy.document import Statement

VERBS: Final = {
    "stringequals": "is",
    "stringnotequals": "is not",
    "stringequalsignorecase": "is",
    "stringnotequalsignorecase": "is not",
    "stringlike": "is like",
    "stringnotlike": "is not like",
    "numericequals": "is",
    "numericnotequals": "is not",
    "numericlessthan": "is less than",
    "numericlessthanequals": "is at most",
    "numericgreaterthan": "is more than",
    "numericgreaterthanequals": "is at least",
    "dateequals": "is",
    "datenotequals": "is not",
    "datelessthan": "is before",
    "datelessthanequals": "is not after",
    "dategreaterthan": "is after",
    "dategreaterthanequals": "is not before",
    "bool": "is",
    "binaryequals": "is",
    "ipaddress": "is in",
    "notipaddress": "is not in",
    "arnequals": "is like",
    "arnlike": "is like",
    "arnnotequals": "is not like",
    "arnnotlike": "is not like",
}
KEYS: Final = {
    "aws:sourceip": "the source address",
    "aws:vpcsourceip": "the source address within the VPC",
    "aws:sourcevpc": "the VPC of the request",
    "aws:sourcevpce": "the VPC endpoint of the request",
    "aws:currenttime": "the time",
    "aws:requestedregion": "the region",
    "aws:multifactorauthage": "the age of the MFA sign-in in seconds",
    "aws:principalorgid": "the organization of the caller",
    "aws:principalaccount": "the account of the caller",
    "aws:resourceaccount": "the account of the resource",
    "aws:resourceorgid": "the organization of the resource",
    "aws:calledvia": "the service that calls in between",
    "aws:useragent": "the user agent",
    "iam:passedtoservice": "the service that gets the role",
}
TAGS: Final = {
    "aws:principaltag/": "the caller's tag",
    "aws:resourcetag/": "the resource's tag",
    "aws:requesttag/": "the tag in the request",
}
SWITCHES: Final = {
    ("aws:multifactorauthpresent", "true"): "MFA is present",
    ("aws:multifactorauthpresent", "false"): "MFA is not present",
    ("aws:securetransport", "true"): "the connection is encrypted",
    ("aws:securetransport", "false"): "the connection is not encrypted",
    ("aws:viaawsservice", "true"): "an AWS service makes the call",
    ("aws:viaawsservice", "false"): "no AWS service makes the call in between",
}
SHOWN: Final = 3


def conditions_in_words(statement: Statement) -> tuple[str, ...]:
    """A phrase for each condition of a statement."""
    return tuple(phrase(*one) for one in statement.conditions)


def phrase(operator: str, key: str, values: Sequence[str]) -> str:
    """'MFA is present', 'the service that gets the role is lambda.amazonaws.com'; operators that are unknown stay as written."""
    quantifier, colon, base = operator.lower().rpartition(":")
    is_optional = base.endswith("ifexists")
    base = base.removesuffix("ifexists")
    lowered = key.lower()
    if base == "null":
        return f"{_key(key)} is {'absent' if _is_true(values) else 'present'}"
    if base not in VERBS:
        return f"{operator} {key}: {', '.join(values)}"
    switch = SWITCHES.get((lowered, values[0].lower())) if base == "bool" and len(values) == 1 else None
    found = switch or f"{_key(key)} {VERBS[base]} {_values(values)}"
    if colon:
        found = f"{'each value of' if quantifier == 'forallvalues' else 'some value of'} {found}"
    return f"{found}, if the request has it" if is_optional else found


def phrase_of(text: str) -> str:
    """The phrase of a condition as explanations write it, `StringEquals aws:username: maya`; other texts stay."""
    operator, space, rest = text.partition(" ")
    key, colon, values = rest.partition(": ")
    if not (space and colon) or operator.endswith(":"):
        return text
    return phrase(operator, key, values.split(", "))


def _is_true(values: Sequence[str]) -> bool:
    return any(value.lower() == "true" for value in values)


def _key(key: str) -> str:
    lowered = key.lower()
    if lowered in KEYS:
        return KEYS[lowered]
    for prefix, words in TAGS.items():
        if lowered.startswith(prefix):
            return f"{words} {key[len(prefix) :]}"
    return key


def _values(values: Sequence[str]) -> str:
    shown = " or ".join(values[:SHOWN])
    more = len(values) - SHOWN
    return f"{shown} or one of {more} more" if more > 0 else shown or "one of none"
