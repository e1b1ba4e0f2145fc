"""Describes conditions of policies in phrases that follow "only when", for people who don't know the
operators.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from iam.policy.document import Statement
from iam.policy.letter_case import fold, is_digits
from iam.policy.request import EPOCH_TIME, TIMES, moment_in

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
    "aws:sourceip": "the source IP",
    "aws:vpcsourceip": "the source IP within the VPC",
    "aws:sourcevpc": "the VPC of the request",
    "aws:sourcevpce": "the VPC endpoint of the request",
    "aws:currenttime": "the time",
    "aws:requestedregion": "the Region",
    "aws:multifactorauthage": "the age of the MFA sign-in in seconds",
    "aws:principalorgid": "the organization of the caller",
    "aws:principalaccount": "the account of the caller",
    "aws:resourceaccount": "the account of the resource",
    "aws:resourceorgid": "the organization of the resource",
    "aws:calledvia": "the service that calls on the caller’s behalf",
    "aws:useragent": "the user agent",
    "iam:passedtoservice": "the service that receives the role",
    "s3:prefix": "the requested prefix",
}
TAGS: Final = {
    "aws:principaltag/": "the caller’s tag",
    "aws:resourcetag/": "the resource’s tag",
    "aws:requesttag/": "the tag in the request",
}
SWITCHES: Final = {
    ("aws:multifactorauthpresent", "true"): "MFA is present",
    ("aws:multifactorauthpresent", "false"): "MFA is not present",
    ("aws:securetransport", "true"): "the connection is encrypted",
    ("aws:securetransport", "false"): "the connection is not encrypted",
    ("aws:viaawsservice", "true"): "an AWS service makes the call",
    ("aws:viaawsservice", "false"): "no AWS service makes the call on the caller’s behalf",
}
MAX_VALUES: Final = 3


def conditions_in_words(statement: Statement) -> tuple[str, ...]:
    """Return a phrase for each condition of a statement."""
    return tuple(phrase(*condition) for condition in statement.conditions)


def phrase(operator: str, key: str, values: Sequence[str]) -> str:
    """Return a phrase such as 'MFA is present' or 'the service that receives the role is
    lambda.amazonaws.com'. Unknown operators are kept as written.
    """
    quantifier, colon, base = fold(operator).rpartition(":")
    is_optional = base.endswith("ifexists")
    base = base.removesuffix("ifexists")
    lowered = fold(key)
    if base == "null":
        is_absent = any(fold(value) == "true" for value in values)
        return f"{_key(key)} is {'absent' if is_absent else 'present'}"
    if base not in VERBS:
        return f"{operator} {key}: {', '.join(values)}"
    switch = SWITCHES.get((lowered, fold(values[0]))) if base == "bool" and len(values) == 1 else None
    text = switch or f"{_key(key)} {VERBS[base]} {_values(values)}"
    if colon:
        text = f"{'each value of' if quantifier == 'forallvalues' else 'some value of'} {text}"
    return f"{text}, if the request has it" if is_optional else text


def phrase_of(text: str) -> str:
    """Return the phrase of a condition in the form of explanations, `StringEquals aws:username: maya`. Other
    texts are returned unchanged.
    """
    operator, space, rest = text.partition(" ")
    key, colon, values = rest.partition(": ")
    if not (space and colon) or operator.endswith(":"):
        return text
    return phrase(operator, key, values.split(", "))


def _key(key: str) -> str:
    lowered = fold(key)
    if lowered in KEYS:
        return KEYS[lowered]
    for prefix, words in TAGS.items():
        if lowered.startswith(prefix):
            return f"{words} {key[len(prefix) :]}"
    return key


def _values(values: Sequence[str]) -> str:
    shown = " or ".join(values[:MAX_VALUES])
    more = len(values) - MAX_VALUES
    return f"{shown} or one of {more} more" if more > 0 else shown or "no value"


ENDS: Final = frozenset(
    {"datelessthan", "datelessthanequals", "datelessthanifexists", "datelessthanequalsifexists"}
)
"""Operators that set an end date. IfExists makes no difference, because every request has the time."""
STARTS: Final = frozenset(name.replace("less", "greater") for name in ENDS)
HOUR: Final = 3600

Condition = tuple[str, str, Sequence[str]]
"""Operator, key and values of a condition."""


def split_end(conditions: Iterable[Condition]) -> tuple[tuple[Condition, ...], datetime | None]:
    """Return the conditions without those that set an end, and the earliest end, or None."""
    others: list[Condition] = []
    ends: list[datetime] = []
    for condition in conditions:
        end = _moment_of(condition, ENDS)
        if end is None:
            others.append(condition)
        else:
            ends.append(end)
    return tuple(others), min(ends, default=None)


def start_of(conditions: Iterable[Condition]) -> datetime | None:
    """Return the latest start that the conditions set, or None."""
    starts = [_moment_of(condition, STARTS) for condition in conditions]
    return max(filter(None, starts), default=None)


def _moment_of(condition: Condition, operators: frozenset[str]) -> datetime | None:
    """Return the time in a condition on the time with one of these operators, or None for another
    condition.
    """
    operator, key, values = condition
    name = fold(operator)
    is_wanted = name in operators
    if fold(key) == EPOCH_TIME:
        is_wanted = is_wanted or name.replace("numeric", "date", 1) in operators
    return moment_in(tuple(values)) if fold(key) in TIMES and is_wanted else None


def clause(condition: Condition, *, allows: bool = True, account_id: str = "") -> str:
    """Return a condition as the end of a sentence, such as "only with MFA" or "only when the Region is
    eu-west-1", or for a deny "when MFA is not present".

    Values that name `account_id`, the policy's account, are written without the ID, so that equal policies
    read alike.
    """
    operator, key, values = condition
    words = [_local(value, account_id) for value in values] if account_id else list(values)
    if not allows:
        return f"when {phrase(operator, key, words)}"
    return _short_clause(fold(operator), key, words) or f"only when {phrase(operator, key, words)}"


THIS_ACCOUNT: Final = "this account"


def _local(value: str, account_id: str) -> str:
    """Return a value without the account's ID: its own ARNs are named by their resource."""
    if value == account_id:
        return THIS_ACCOUNT
    parts = value.split(":", 5)
    if len(parts) == 6 and parts[0] == "arn" and parts[4] == account_id:
        region = f" in {parts[3]}" if parts[3] else ""
        return f"{parts[5]}{region} of {THIS_ACCOUNT}"
    return value


def _short_clause(operator: str, key: str, values: Sequence[str]) -> str:
    """Return the short form of the few conditions that have one, or an empty string."""
    value, lowered = values[0] if len(values) == 1 else "", fold(key)
    if (operator, lowered, fold(value)) == ("bool", "aws:multifactorauthpresent", "true"):
        return "only with MFA"
    if (operator, lowered) == ("numericlessthan", "aws:multifactorauthage") and is_digits(value):
        return f"only with MFA in the last {_age(int(value))}"
    if (operator, lowered) == ("ipaddress", "aws:sourceip") and values:
        return f"only from {_values(values)}"
    if (operator, lowered, value) == ("stringequals", "aws:resourceaccount", THIS_ACCOUNT):
        return f"only in {THIS_ACCOUNT}"
    service, _, tag = key.partition("/")
    if operator == "stringequals" and tag and fold(service).endswith(":resourcetag") and values:
        return f"only if tagged {tag}={_values(values)}"
    if operator in ("stringlike", "stringequals") and lowered == "s3:prefix":
        return _prefix(operator, values)
    return ""


def _prefix(operator: str, values: Sequence[str]) -> str:
    """Return the phrase for listing below one folder, or an empty string for other prefixes."""
    folders = set(values)
    if operator == "stringlike":
        folders = {value.removesuffix("*") for value in values}
    folder = next(iter(folders)) if len(folders) == 1 else ""
    if folder.endswith("/") and not set(folder) & set("*?$"):
        return f"only under {folder}"
    return ""


def _age(seconds: int) -> str:
    for size, noun in ((HOUR, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            number = seconds // size
            return noun if number == 1 else f"{number:,} {noun}s"
    return f"{seconds:,} seconds"
