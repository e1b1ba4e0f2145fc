"""What stands out in a policy document, read literally: everything allowed, IAM itself, a deny."""

from __future__ import annotations

import json
from typing import Any

EVERYTHING = "everything"
IAM_WRITE = "iam"
DENIES = "denies"

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
    if "NotAction" in statement:
        spared = _lower(statement["NotAction"])
        return set() if any(action in ("*", "iam:*") for action in spared) else {IAM_WRITE}
    actions = _lower(statement.get("Action", []))
    if any(action in ("*", "*:*") for action in actions):
        return {EVERYTHING}
    return {IAM_WRITE} if any(_changes_iam(action) for action in actions) else set()


def _changes_iam(action: str) -> bool:
    return action.startswith("iam:") and not action.startswith(_IAM_READING)


def _lower(value: object) -> list[str]:
    listed = value if isinstance(value, list) else [value]
    return [item.lower() for item in listed if isinstance(item, str)]
