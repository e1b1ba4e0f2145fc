"""All combinations of some resources and circumstances, evaluated together. Each possible request is one
bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from iam.policy.compiled import CompiledStatement, PolicyKind
from iam.policy.document import Names
from iam.policy.index.circumstances import Circumstance
from iam.policy.index.keys import OF_PLACE, variables_in
from iam.policy.index.sides import PlacedStatement, PrincipalSide, keys_told
from iam.policy.letter_case import fold
from iam.policy.logic import YES
from iam.policy.request import Request, Values, account_of


class AllowedRequests(NamedTuple):
    """Requests as bits: certainly allowed, and allowed unless a statement that can't be evaluated decides
    otherwise.
    """

    sure: int
    maybe: int


class ApplicableRequests(NamedTuple):
    """The requests to which a statement applies, as bits: certainly, and possibly."""

    sure: int
    maybe: int


Fits = dict[object, dict[str, bool]]
"""Whether resources match, by the resource element of a statement."""

Met = dict[object, int]
"""The circumstances in which a statement's conditions are met, whatever the action, for all principals with
the same values for its keys.
"""


ContextGroup = tuple[dict[str, Values], int]
"""The values of some keys that a group of circumstances shares, and the circumstances as bits."""


class RequestGrid:
    """Requests for one action. Their number is resource position × number of circumstances + circumstance
    position.
    """

    def __init__(
        self,
        action: str,
        resources: tuple[str, ...],
        contexts: Sequence[Circumstance],
        *,
        has_rcps: bool,
        fits: Fits,
        met: Met,
        person: PrincipalSide | None = None,
    ) -> None:
        """`contexts` must live as long as `met`. `person` is the principal if both sides differ only in what
        it holds.
        """
        self.action = action
        self.resources = resources
        self.contexts = contexts
        self._has_rcps = has_rcps
        self._fits = fits
        self._met = met
        self._person = person
        self.width = len(contexts)
        self.row = (1 << self.width) - 1
        self.everything = (1 << self.width * len(resources)) - 1
        self._values_by_context = [{fold(key): values for key, values in context} for context in contexts]
        self._context_keys = frozenset(chain.from_iterable(self._values_by_context))
        self._marks: dict[tuple[PlacedStatement, int], ApplicableRequests] = {}
        self._requests_by_side: dict[int, list[Request]] = {}
        self._request_of_anybody: Request | None = None
        self._fitting_places: dict[tuple[Names, bool], int] = {}
        self._groups_by_keys: dict[frozenset[str], list[ContextGroup]] = {}

    def cell(self, bit: int) -> tuple[str, Circumstance]:
        """The resource and circumstances of the lowest request in a set."""
        number = (bit & -bit).bit_length() - 1
        return self.resources[number // self.width], self.contexts[number % self.width]

    def allowed(self, side: PrincipalSide, statements: Iterable[PlacedStatement]) -> AllowedRequests:
        """The allowed requests, given the statements that concern the action."""
        sure: dict[tuple[PolicyKind, int], int] = {}
        maybe: dict[tuple[PolicyKind, int], int] = {}
        denied = denied_maybe = 0
        for placed in statements:
            mark = self.mark(side, placed)
            place = (placed.kind, placed.level)
            if placed.allows:
                sure[place] = sure.get(place, 0) | mark.sure
                maybe[place] = maybe.get(place, 0) | mark.maybe
            else:
                denied |= mark.sure
                denied_maybe |= mark.maybe
        own = {(PolicyKind.IDENTITY, 0)} if not side.is_root else set()
        needed = own | self.limits(side)
        certain, perhaps = self.everything, self.everything
        for place in needed:
            certain &= sure.get(place, 0)
            perhaps &= maybe.get(place, 0)
        return AllowedRequests(certain & ~denied_maybe, perhaps & ~denied)

    def where(self, *sides: tuple[PrincipalSide, Sequence[PlacedStatement]]) -> int:
        """The requests concerned by statements that only one of two sides has."""
        bits = 0
        shared = set(sides[0][1]).intersection(sides[1][1])
        for side, statements in sides:
            for placed in statements:
                if placed not in shared:
                    bits |= self.mark(side, placed).maybe
        return bits

    def limits(self, side: PrincipalSide) -> set[tuple[PolicyKind, int]]:
        """The other policies that must allow besides identity-based ones. Each level counts separately."""
        limits = {(PolicyKind.SCP, level) for level in range(len(side.scps))}
        if self._has_rcps:
            limits |= {(PolicyKind.RCP, level) for level in range(len(side.rcps))}
        if side.boundary is not None:
            limits.add((PolicyKind.BOUNDARY, 0))
        return limits

    def mark(self, side: PrincipalSide, placed: PlacedStatement) -> ApplicableRequests:
        """The requests of a principal to which a statement applies."""
        who = self._person or side
        key = (placed, id(who))
        mark = self._marks.get(key)
        if mark is None:
            mark = self._marks[key] = self._mark(who, placed)
        return mark

    def _mark(self, side: PrincipalSide, placed: PlacedStatement) -> ApplicableRequests:
        compiled = placed.clause.compiled_for(placed.kind)
        is_for_all = compiled.fits is None and compiled.means is None
        if is_for_all and not compiled.conditions and not compiled.unknown:
            return ApplicableRequests(self.everything, self.everything)
        is_placed = any(fold(condition.key) in OF_PLACE for condition in compiled.conditions)
        places = None if is_placed else self._places_fitting(side, placed, compiled)
        if places is None:
            bits = self._bits_by_resource(side, placed, compiled, is_placed=is_placed)
        else:
            # The circumstances are the same for each matching resource.
            bits = places * self._circumstances_met(side, placed, compiled, "*") if places else 0
        is_doubtful = bool(compiled.unknown)
        if compiled.means is not None:
            is_doubtful = is_doubtful or max(compiled.means(side.principal, True)) != YES
        sure = 0 if is_doubtful else bits
        return ApplicableRequests(sure, bits)

    def _places_fitting(
        self, side: PrincipalSide, placed: PlacedStatement, compiled: CompiledStatement
    ) -> int | None:
        """The first request of each resource that matches the statement, for any principal; None if that
        depends on the principal or the circumstances.
        """
        names = placed.clause.resources or ()
        if compiled.fits is None:
            return self.everything // self.row
        if placed.clause.has_variables and any("${" in name for name in names):
            return None
        key = (names, placed.clause.shape.is_not_resource)
        places = self._fitting_places.get(key)
        if places is None:
            digits = {True: "1".zfill(self.width), False: "0" * self.width}
            fitting = [digits[is_met] for is_met in self._fitting_anybody(side, placed, compiled.fits)]
            places = self._fitting_places[key] = int("".join(reversed(fitting)) or "0", 2)
        return places

    def _bits_by_resource(
        self, side: PrincipalSide, placed: PlacedStatement, compiled: CompiledStatement, *, is_placed: bool
    ) -> int:
        """The requests to which a statement applies, evaluated per resource."""
        bits, shift = 0, 0
        met: dict[str, int] = {}
        for resource, fitting in zip(self.resources, self._fitting(side, placed, compiled), strict=True):
            if fitting:
                place = account_of(resource) if is_placed else ""
                if place not in met:
                    asked = resource if is_placed else "*"
                    met[place] = self._circumstances_met(side, placed, compiled, asked)
                bits |= (met[place] & fitting) << shift
            shift += self.width
        return bits

    def _fitting(
        self, side: PrincipalSide, placed: PlacedStatement, compiled: CompiledStatement
    ) -> Iterator[int]:
        """For each resource, the circumstances in which it matches the statement. They matter if the
        statement's resources contain variables.
        """
        if compiled.fits is None:
            yield from (self.row for _ in self.resources)
            return
        names = placed.clause.resources or ()
        if not placed.clause.has_variables or not any("${" in name for name in names):
            for is_met in self._fitting_anybody(side, placed, compiled.fits):
                yield self.row if is_met else 0
            return
        keys = self._keys_in(placed, names)
        if not keys:
            for request in self._requests(side):
                yield self.row if compiled.fits(request) == YES else 0
            return
        for resource in self.resources:
            fitting_bits = 0
            for known, bits in self._apart(keys):
                if compiled.fits(side.request(self.action, resource, context=known)) == YES:
                    fitting_bits |= bits
            yield fitting_bits

    def _fitting_anybody(
        self, side: PrincipalSide, placed: PlacedStatement, fits: Callable[[Request], int]
    ) -> list[bool]:
        """Whether each resource matches, for a statement without variables. Only the resource of a request
        matters here.
        """
        known = self._fits.setdefault((placed.clause.resources, placed.clause.shape.is_not_resource), {})
        for resource in self.resources:
            if resource not in known:
                request = self._request_of_anybody or side.request(self.action, resource)
                request.resource = resource
                known[resource] = fits(request) == YES
                self._request_of_anybody = request
        return [known[resource] for resource in self.resources]

    def _keys_in(self, placed: PlacedStatement, texts: Iterable[str]) -> frozenset[str]:
        return variables_in(texts) & self._context_keys if placed.clause.has_variables else frozenset()

    def _circumstances_met(
        self, side: PrincipalSide, placed: PlacedStatement, compiled: CompiledStatement, resource: str
    ) -> int:
        """The circumstances in which all conditions are met. Only the account of the resource matters."""
        if not compiled.conditions:
            return self.row
        key = (
            placed.clause,
            placed.kind,
            id(self.contexts),
            side.values_at(resource, keys_told(placed.clause)),
        )
        row_bits = self._met.get(key)
        if row_bits is None:
            row_bits = self._met[key] = self._conditions_met(side, placed, compiled, resource)
        return row_bits

    def _conditions_met(
        self, side: PrincipalSide, placed: PlacedStatement, compiled: CompiledStatement, resource: str
    ) -> int:
        row_bits = self.row
        for condition in compiled.conditions:
            tested_key = frozenset({fold(condition.key)} & self._context_keys)
            keys = tested_key | self._keys_in(placed, condition.values)
            met = 0
            for known, bits in self._apart(keys):
                if condition.test(side.request(self.action, resource, context=known)) == YES:
                    met |= bits
            row_bits &= met
            if not row_bits:
                break
        return row_bits

    def _apart(self, keys: frozenset[str]) -> list[ContextGroup]:
        """The circumstances, grouped by the values of some keys."""
        groups = self._groups_by_keys.get(keys)
        if groups is None:
            groups = self._groups_by_keys[keys] = self._grouped_by(sorted(keys))
        return groups

    def _grouped_by(self, names: Sequence[str]) -> list[ContextGroup]:
        bits_by_values: dict[tuple[Values | None, ...], int] = {}
        for place, context in enumerate(self._values_by_context):
            values = tuple(map(context.get, names))
            bits_by_values[values] = bits_by_values.get(values, 0) | 1 << place
        groups: list[ContextGroup] = []
        for values, bits in bits_by_values.items():
            pairs = zip(names, values, strict=True)
            present = {name: value for name, value in pairs if value is not None}
            groups.append((present, bits))
        return groups

    def _requests(self, side: PrincipalSide) -> list[Request]:
        requests = self._requests_by_side.get(id(side))
        if requests is None:
            requests = [side.request(self.action, resource) for resource in self.resources]
            self._requests_by_side[id(side)] = requests
        return requests
