"""The statements of a policy's text, for what asks only a few elements of it: the engine reads a policy whole
(`iam.policy.document`), and the lint with places (`iam.policy.json_places`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def as_list(value: Any) -> list[Any]:
    """AWS writes one value bare and several in a list."""
    return list(value) if isinstance(value, list) else [value]


def statements_in(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy that can be read."""
    return as_list(body.get("Statement", []))


def statements_of(text: str) -> list[dict[str, Any]]:
    """The statements of a policy; none of a text that cannot be read."""
    try:
        body = json.loads(text)
    except ValueError:
        return []
    statements = statements_in(body) if isinstance(body, dict) else []
    return [statement for statement in statements if isinstance(statement, dict)]
