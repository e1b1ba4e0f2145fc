"""Documents as an image has them: as what was read of their texts, so that nobody has to read these again."""

from __future__ import annotations

from typing import Any

from iam.policy.document import CURRENT, DocumentProblem, PolicyDocument, Statement
from iam.policy.index.documents import IndexedDocument, Marks, SharedDocuments
from iam.policy.index.shapes import StatementShape

Written = list[Any]
"""What JSON holds."""


def written(doc: IndexedDocument) -> Written:
    """A whole document."""
    has_variables = any(clause.has_variables for clause in doc.clauses)
    pairs = zip(doc.clauses, doc.labels, strict=True)
    statements = [_statement(clause.shape.statement(clause.resources, label)) for clause, label in pairs]
    return [has_variables, _problems(doc.problems), statements]


def shape_written(shape: StatementShape) -> Written:
    """What a statement says but for its resources."""
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
    """The document of `written`."""
    has_variables, problems, statements = written
    version = CURRENT if has_variables else ""
    return PolicyDocument(version, tuple(map(_statement_in, statements)), _problems_in(problems))


def shape_in(written: Written, documents: SharedDocuments) -> StatementShape:
    """The shape of `shape_written`."""
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
    """A document whose statements name their shapes by number: problems, then number, index, Sid and
    resources of each.
    """
    written: Written = [_problems(doc.problems)]
    for clause, (index, sid) in zip(doc.clauses, doc.labels, strict=True):
        written += [shape_number(clause.shape), index, sid, clause.resources]
    return written


def small_in(
    digest: str, written: Written, documents: SharedDocuments, shapes: list[StatementShape]
) -> IndexedDocument:
    """The document of `small_written`, which is not in use yet; `found` has its number before."""
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
    """Marks, which are numbers, and values of tags."""
    marks = []
    for mark in written:
        if isinstance(mark, list):
            mark = tuple(mark)
        marks.append(mark)
    return tuple(marks)
