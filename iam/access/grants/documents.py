"""Policy documents that a grant writes: with an end of their own, packed into sizes that AWS takes, and
compared by what they say. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from iam.access.grants.phrases import slugged
from iam.policy.document import CURRENT, Statement, read
from iam.policy.letter_case import fold
from iam.policy.lint import MANAGED
from iam.policy.statements import statements_in

NOW: Final = "aws:CurrentTime"
BEFORE: Final = "DateLessThan"
UNTIL: Final = "DateLessThanEquals"
WHEN: Final = (BEFORE, UNTIL, f"{BEFORE}IfExists", f"{UNTIL}IfExists")
"""Operators under which an end may stand; every request has the time, so that IfExists says the same."""
ENDS: Final = frozenset(fold(name) for name in WHEN)
_BEYOND: Final = re.compile(r"[^\x00-\xff]")
Meaning = frozenset[tuple[object, ...]]
"""What a document says: its statements, whatever their order, layout and names."""


class TooLargeError(ValueError):
    """One statement alone is larger than AWS takes."""


def stamp(end: datetime) -> str:
    """A moment as conditions name it."""
    return f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def timed(text: str, *, end: datetime) -> str:
    """The document, each statement of which holds only until the end: AWS enforces it, anyone who runs.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws-dates.html A statement
    that ends by itself already says both, and the earlier of the two counts. Raises ValueError where no
    operator is left.
    """
    body = json.loads(text)
    body["Statement"] = [_until(statement, end) for statement in statements_in(body)]
    return written(body)


def timed_statement(statement: Mapping[str, Any], *, end: datetime | None) -> dict[str, Any]:
    """A statement that holds only until the end; as it is without one."""
    return _until(dict(statement), end) if end else dict(statement)


def _until(statement: dict[str, Any], end: datetime) -> dict[str, Any]:
    """Under the operator that says nothing about the time yet: what says another time holds as well."""
    conditions = {name: dict(block) for name, block in statement.get("Condition", {}).items()}
    # Of names that differ in letter case only, the first one.
    names = {fold(name): name for name in reversed(conditions)}
    for operator in WHEN:
        block = conditions.setdefault(names.get(fold(operator), operator), {})
        if not any(fold(key) == fold(NOW) for key in block):
            block[NOW] = stamp(end)
            return {**statement, "Condition": conditions}
    raise ValueError(f"A statement already has {len(WHEN)} end dates.")


def with_new_end(text: str, *, old: datetime, new: datetime) -> str:
    """The document with another end: what `timed` wrote for the old one says the new one."""
    body = json.loads(text)
    body["Statement"] = [
        _statement_with_new_end(statement, stamp(old), stamp(new)) for statement in statements_in(body)
    ]
    return written(body)


def _statement_with_new_end(statement: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    conditions = {
        name: _retimed_block(name, block, old, new) for name, block in statement.get("Condition", {}).items()
    }
    return {**statement, "Condition": conditions} if conditions else statement


def _retimed_block(operator: str, block: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    retimed = {}
    for key, value in block.items():
        is_old_end = fold(key) == fold(NOW) and value == old and fold(operator) in ENDS
        retimed[key] = new if is_old_end else value
    return retimed


def written(body: Mapping[str, Any]) -> str:
    """A document as it is sent: on one line, which reads well in a command and costs no characters. Signs
    beyond Latin-1, which the calls of AWS do not take, are escaped.
    """
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return _BEYOND.sub(lambda match: json.dumps(match[0])[1:-1], text)


def packed(documents: Sequence[str], *, limit: int = MANAGED.limit) -> tuple[str, ...]:
    """The same statements in as few documents as fit into the limit (characters without white space), in
    their order.

    Raises TooLargeError when one statement alone does not fit.
    """
    statements: list[dict[str, Any]] = []
    for version, statement in _all(documents):
        last = statements[-1] if statements else None
        if last is not None and last["Version"] == version:
            longer = _with_statement(last, statement)
            if MANAGED.size(written(longer)) <= limit:
                statements[-1] = longer
                continue
        alone = {"Version": version, "Statement": [statement]}
        if (size := MANAGED.size(written(alone))) > limit:
            raise TooLargeError(f"One statement alone has {size:,} characters, and {limit:,} fit.")
        statements.append(alone)
    return tuple(written(body) for body in statements)


def _all(documents: Iterable[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for text in documents:
        body = json.loads(text)
        for statement in statements_in(body):
            yield body.get("Version", "2008-10-17"), statement


def _with_statement(body: Mapping[str, Any], statement: Mapping[str, Any]) -> dict[str, Any]:
    """One statement more; a name that another has already is left out, since names are unique in a
    document.
    """
    names = {statement.get("Sid") for statement in body["Statement"]}
    own = {key: value for key, value in statement.items() if key != "Sid" or value not in names}
    return {**body, "Statement": [*body["Statement"], own]}


def meaning_of(documents: Iterable[str]) -> Meaning | None:
    """What documents say together; None where one of them cannot be read whole, or uses variables that its
    version does not know.
    """
    meanings: set[tuple[object, ...]] = set()
    for text in documents:
        document = read(text)
        if document.problems or any(statement.problems for statement in document.statements):
            return None
        meanings.update(_said(statement, document.version) for statement in document.statements)
    return frozenset(meanings)


def _said(statement: Statement, version: str) -> tuple[object, ...]:
    return (
        version == CURRENT,
        statement.allows,
        statement.is_not_action,
        frozenset(fold(action) for action in statement.actions),
        statement.is_not_resource,
        frozenset(statement.resources or ()),
        frozenset((fold(name), fold(key), frozenset(values)) for name, key, values in statement.conditions),
    )


def name_for(title: str, *, mark: str, longest: int = 128) -> str:
    """A name for what a grant makes: what it gives, and a mark by which it is told apart."""
    stem = slugged(title)[: longest - len(mark) - len("gatehouse--")].strip("-")
    return f"gatehouse-{stem}-{mark}" if stem else f"gatehouse-{mark}"
