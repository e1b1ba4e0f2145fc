"""What statements say but for the resources that they name: most differ in these alone, and share all else,
and what is compiled of it.
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
"""The number of a statement in its document, and its Sid."""


@dataclass(frozen=True, slots=True)
class StatementTraits:
    """How a statement depends on who asks.

    `atoms` are conditions that the principal alone decides: who agrees in them need not be told apart by
    them. Otherwise it matters what `tags` and `raw` keys hold, and of `named` keys, whose variables stand in
    patterns, whether what they hold occurs in the question; tags are not among these two. `is_placed`: it
    matters which account asks. `atom_keys` are own keys that atoms read, `paired` those of atoms that read
    several keys; `has_pairs` says that there are such atoms. `names_principals`: it has a Principal element.
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
"""It does not matter who asks."""
ANYTHING: Final = ("*",)
WILD: Final = re.compile(r"[*?]|\$\{")


class StatementShape:
    """A statement without its resources. `traits` are those that it has where these have no variables;
    `plain` is the statement about everything, or without the element where it has none.
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
        """The statement that it is with some resources."""
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
        """The letters of a statement that is about whatever begins with them and says nothing else; empty for
        any other.
        """
        if not self.says_no_more or resources is None or len(resources) != 1:
            return ""
        (name,) = resources
        start = name[:-1]
        is_beginning = name.endswith("*") and WILD.search(start) is None and not is_incomplete(name)
        return start if is_beginning else ""

    def traits_with(self, resources: Names | None) -> StatementTraits:
        """The traits that it has with some resources."""
        if not self.has_variables or not any("${" in name for name in resources or ()):
            return self.traits
        return traits_of(self.statement(resources, (0, "")), has_variables=True)

    def of_kind(self, kind: PolicyKind) -> CompiledStatement:
        """All but the resources, as a policy of a kind has it."""
        compiled = self._compiled.get(kind)
        if compiled is None:
            compiled = self._compiled[kind] = self._compile(self.plain, kind)
        return compiled

    def compiled_for(self, kind: PolicyKind, resources: Names | None, label: Label) -> CompiledStatement:
        """The statement with some resources as a policy of a kind has it."""
        source, compiled = self.statement(resources, label), self.of_kind(kind)
        if compiled.unknown or kind is PolicyKind.SESSION:
            # Problems tell the place of the statement; those of session policies may be of its resources.
            return self._compile(source, kind)
        return with_resources(compiled, source, has_variables=self.has_variables)

    def _compile(self, source: Statement, kind: PolicyKind) -> CompiledStatement:
        return compile_statement(source, policy="", kind=kind, has_variables=self.has_variables)


def traits_of(source: Statement, *, has_variables: bool) -> StatementTraits:
    """How a statement depends on who asks."""
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
    """Gathers the traits of a statement, condition by condition."""

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
        """One condition that compares `key` with values in which the `others` stand."""
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
        """What has been gathered."""
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
