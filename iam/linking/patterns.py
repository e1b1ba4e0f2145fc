"""Name rules: the parts of an address's local part, and the user name that they form. Without
side effects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

PART: Final = re.compile(r"\{([a-z]*)\}")
PARTS: Final = {"first": r"[^.+]+", "last": r"[^.+]+", "f": r"[^.+]", "l": r"[^.+]", "local": r".+"}
"""What a placeholder matches in an address. `f` and `l` are the first letters of the first and
the last name.
"""
LETTERS: Final = {"f": "first", "l": "last"}
USER_NAME: Final = re.compile(r"[a-z0-9+=,.@_-]*")
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-names"""


class PatternError(ValueError):
    """The rule is invalid. The message is a sentence for its author."""


class NamePattern:
    """A name rule. Raises PatternError."""

    def __init__(self, user_name: str, address: str) -> None:
        self._user_name, self._address = user_name.strip().lower(), address.strip().lower()
        _check(self._user_name, "the user name")
        _check(self._address, "the address")
        parts_given = set(PART.findall(self._address))
        for part in PART.findall(self._user_name):
            if part not in parts_given and LETTERS.get(part) not in parts_given:
                raise PatternError(
                    f"The user name contains {{{part}}}, but the address doesn’t say what that is."
                )
        self._expression = re.compile(_expression(self._address))

    @property
    def texts(self) -> tuple[str, str]:
        """The rule as stored: (user name, address)."""
        return self._user_name, self._address

    def user_name_of(self, email: str) -> str:
        """Return the user name for an address, in lower case, or an empty string if the rule
        doesn't apply.
        """
        match = self._expression.fullmatch(email.lower().rpartition("@")[0])
        return _filled(self._user_name, match.groupdict()) if match else ""


def _check(text: str, which: str) -> None:
    names = PART.findall(text)
    if not names:
        raise PatternError(f"Use at least one part in {which}, such as {{first}}.{{last}}.")
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        raise PatternError(f"{{{unknown[0]}}} isn’t a part. The parts are {_listed()}.")
    if len(set(names)) != len(names):
        raise PatternError(f"Use each part only once in {which}.")
    between = PART.split(text)[::2]
    if any(not USER_NAME.fullmatch(separator) or "@" in separator for separator in between):
        raise PatternError(f"Besides parts, {which} can contain only letters, digits and + = , . _ -")
    for left, middle in zip(names, between[1:-1], strict=False):
        if not middle and left not in LETTERS and which == "the address":
            raise PatternError(f"The address needs a character between {{{left}}} and the next part.")


def _listed() -> str:
    return ", ".join(f"{{{name}}}" for name in PARTS)


def _expression(text: str) -> str:
    pieces = PART.split(text)
    pieces[::2] = map(re.escape, pieces[::2])
    pieces[1::2] = [f"(?P<{piece}>{PARTS[piece]})" for piece in pieces[1::2]]
    return "".join(pieces)


def _filled(text: str, parts: Mapping[str, str]) -> str:
    known = dict(parts)
    for letter, whole in LETTERS.items():
        if letter not in known and whole in known:
            known[letter] = known[whole][0]
    return PART.sub(lambda match: known[match[1]], text)
