"""Parses policy variables in a text: `${aws:username}`, with or without a default, and those for the
characters `*`, `?` and `$`.

Source: "IAM policy elements: Variables and tags",
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from iam.policy.glob import Token, tokens
from iam.policy.letter_case import fold
from iam.policy.request import Request

VARIABLE = re.compile(r"\$\{([^{}]*)\}")
LITERALS = {"*", "?", "$"}
MAX_FILLED_LENGTH = 100_000
"""Maximum number of characters of a filled text. AWS texts have less than a tenth of that, and many variables
with long values could grow without limit.
"""


@dataclass(frozen=True, slots=True)
class PolicyVariable:
    """A policy variable, which is replaced by the single value of its key, or by the default if the key is
    absent.
    """

    key: str
    default: str | None


class OpenVariableError(Exception):
    """The request leaves the variable's key open."""


class AbsentVariableError(Exception):
    """The request lacks the key or has several values of it, and there is no default."""


@dataclass(frozen=True, slots=True)
class VariableText:
    """A text with variables. Wildcards outside of variables are wildcards; characters of their values are
    not. `variables` lists the variables in `parts`.
    """

    parts: tuple[Token | PolicyVariable, ...]
    variables: tuple[PolicyVariable, ...] = ()

    def fill_without_request(self) -> list[Token]:
        """Return the tokens of a text without variables."""
        if not self.variables:
            return cast(list[Token], list(self.parts))
        return [part for part in self.parts if not isinstance(part, PolicyVariable)]

    def fill(self, request: Request) -> list[Token]:
        """Return the tokens for a request. Raises OpenVariableError or AbsentVariableError."""
        filled: list[Token] = []
        for part in self.parts:
            if isinstance(part, PolicyVariable):
                filled.extend(_value(part, request))
            else:
                filled.append(part)
            if len(filled) > MAX_FILLED_LENGTH:
                raise AbsentVariableError("a text that long is nowhere in AWS")
        return filled


def _value(variable: PolicyVariable, request: Request) -> str:
    values = request.values(variable.key)
    if values is None:
        raise OpenVariableError(variable.key)
    if len(values) == 1:
        return values[0]
    if not values and variable.default is not None:
        return variable.default
    raise AbsentVariableError(variable.key)


def read(text: str, *, has_variables: bool) -> VariableText:
    """Parse a text. Without variables (policies of Version 2008-10-17), `${…}` is plain text."""
    if not has_variables or "${" not in text:
        return VariableText(tuple(tokens(text)))
    parts: list[Token | PolicyVariable] = []
    variables: list[PolicyVariable] = []
    at = 0
    for match in VARIABLE.finditer(text):
        parts += tokens(text[at : match.start()])
        inner = match.group(1)
        if inner in LITERALS:
            parts.append(inner)
        else:
            variables.append(_variable(inner))
            parts.append(variables[-1])
        at = match.end()
    return VariableText((*parts, *tokens(text[at:])), tuple(variables))


@lru_cache(maxsize=1024)
def _variable(inner: str) -> PolicyVariable:
    key, comma, rest = inner.partition(",")
    default = rest.strip()
    is_quoted = len(default) >= 2 and default[0] == default[-1] == "'"
    unquoted = default[1:-1] if comma and is_quoted else None
    return PolicyVariable(fold(key.strip()), unquoted)
