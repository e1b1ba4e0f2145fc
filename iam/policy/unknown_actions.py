"""Removes unknown action names from a policy text before it is evaluated, so that typed text doesn't enlarge
the set of actions for everyone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from iam.policy.catalogue import ActionSpace
from iam.policy.catalogue.space import is_literal
from iam.policy.statements import as_list


def without_unknown_actions(text: str, *, space: ActionSpace) -> tuple[str, tuple[str, ...]]:
    """Return the text without complete action names that neither the catalogue nor a policy in use contains,
    and these names in order.

    A text that isn't a JSON object stays unchanged. A statement whose Action has only such names is removed;
    a NotAction with only such names becomes Action `*`.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return text, ()
    strange: dict[str, None] = {}
    if isinstance(body, dict):
        body["Statement"] = list(_kept(as_list(body.get("Statement")), space=space, strange=strange))
    return (json.dumps(body), tuple(strange)) if strange else (text, ())


def _kept(statements: list[Any], *, space: ActionSpace, strange: dict[str, None]) -> Iterator[Any]:
    for statement in statements:
        if not isinstance(statement, dict):
            yield statement
            continue
        kept, is_empty = dict(statement), False
        for element in ("Action", "NotAction"):
            named = statement.get(element)
            names = as_list(named)
            unknown = [name for name in names if _is_strange(name, space=space)]
            if not unknown:
                continue
            strange.update((str(name), None) for name in unknown)
            rest = [name for name in names if name not in unknown]
            is_empty = is_empty or (not rest and element == "Action")
            if rest:
                kept[element] = rest
            elif element == "NotAction":
                del kept[element]
                kept["Action"] = "*"
        if not is_empty:
            yield kept


def _is_strange(name: object, *, space: ActionSpace) -> bool:
    return isinstance(name, str) and ":" in name and is_literal(name) and space.index_of(name) is None
