"""Whether documents give no more than others do: what an approver may make of a request without asking anew.
Pure, and careful: what cannot be shown to be less counts as more.
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
"""Operators under which fewer values mean less."""


def is_within(inner: Iterable[str], outer: Iterable[str]) -> bool:
    """Whether every statement of the inner documents gives no more than one of the outer, and nothing that
    the outer deny is left out.
    """
    mine, theirs = list(_statements(inner)), list(_statements(outer))
    if any(one is None for one in (*mine, *theirs)):
        return False
    denies = [one for one in theirs if one is not None and not one.allows]
    if not all(any(_same(one, deny) for one in mine if one is not None) for deny in denies):
        return False
    allows = [one for one in theirs if one is not None and one.allows]
    return all(any(_covers(wide, one) for wide in allows) for one in mine if one is not None and one.allows)


def _statements(texts: Iterable[str]) -> Iterable[Statement | None]:
    """None stands for what cannot be read whole."""
    for text in texts:
        document = read(text)
        if document.problems or not document.has_variables:
            yield None
        for one in document.statements:
            yield None if one.problems else one


def _same(one: Statement, other: Statement) -> bool:
    return _told(one) == _told(other)


def _told(one: Statement) -> tuple[object, ...]:
    return (
        one.allows,
        one.is_not_action,
        frozenset(fold(name) for name in one.actions),
        one.is_not_resource,
        frozenset(one.resources or ()),
        _conditions(one.conditions),
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
        inner, outer = tuple(fold(name) for name in inner), tuple(fold(name) for name in outer)
    if any(is_not):
        return is_not == (True, True) and set(inner) >= set(outer)
    return all(any(_takes_in(wide, name) for wide in outer) for name in inner)


def _takes_in(wide: str, name: str) -> bool:
    """A star of the wide one takes in whatever stands there, wildcards too; a question mark would take a star
    for one sign.
    """
    return wide == name or ("?" not in wide and compile_glob(wide)(name))


def _is_stricter(narrow: Block, wide: Block) -> bool:
    """Every condition of the wide one is there, with the same values or, where that means less, with some of
    them.
    """
    own = _conditions(narrow)
    for operator, key, values in _conditions(wide):
        same = [said for one, name, said in own if (one, name) == (operator, key)]
        if values in same:
            continue
        if operator not in CHOICES or not any(said and said <= values for said in same):
            return False
    return True


def _conditions(block: Block) -> frozenset[tuple[str, str, frozenset[str]]]:
    return frozenset((fold(operator), fold(key), frozenset(values)) for operator, key, values in block)
