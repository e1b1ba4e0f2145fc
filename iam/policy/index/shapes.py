"""Statements without their resources. Most statements differ only in these and share everything else,
including the compiled form.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from iam.policy.arns import is_incomplete
from iam.policy.compiled import CompiledStatement, PolicyKind, compile_statement, with_resources
from iam.policy.condition import CompiledCondition, UnknownOperatorError, compile_condition
from iam.policy.document import Names, Statement
from iam.policy.index import keys
from iam.policy.index.elements import ActionElement

Label = tuple[int, str]
"""The index of a statement in its document, and its Sid."""


@dataclass(frozen=True, slots=True)
class StatementTraits:
    """How a statement depends on the principal.

    `atoms` are conditions that depend on the principal alone; principals with equal results for them need not
    be distinguished by them. For `tags` and `raw` keys, the values matter; for `named` keys, whose variables
    are in patterns, it matters whether the values occur in the question. `raw` and `named` contain no tags.
    `is_placed`: the principal's account matters. `atom_keys` are the own keys that atoms read, `paired` those
    of atoms that read several keys; `has_pairs`: there are such atoms. `names_principals`: the statement has
    a Principal element.
    """

    atoms: tuple[CompiledCondition, ...] = ()
    tags: frozenset[str] = frozenset()
    raw: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    is_placed: bool = False
    atom_keys: frozenset[str] = frozenset()
    paired: frozenset[str] = frozenset()
    has_pairs: bool = False
    names_principals: bool = False
    named_in_conditions: bool = False
    is_plain: bool = False


PLAIN: Final = StatementTraits(is_plain=True)
"""The traits of a statement that doesn't depend on the principal."""
ANYTHING: Final = ("*",)
WILD: Final = re.compile(r"[*?]|\$\{")


class StatementShape:
    """A statement without its resources. `traits` apply if the resources contain no variables. `plain` is the
    statement with Resource `*`, or without the element if it has none.
    """

    __slots__ = (
        "__weakref__",
        "_compiled",
        "actions",
        "allows",
        "has_variables",
        "is_not_resource",
        "names_somebody",
        "plain",
        "says_no_more",
        "traits",
    )

    def __init__(self, source: Statement, *, has_variables: bool, actions: ActionElement) -> None:
        self.actions = actions
        self.allows = source.allows
        self.has_variables = has_variables
        resources = None if source.resources is None else ANYTHING
        self.plain = self._statement_with(source, resources, (0, ""))
        self.traits = traits_of(self.plain, has_variables=has_variables)
        self.is_not_resource = source.is_not_resource
        more = source.conditions or source.problems or source.principals is not None
        self.says_no_more = not more and not source.is_not_resource
        self.names_somebody = bool(keys.special_names(source.principals or {}))
        self._compiled: dict[PolicyKind, CompiledStatement] = {}

    def statement(self, resources: Names | None, label: Label) -> Statement:
        """The statement with these resources."""
        return self._statement_with(self.plain, resources, label)

    def _statement_with(self, source: Statement, resources: Names | None, label: Label) -> Statement:
        return Statement(
            label[0],
            label[1],
            source.allows,
            self.actions.names,
            source.is_not_action,
            resources,
            source.is_not_resource,
            source.principals,
            source.is_not_principal,
            source.conditions,
            source.problems,
        )

    def beginning_of(self, resources: Names | None) -> str:
        """The prefix of a statement that applies to everything beginning with it and contains nothing else;
        "" for any other statement.
        """
        if not self.says_no_more or resources is None or len(resources) != 1:
            return ""
        (name,) = resources
        start = name[:-1]
        is_beginning = name.endswith("*") and WILD.search(start) is None and not is_incomplete(name)
        return start if is_beginning else ""

    def traits_with(self, resources: Names | None) -> StatementTraits:
        """The traits of the statement with these resources."""
        if not self.has_variables or not any("${" in name for name in resources or ()):
            return self.traits
        return traits_of(self.statement(resources, (0, "")), has_variables=True)

    def of_kind(self, kind: PolicyKind) -> CompiledStatement:
        """The statement compiled without its resources, for a type of policy."""
        compiled = self._compiled.get(kind)
        if compiled is None:
            compiled = self._compiled[kind] = self._compile(self.plain, kind)
        return compiled

    def compiled_for(self, kind: PolicyKind, resources: Names | None, label: Label) -> CompiledStatement:
        """The statement compiled with these resources, for a type of policy."""
        source, compiled = self.statement(resources, label), self.of_kind(kind)
        if compiled.unknown or kind is PolicyKind.SESSION:
            # Problems contain the statement's place. Those of session policies may concern its resources.
            return self._compile(source, kind)
        return with_resources(compiled, source, has_variables=self.has_variables)

    def _compile(self, source: Statement, kind: PolicyKind) -> CompiledStatement:
        return compile_statement(source, policy="", kind=kind, has_variables=self.has_variables)


def traits_of(source: Statement, *, has_variables: bool) -> StatementTraits:
    """Determine how a statement depends on the principal."""
    named = keys.variables_in(source.resources or ()) if has_variables else frozenset()
    if not source.conditions and not named and source.principals is None:
        return PLAIN
    reading = _Reading()
    reading.named |= {key for key in named if keys.is_own(key)}
    reading.is_placed = any(key in keys.OF_ACCOUNT or key in keys.OF_PLACE for key in named)
    reading.names_principals = source.principals is not None
    for place, (key, others) in enumerate(keys.keys_of_conditions(source, has_variables=has_variables)):
        reading.read(source, place, key, others, has_variables)
    return reading.traits()


class _Reading:
    """Collects the traits of a statement, condition by condition."""

    def __init__(self) -> None:
        self.atoms: list[CompiledCondition] = []
        self.raw: set[str] = set()
        self.named: set[str] = set()
        self.atom_keys: set[str] = set()
        self.paired: set[str] = set()
        self.is_placed = self.has_pairs = self.names_principals = self.named_in_conditions = False

    def read(
        self, source: Statement, place: int, key: str, others: frozenset[str], has_variables: bool
    ) -> None:
        """Process one condition that compares `key` with values containing variables of `others`."""
        every = {key, *others}
        own = {pattern for pattern in every if keys.is_own(pattern)}
        if all(keys.is_of_principal(pattern) for pattern in every):
            self._atom(source, place, has_variables)
            self.atom_keys |= own
            if len(every) > 1:
                self.has_pairs = True
                self.paired |= own
            return
        if key in own or key in keys.OF_ACCOUNT or key in keys.OF_PLACE:
            self.raw |= own
        else:
            self.named |= own
            self.named_in_conditions = self.named_in_conditions or bool(own)
        self.is_placed = self.is_placed or any(
            pattern in keys.OF_ACCOUNT or pattern in keys.OF_PLACE for pattern in every
        )

    def _atom(self, source: Statement, place: int, has_variables: bool) -> None:
        operator, key, values = source.conditions[place]
        try:
            self.atoms.append(compile_condition(operator, key, values, has_variables=has_variables))
        except UnknownOperatorError:
            return

    def traits(self) -> StatementTraits:
        """The collected traits."""
        if not (self.atoms or self.raw or self.named or self.is_placed or self.names_principals):
            return PLAIN
        tags = {key for key in self.raw | self.named if key.startswith(keys.TAG)}
        return StatementTraits(
            tuple(self.atoms),
            frozenset(tags),
            frozenset(self.raw - tags),
            frozenset(self.named - tags),
            self.is_placed,
            frozenset(self.atom_keys),
            frozenset(self.paired),
            self.has_pairs,
            self.names_principals,
            self.named_in_conditions,
        )
