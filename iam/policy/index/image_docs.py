"""Serializes documents for an image in parsed form, so that their texts need not be parsed again."""

from __future__ import annotations

from typing import Any

from iam.policy.document import CURRENT, DocumentProblem, PolicyDocument, Statement
from iam.policy.index.documents import IndexedDocument, Marks, SharedDocuments
from iam.policy.index.shapes import StatementShape

Written = list[Any]
"""A JSON array."""


def written(doc: IndexedDocument) -> Written:
    """Serialize a whole document."""
    has_variables = any(clause.has_variables for clause in doc.clauses)
    pairs = zip(doc.clauses, doc.labels, strict=True)
    statements = [_statement(clause.shape.statement(clause.resources, label)) for clause, label in pairs]
    return [has_variables, _problems(doc.problems), statements]


def shape_written(shape: StatementShape) -> Written:
    """Serialize the content of a statement apart from its resources."""
    return [shape.has_variables, _statement(shape.plain)]


def _statement(statement: Statement) -> Written:
    return [
        statement.index, statement.sid, statement.allows, statement.actions, statement.is_not_action,
        statement.resources, statement.is_not_resource, statement.principals, statement.is_not_principal,
        statement.conditions, _problems(statement.problems),
    ]  # fmt: skip


def _problems(problems: tuple[DocumentProblem, ...]) -> Written:
    return [[problem.place, problem.message] for problem in problems]


def document_in(written: Written) -> PolicyDocument:
    """Deserialize the result of `written`."""
    has_variables, problems, statements = written
    version = CURRENT if has_variables else ""
    return PolicyDocument(version, tuple(map(_statement_in, statements)), _problems_in(problems))


def shape_in(written: Written, documents: SharedDocuments) -> StatementShape:
    """Deserialize the result of `shape_written`."""
    return documents.shape(_statement_in(written[1]), has_variables=written[0])


def _statement_in(written: Written) -> Statement:
    index, sid, allows, actions, is_not_action, resources, is_not_resource, principals, *rest = written
    is_not_principal, conditions, problems = rest
    named = None
    if principals is not None:
        named = {kind: tuple(names) for kind, names in principals.items()}
    resources = None if resources is None else tuple(resources)
    return Statement(
        index,
        sid,
        allows,
        tuple(actions),
        is_not_action,
        resources,
        is_not_resource,
        named,
        is_not_principal,
        tuple([(operator, key, tuple(values)) for operator, key, values in conditions]),
        _problems_in(problems),
    )


def _problems_in(written: Written) -> tuple[DocumentProblem, ...]:
    return tuple([DocumentProblem(place, message) for place, message in written])


def small_written(doc: IndexedDocument, shape_number: Any) -> Written:
    """Serialize a document whose statements refer to shapes by number: the problems, then shape number,
    index, Sid and resources of each statement.
    """
    written: Written = [_problems(doc.problems)]
    for clause, (index, sid) in zip(doc.clauses, doc.labels, strict=True):
        written += [shape_number(clause.shape), index, sid, clause.resources]
    return written


def small_in(
    digest: str, written: Written, documents: SharedDocuments, shapes: list[StatementShape]
) -> IndexedDocument:
    """Deserialize the result of `small_written`, preceded by the document's number. The document must not be
    in use.
    """
    clauses, labels = [], []
    for place in range(2, len(written), 4):
        shape, index, sid, resources = written[place : place + 4]
        label = (index, sid)
        named = None if resources is None else tuple(resources)
        clauses.append(documents.clause(shapes[shape], named, label))
        labels.append(label)
    problems = _problems_in(written[1]) if written[1] else ()
    return documents.intern(digest, clauses, labels, problems)


def marks_in(written: Written) -> Marks:
    """Deserialize marks, which are numbers and tag values."""
    marks = []
    for mark in written:
        if isinstance(mark, list):
            mark = tuple(mark)
        marks.append(mark)
    return tuple(marks)
