"""Evaluates requests for actions that all statements treat alike, before and after a change, until one proves
what happens to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, islice, product
from types import MappingProxyType
from typing import Final

from iam.policy import variables
from iam.policy.arns import is_incomplete, missing_segments, resource_tokens
from iam.policy.compiled import PolicyKind
from iam.policy.evaluate import ASSUMING, EvaluationDecision, decide
from iam.policy.glob import Token
from iam.policy.index.circumstances import Circumstance, circumstances
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.grid import AllowedRequests, RequestGrid
from iam.policy.index.keys import OF_PLACE, keys_of_services
from iam.policy.index.kinds import ResourceKindSet, sorts_of
from iam.policy.index.names import ABSTRACT
from iam.policy.index.overlap import Tokens
from iam.policy.index.patterns import normal
from iam.policy.index.probes import ProbePlace, pattern_tokens, probes
from iam.policy.index.proof_memory import ProofMemory
from iam.policy.index.proof_sharing import ProofKey
from iam.policy.index.sides import (
    PlacedStatement,
    PrincipalSide,
    differing_first,
    keys_told,
    without_needless,
)
from iam.policy.index.verdicts import ActionSetProof, AlikeVerdict, RequestSample
from iam.policy.letter_case import fold, is_digits
from iam.policy.request import RESOURCE_ACCOUNT
from iam.policy.variables import PolicyVariable

MAX_TRIES: Final = 12
"""The maximum number of requests that the engine evaluates to confirm one finding."""
SAMPLES: Final = 8
"""The maximum number of values of a key that are tried for a variable."""
NONE: Final[Mapping[Tokens, int]] = MappingProxyType({})


class ActionGroup:
    """Actions that the same statements concern, on both sides."""

    def __init__(
        self,
        prover: ProofMemory,
        part: int,
        before: PrincipalSide,
        after: PrincipalSide,
        *,
        alike: ProofKey | None = None,
    ) -> None:
        self._prover = prover
        self._part = part
        self._space = prover.space
        self._alike = alike
        self.fits = prover.fits
        self.met = prover.met
        self.is_taken_over = False
        """True if a verdict contains requests of a similar principal."""
        self.unsettled = 0
        """The actions for which nothing that the differing statements concern is allowed before, or after."""
        self.before = before
        self.after = after
        self.has_rcps = bool(part & self._space.under_rcps)
        self.left, self.right, self._is_plain = without_needless(
            self._statements_of(before), self._statements_of(after)
        )
        differing = differing_first(self.right, self.left)
        self.every = tuple(dict.fromkeys((*differing, *self.left, *self.right)))
        clauses = dict.fromkeys([each.clause for each in self.every])
        own_keys = chain.from_iterable(map(_own_keys, clauses))
        self.own_keys = tuple(sorted(set(own_keys)))
        self._telling = tuple(clause for clause in clauses if keys_told(clause))
        own_values: list[object] = []
        for side in self._people if self._telling else ():
            own_values += [side.values_at("*", keys_told(clause)) for clause in self._telling]
        self._own_values = tuple(own_values)

    def _statements_of(self, side: PrincipalSide) -> tuple[PlacedStatement, ...]:
        """The statements of a side that concern the actions."""
        mask = self._space.mask
        bit = self._part & -self._part
        statements = [each for each in side.applicable_statements if mask(each.clause.actions) & bit]
        if not self.has_rcps:
            statements = [each for each in statements if each.kind is not PolicyKind.RCP]
        return tuple(statements)

    @property
    def is_personal(self) -> bool:
        """True if principals with the same holdings may differ."""
        return bool(self.own_keys)

    def circumstances(self, never: frozenset[str]) -> tuple[Circumstance, ...]:
        """The circumstances to try."""
        memory = self._prover.circumstances
        key = (self._telling, self._own_values, never)
        known = memory.get(key)
        if known is None:
            statements = [(clause.source, clause.has_variables) for clause in self._telling]
            both: dict[Circumstance, None] = {}
            for side in self._people:
                of_side = circumstances(statements, known=side.known, never=never, now=self._prover.now)
                both.update(dict.fromkeys(of_side))
            known = memory[key] = tuple(both)
        return known

    @property
    def _people(self) -> tuple[PrincipalSide, ...]:
        """The principal; once if both sides differ only in what it holds."""
        return (self.before, self.after) if self.differ_in_person else (self.after,)

    def proofs(self) -> Iterator[ActionSetProof]:
        """What happens to the actions."""
        if self.left == self.right and self.before.shape == self.after.shape and not self.differ_in_person:
            return
        keys = keys_of_services(each.clause.shape.plain for each in self.every)
        is_everywhere = self.accounts is not None
        is_partial = any(each.clause.is_partial for each in self.every)
        if not (keys or is_everywhere or is_partial):
            yield from self._proof(ResourceKindSet(self._part, None), is_anywhere=True)
            return
        patterns = self._patterns()
        sorts = sorts_of(self._space, self._part, patterns=patterns, keys=keys, is_everywhere=is_everywhere)
        for sort in sorts:
            yield from self._proof(sort, patterns=patterns)

    @cached_property
    def accounts(self) -> tuple[str, ...] | None:
        """The accounts that conditions on the resource's account name; None if there are no such
        conditions.
        """
        accounts: dict[str, None] = {}
        is_placed = False
        for each in self.every:
            for _, key, values in each.clause.conditions:
                is_placed = is_placed or fold(key) in OF_PLACE
                if fold(key) in RESOURCE_ACCOUNT:
                    accounts.update(dict.fromkeys(value for value in values if is_digits(value)))
        return tuple(accounts)[:SAMPLES] if is_placed else None

    @cached_property
    def differ_in_person(self) -> bool:
        """True if the two sides differ in more than what the principal holds."""
        return (self.before.principal, self.before.facts) != (self.after.principal, self.after.facts)

    @cached_property
    def person(self) -> PrincipalSide | None:
        """The principal if statements apply to both sides alike; otherwise None."""
        is_one = not self.differ_in_person and self.before.place_facts == self.after.place_facts
        return self.after if is_one else None

    def _patterns(self) -> dict[Tokens, int]:
        """The resource patterns, those of differing statements first, each with the lists that contain it, as
        bits.

        A pattern with a variable is a list of its own, since it matches something only where the variable has
        that value.
        """
        patterns: dict[Tokens, int] = {}
        bit = 1
        for each in self.every:
            if not each.clause.is_partial:
                continue
            for side in self._people:
                for pattern, is_filled in _patterns_of(each.clause, side, self):
                    bit <<= is_filled
                    patterns[pattern] = patterns.get(pattern, 0) | bit
                    bit <<= is_filled
            bit <<= 1
        return patterns

    @cached_property
    def samples(self) -> dict[str, tuple[str, ...]]:
        """The sample values of each key, by lowercase name."""
        values_by_key: dict[str, dict[str, None]] = {}
        for circumstance in self.circumstances(frozenset()):
            for key, values in circumstance:
                if len(values) == 1:
                    values_by_key.setdefault(fold(key), {})[values[0]] = None
        return {key: tuple(values)[:SAMPLES] for key, values in values_by_key.items()}

    def _proof(
        self, sort: ResourceKindSet, *, patterns: Mapping[Tokens, int] = NONE, is_anywhere: bool = False
    ) -> Iterator[ActionSetProof]:
        verdict, is_settled = self._verdict(sort, patterns, is_anywhere=is_anywhere)
        if not verdict.is_nothing or verdict.already or verdict.keeps or verdict.blocked:
            self.unsettled |= 0 if is_settled else sort.mask
            yield ActionSetProof(sort.mask, verdict)

    def _verdict(
        self, sort: ResourceKindSet, patterns: Mapping[Tokens, int], *, is_anywhere: bool
    ) -> tuple[AlikeVerdict, bool]:
        key = self._verdict_key(sort, is_anywhere=is_anywhere)
        known = self._prover.known.get(key)
        arn = self.before.principal.arn
        if known is None:
            trial = RequestTrial(self, sort, patterns, is_anywhere=is_anywhere)
            verdict = trial.verdict()
            known = (arn, self._prover.verdicts.setdefault(verdict, verdict), trial.is_settled)
            self._prover.known[key] = known
        self.is_taken_over = self.is_taken_over or (self._alike is not None and known[0] != arn)
        return known[1], known[2]

    def _verdict_key(self, sort: ResourceKindSet, *, is_anywhere: bool) -> object:
        kind: object = "anywhere" if is_anywhere else sort.formats
        if sort.is_elsewhere:
            kind = ("elsewhere", sort.formats == ())
        action = self.name_of(sort.mask)
        return (
            # It makes no difference which statement allows everything.
            self.left[self._is_plain :],
            self.right[self._is_plain :],
            self._is_plain,
            self._principal_key(self.before),
            self._principal_key(self.after),
            kind,
            sort.never,
            self.has_rcps,
            fold(action) in ASSUMING,
        )

    def _principal_key(self, side: PrincipalSide) -> tuple[object, ...]:
        """What the verdicts depend on in a side's principal."""
        principal, alike = side.principal, self._alike
        place = alike.place if alike else (principal.account, _texts(side.facts), _texts(side.place_facts))
        own: list[object] = []
        for key in self.own_keys:
            if alike and alike.name and key in ABSTRACT:
                own.append(alike.name)
            else:
                own.append(side.known.values(key))
        is_untagged = principal.tags is None
        return (principal.kind, place, is_untagged, bool(principal.unique_id), tuple(own), side.shape)

    def name_of(self, mask: int) -> str:
        """The name of the first action in a set."""
        return self._space.actions.names(mask & -mask)[0]


def _texts(facts: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((key, str(value)) for key, value in facts.items()))


def _own_keys(clause: IndexedStatement) -> Iterator[str]:
    """The keys that differ between principals and affect more than whether the statement applies."""
    traits = clause.traits
    yield from (*traits.named, *traits.raw, *traits.tags)


def _patterns_of(
    clause: IndexedStatement, side: PrincipalSide, asked: ActionGroup
) -> Iterator[tuple[Tokens, bool]]:
    """The patterns with variables replaced by the principal's values, or by values a request may have, and
    whether there were variables.
    """
    for name in clause.resources or ():
        if "${" not in name:
            yield pattern_tokens(name), False
            continue
        template = variables.read(name, has_variables=clause.has_variables)
        choices: list[tuple[Sequence[Token], ...]] = []
        for part in template.parts:
            if isinstance(part, PolicyVariable):
                # The characters of a value are literal, even wildcards.
                choices.append(_values_of(part, side, asked))
            else:
                choices.append(((part,),))
        is_filled = any(isinstance(part, PolicyVariable) for part in template.parts)
        for chosen in islice(product(*choices), SAMPLES):
            parts = list(chain.from_iterable(chosen))
            if is_incomplete(parts):
                parts += missing_segments(parts)
            yield tuple(normal(resource_tokens(parts))), is_filled


def _values_of(variable: PolicyVariable, side: PrincipalSide, asked: ActionGroup) -> tuple[str, ...]:
    """The possible values of a variable."""
    values = side.known.values(variable.key)
    if values is not None and len(values) == 1:
        return values
    default = () if variable.default is None else (variable.default,)
    if values is not None:
        return default
    return (*asked.samples.get(variable.key, ()), *default)


class RequestTrial:
    """Tries all requests for actions of one sort."""

    def __init__(
        self, asked: ActionGroup, sort: ResourceKindSet, patterns: Mapping[Tokens, int], *, is_anywhere: bool
    ) -> None:
        self._asked = asked
        self._action = asked.name_of(sort.mask)
        self._is_anywhere = is_anywhere
        self._is_any = is_anywhere or sort.is_elsewhere
        self.is_settled = False
        """True if something that the differing statements concern is allowed before, and something is
        after.
        """
        resources = self._resources(sort, patterns)
        contexts = asked.circumstances(sort.never)
        self._grid = RequestGrid(
            self._action,
            resources,
            contexts,
            has_rcps=asked.has_rcps,
            fits=asked.fits,
            met=asked.met,
            person=asked.person,
        )

    def _resources(self, sort: ResourceKindSet, patterns: Mapping[Tokens, int]) -> tuple[str, ...]:
        if self._is_anywhere:
            return ("*",)
        who = self._asked.after.principal
        place = ProbePlace(who.partition, who.account, fold(self._action.partition(":")[0]))
        named = NONE if sort.is_elsewhere else patterns
        return probes(
            named,
            formats=sort.formats,
            place=place,
            accounts=self._asked.accounts,
        )

    def verdict(self) -> AlikeVerdict:
        """Evaluate the requests and return the verdict."""
        asked, grid = self._asked, self._grid
        if not grid.everything:
            return AlikeVerdict()
        was = self._allowed(asked.before, asked.left)
        becomes = self._allowed(asked.after, asked.right)
        about = grid.where((asked.before, asked.left), (asked.after, asked.right))
        self.is_settled = bool(was.maybe & about and becomes.maybe & about)
        more = self._confirmed(becomes.sure & ~was.maybe, was_allowed=False)
        less = self._confirmed(was.sure & ~becomes.maybe, was_allowed=True)
        bits = self._allowed_only_there(asked.after, asked.right, asked.left)
        taken = self._allowed_only_there(asked.before, asked.left, asked.right)
        already = bits & becomes.sure
        kept = taken & was.sure
        only_then = self._is_allowed_otherwise(less, becomes)
        already_by = self._allowing_documents(already) if already and not already & ~was.sure else ()
        kept_by = self._allowing_documents(kept) if kept and not kept & ~becomes.sure else ()
        blocked_by = self._blocking_kinds(bits) if bits and not bits & becomes.maybe else ()
        return AlikeVerdict(
            more=more,
            less=less,
            had=bool(was.maybe),
            has=bool(becomes.maybe),
            only_then=only_then,
            already=already_by,
            keeps=kept_by,
            blocked=blocked_by,
            is_given=bool(bits),
            is_taken=bool(taken),
            outlines=(self._outline(more, asked.after), self._outline(less, asked.before)),
        )

    def _outline(self, cell: RequestSample | None, side: PrincipalSide) -> RequestSample | None:
        return None if cell is None else cell.outline(side, self._asked.own_keys)

    def _allowed(self, side: PrincipalSide, statements: Sequence[PlacedStatement]) -> AllowedRequests:
        allowed = self._grid.allowed(side, statements)
        if side.is_root and fold(self._action) == "sts:assumerole":
            return AllowedRequests(0, 0)
        return allowed

    def _confirmed(self, bits: int, *, was_allowed: bool) -> RequestSample | None:
        """The first of some requests for which the engine gives the expected decision."""
        for _ in range(MAX_TRIES):
            if not bits:
                return None
            resource, context = self._grid.cell(bits)
            if self._is_confirmed(resource, context, was_allowed=was_allowed):
                named = None if self._is_any else resource
                return RequestSample(named, context)
            bits &= bits - 1
        return None

    def _is_confirmed(self, resource: str, context: Circumstance, *, was_allowed: bool) -> bool:
        asked = self._asked
        answers = []
        for side, statements in ((asked.before, asked.left), (asked.after, asked.right)):
            request = side.request(self._action, resource, context=dict(context))
            answers.append(decide(request, side.policies(request, statements)))
        if EvaluationDecision.CONDITIONAL in answers:
            return False
        return [answer is EvaluationDecision.ALLOWED for answer in answers] == [was_allowed, not was_allowed]

    def _is_allowed_otherwise(self, cell: RequestSample | None, becomes: AllowedRequests) -> bool:
        if cell is None:
            return False
        place = 0 if cell.resource is None else self._grid.resources.index(cell.resource)
        return bool(becomes.sure >> place * self._grid.width & self._grid.row)

    def _allowed_only_there(
        self, side: PrincipalSide, mine: Sequence[PlacedStatement], theirs: Sequence[PlacedStatement]
    ) -> int:
        """The requests that identity statements of only one side allow."""
        bits = 0
        for each in mine:
            if each.kind is PolicyKind.IDENTITY and each.allows and each not in theirs:
                bits |= self._grid.mark(side, each).sure
        return bits

    def _allowing_documents(self, bits: int) -> tuple[IndexedDocument, ...]:
        """Documents on both sides that together allow all of the given requests; empty if they don't."""
        asked, grid = self._asked, self._grid
        bits_by_doc: dict[IndexedDocument, int] = {}
        for each in asked.left:
            if each.kind is PolicyKind.IDENTITY and each.allows and each in asked.right:
                for doc in sorted(asked.before.doc_of(each), key=lambda doc: doc.digest):
                    if doc in asked.after.docs:
                        bits_by_doc[doc] = bits_by_doc.get(doc, 0) | grid.mark(asked.before, each).sure
        documents: list[IndexedDocument] = []
        while bits:
            best = max(
                bits_by_doc, key=lambda doc: ((bits_by_doc[doc] & bits).bit_count(), doc.digest), default=None
            )
            if best is None or not bits_by_doc[best] & bits:
                return ()
            documents.append(best)
            bits &= ~bits_by_doc.pop(best)
        return tuple(documents)

    def _blocking_kinds(self, bits: int) -> tuple[str, ...]:
        """Reasons why the given requests aren't allowed, by type of policy."""
        asked, grid = self._asked, self._grid
        allowed: dict[tuple[PolicyKind, int], int] = {}
        denied: dict[PolicyKind, int] = {}
        for each in asked.right:
            mark = grid.mark(asked.after, each).sure
            if each.allows:
                allowed[each.kind, each.level] = allowed.get((each.kind, each.level), 0) | mark
            else:
                denied[each.kind] = denied.get(each.kind, 0) | mark
        reasons = [f"denied by {kind}" for kind in PolicyKind if denied.get(kind, 0) & bits]
        for place in sorted(grid.limits(asked.after)):
            if bits & ~allowed.get(place, 0):
                reasons.append(f"not allowed by {place[0]}")
        return tuple(dict.fromkeys(reasons))
