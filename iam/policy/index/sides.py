"""Collects the policies that apply to a principal before and after a change: every statement that it holds or
that restricts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

from iam.policy.compiled import CompiledStatement, PolicyKind, PolicySet, compile_set
from iam.policy.document import read
from iam.policy.evaluate import RequestPolicies, has_rcps, has_scps, needs_resource_policy
from iam.policy.index.classes import IndexedPrincipal, PrincipalLimits
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.keys import OF_PLACE, variables_in
from iam.policy.index.relevance import is_plain
from iam.policy.index.shard import AccountShard
from iam.policy.letter_case import fold
from iam.policy.logic import NO
from iam.policy.request import Principal, PrincipalKind, Request, Values, account_of, values_of

OF_RCPS: Final = "s3:GetObject"


class PlacedStatement(NamedTuple):
    """A statement with the type of policy that contains it. `level` counts SCPs and RCPs from the root
    down.
    """

    clause: IndexedStatement
    kind: PolicyKind
    level: int

    @property
    def allows(self) -> bool:
        """True if it allows, False if it denies."""
        return self.clause.allows


@dataclass(frozen=True)
class PrincipalSide:
    """A principal before or after a change, with every policy that counts. `applicable_statements` are
    ordered by the digests of their documents.
    """

    principal: Principal
    facts: Mapping[str, object]
    place_facts: Mapping[str, object]
    docs: tuple[IndexedDocument, ...]
    boundary: IndexedDocument | None
    scps: tuple[tuple[IndexedDocument, ...], ...]
    rcps: tuple[tuple[IndexedDocument, ...], ...]

    @cached_property
    def known(self) -> Request:
        """A request in which only the principal and its account are known."""
        return self.request("", "*", strict=False)

    def request(
        self, action: str, resource: str, *, context: Mapping[str, Any] | None = None, strict: bool = True
    ) -> Request:
        """A request of the principal. With `strict`, unknown keys are absent, as in a real request, but the
        time is open.
        """
        asked = Request(
            action, resource, self.principal, context=context or {}, strict=strict, is_any_time=True
        )
        is_own = account_of(resource) in ("", self.principal.account)
        asked.keys = {**(self._keys_at_home if is_own else self._keys_elsewhere), **asked.keys}
        return asked

    @cached_property
    def _keys_elsewhere(self) -> dict[str, Values]:
        """The keys (in lower case) that follow from the account in every request."""
        return {fold(key): values_of(value) for key, value in self.facts.items()}

    @cached_property
    def _keys_at_home(self) -> dict[str, Values]:
        """The same for requests about a resource of the account."""
        at_home = {fold(key): values_of(value) for key, value in self.place_facts.items()}
        return {**self._keys_elsewhere, **at_home}

    def values_at(self, resource: str, keys: Iterable[str]) -> tuple[Values | None, ...]:
        """The values that follow for these keys (in lower case) in a request about a resource; None if open.
        Only the account of the resource matters.
        """
        is_own = account_of(resource) in ("", self.principal.account)
        asked = self.known if is_own else self.request("", resource, strict=False)
        return tuple([asked.values(key) for key in keys])

    @cached_property
    def applicable_statements(self) -> tuple[PlacedStatement, ...]:
        """Every statement that may apply to the principal. Conditions on the principal alone are
        evaluated.
        """
        return tuple(placed for placed in self._placed_statements() if not self._is_ruled_out(placed))

    def _placed_statements(self) -> Iterator[PlacedStatement]:
        """Every statement of the principal's policies."""
        for doc, kind, level in self._placed_documents():
            for clause in doc.clauses:
                yield PlacedStatement(clause, kind, level)

    def _placed_documents(self) -> Iterator[tuple[IndexedDocument, PolicyKind, int]]:
        for doc in sorted(self.docs, key=lambda doc: doc.digest):
            yield doc, PolicyKind.IDENTITY, 0
        if self.boundary is not None:
            yield self.boundary, PolicyKind.BOUNDARY, 0
        for kind, levels in ((PolicyKind.SCP, self.scps), (PolicyKind.RCP, self.rcps)):
            for number, level in enumerate(levels):
                for doc in level:
                    yield doc, kind, number

    def _is_ruled_out(self, placed: PlacedStatement) -> bool:
        compiled = placed.clause.compiled_for(placed.kind)
        if compiled.means is not None and max(compiled.means(self.principal, False)) == NO:
            return True
        return any(
            fold(condition.key) not in OF_PLACE and condition.test(self.known) == NO
            for condition in compiled.conditions
        )

    @property
    def is_root(self) -> bool:
        """True for an account's root user, which needs no identity-based policy."""
        return self.principal.kind is PrincipalKind.ROOT

    @property
    def shape(self) -> tuple[object, ...]:
        """What matters besides statements: which types of policies must allow."""
        return (self.is_root, self.boundary is not None, len(self.scps), len(self.rcps))

    def doc_of(self, placed: PlacedStatement) -> Iterator[IndexedDocument]:
        """The documents that contain an identity statement."""
        return (doc for doc in self.docs if placed.clause in doc.clauses)

    def policies(self, request: Request, statements: Iterable[PlacedStatement]) -> RequestPolicies:
        """The policies for `evaluate.decide`, from the statements that concern the action.

        If a role, a key or another account must allow the request as well, it is assumed to.
        """
        by_place: dict[tuple[PolicyKind, int], list[CompiledStatement]] = {}
        for placed in statements:
            by_place.setdefault((placed.kind, placed.level), []).append(
                placed.clause.compiled_for(placed.kind)
            )

        def of(kind: PolicyKind, level: int = 0) -> PolicySet:
            return PolicySet(kind, tuple(by_place.get((kind, level), ())))

        must_agree = needs_resource_policy(request) or request.is_cross_account
        boundary = None if self.boundary is None else of(PolicyKind.BOUNDARY)
        resource = _agreeing(self.principal.root_arn) if must_agree else None
        return RequestPolicies(
            identity=of(PolicyKind.IDENTITY),
            boundary=boundary,
            scps=tuple(of(PolicyKind.SCP, level) for level in range(len(self.scps))),
            rcps=tuple(of(PolicyKind.RCP, level) for level in range(len(self.rcps))),
            resource=resource,
        )


def without_needless(
    left: tuple[PlacedStatement, ...], right: tuple[PlacedStatement, ...]
) -> tuple[tuple[PlacedStatement, ...], tuple[PlacedStatement, ...], bool]:
    """Remove from both sides the statements that allow only what another statement always allows. That one
    comes first.

    Also returns whether there is such a statement. If only one side has an allowing statement, all others are
    kept, because they decide whether it adds anything.
    """
    differing = set(left) ^ set(right)
    plain = next(
        (each for each in left if _allows(each) and each not in differing and is_plain(each.clause)), None
    )
    if plain is None or any(map(_allows, differing)):
        return left, right, False
    sides = []
    for statements in (left, right):
        needed = (each for each in statements if not _allows(each))
        sides.append((plain, *needed))
    return sides[0], sides[1], True


def _allows(placed: PlacedStatement) -> bool:
    return placed.kind is PolicyKind.IDENTITY and placed.allows


def differing_first(
    right: Sequence[PlacedStatement], left: Sequence[PlacedStatement]
) -> tuple[PlacedStatement, ...]:
    """The statements that only one side has, those of the right side first."""
    return (*(each for each in right if each not in left), *(each for each in left if each not in right))


@lru_cache(maxsize=65536)
def keys_told(clause: IndexedStatement) -> tuple[str, ...]:
    """The keys, in lower case, in the conditions and resources of a statement."""
    source = clause.source
    keys = {fold(key) for _, key, _ in source.conditions}
    if clause.has_variables:
        values = chain.from_iterable(values for _, _, values in source.conditions)
        keys |= variables_in((*values, *(source.resources or ())))
    return tuple(sorted(keys))


@lru_cache(maxsize=64)
def _agreeing(root: str) -> PolicySet:
    """A resource-based policy that leaves the decision to the account's policies."""
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "*", "Resource": "*"}
    document = read({"Version": "2012-10-17", "Statement": [statement]})
    return compile_set([("", document)], kind=PolicyKind.RESOURCE)


def side_of(member: IndexedPrincipal, shard: AccountShard) -> PrincipalSide:
    """The principal with what it holds."""
    profile = member.cls.profile
    return _side(member, shard, profile.bundle.docs, profile.limits)


def absent_side(member: IndexedPrincipal, shard: AccountShard) -> PrincipalSide:
    """The principal before it is created or after it is deleted: it holds nothing."""
    return _side(member, shard, (), member.cls.profile.limits)


def _side(
    member: IndexedPrincipal, shard: AccountShard, docs: tuple[IndexedDocument, ...], limits: PrincipalLimits
) -> PrincipalSide:
    principal = member.principal
    known = Request("", "*", principal)
    levels = limits.levels
    scps = levels.scps if has_scps(known) else ()
    of_rcps = Request(OF_RCPS, "*", principal)
    rcps = (
        levels.rcps if has_rcps(of_rcps, RequestPolicies(identity=PolicySet(PolicyKind.IDENTITY, ()))) else ()
    )
    return PrincipalSide(
        principal,
        shard.facts,
        shard.place_facts,
        docs,
        limits.boundary,
        tuple(tuple(doc for _, doc in level) for level in scps),
        tuple(tuple(doc for _, doc in level) for level in rcps),
    )
