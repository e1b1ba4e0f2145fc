"""Documents and their statements, each compiled once however many policies of however many accounts hold them.

A statement is a `Clause`, a document a `Doc`; both are known by what they say, and go when nobody uses them any more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any, Final
from weakref import WeakValueDictionary

from iam.policy.arns import is_incomplete
from iam.policy.compiled import Compiled, PolicyKind, compile_statement
from iam.policy.condition import Condition, UnknownOperatorError, compile_condition
from iam.policy.document import Document, Problem, Statement, read
from iam.policy.index import keys
from iam.policy.index.areas import Area, area_of, pattern_fits
from iam.policy.index.dates import Dates
from iam.policy.index.elements import Actions
from iam.policy.index.masks import Space
from iam.policy.memory import without_collecting
from iam.policy.request import Request

Key = tuple[Any, ...]
Marks = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Traits:
    """How a statement depends on who asks.

    `atoms` are conditions that the principal alone decides: who agrees in them need not be told apart by them. Otherwise it
    matters what `tags` and `raw` keys hold, and of `named` keys, whose variables stand in patterns, whether what they hold
    occurs in the question; tags are not among these two. `is_placed`: it matters which account asks. `atom_keys` are own keys that atoms read, `paired` those of
    atoms that read several keys; `has_pairs` says that there are such atoms. `names_principals`: it has a Principal element.
    """

    atoms: tuple[Condition, ...] = ()
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


PLAIN: Final = Traits(is_plain=True)
NAMES_KEPT: Final = 32
"""Under so many names the statements of one document are kept."""
"""It does not matter who asks."""


WILD: Final = re.compile(r"[*?]|\$\{")


def beginning_of(source: Statement) -> str:
    """The letters of a statement that is about whatever begins with them and says nothing else; empty for any other."""
    if source.conditions or source.problems or source.principals is not None or source.is_not_resource:
        return ""
    if source.resources is None or len(source.resources) != 1:
        return ""
    (name,) = source.resources
    start = name[:-1]
    is_beginning = name.endswith("*") and WILD.search(start) is None and not is_incomplete(name)
    return start if is_beginning else ""


class Clause:
    """A statement that is compiled when it is first asked. `beginning`: see `beginning_of`; `reach`: see `reach_of`, None until
    it is asked for."""

    __slots__ = (
        "__weakref__",
        "_area",
        "_compiled",
        "_held",
        "_held_of_pattern",
        "actions",
        "allows",
        "beginning",
        "has_variables",
        "reach",
        "source",
        "traits",
    )

    def __init__(self, source: Statement, *, has_variables: bool, actions: Actions) -> None:
        self.source = source
        self.allows = source.allows
        self.has_variables = has_variables
        self.actions = actions
        self.traits = traits_of(source, has_variables=has_variables)
        self.beginning = beginning_of(source)
        self.reach: int | None = None
        self._compiled: dict[tuple[PolicyKind, bool], Compiled] = {}
        self._held: Compiled | None = None
        self._held_of_pattern: Compiled | None = None
        self._area: Area | str | None = ""

    @property
    def area(self) -> Area | None:
        """The resources that it is about; None for all."""
        if isinstance(self._area, str):
            self._area = area_of(self.source, has_variables=self.has_variables)
        return self._area

    @property
    def held(self) -> Compiled:
        """The statement as an identity policy has it."""
        if self._held is None:
            self._held = self.ready(PolicyKind.IDENTITY)
        return self._held

    @property
    def held_of_pattern(self) -> Compiled:
        """The same, for questions about a pattern of resources."""
        if self._held_of_pattern is None:
            self._held_of_pattern = self.ready(PolicyKind.IDENTITY, of_pattern=True)
        return self._held_of_pattern

    @property
    def is_partial(self) -> bool:
        """Whether it has an area, which need not be made to know it."""
        source = self.source
        return source.resources is not None and ("*" not in source.resources or source.is_not_resource)

    @property
    def fits_star(self) -> bool:
        """As its area says: for most by a look at the names, since none but wildcards match a star."""
        if all(name.strip("*?") and "$" not in name for name in self.source.resources or ()):
            return self.source.is_not_resource
        return self.area is None or self.area.fits_star

    @property
    def fits_nothing(self) -> bool:
        """As its area says: NotResource of everything."""
        return self.source.is_not_resource and self.area is not None and self.area.fits_nothing

    def ready(self, kind: PolicyKind, *, of_pattern: bool = False) -> Compiled:
        """The statement as a policy of a kind has it; `of_pattern` for questions about a pattern of resources."""
        found = self._compiled.get((kind, of_pattern))
        if found is None:
            if of_pattern:
                found = replace(self.ready(kind), fits=pattern_fits(self.area))
            else:
                found = compile_statement(self.source, policy="", kind=kind, has_variables=self.has_variables)
            self._compiled[kind, of_pattern] = found
        return found


class Doc:
    """A document: its statements, how each is called in it, and what in it could not be read at all."""

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

    def __init__(self, digest: str, clauses: tuple[Clause, ...], document: Document) -> None:
        self.digest = digest
        self.clauses = clauses
        self._named: dict[tuple[str, PolicyKind, bool], tuple[Compiled, ...]] = {}
        self.labels = tuple((one.index, one.sid) for one in document.statements)
        self.problems = document.problems
        self.atoms = tuple(atom for clause in clauses for atom in clause.traits.atoms)
        self.tags = tuple(sorted({tag for clause in clauses for tag in clause.traits.tags}))
        self.is_marked = bool(self.atoms or self.tags)
        self.is_personal = any(one.traits.raw or _names_somebody(one) for one in clauses)
        """Whether it can differ for members of one class without any circumstances that say so."""
        self.is_placed = any(one.traits.is_placed or _names_somebody(one) for one in clauses)
        """Whether it can differ from account to account."""

    def marks(self, who: Request) -> Marks:
        """What tells apart, for this document, principals who hold the same: how atoms see them, and what tags they have."""
        found: list[Any] = [atom.test(who) for atom in self.atoms]
        return (*found, *(who.values(tag) for tag in self.tags))

    @property
    def is_unreadable(self) -> bool:
        """Whether something in it may have been meant to say more than what it is taken to say."""
        return bool(self.problems)

    def named(self, policy: str, kind: PolicyKind, *, of_pattern: bool) -> tuple[Compiled, ...]:
        """The statements under the name of a policy, for explanations; made once for each name, since many are asked for again and again."""
        key = (policy, kind, of_pattern)
        known = self._named.get(key)
        if known is None:
            if len(self._named) >= NAMES_KEPT:
                self._named.clear()
            known = self._named[key] = tuple(
                replace(
                    clause.ready(kind, of_pattern=of_pattern),
                    policy=policy,
                    source=replace(clause.source, index=index, sid=sid),
                )
                for clause, (index, sid) in zip(self.clauses, self.labels, strict=True)
            )
        return known


def _names_somebody(clause: Clause) -> bool:
    return bool(keys.special_names(clause.source.principals or {}))


class Documents:
    """The documents that are in use, shared by all indexes of a process, whatever moment they are of."""

    def __init__(self) -> None:
        self.space = Space()
        self._docs: WeakValueDictionary[str, Doc] = WeakValueDictionary()
        self._clauses: WeakValueDictionary[Key, Clause] = WeakValueDictionary()
        self._actions: WeakValueDictionary[Key, Actions] = WeakValueDictionary()
        self._dates = Dates()

    def __len__(self) -> int:
        return len(self._docs)

    @property
    def clauses(self) -> int:
        """How many distinct statements there are."""
        return len(self._clauses)

    def passed(self) -> int:
        """A number that grows when the time passes a date that some condition names; see `Dates`."""
        return self._dates.passed()

    def known(self, digest: str) -> Doc | None:
        """A document that is in use."""
        return self._docs.get(digest)

    def add(self, digest: str, text: str) -> Doc:
        """The document of a digest, read if it is not in use yet."""
        found = self._docs.get(digest)
        if found is None:
            with without_collecting(len(text)):
                found = self._intern(digest, read(text))
        return found

    def unread(self, policy: str) -> Doc:
        """Stands for a managed policy whose document the mirror does not hold."""
        key = f"unread:{policy}"
        found = self._docs.get(key)
        problem = Problem("", f"The text of {policy} has not been synced")
        return self._intern(key, Document("", (), (problem,))) if found is None else found

    def _intern(self, digest: str, document: Document) -> Doc:
        has_variables = document.has_variables
        clauses = tuple(self._clause(one, has_variables) for one in document.statements)
        found = self._docs[digest] = Doc(digest, clauses, document)
        return found

    def _clause(self, source: Statement, has_variables: bool) -> Clause:
        key = (
            source.allows,
            source.actions,
            source.is_not_action,
            source.resources,
            source.is_not_resource,
            _frozen(source.principals),
            source.is_not_principal,
            source.conditions,
            source.problems,
            has_variables,
        )
        found = self._clauses.get(key)
        if found is None:
            actions = self._actions_of(source)
            found = self._clauses[key] = Clause(source, has_variables=has_variables, actions=actions)
            self._dates.watch(found, source, has_variables=has_variables)
        return found

    def _actions_of(self, source: Statement) -> Actions:
        key = (source.actions, source.is_not_action)
        found = self._actions.get(key)
        if found is None:
            found = self._actions[key] = Actions(source.actions, is_not=source.is_not_action)
            self.space.meet(found)
        return found


def _frozen(principals: Any) -> Key | None:
    return None if principals is None else tuple(sorted(principals.items()))


def traits_of(source: Statement, *, has_variables: bool) -> Traits:
    """How a statement depends on who asks."""
    named = keys.variables_in(source.resources or ()) if has_variables else frozenset()
    if not source.conditions and not named and source.principals is None:
        return PLAIN
    found = _Reading()
    found.named |= {key for key in named if keys.is_own(key)}
    found.is_placed = any(key in keys.OF_ACCOUNT or key in keys.OF_PLACE for key in named)
    found.names_principals = source.principals is not None
    for place, (key, others) in enumerate(keys.keys_of_conditions(source, has_variables=has_variables)):
        found.read(source, place, key, others, has_variables)
    return found.traits()


class _Reading:
    """Gathers the traits of a statement, condition by condition."""

    def __init__(self) -> None:
        self.atoms: list[Condition] = []
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
        own = {one for one in every if keys.is_own(one)}
        if all(keys.is_of_principal(one) for one in every):
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
            one in keys.OF_ACCOUNT or one in keys.OF_PLACE for one in every
        )

    def _atom(self, source: Statement, place: int, has_variables: bool) -> None:
        operator, key, values = source.conditions[place]
        try:
            self.atoms.append(compile_condition(operator, key, values, has_variables=has_variables))
        except UnknownOperatorError:
            return

    def traits(self) -> Traits:
        """What has been gathered."""
        if not (self.atoms or self.raw or self.named or self.is_placed or self.names_principals):
            return PLAIN
        tags = {key for key in self.raw | self.named if key.startswith(keys.TAG)}
        return Traits(
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
