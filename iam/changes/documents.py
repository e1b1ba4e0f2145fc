"""What stands out in a policy document, read literally: everything allowed, IAM itself, a deny."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from iam.policy.catalogue import Level, catalogue

EVERYTHING = "everything"
IAM_WRITE = "iam"
DENIES = "denies"
OWN_ONLY: Final = ("iam:ChangePassword",)
"""Actions of IAM that change nothing but the caller's own password (IAM API Reference, ChangePassword)."""

_IAM_READING = ("iam:get", "iam:list", "iam:generate", "iam:simulate")


def flags(text: str) -> tuple[str, ...]:
    """Sorted marks of a document: it allows every action, it allows actions that change IAM, it denies something.

    Conditions, resources and boundaries are not weighed: a mark says "look here", never "is allowed". An unreadable
    document has no marks.
    """
    found = set()
    for statement in statements_of(text):
        if statement.get("Effect") == "Deny":
            found.add(DENIES)
        elif statement.get("Effect") == "Allow":
            found |= _allow_flags(statement)
    return tuple(sorted(found))


def statements_of(text: str) -> list[dict[str, Any]]:
    """The statements of a policy; none of a text that cannot be read."""
    try:
        body = json.loads(text)
    except ValueError:
        return []
    statements = body.get("Statement", []) if isinstance(body, dict) else []
    listed = statements if isinstance(statements, list) else [statements]
    return [statement for statement in listed if isinstance(statement, dict)]


def _allow_flags(statement: dict[str, Any]) -> set[str]:
    everything = catalogue().mask("*")
    if "NotAction" in statement:
        actions: list[str] = []
        allowed = everything & ~_mask(_lower(statement["NotAction"]))
    else:
        actions = _lower(statement.get("Action", []))
        allowed = _mask(actions)
    if allowed == everything:
        return {EVERYTHING}
    return {IAM_WRITE} if allowed & _changing_iam() or any(map(_is_unknown, actions)) else set()


def _mask(patterns: list[str]) -> int:
    found = 0
    for pattern in patterns:
        found |= catalogue().mask(pattern)
    return found


@cache
def _changing_iam() -> int:
    known = catalogue()
    reading = known.mask_of_level(Level.LIST) | known.mask_of_level(Level.READ)
    return known.mask_of_service("iam") & ~reading & ~_mask(_lower(list(OWN_ONLY)))


def _is_unknown(action: str) -> bool:
    """An action of IAM that AWS may have published later, unless its name says that it reads."""
    is_known = bool(catalogue().mask(action))
    return action.startswith("iam:") and not is_known and not action.startswith(_IAM_READING)


def _lower(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [item.lower() for item in listed if isinstance(item, str)]
