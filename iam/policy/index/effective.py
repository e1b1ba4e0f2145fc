"""Computes what principals can do for all actions at once. Sets of actions are bits, computed once for all
principals with the same holdings.

Resource-based policies, such as trust policies and key policies, are not included: they add access or
restrict it themselves. Resources are assumed to be in the principal's own account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from threading import RLock
from typing import Any, Final, NamedTuple

from iam.policy.compiled import PolicyKind, PolicySet
from iam.policy.evaluate import RequestPolicies, has_rcps, has_scps
from iam.policy.index.classes import (
    IndexedPrincipal,
    MarkedDocument,
    PrincipalClass,
    PrincipalLimits,
    PrincipalProfile,
)
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.reach import reach_of
from iam.policy.index.shard import AccountShard
from iam.policy.index.weights import (
    DocumentWeight,
    OpenStatement,
    all_together,
    combine,
    joined,
    mask_of,
    mask_without,
)
from iam.policy.logic import NO, OPEN, YES
from iam.policy.request import PrincipalKind, Request

REMEMBERED: Final = 4096
"""The number of distinct results that are kept. A mask takes up to 2.8 kB."""
NOBODY: Final = PolicySet(PolicyKind.IDENTITY, ())
Pieces = tuple[OpenStatement, ...]
Group = tuple[DocumentWeight, Pieces]


class AllowedActionSets(NamedTuple):
    """Three disjoint sets of actions: allowed on all resources, on at most some, and conditionally."""

    everywhere: int
    limited: int
    conditional: int

    @property
    def allowed_mask(self) -> int:
        """All actions that are allowed in some way."""
        return self.everywhere | self.limited | self.conditional


class WeighedLimits(NamedTuple):
    """The boundary and the levels with a weight each, their combined weight, and a number for them."""

    groups: tuple[Group, ...]
    weight: DocumentWeight
    number: int


class EffectiveActions:
    """Results for one set of circumstances. They stay valid while the index changes, since they are kept by
    profile and document, which never change.

    `age` counts newly placed principals, as a measure of how many results belong to removed ones.
    """

    def __init__(
        self,
        space: ActionNumbering,
        shards: Mapping[str, AccountShard],
        *,
        context: Mapping[str, Any] | None = None,
        strict: bool = False,
        moment: datetime | None = None,
        is_any_time: bool = False,
    ) -> None:
        self._moment, self._is_any_time = moment, is_any_time
        self.space, self._shards = space, shards
        self._context, self._strict = context or {}, strict
        self.age = 0
        self._width = 0
        self._known: dict[IndexedDocument | MarkedDocument, tuple[Pieces, int]] = {}
        self._shapes: dict[Any, int] = {}
        self._of_profile: dict[PrincipalProfile, AllowedActionSets] = {}
        self._once: dict[AllowedActionSets, AllowedActionSets] = {}
        self._weights: dict[int, DocumentWeight] = {}
        """The weights of documents, by the numbers of their shapes."""
        self._bounds: dict[Any, WeighedLimits] = {}
        self._found: dict[tuple[frozenset[int], int], AllowedActionSets | None] = {}
        self._ceilings: dict[Any, AllowedActionSets] = {}
        self._lock = RLock()
        """Held while one principal is evaluated, since several threads may ask."""

    def elsewhere(self, shards: Mapping[str, AccountShard]) -> EffectiveActions:
        """The same evaluator for other accounts. Results for documents are copied, since they apply there
        too.
        """
        with self._lock:
            other = EffectiveActions(
                self.space,
                shards,
                context=self._context,
                strict=self._strict,
                moment=self._moment,
                is_any_time=self._is_any_time,
            )
            other._width = self._width
            other._known, other._shapes = dict(self._known), dict(self._shapes)
            other._weights = dict(self._weights)
            return other

    def for_member(self, member: IndexedPrincipal) -> AllowedActionSets:
        """What one principal can do."""
        with self._lock:
            if self._width != self.space.width:
                self._forget()
            profile = member.cls.profile
            actions = self._of_profile.get(profile)
            if actions is None:
                actions, is_of_profile = self._find(member)
                if is_of_profile:
                    self._of_profile[profile] = actions
            return actions

    def ceiling(self, member: IndexedPrincipal) -> AllowedActionSets:
        """What the organization's policies allow a principal of the member's class that is allowed everything
        and has no boundary.
        """
        with self._lock:
            if self._width != self.space.width:
                self._forget()
            levels = member.cls.profile.limits.levels
            key = (levels, member.account)
            ceiling = self._ceilings.get(key)
            if ceiling is None:
                of_organization = self._of_organization(member.cls.profile.limits, _Asking(self, member))
                ceiling = self._result(
                    all_together([self._of_root(), *(weight for weight, _ in of_organization)])
                )
                ceiling = self._once.setdefault(ceiling, ceiling)
                if not self._context and not levels.is_personal:
                    self._ceilings[key] = ceiling
            return ceiling

    def _forget(self) -> None:
        """Start over, because documents with new action names were added, which patterns may match too."""
        self._width = self.space.width
        for kept in (self._known, self._of_profile, self._once, self._weights, self._bounds, self._found):
            kept.clear()
        self._ceilings.clear()

    def _find(self, member: IndexedPrincipal) -> tuple[AllowedActionSets, bool]:
        """What one principal can do, and whether the result applies to its whole profile."""
        asking = _Asking(self, member)
        profile, known = member.cls.profile, self._known
        identity: list[tuple[Pieces, int]] = []
        is_of_profile = not self._context and not self._is_placed_or_personal(profile.limits)
        held_docs: tuple[IndexedDocument | MarkedDocument, ...] = (*profile.bundle.plain, *profile.marked)
        for key in held_docs:
            graded = known.get(key)
            if graded is None:
                doc = key.doc if isinstance(key, MarkedDocument) else key
                graded = self._graded(doc, key, PolicyKind.IDENTITY, asking)
                is_of_profile = is_of_profile and not doc.is_personal and not doc.is_placed
            identity.append(graded)
        shapes = frozenset([shape for _, shape in identity])
        bounds = self._limits(member, asking)
        key_of_result = (shapes, bounds.number)
        if key_of_result in self._found:
            weighed = self._found[key_of_result]
        else:
            weighed = self._weighed(member, shapes, bounds)
            if weighed is not None:
                weighed = self._once.setdefault(weighed, weighed)
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[key_of_result] = weighed
        if weighed is None:
            pieces = tuple(chain.from_iterable([pieces_of_doc for pieces_of_doc, _ in identity]))
            weighed = self._closer(pieces, bounds.groups)
            weighed = self._once.setdefault(weighed, weighed)
        return weighed, is_of_profile

    def by_class(
        self, classes: Iterable[PrincipalClass]
    ) -> Iterator[tuple[Sequence[IndexedPrincipal], AllowedActionSets]]:
        """The members with the same result, class by class. Raises ValueError if there is a context, since it
        could distinguish members.
        """
        if self._context:
            raise ValueError("With circumstances, principals are asked about one by one.")
        for cls in classes:
            if self._is_personal(cls.profile):
                yield from (([member], self.for_member(member)) for member in cls.members)
            else:
                yield cls.members, self.for_member(cls.members[0])

    def _is_personal(self, profile: PrincipalProfile) -> bool:
        """True if members of one class may differ nevertheless."""
        return self._depends(profile.limits) or any(doc.is_personal for doc in profile.bundle.docs)

    def _is_placed_or_personal(self, limits: PrincipalLimits) -> bool:
        """True if the limits may differ between accounts, or between members of one class."""
        boundary, levels = limits.boundary, limits.levels
        return (
            levels.is_placed
            or levels.is_personal
            or (boundary is not None and (boundary.is_placed or boundary.is_personal))
        )

    def request_of(self, member: IndexedPrincipal) -> Request:
        """A request of the member in its own account, without action or resource."""
        shard = self._shards[member.account]
        context = {**shard.facts, **shard.place_facts, **self._context}
        return Request(
            "",
            "*",
            member.principal,
            context=context,
            strict=self._strict,
            moment=self._moment,
            is_any_time=self._is_any_time,
        )

    def _graded(
        self,
        doc: IndexedDocument,
        key: IndexedDocument | MarkedDocument | None,
        kind: PolicyKind,
        asking: _Asking,
    ) -> tuple[Pieces, int]:
        """The statements of a document that may apply, and a number for everything that masks depend on."""
        graded = [_piece(clause, kind, asking) for clause in doc.clauses]
        pieces = tuple(piece for piece in graded if piece is not None)
        number = self._number(frozenset(piece.shape for piece in pieces))
        if number not in self._weights:
            self._weights[number] = combine(pieces, self.space)
        graded_pieces = pieces, number
        if key is not None and not doc.is_personal and not doc.is_placed and not self._context:
            self._known[key] = graded_pieces
        return graded_pieces

    def _number(self, shape: Any) -> int:
        return self._shapes.setdefault(shape, len(self._shapes))

    def _limits(self, member: IndexedPrincipal, asking: _Asking) -> WeighedLimits:
        """The weighed boundary and levels of a member."""
        limits = member.cls.profile.limits
        boundary, levels = limits.boundary, limits.levels
        is_placed = levels.is_placed or (boundary is not None and boundary.is_placed)
        key = (limits, member.account if is_placed else "")
        bounds = self._bounds.get(key)
        if bounds is None:
            groups = tuple(self._bounding(limits, asking))
            weights = tuple(weight for weight, _ in groups)
            number = self._number(("limits", weights, limits.flags))
            bounds = WeighedLimits(groups, all_together(weights), number)
            if not self._depends(limits):
                self._bounds[key] = bounds
        return bounds

    def _depends(self, limits: PrincipalLimits) -> bool:
        """True if the limits may differ between members of one class. Their marks are the same."""
        boundary = limits.boundary
        return limits.levels.is_personal or (boundary is not None and boundary.is_personal)

    def _bounding(self, limits: PrincipalLimits, asking: _Asking) -> Iterator[Group]:
        if limits.boundary is not None:
            yield self._group([limits.boundary], PolicyKind.BOUNDARY, asking)
        yield from self._of_organization(limits, asking)

    def _of_organization(self, limits: PrincipalLimits, asking: _Asking) -> Iterator[Group]:
        if has_scps(asking.request):
            for level in limits.levels.scps:
                yield self._group([doc for _, doc in level], PolicyKind.SCP, asking)
        restricted = Request("s3:GetObject", "*", asking.request.principal)
        if has_rcps(restricted, RequestPolicies(identity=NOBODY)):
            for level in limits.levels.rcps:
                weight, pieces = self._group([doc for _, doc in level], PolicyKind.RCP, asking)
                yield _of_some_services(weight, self.space.under_rcps), pieces

    def _group(self, docs: Iterable[IndexedDocument], kind: PolicyKind, asking: _Asking) -> Group:
        clauses = chain.from_iterable(doc.clauses for doc in docs)
        graded = [_piece(clause, kind, asking) for clause in clauses]
        pieces = tuple(piece for piece in graded if piece is not None)
        return combine(pieces, self.space), pieces

    def _weighed(
        self,
        member: IndexedPrincipal,
        shapes: frozenset[int],
        bounds: WeighedLimits,
    ) -> AllowedActionSets | None:
        """Compute the result from weights; None if statements about some resources must be compared with each
        other.
        """
        if member.kind is PrincipalKind.ROOT:
            own = self._of_root()
        else:
            own = joined([self._weights[shape] for shape in shapes])
        if own.parts & (bounds.weight.parts | bounds.weight.denied_some | own.denied_some):
            return None
        return self._result(all_together([own, bounds.weight]))

    def _of_root(self) -> DocumentWeight:
        everything = self.space.actions.everything & ~self.space.assume_role
        return DocumentWeight(everything, everything, everything)

    def _closer(self, pieces: Pieces, bounds: tuple[Group, ...]) -> AllowedActionSets:
        """Compute the result like `_weighed`, but count a statement about some resources only if the others
        leave some of these.
        """
        own = combine(pieces, self.space)
        denies = [p for p in pieces if not p.allows]
        bounding = chain.from_iterable(group for _, group in bounds)
        denies += [piece for piece in bounding if not piece.allows]
        denied = [self._with_mask(p) for p in denies if p.mark == YES and p.area]
        leaving = [(weight, [self._with_mask(p) for p in group if p.allows]) for weight, group in bounds]
        in_some = maybe = 0
        for piece in pieces:
            if not piece.allows:
                continue
            sure, perhaps = self._left_of(piece, denied, leaving)
            maybe |= perhaps
            if piece.mark == YES:
                in_some |= sure
        together = all_together([own, *(weight for weight, _ in bounds)])
        return self._result(
            together._replace(
                some=together.some & (in_some | together.everywhere), maybe=together.maybe & maybe
            )
        )

    def _with_mask(self, piece: OpenStatement) -> tuple[OpenStatement, int]:
        """A statement with all actions that it matches."""
        whole, part = mask_of(piece, self.space)
        return piece, whole | part

    def _left_of(
        self,
        piece: OpenStatement,
        denied: Sequence[tuple[OpenStatement, int]],
        leaving: Sequence[tuple[DocumentWeight, Sequence[tuple[OpenStatement, int]]]],
    ) -> tuple[int, int]:
        whole, part = mask_of(piece, self.space)
        for deny, mask in denied:
            if piece.area and deny.area and part & mask and deny.area.covers(piece.area):
                part &= ~mask
        sure = perhaps = whole | part
        for weight, group in leaving:
            here_sure = weight.everywhere
            here = weight.everywhere
            for other, mask in group:
                if piece.area is None or other.area is None or piece.area.may_meet(other.area):
                    here |= mask
                    here_sure |= mask if other.mark == YES else 0
            sure &= here_sure
            perhaps &= here
        return sure, perhaps

    def _result(self, weight: DocumentWeight) -> AllowedActionSets:
        everywhere = mask_without(weight.everywhere, weight.denied)
        in_some = mask_without(weight.some, weight.denied)
        maybe = mask_without(weight.maybe, weight.denied)
        denied_somewhere = weight.denied_some | weight.perhaps_some

        sure = mask_without(everywhere, denied_somewhere | weight.perhaps)
        sure |= self.space.without_permission
        limited = everywhere & denied_somewhere
        limited |= mask_without(in_some, everywhere | weight.perhaps_some)
        limited = mask_without(limited, weight.perhaps | sure)
        conditional = mask_without(maybe, sure | limited)
        return AllowedActionSets(sure, limited, conditional)


class _Asking:
    """The request of a member, created when something depends on it."""

    __slots__ = ("_effective", "_member", "_request")

    def __init__(self, effective: EffectiveActions, member: IndexedPrincipal) -> None:
        self._effective, self._member = effective, member
        self._request: Request | None = None

    @property
    def request(self) -> Request:
        """The request from `EffectiveActions.request_of`."""
        if self._request is None:
            self._request = self._effective.request_of(self._member)
        return self._request


def _piece(clause: IndexedStatement, kind: PolicyKind, asking: _Asking) -> OpenStatement | None:
    """A statement with its conditions evaluated as far as possible; None if it doesn't apply."""
    compiled = clause.shape.of_kind(kind)
    mark = OPEN if compiled.unknown else YES
    for condition in compiled.conditions:
        mark = min(mark, condition.test(asking.request))
    if compiled.means is not None:
        mark = min(mark, max(compiled.means(asking.request.principal, asking.request.strict)))
    return None if mark == NO or clause.fits_nothing else OpenStatement(clause, mark, reach_of(clause))


def _of_some_services(weight: DocumentWeight, restricted: int) -> DocumentWeight:
    """Restrict resource control policies to the actions they govern. They leave all others alone."""
    return DocumentWeight(
        weight.everywhere | ~restricted,
        weight.some | ~restricted,
        weight.maybe | ~restricted,
        weight.parts & restricted,
        *(mask & restricted for mask in weight[4:]),
    )
