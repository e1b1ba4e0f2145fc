"""What a change does to a principal, each line of it proved by one request that is answered differently before and after.

Actions that all statements treat alike are one question. For each, concrete resources (`probes`) and circumstances (`circumstances`) are
tried: together they stand for every request that there can be, as far as these statements tell requests apart. What is found is put to the
engine (`evaluate.decide`) once more, and what it does not confirm is not said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, product
from typing import Final, NamedTuple

from iam.policy import variables
from iam.policy.arns import is_incomplete, missing_segments, resource_tokens
from iam.policy.catalogue import catalogue
from iam.policy.catalogue.global_keys import GLOBAL_KEYS
from iam.policy.compiled import PolicyKind
from iam.policy.evaluate import ASSUMING, Decision, decide, needs_resource_policy
from iam.policy.glob import Token
from iam.policy.index.circumstances import Circumstance, circumstances
from iam.policy.index.classes import Member
from iam.policy.index.documents import Clause, Doc
from iam.policy.index.elements import Actions
from iam.policy.index.grid import Allowed, Grid
from iam.policy.index.kinds import Sort, formats_of, sorts_of
from iam.policy.index.masks import Space
from iam.policy.index.overlap import Tokens
from iam.policy.index.patterns import normal
from iam.policy.index.probes import Place, probes
from iam.policy.index.sides import Say, Side
from iam.policy.variables import Variable

TRIES: Final = 12
"""So many requests are put to the engine before a line is given up."""
ALLOWED: Final = "allowed"
DENIED: Final = "denied"
TRUST_POLICY: Final = "trust-policy"
KEY_POLICY: Final = "key-policy"
RESOURCE_POLICY: Final = "resource-policy"
SAMPLES: Final = 8
"""So many values of a key are tried in the place of a variable."""


class Cell(NamedTuple):
    """Resource and circumstances of a request; resource None: any that the action works on."""

    resource: str | None
    context: Circumstance


@dataclass(frozen=True, slots=True)
class Witness:
    """A request that is answered differently before and after. Keys that `context` does not name are absent.

    `given` is what else has to allow it, and is taken to: the trust policy of a role, a key policy, the policy of another account's resource.
    """

    principal: str
    action: str
    resource: str
    context: Circumstance
    before: str
    after: str
    given: str = ""

    @property
    def was_allowed(self) -> bool:
        """Whether it is a request that is no longer allowed; else one that is newly allowed."""
        return self.before == ALLOWED


class Verdict(NamedTuple):
    """What becomes of actions that all statements treat alike. `more` is a request that is allowed after and was not, `less` the reverse.

    `had`, `has`: whether anything of it is allowed before, and after. `only_then`: of the resource of `less` something is still allowed, under
    other circumstances. `already`, `keeps`: the documents that give all of what is newly given, or taken away. `blocked`: what denies all of it.
    """

    more: Cell | None = None
    less: Cell | None = None
    had: bool = False
    has: bool = False
    only_then: bool = False
    already: tuple[Doc, ...] = ()
    keeps: tuple[Doc, ...] = ()
    blocked: tuple[str, ...] = ()
    is_given: bool = False
    is_taken: bool = False

    @property
    def is_nothing(self) -> bool:
        """Whether no request is answered differently."""
        return self.more is None and self.less is None


class Proof(NamedTuple):
    """A set of actions and what becomes of them."""

    mask: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of all actions for one principal; those of which nothing can be said are left out."""

    proofs: tuple[Proof, ...] = ()
    is_personal: bool = False

    def mask_where(self, *, more: bool, less: bool) -> int:
        """The actions of which some requests are newly allowed, or no longer."""
        found = 0
        for mask, verdict in self.proofs:
            if (verdict.more is not None) is more and (verdict.less is not None) is less:
                found |= mask
        return found

    def verdict_of(self, bit: int) -> Verdict | None:
        """What becomes of one action."""
        return next((verdict for mask, verdict in self.proofs if mask & bit), None)


@dataclass(slots=True)
class Prover:
    """Compares principals before and after, and remembers what it found for statements that others hold too."""

    space: Space
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    _known: dict[object, Verdict] = field(default_factory=dict)
    _noted: set[Clause] = field(default_factory=set)
    _texts: str = ""

    def change(self, before: Side, after: Side) -> Change:
        """What becomes of all actions for who is `before` and becomes `after`."""
        differing = _differing(before, after)
        touched = self._touched(before, after, differing)
        proofs: list[Proof] = []
        is_personal = False
        for part in self._parts(touched, before, after):
            asked = _Asked(self, part, before, after)
            if asked.is_personal:
                self._note(asked.every)
            is_personal = is_personal or asked.is_personal
            proofs += asked.proofs()
        return Change(tuple(_joined(proofs)), is_personal)

    def _note(self, says: Iterable[Say]) -> None:
        for say in says:
            if say.clause not in self._noted:
                self._noted.add(say.clause)
                source = say.clause.source
                texts = [
                    *(source.resources or ()),
                    *(one for _, _, values in source.conditions for one in values),
                ]
                self._texts += "\n".join(texts).lower()

    def names(self, member: Member) -> bool:
        """Whether the name of a principal stands in a statement that was looked at."""
        return member.name.lower() in self._texts or bool(
            member.unique_id and member.unique_id in self._texts
        )

    def _touched(self, before: Side, after: Side, differing: set[Say]) -> int:
        mask = 0
        for say in differing:
            mask |= self.space.mask(say.clause.actions)
        if before.shape != after.shape:
            mask = self.space.actions.everything
        allowed = 0
        for side in (before, after):
            if side.is_root:
                allowed = self.space.actions.everything
            for say in side.says:
                if say.kind is PolicyKind.IDENTITY and say.allows:
                    allowed |= self.space.mask(say.clause.actions)
        return mask & allowed & ~self.space.free

    def _parts(self, touched: int, before: Side, after: Side) -> list[int]:
        """The actions, apart as far as some statement speaks of some of them only."""
        parts = [touched] if touched else []
        masks: dict[Actions, int] = {}
        for say in (*before.says, *after.says):
            if say.clause.actions not in masks:
                masks[say.clause.actions] = self.space.mask(say.clause.actions)
        splitting = list(masks.values())
        if before.rcps or after.rcps:
            splitting.append(self.space.under_rcps)
        if before.is_root or after.is_root:
            splitting.append(self.space.assume_role)
        for mask in splitting:
            if not mask & touched or not touched & ~mask:
                continue
            fresh: list[int] = []
            for part in parts:
                inside = part & mask
                fresh += [piece for piece in (inside, part ^ inside) if piece]
            parts = fresh
        return parts


def _differing(before: Side, after: Side) -> set[Say]:
    """The statements by which the two may be treated differently."""
    left, right = set(before.says), set(after.says)
    found = left ^ right
    same_who = (before.principal, before.facts) == (after.principal, after.facts)
    if not same_who or before.place_facts != after.place_facts:
        found |= {say for say in left & right if not _is_for_all(say.clause)}
    return found


def _is_for_all(clause: Clause) -> bool:
    return not clause.source.conditions and not any("${" in name for name in clause.source.resources or ())


def _joined(proofs: Iterable[Proof]) -> Iterator[Proof]:
    """Sets with the same verdict as one."""
    found: dict[Verdict, int] = {}
    for mask, verdict in proofs:
        found[verdict] = found.get(verdict, 0) | mask
    for verdict, mask in found.items():
        yield Proof(mask, verdict)


class _Asked:
    """Actions that the same statements speak of, on both sides."""

    def __init__(self, prover: Prover, part: int, before: Side, after: Side) -> None:
        self._prover, self._part, self._space = prover, part, prover.space
        self.before, self.after = before, after
        bit = part & -part
        self.left = tuple(say for say in before.says if self._space.mask(say.clause.actions) & bit)
        self.right = tuple(say for say in after.says if self._space.mask(say.clause.actions) & bit)
        self.has_rcps = bool(part & self._space.under_rcps)
        if not self.has_rcps:
            self.left = tuple(say for say in self.left if say.kind is not PolicyKind.RCP)
            self.right = tuple(say for say in self.right if say.kind is not PolicyKind.RCP)
        self.every = tuple(dict.fromkeys((*_first_those_of(self.right, self.left), *self.left, *self.right)))
        own = {key for say in self.every for key in _own_keys(say.clause)}
        self._own = tuple(sorted(own))
        self._circumstances: dict[frozenset[str], tuple[Circumstance, ...]] = {}

    @property
    def is_personal(self) -> bool:
        """Whether principals who hold the same may differ."""
        return bool(self._own)

    def circumstances(self, never: frozenset[str]) -> tuple[Circumstance, ...]:
        """The circumstances to try."""
        found = self._circumstances.get(never)
        if found is None:
            statements = [(say.clause.source, say.clause.has_variables) for say in self.every]
            both: dict[Circumstance, None] = {}
            for side in (self.before, self.after) if self.differ_in_person else (self.after,):
                both.update(
                    dict.fromkeys(
                        circumstances(statements, known=side.known, never=never, now=self._prover.now)
                    )
                )
            found = self._circumstances[never] = tuple(both)
        return found

    def proofs(self) -> Iterator[Proof]:
        """What becomes of the actions."""
        if self.left == self.right and self.before.shape == self.after.shape and not self.differ_in_person:
            return
        keys = _keys_of_services(self.every)
        if not keys and not any(say.clause.is_partial for say in self.every):
            yield from self._proof(Sort(self._part, None), is_anywhere=True)
            return
        patterns = self._patterns()
        for sort in sorts_of(self._space, self._part, patterns=patterns, keys=keys):
            yield from self._proof(sort, patterns=patterns)

    @property
    def differ_in_person(self) -> bool:
        """Whether the two are told apart by more than by what they hold."""
        return (self.before.principal, self.before.facts) != (self.after.principal, self.after.facts)

    def _patterns(self) -> tuple[Tokens, ...]:
        """The resource patterns, those of statements that differ first."""
        found: dict[Tokens, None] = {}
        values = self._values()
        for say in self.every:
            if say.clause.is_partial:
                for side in (self.before, self.after) if self.differ_in_person else (self.after,):
                    found.update(dict.fromkeys(_patterns_of(say.clause, side, values)))
        return tuple(found)

    def _values(self) -> dict[str, tuple[str, ...]]:
        """What the circumstances hold of each key, by its name in lower case."""
        found: dict[str, dict[str, None]] = {}
        for circumstance in self.circumstances(frozenset()):
            for key, values in circumstance:
                if len(values) == 1:
                    found.setdefault(key.lower(), {})[values[0]] = None
        return {key: tuple(values)[:SAMPLES] for key, values in found.items()}

    def _proof(
        self, sort: Sort, *, patterns: tuple[Tokens, ...] = (), is_anywhere: bool = False
    ) -> Iterator[Proof]:
        verdict = self._verdict(sort, patterns, is_anywhere=is_anywhere)
        if not verdict.is_nothing or verdict.already or verdict.keeps or verdict.blocked:
            yield Proof(sort.mask, verdict)

    def _verdict(self, sort: Sort, patterns: tuple[Tokens, ...], *, is_anywhere: bool) -> Verdict:
        key = self._key(sort, is_anywhere=is_anywhere)
        known = self._prover._known
        found = known.get(key)
        if found is None:
            found = known[key] = _Trial(self, sort, patterns, is_anywhere=is_anywhere).verdict()
        return found

    def _key(self, sort: Sort, *, is_anywhere: bool) -> object:
        action = self.name_of(sort.mask)
        who = tuple(
            (
                side.principal.kind,
                side.principal.account,
                side.principal.tags is None,
                bool(side.principal.unique_id),
                tuple(sorted((key, str(value)) for key, value in side.facts.items())),
                tuple(sorted((key, str(value)) for key, value in side.place_facts.items())),
                tuple(side.known.values(key) for key in self._own),
                side.shape,
            )
            for side in (self.before, self.after)
        )
        kind: object = "anywhere" if is_anywhere else sort.formats
        if sort.is_elsewhere:
            kind = ("elsewhere", sort.formats == ())
        return (self.left, self.right, who, kind, sort.never, self.has_rcps, action.lower() in ASSUMING)

    def name_of(self, mask: int) -> str:
        """The first action of a set."""
        return self._space.actions.names(mask & -mask)[0]


def _first_those_of(right: Sequence[Say], left: Sequence[Say]) -> tuple[Say, ...]:
    """The statements that only one side has."""
    return (*(say for say in right if say not in left), *(say for say in left if say not in right))


def _own_keys(clause: Clause) -> Iterator[str]:
    """Keys that differ from principal to principal, and on which the statement depends in more than whether it applies."""
    traits = clause.traits
    yield from (*traits.named, *traits.raw, *traits.tags)


def _keys_of_services(says: Iterable[Say]) -> frozenset[str]:
    """Condition keys, in lower case, that only some actions of one service have."""
    found = set()
    for say in says:
        for _, key, _ in say.clause.source.conditions:
            lowered = key.lower()
            is_global = lowered.startswith("aws:") or lowered in GLOBAL_KEYS
            if not is_global and catalogue().condition_key(lowered) is not None:
                found.add(lowered)
    return frozenset(found)


def _patterns_of(clause: Clause, side: Side, samples: Mapping[str, Sequence[str]]) -> Iterator[Tokens]:
    """The patterns with their variables filled: by what the principal has in them, or by what a request may hold."""
    for name in clause.source.resources or ():
        template = variables.read(name, has_variables=clause.has_variables)
        choices = [
            _values_of(part, side, samples) if isinstance(part, Variable) else (part,)
            for part in template.parts
        ]
        for chosen in islice(product(*choices), SAMPLES):
            parts: list[Token] = []
            for part, is_value in zip(
                chosen, (isinstance(part, Variable) for part in template.parts), strict=True
            ):
                # The characters of a value are letters, whatever they are.
                parts += part if is_value else (part,)
            if is_incomplete(parts):
                parts += missing_segments(parts)
            yield tuple(normal(resource_tokens(parts)))


def _values_of(variable: Variable, side: Side, samples: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What may stand in the place of a variable."""
    values = side.known.values(variable.key)
    if values is not None and len(values) == 1:
        return values
    default = () if variable.default is None else (variable.default,)
    if values is not None:
        return default
    return (*samples.get(variable.key, ()), *default)


class _Trial:
    """One question: all requests for actions of one sort."""

    def __init__(self, asked: _Asked, sort: Sort, patterns: tuple[Tokens, ...], *, is_anywhere: bool) -> None:
        self._asked = asked
        self._action = asked.name_of(sort.mask)
        self._is_anywhere = is_anywhere
        self._is_any = is_anywhere or sort.is_elsewhere
        resources = self._resources(sort, patterns)
        contexts = asked.circumstances(sort.never)
        self._grid = Grid(self._action, resources, contexts, has_rcps=asked.has_rcps)

    def _resources(self, sort: Sort, patterns: tuple[Tokens, ...]) -> tuple[str, ...]:
        if self._is_anywhere:
            return ("*",)
        who = self._asked.after.principal
        place = Place(who.partition, who.account, self._action.partition(":")[0].lower())
        return probes(() if sort.is_elsewhere else patterns, formats=sort.formats, place=place)

    def verdict(self) -> Verdict:
        """What is found."""
        asked, grid = self._asked, self._grid
        if not grid.everything:
            return Verdict()
        was = self._allowed(asked.before, asked.left)
        becomes = self._allowed(asked.after, asked.right)
        more = self._confirmed(becomes.sure & ~was.maybe, was_allowed=False)
        less = self._confirmed(was.sure & ~becomes.maybe, was_allowed=True)
        given = self._only(asked.after, asked.right, asked.left)
        taken = self._only(asked.before, asked.left, asked.right)
        already = given & becomes.sure
        kept = taken & was.sure
        return Verdict(
            more=more,
            less=less,
            had=bool(was.maybe),
            has=bool(becomes.maybe),
            only_then=self._is_allowed_otherwise(less, becomes),
            already=self._through(already) if already and not already & ~was.sure else (),
            keeps=self._through(kept) if kept and not kept & ~becomes.sure else (),
            blocked=self._blocked(given) if given and not given & becomes.maybe else (),
            is_given=bool(given),
            is_taken=bool(taken),
        )

    def _allowed(self, side: Side, says: Sequence[Say]) -> Allowed:
        found = self._grid.allowed(side, says)
        if side.is_root and self._action.lower() == "sts:assumerole":
            return Allowed(0, 0)
        return found

    def _confirmed(self, bits: int, *, was_allowed: bool) -> Cell | None:
        """The first of some requests that the engine answers as expected."""
        for _ in range(TRIES):
            if not bits:
                return None
            resource, context = self._grid.cell(bits)
            if self._is_confirmed(resource, context, was_allowed=was_allowed):
                return Cell(None if self._is_any else resource, context)
            bits &= bits - 1
        return None

    def _is_confirmed(self, resource: str, context: Circumstance, *, was_allowed: bool) -> bool:
        asked = self._asked
        answers = []
        for side, says in ((asked.before, asked.left), (asked.after, asked.right)):
            request = side.request(self._action, resource, context=dict(context))
            answers.append(decide(request, side.policies(request, says)))
        if Decision.CONDITIONAL in answers:
            return False
        return [answer is Decision.ALLOWED for answer in answers] == [was_allowed, not was_allowed]

    def _is_allowed_otherwise(self, cell: Cell | None, becomes: Allowed) -> bool:
        if cell is None:
            return False
        place = 0 if cell.resource is None else self._grid.resources.index(cell.resource)
        return bool(becomes.sure >> place * self._grid.width & self._grid.row)

    def _only(self, side: Side, mine: Sequence[Say], theirs: Sequence[Say]) -> int:
        """Where identity statements allow that only one side has."""
        found = 0
        for say in mine:
            if say.kind is PolicyKind.IDENTITY and say.allows and say not in theirs:
                found |= self._grid.mark(side, say).sure
        return found

    def _through(self, bits: int) -> tuple[Doc, ...]:
        """Documents that both sides hold and that allow all of some requests; none where they do not."""
        asked, grid = self._asked, self._grid
        held: dict[Doc, int] = {}
        for say in asked.left:
            if say.kind is PolicyKind.IDENTITY and say.allows and say in asked.right:
                for doc in sorted(asked.before.doc_of(say), key=lambda doc: doc.digest):
                    if doc in asked.after.docs:
                        held[doc] = held.get(doc, 0) | grid.mark(asked.before, say).sure
        found: list[Doc] = []
        while bits:
            best = max(held, key=lambda doc: ((held[doc] & bits).bit_count(), doc.digest), default=None)
            if best is None or not held[best] & bits:
                return ()
            found.append(best)
            bits &= ~held.pop(best)
        return tuple(found)

    def _blocked(self, bits: int) -> tuple[str, ...]:
        """Which kinds of policies deny all of some requests, or do not allow any of them."""
        asked, grid = self._asked, self._grid
        allowed: dict[tuple[PolicyKind, int], int] = {}
        denied: dict[PolicyKind, int] = {}
        for say in asked.right:
            mark = grid.mark(asked.after, say).sure
            if say.allows:
                allowed[say.kind, say.level] = allowed.get((say.kind, say.level), 0) | mark
            else:
                denied[say.kind] = denied.get(say.kind, 0) | mark
        found = [f"denied by {kind}" for kind in PolicyKind if denied.get(kind, 0) & bits]
        for place in sorted(grid.limits(asked.after)):
            if bits & ~allowed.get(place, 0):
                found.append(f"not allowed by {place[0]}")
        return tuple(dict.fromkeys(found))


def witness_of(principal: Side, action: str, cell: Cell, *, was_allowed: bool) -> Witness:
    """The request of a cell for an action of its set."""
    resource = cell.resource if cell.resource is not None else _any_resource(principal, action)
    request = principal.request(action, resource, context=dict(cell.context))
    given = ""
    if needs_resource_policy(request):
        given = KEY_POLICY if action.lower().startswith("kms:") else TRUST_POLICY
    elif request.is_cross_account:
        given = RESOURCE_POLICY
    answers = (ALLOWED, DENIED) if was_allowed else (DENIED, ALLOWED)
    return Witness(principal.principal.arn, action, resource, cell.context, *answers, given)


def _any_resource(side: Side, action: str) -> str:
    """A resource that an action works on."""
    who = side.principal
    place = Place(who.partition, who.account, action.partition(":")[0].lower())
    formats = formats_of(action)
    return probes((), formats=formats, place=place)[0] if formats else "*"


__all__ = ["Cell", "Change", "Proof", "Prover", "Verdict", "Witness", "witness_of"]
