"""Finds what part of a document matters for a change: the actions it always allows, and whether it concerns
only resources that nothing else concerns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from iam.policy import variables
from iam.policy.arns import SEGMENTS, is_incomplete
from iam.policy.compiled import PolicyKind
from iam.policy.index.documents import IndexedDocument, IndexedStatement, Marks, SharedDocuments
from iam.policy.index.kinds import WORD, words_of
from iam.policy.index.masks import ActionNumbering
from iam.policy.request import Values
from iam.policy.variables import PolicyVariable, VariableText

WILD: Final = re.compile(r"[*?]|\$\{")
SERVICE, ACCOUNT = 2, 4


class RelevanceMasks(NamedTuple):
    """The actions in a document's statements: all, those in Allow and in Deny statements, and those that it
    always allows on everything.
    """

    any: int
    allowed: int
    denied: int
    plain: int


def masks_of(doc: IndexedDocument, space: ActionNumbering) -> RelevanceMasks:
    """The actions that a document concerns."""
    allowed = denied = plain = 0
    for clause in doc.clauses:
        mask = space.mask(clause.actions)
        if not clause.allows:
            denied |= mask
            continue
        allowed |= mask
        plain |= mask if is_plain(clause) else 0
    return RelevanceMasks(allowed | denied, allowed, denied, plain)


@lru_cache(maxsize=65536)
def is_plain(clause: IndexedStatement) -> bool:
    """True if a statement in an identity-based policy allows its actions on everything and
    unconditionally.
    """
    if not clause.allows or clause.is_partial or clause.conditions:
        return False
    compiled = clause.compiled_for(PolicyKind.IDENTITY)
    return compiled.means is None and not compiled.unknown


def allow_everything(space: ActionNumbering) -> IndexedDocument:
    """Create a document that allows everything."""
    statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return SharedDocuments(space).add("everything", text)


@lru_cache(maxsize=65536)
def starts_of(doc: IndexedDocument, marks: Marks | None = None) -> tuple[str, ...]:
    """The characters before the first wildcard of each resource pattern, apart from statements on everything.
    Tags of the holder are filled in as far as the `marks` tell them.
    """
    tags = _tags_of(doc, marks)
    return tuple(dict.fromkeys(chain.from_iterable(_starts_of(each, tags) for each in doc.clauses)))


def starts_of_clause(
    doc: IndexedDocument, clause: IndexedStatement, marks: Marks | None
) -> tuple[str, ...] | None:
    """Like `starts_of` for one statement of the document; None if it may apply to everything."""
    if doc.problems or not clause.is_partial or clause.shape.is_not_resource or clause.shape.plain.problems:
        return None
    return tuple(_starts_of(clause, _tags_of(doc, marks)))


def is_apart(starts: Iterable[str], others: Iterable[str]) -> bool:
    """True if no text that begins with one of `starts` can begin with one of the others."""
    every = tuple(others)
    lines = "\n" + "\n".join(every)
    return not any(start.startswith(every) or (every and f"\n{start}" in lines) for start in starts)


def _tags_of(doc: IndexedDocument, marks: Marks | None) -> dict[str, Values | None]:
    return {} if marks is None else dict(zip(doc.tags, marks[len(doc.atoms) :], strict=True))


def _starts_of(clause: IndexedStatement, tags: Mapping[str, Values | None]) -> Iterator[str]:
    for name in clause.resources or () if clause.is_partial else ():
        start = _start_of(variables.read(name, has_variables=clause.has_variables), tags)
        if start is not None:
            yield start


def _start_of(template: VariableText, tags: Mapping[str, Values | None]) -> str | None:
    """None if a tag is absent without which the pattern matches nothing."""
    start = ""
    for part in template.parts:
        if not isinstance(part, PolicyVariable):
            if len(part) > 1:
                break
            start += part
            continue
        values = tags.get(part.key)
        if values == ():
            if part.default is None:
                return None
            values = (part.default,)
        if values is None or len(values) != 1:
            break
        start += values[0]
    return start


@lru_cache(maxsize=65536)
def lone_kind(doc: IndexedDocument) -> object:
    """A key that is equal for documents with the same content on other resources, if the document only
    allows; None if its resources can be distinguished by more than their names.
    """
    if doc.is_marked or doc.problems:
        return None
    ids = []
    for clause in doc.clauses:
        is_simple = clause.allows and clause.is_partial and clause.traits.is_plain
        if not is_simple or clause.shape.is_not_resource or clause.shape.plain.problems:
            return None
        kinds = [_kind_of(name) for name in clause.resources or ()]
        if None in kinds or any("${" in value for value in _values_of(clause)):
            return None
        ids.append((clause.shape, tuple(kinds)))
    return tuple(ids)


def _values_of(clause: IndexedStatement) -> Iterable[str]:
    for _, _, values in clause.conditions:
        yield from values


def _kind_of(name: str) -> str | None:
    """A resource pattern without the words that people chose; None if these may be more than names."""
    segments = name.split(":", SEGMENTS - 1)
    if len(segments) != SEGMENTS or is_incomplete(name) or "$" in name or segments[ACCOUNT] not in ("", "*"):
        return None
    if WILD.search(segments[SERVICE]):
        return None
    known = words_of(segments[SERVICE])
    resource = segments[-1]
    if any(word in resource for word in known):
        return None
    return ":".join([*segments[:-1], WORD.sub("w", resource)])


def stands_alone(doc: IndexedDocument, others: Iterable[tuple[IndexedDocument, Marks | None]]) -> bool:
    """True if none of the others can match a resource of the document without applying to everything.
    Compares only the beginnings of patterns, and ignores `doc` among the others.
    """
    starts: list[str] = []
    for other, marks in others:
        if other is not doc:
            starts += starts_of(other, marks)
    return is_apart(starts_of(doc), starts)
