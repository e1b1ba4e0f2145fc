"""Groups actions that the same statements concern before and after a change, with the circumstances and the
resource patterns by which these statements tell requests apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, islice, product
from typing import Final

from iam.policy import variables
from iam.policy.arns import is_incomplete, missing_segments, resource_tokens
from iam.policy.compiled import PolicyKind
from iam.policy.glob import Token
from iam.policy.index.circumstances import Circumstance, circumstances
from iam.policy.index.documents import IndexedStatement
from iam.policy.index.keys import OF_PLACE
from iam.policy.index.overlap import Tokens
from iam.policy.index.patterns import normal
from iam.policy.index.probes import pattern_tokens
from iam.policy.index.proof_memory import ProofMemory
from iam.policy.index.sides import (
    PlacedStatement,
    PrincipalSide,
    differing_first,
    keys_told,
    without_needless,
)
from iam.policy.letter_case import fold, is_digits
from iam.policy.request import RESOURCE_ACCOUNT
from iam.policy.variables import PolicyVariable

SAMPLES: Final = 8
"""The maximum number of values of a key that are tried for a variable."""


class ActionGroup:
    """Actions that the same statements concern, on both sides."""

    def __init__(self, prover: ProofMemory, part: int, before: PrincipalSide, after: PrincipalSide) -> None:
        """`part` are the actions, as bits."""
        self._prover = prover
        self._space = prover.space
        self.part = part
        self.fits = prover.fits
        self.met = prover.met
        self.before = before
        self.after = after
        self.has_rcps = bool(part & self._space.under_rcps)
        self.left, self.right, self.is_plain = without_needless(
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
        bit = self.part & -self.part
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

    def patterns(self) -> dict[Tokens, int]:
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

    def name_of(self, mask: int) -> str:
        """The name of the first action in a set."""
        return self._space.actions.names(mask & -mask)[0]


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
