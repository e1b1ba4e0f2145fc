"""Checks whether policy documents give no more than others. Pure.

An approver may reduce a request without a new approval only if this is certain: what can't be proven smaller
counts as larger.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from iam.policy.document import Block, Names, Statement, read
from iam.policy.glob import compile_glob
from iam.policy.letter_case import fold

CHOICES: Final = frozenset(
    {"stringequals", "stringlike", "arnequals", "arnlike", "ipaddress", "stringequalsignorecase"}
)
"""Operators with which fewer values allow less."""


def is_within(inner: Iterable[str], outer: Iterable[str]) -> bool:
    """True if each inner Allow is covered by an outer Allow and the inner documents repeat all
    outer denies.
    """
    mine, theirs = list(_statements(inner)), list(_statements(outer))
    if any(statement is None for statement in (*mine, *theirs)):
        return False
    denies = [statement for statement in theirs if statement is not None and not statement.allows]
    own_statements = [_comparable(statement) for statement in mine if statement is not None]
    if not all(_comparable(deny) in own_statements for deny in denies):
        return False
    allows = [statement for statement in theirs if statement is not None and statement.allows]
    return all(
        any(_covers(wide, statement) for wide in allows)
        for statement in mine
        if statement is not None and statement.allows
    )


def _statements(texts: Iterable[str]) -> Iterable[Statement | None]:
    """The statements of the documents; None stands for one that can't be parsed completely."""
    for text in texts:
        document = read(text)
        if document.problems or not document.has_variables:
            yield None
        for statement in document.statements:
            yield None if statement.problems else statement


def _comparable(statement: Statement) -> tuple[object, ...]:
    return (
        statement.allows,
        statement.is_not_action,
        frozenset(fold(name) for name in statement.actions),
        statement.is_not_resource,
        frozenset(statement.resources or ()),
        _conditions(statement.conditions),
    )


def _covers(wide: Statement, narrow: Statement) -> bool:
    return (
        _names_within(
            narrow.actions, wide.actions, is_not=(narrow.is_not_action, wide.is_not_action), folds=True
        )
        and _names_within(
            narrow.resources or (),
            wide.resources or (),
            is_not=(narrow.is_not_resource, wide.is_not_resource),
            folds=False,
        )
        and _is_stricter(narrow.conditions, wide.conditions)
    )


def _names_within(inner: Names, outer: Names, *, is_not: tuple[bool, bool], folds: bool) -> bool:
    if folds:
        inner = tuple(fold(name) for name in inner)
        outer = tuple(fold(name) for name in outer)
    if all(is_not):
        return set(inner) >= set(outer)
    if any(is_not):
        return False
    return all(any(_takes_in(pattern, name) for pattern in outer) for name in inner)


def _takes_in(wide: str, name: str) -> bool:
    """True if the wide pattern matches everything the name matches.

    A star covers wildcards in the name too; a question mark would wrongly match a star as one character.
    """
    return wide == name or ("?" not in wide and compile_glob(wide)(name))


def _is_stricter(narrow: Block, wide: Block) -> bool:
    """True if the narrow block has every condition of the wide one, with equal or, where that allows less,
    fewer values.
    """
    own = _conditions(narrow)
    for operator, key, values in _conditions(wide):
        same = [
            own_values for own_operator, name, own_values in own if (own_operator, name) == (operator, key)
        ]
        if values in same:
            continue
        if operator not in CHOICES or not any(own_values and own_values <= values for own_values in same):
            return False
    return True


def _conditions(block: Block) -> frozenset[tuple[str, str, frozenset[str]]]:
    return frozenset((fold(operator), fold(key), frozenset(values)) for operator, key, values in block)
