"""Builds and compares the policy documents of grants: adds end dates, packs statements into AWS's size
limits. Pure.
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
"""Operators that can carry an end date. Every request has the current time, so IfExists means the same."""
ENDS: Final = frozenset(fold(name) for name in WHEN)
_BEYOND: Final = re.compile(r"[^\x00-\xff]")
Meaning = frozenset[tuple[object, ...]]
"""The statements of a document, independent of order, layout and Sids."""


class TooLargeError(ValueError):
    """Raised if a single statement exceeds the size limit of AWS."""


def stamp(end: datetime) -> str:
    """Format a time as condition values do, in UTC."""
    return f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def timed(text: str, *, end: datetime) -> str:
    """Return the document with an end date in each statement, which AWS enforces even while Gatehouse is
    down.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_examples_aws-dates.html

    A statement that already has an end date gets a second one, and the earlier of the two counts. Raises
    ValueError if every operator is used already.
    """
    body = json.loads(text)
    body["Statement"] = [_until(statement, end) for statement in statements_in(body)]
    return written(body)


def timed_statement(statement: Mapping[str, Any], *, end: datetime | None) -> dict[str, Any]:
    """Return the statement with this end date; unchanged if `end` is None."""
    return _until(dict(statement), end) if end else dict(statement)


def _until(statement: dict[str, Any], end: datetime) -> dict[str, Any]:
    """Add the end date under the first operator that has no time condition yet, so that existing time
    conditions stay in force.
    """
    conditions = {name: dict(block) for name, block in statement.get("Condition", {}).items()}
    # If operator names differ only in case, use the first of them.
    names = {fold(name): name for name in reversed(conditions)}
    for operator in WHEN:
        block = conditions.setdefault(names.get(fold(operator), operator), {})
        if not any(fold(key) == fold(NOW) for key in block):
            block[NOW] = stamp(end)
            return {**statement, "Condition": conditions}
    raise ValueError(f"A statement already has {len(WHEN)} end dates.")


def with_new_end(text: str, *, old: datetime, new: datetime) -> str:
    """Replace the old end date, as written by `timed`, with the new one."""
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
    """Serialize a document for an AWS call: on one line, which is short and readable in a command.

    Characters beyond Latin-1, which AWS calls do not accept, are escaped.
    """
    text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
    return _BEYOND.sub(lambda match: json.dumps(match[0])[1:-1], text)


def packed(documents: Sequence[str], *, limit: int = MANAGED.limit) -> tuple[str, ...]:
    """Pack the statements, in order, into as few documents as the limit allows (characters without white
    space).

    Raises TooLargeError if a single statement does not fit.
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
    """Return the document with one more statement, without its Sid if the document already uses that Sid."""
    names = {statement.get("Sid") for statement in body["Statement"]}
    own = {key: value for key, value in statement.items() if key != "Sid" or value not in names}
    return {**body, "Statement": [*body["Statement"], own]}


def meaning_of(documents: Iterable[str]) -> Meaning | None:
    """The combined meaning of documents, for comparison.

    None if one of them cannot be parsed completely or uses variables that its version does not support.
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
    """A name for a resource that a grant creates: its title, and a mark that makes it unique."""
    stem = slugged(title)[: longest - len(mark) - len("gatehouse--")].strip("-")
    return f"gatehouse-{stem}-{mark}" if stem else f"gatehouse-{mark}"
