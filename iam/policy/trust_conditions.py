"""Parses the condition block of a trust statement into tests and describes common tests in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from iam.phrases import joined
from iam.policy.letter_case import fold, is_digits
from iam.policy.statements import as_list

SAME = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})
"""Operators that require one of the values.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""
WITHOUT_WILDCARDS = frozenset({"stringequals", "stringequalsignorecase"})


@dataclass(frozen=True, slots=True)
class TrustRequirement:
    """A test of one key with one operator, both as written in the policy. Several values are alternatives."""

    operator: str
    key: str
    values: tuple[str, ...]

    @property
    def bare_operator(self) -> str:
        """The operator in lower case, without quantifier and without IfExists."""
        return fold(self.operator.split(":")[-1]).removesuffix("ifexists")

    @property
    def quantifier(self) -> str:
        """`foranyvalue`, `forallvalues` or an empty string."""
        return fold(self.operator.split(":")[0]) if ":" in self.operator else ""

    @property
    def if_exists(self) -> bool:
        """True if a request without the key passes."""
        return fold(self.operator).endswith("ifexists") or self.quantifier == "forallvalues"

    @property
    def name(self) -> str:
        """The key in lower case, because keys are not case-sensitive."""
        return fold(self.key)

    @property
    def asks_for(self) -> bool:
        """True if the key must be present with one of the values."""
        return self.bare_operator in SAME and not self.if_exists

    def __str__(self) -> str:
        return f"{self.operator} {self.key}: {', '.join(self.values)}"


def read_conditions(block: object) -> tuple[TrustRequirement, ...]:
    """Return the tests of a condition block in order; all of them must pass. Raises ValueError if the block
    has an invalid shape.
    """
    if block is None:
        return ()
    if not isinstance(block, Mapping):
        raise ValueError("Condition isn’t a JSON object")
    tests = []
    for operator, keys in block.items():
        if not isinstance(keys, Mapping):
            raise ValueError(f"the condition operator {operator} isn’t a JSON object")
        tests += [
            TrustRequirement(str(operator), str(key), tuple(_texts(values))) for key, values in keys.items()
        ]
    return tuple(tests)


def _texts(values: object) -> Iterable[str]:
    for value in as_list(values):
        if isinstance(value, bool):
            yield "true" if value else "false"
        else:
            yield str(value)


def one_of(values: tuple[str, ...]) -> str:
    """Join the values as 'a', 'a or b' or 'a, b or c'."""
    return joined(values, last="or") or "nothing"


_SAME_WORDS = {
    "sts:externalid": "with the external ID {}",
    "aws:principalorgid": "of the organization {}",
    "aws:principalorgpaths": "in the organization path {}",
    "aws:principalarn": "only as {}",
    "aws:principalaccount": "of the account {}",
    "aws:sourceaccount": "on behalf of the account {}",
    "aws:sourcearn": "on behalf of {}",
    "aws:sourceorgid": "on behalf of the organization {}",
    "aws:sourcevpc": "from the VPC {}",
    "aws:sourcevpce": "through the VPC endpoint {}",
    "sts:rolesessionname": "with the session name {}",
    "sts:sourceidentity": "with the source identity {}",
    "aws:requestedregion": "in {}",
}


def in_words(test: TrustRequirement) -> str | None:
    """Return a phrase that follows a subject, such as 'with the external ID x', or None for a test that has
    no words.
    """
    if (
        test.name == "aws:multifactorauthpresent"
        and test.bare_operator == "bool"
        and test.values == ("true",)
    ):
        return _mfa(test)
    if test.name == "aws:multifactorauthage" and test.bare_operator in {
        "numericlessthan",
        "numericlessthanequals",
    }:
        return None if test.if_exists else f"with MFA not older than {_duration(test.values)}"
    if test.name == "aws:sourceip" and test.bare_operator == "ipaddress" and not test.if_exists:
        return f"from {one_of(test.values)}"
    if test.name == "aws:currenttime" and not test.if_exists:
        return _time(test)
    return _equality_key(test)


def _mfa(test: TrustRequirement) -> str:
    if test.if_exists:
        return "signed in with MFA, or using an access key, which carries no information about MFA"
    return "signed in with MFA"


def _equality_key(test: TrustRequirement) -> str | None:
    if not test.asks_for:
        return None
    if test.name == "sts:rolesessionname" and test.values == ("${aws:username}",):
        return "with their own user name as the session name"
    if test.name in _SAME_WORDS:
        return _SAME_WORDS[test.name].format(one_of(test.values))
    for start, words in (
        ("aws:principaltag/", "with the tag {} = {}"),
        ("aws:requesttag/", "with the session tag {} = {}"),
    ):
        if test.name.startswith(start):
            return words.format(test.key[len(start) :], one_of(test.values))
    return None


def _duration(values: tuple[str, ...]) -> str:
    seconds = values[0] if len(values) == 1 else ""
    if not is_digits(seconds):
        return one_of(values)
    number = int(seconds)
    for size, unit in ((3600, "hour"), (60, "minute"), (1, "second")):
        if number % size == 0 and number >= size:
            count = number // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return f"{number} seconds"


def moment_of(test: TrustRequirement) -> datetime | None:
    """Return the time that a date test names (ISO 8601 or seconds since 1970), or None."""
    if len(test.values) != 1:
        return None
    text = test.values[0]
    try:
        if is_digits(text):
            return datetime.fromtimestamp(int(text), tz=UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _time(test: TrustRequirement) -> str | None:
    words = {"datelessthan": "until", "datelessthanequals": "until"}
    words |= {"dategreaterthan": "from", "dategreaterthanequals": "from"}
    moment = moment_of(test)
    if test.bare_operator not in words or moment is None:
        return None
    end = " on" if words[test.bare_operator] == "from" else ""
    return f"{words[test.bare_operator]} {moment:%-d %b %Y, %H:%M} UTC{end}"
