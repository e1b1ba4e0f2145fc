"""Policy documents and their statements. Each is compiled once, however many policies and accounts use it.

A statement is an `IndexedStatement`, a document an `IndexedDocument`. Both are identified by content and are
freed when no longer used.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from typing import Any, Final
from weakref import WeakValueDictionary

from iam.policy.compiled import CompiledStatement, PolicyKind
from iam.policy.document import DocumentProblem, Names, PolicyDocument, Statement, read
from iam.policy.index.areas import ResourceElement, area_of, pattern_fits
from iam.policy.index.dates import StatementDates
from iam.policy.index.elements import ActionElement
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.shapes import Label, StatementShape
from iam.policy.memory import without_collecting
from iam.policy.request import Request

Key = tuple[Any, ...]
Marks = tuple[Any, ...]
NAMES_KEPT: Final = 32
"""The maximum number of policy names for which a document keeps its statements."""


class IndexedStatement:
    """A statement that is compiled on first use. For `beginning`, see `beginning_of`; for `reach`, see
    `reach_of`. It is None until first used.
    """

    __slots__ = (
        "__weakref__",
        "_area",
        "_compiled",
        "actions",
        "allows",
        "beginning",
        "label",
        "reach",
        "resources",
        "shape",
        "traits",
    )

    def __init__(self, shape: StatementShape, resources: Names | None, label: Label) -> None:
        self.shape = shape
        self.resources = resources
        self.label = label
        self.allows = shape.allows
        self.actions = shape.actions
        self.traits = shape.traits_with(resources)
        self.beginning = shape.beginning_of(resources)
        self.reach: int | None = None
        self._compiled: dict[tuple[PolicyKind, bool], CompiledStatement] | None = None
        self._area: ResourceElement | str | None = ""

    @property
    def source(self) -> Statement:
        """The statement as written in one of the documents that contain it."""
        return self.shape.statement(self.resources, self.label)

    @property
    def conditions(self) -> tuple[tuple[str, str, Names], ...]:
        """The conditions of the statement, without the cost of creating `source`."""
        return self.shape.plain.conditions

    @property
    def has_variables(self) -> bool:
        """True if its document's policy version supports variables."""
        return self.shape.has_variables

    @property
    def area(self) -> ResourceElement | None:
        """The resources it applies to; None means all."""
        if isinstance(self._area, str):
            self._area = area_of(self.source, has_variables=self.has_variables)
        return self._area

    @property
    def is_partial(self) -> bool:
        """True if it has an area. Does not create the area."""
        return self.resources is not None and ("*" not in self.resources or self.shape.is_not_resource)

    @property
    def fits_star(self) -> bool:
        """True if its area matches Resource `*`. Usually the names alone tell, since only wildcards match
        `*`.
        """
        if self.resources and all(name.strip("*?") and "$" not in name for name in self.resources):
            return self.shape.is_not_resource
        return self.area is None or self.area.fits_star

    @property
    def fits_nothing(self) -> bool:
        """True if it is a NotResource that excludes everything."""
        return self.shape.is_not_resource and self.area is not None and self.area.fits_nothing

    def compiled_for(self, kind: PolicyKind, *, of_pattern: bool = False) -> CompiledStatement:
        """The statement compiled for a type of policy; with `of_pattern`, for questions about a pattern of
        resources.
        """
        if self._compiled is None:
            self._compiled = {}
        compiled = self._compiled.get((kind, of_pattern))
        if compiled is None:
            if of_pattern:
                compiled = replace(self.compiled_for(kind), fits=pattern_fits(self.area))
            else:
                compiled = self.shape.compiled_for(kind, self.resources, self.label)
            self._compiled[kind, of_pattern] = compiled
        return compiled


class IndexedDocument:
    """A document: its statements, their labels, and the parts that could not be parsed."""

    __slots__ = (
        "__weakref__",
        "_named",
        "atoms",
        "clauses",
        "digest",
        "is_marked",
        "is_personal",
        "is_placed",
        "labels",
        "problems",
        "tags",
    )

    def __init__(
        self,
        digest: str,
        clauses: tuple[IndexedStatement, ...],
        labels: tuple[Label, ...],
        problems: tuple[DocumentProblem, ...],
    ) -> None:
        self.digest = digest
        self.clauses = clauses
        self._named: dict[tuple[str, PolicyKind, bool], tuple[CompiledStatement, ...]] | None = None
        self.labels = labels
        self.problems = problems
        self.atoms = tuple(chain.from_iterable([clause.traits.atoms for clause in clauses]))
        tags = chain.from_iterable([clause.traits.tags for clause in clauses])
        self.tags = tuple(sorted(set(tags)))
        self.is_marked = bool(self.atoms or self.tags)
        self.is_personal = any(clause.traits.raw or clause.shape.names_somebody for clause in clauses)
        """True if its effect can differ between members of one class even in questions without
        circumstances.
        """
        self.is_placed = any(clause.traits.is_placed or clause.shape.names_somebody for clause in clauses)
        """True if its effect can differ between accounts."""

    def marks(self, who: Request) -> Marks:
        """What distinguishes, for this document, principals with the same policies: the results of the atoms
        and the values of the tags.
        """
        marks: list[Any] = [atom.test(who) for atom in self.atoms]
        return (*marks, *(who.values(tag) for tag in self.tags))

    @property
    def is_unreadable(self) -> bool:
        """True if part of it could not be parsed and may mean more than what is evaluated."""
        return bool(self.problems)

    def statements_of(
        self, policy: str, kind: PolicyKind, *, of_pattern: bool
    ) -> tuple[CompiledStatement, ...]:
        """The statements under the name of a policy, for explanations. Kept by name, since many are used
        repeatedly.
        """
        key = (policy, kind, of_pattern)
        if self._named is None:
            self._named = {}
        known = self._named.get(key)
        if known is None:
            if len(self._named) >= NAMES_KEPT:
                self._named.clear()
            known = self._named[key] = tuple(
                replace(
                    clause.compiled_for(kind, of_pattern=of_pattern),
                    policy=policy,
                    source=replace(clause.source, index=index, sid=sid),
                )
                for clause, (index, sid) in zip(self.clauses, self.labels, strict=True)
            )
        return known


class SharedDocuments:
    """The documents in use, shared by all indexes of a process, whatever their moment."""

    def __init__(self, space: ActionNumbering | None = None) -> None:
        self.space = ActionNumbering() if space is None else space
        self._docs: WeakValueDictionary[str, IndexedDocument] = WeakValueDictionary()
        self._clauses: WeakValueDictionary[Key, IndexedStatement] = WeakValueDictionary()
        self._shapes: WeakValueDictionary[Key, StatementShape] = WeakValueDictionary()
        self._labels: dict[tuple[Label, ...], tuple[Label, ...]] = {}
        self._actions: WeakValueDictionary[Key, ActionElement] = WeakValueDictionary()
        self._dates = StatementDates()

    def __len__(self) -> int:
        return len(self._docs)

    @property
    def clauses(self) -> int:
        """The number of distinct statements."""
        return len(self._clauses)

    def passed(self) -> int:
        """A number that grows when a date in some condition passes; see `StatementDates`."""
        return self._dates.passed()

    def find(self, digest: str) -> IndexedDocument | None:
        """Find a document in use by its digest."""
        return self._docs.get(digest)

    def add(self, digest: str, text: str) -> IndexedDocument:
        """The document with this digest; parsed if not in use yet."""
        document = self._docs.get(digest)
        if document is None:
            with without_collecting(len(text)):
                document = self._intern(digest, read(text))
        return document

    def add_document(self, digest: str, document: PolicyDocument) -> IndexedDocument:
        """Add an already parsed document that is not in use yet."""
        return self._intern(digest, document)

    def unread(self, policy: str) -> IndexedDocument:
        """A placeholder for a managed policy whose document is not in the mirror."""
        key = f"unread:{policy}"
        document = self._docs.get(key)
        problem = DocumentProblem("", f"The text of {policy} has not been synced")
        return self._intern(key, PolicyDocument("", (), (problem,))) if document is None else document

    def _intern(self, digest: str, document: PolicyDocument) -> IndexedDocument:
        has_variables, labels = document.has_variables, []
        clauses = []
        for statement in document.statements:
            labels.append((statement.index, statement.sid))
            shape = self.shape(statement, has_variables=has_variables)
            clauses.append(self.clause(shape, statement.resources, labels[-1]))
        return self.intern(digest, clauses, labels, document.problems)

    def intern(
        self,
        digest: str,
        clauses: Iterable[IndexedStatement],
        labels: Iterable[Label],
        problems: tuple[DocumentProblem, ...] = (),
    ) -> IndexedDocument:
        """Create the document that consists of these statements. It must not be in use yet."""
        called = tuple(labels)
        called = self._labels.setdefault(called, called)
        document = self._docs[digest] = IndexedDocument(digest, tuple(clauses), called, problems)
        return document

    def clause(self, shape: StatementShape, resources: Names | None, label: Label) -> IndexedStatement:
        """The statement shared by all documents that contain it. Its label is from the first of them."""
        key = (shape, resources)
        clause = self._clauses.get(key)
        if clause is None:
            clause = self._clauses[key] = IndexedStatement(shape, resources, label)
            if shape.has_variables and any("${" in name for name in resources or ()):
                self._dates.watch(clause, clause.source, has_variables=True)
        return clause

    def shape(self, source: Statement, *, has_variables: bool) -> StatementShape:
        """The content of a statement apart from its resources."""
        key = (
            source.allows,
            source.actions,
            source.is_not_action,
            source.resources is None,
            source.is_not_resource,
            _frozen(source.principals),
            source.is_not_principal,
            source.conditions,
            source.problems,
            has_variables,
        )
        shape = self._shapes.get(key)
        if shape is None:
            actions = self._actions_of(source)
            shape = self._shapes[key] = StatementShape(source, has_variables=has_variables, actions=actions)
            self._dates.watch(shape, shape.plain, has_variables=has_variables)
        return shape

    def _actions_of(self, source: Statement) -> ActionElement:
        key = (source.actions, source.is_not_action)
        actions = self._actions.get(key)
        if actions is None:
            actions = self._actions[key] = ActionElement(source.actions, is_not=source.is_not_action)
            self.space.register_names(actions)
        return actions


def _frozen(principals: Any) -> Key | None:
    return None if principals is None else tuple(sorted(principals.items()))
