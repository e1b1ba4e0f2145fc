"""Reads the raw statements of a policy, for callers that need only a few elements. The engine parses whole
policies (`iam.policy.document`), the lint also places (`iam.policy.json_places`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def as_list(value: Any) -> list[Any]:
    """Return a value as a list. AWS writes a single value without a list."""
    return list(value) if isinstance(value, list) else [value]


def statements_in(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the statements of a parsed policy."""
    return as_list(body.get("Statement", []))


def statements_of(text: str) -> list[dict[str, Any]]:
    """Return the statements of a policy's text, or none if it can't be parsed."""
    try:
        body = json.loads(text)
    except ValueError:
        return []
    statements = statements_in(body) if isinstance(body, dict) else []
    return [statement for statement in statements if isinstance(statement, dict)]
