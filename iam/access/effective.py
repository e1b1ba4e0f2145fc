"""Computes what one user or role can do: all actions by service and access level, with statements and
resources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from itertools import chain
from typing import Final

from iam.access.explanation import HeldPolicy, holdings
from iam.mirror.snapshot import snapshot
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.compiled import PolicyKind
from iam.policy.document import Statement
from iam.policy.evaluate import has_scps
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.counts import ActionCount, by_service
from iam.policy.index.documents import IndexedDocument, IndexedStatement
from iam.policy.index.effective import AllowedActionSets
from iam.policy.index.index import PolicyIndex
from iam.policy.index.masks import ActionNumbering
from iam.policy.index.shard import AccountShard
from iam.policy.letter_case import fold
from iam.policy.logic import NO
from iam.policy.request import Request


class AccessGrade(StrEnum):
    """How far an action is allowed: everywhere, only on some resources, or under conditions."""

    EVERYWHERE = "everywhere"
    LIMITED = "limited"
    CONDITIONAL = "conditional"


@dataclass(frozen=True, slots=True)
class ApplicableStatement:
    """A statement of an identity policy that may apply to the principal; `mask` has the bits of its
    actions.
    """

    held: HeldPolicy
    statement: Statement
    mask: int

    @property
    def is_conditional(self) -> bool:
        """True if the statement has conditions."""
        return bool(self.statement.conditions)


@dataclass(frozen=True, slots=True)
class EffectiveBasis:
    """What the result is based on: the number of identity policies, the boundary's name, and the numbers of
    SCPs and RCPs.

    `unread` are policies that could not be fully parsed, with the problem. `is_placed` is False if the
    organization's policies are unknown.
    """

    policies: int
    boundary: str
    scps: int
    rcps: int
    is_exempt: bool
    is_placed: bool
    unread: tuple[tuple[PolicyKind, str, str], ...]


@dataclass(frozen=True, slots=True)
class ServiceAccess:
    """The allowed actions of one service.

    `levels` counts them by access level. `unlisted` counts allowed names that AWS does not list, which no
    other number includes.
    """

    prefix: str
    title: str
    levels: dict[AccessLevel, ActionCount]
    unlisted: int = 0

    def sum(self, grade: AccessGrade) -> int:
        """The number of actions with this grade."""
        return sum(getattr(count, grade) for count in self.levels.values())

    @property
    def allowed(self) -> int:
        """The number of listed actions that are allowed in some way."""
        return sum(self.sum(grade) for grade in AccessGrade)


@dataclass(frozen=True, slots=True)
class OneAction:
    """An allowed action, the statements that allow it, and statements of the same principal that partly deny
    it.
    """

    name: str
    level: AccessLevel | None
    grade: AccessGrade
    allows: tuple[ApplicableStatement, ...]
    denies: tuple[ApplicableStatement, ...]


PASSING: Final = "iam:PassRole"


@dataclass(frozen=True)
class EffectiveAccess:
    """What a principal can do, without actions that need no permission."""

    space: ActionNumbering
    names: tuple[str, ...]
    """Allowed action names that AWS does not list."""
    found: AllowedActionSets
    applicable_statements: tuple[ApplicableStatement, ...]
    basis: EffectiveBasis

    @cached_property
    def services(self) -> list[ServiceAccess]:
        """The services with allowed actions, by title."""
        listed, unlisted = by_service(self.found, self.space), dict[str, int]()
        for name in self.names:
            prefix = name.partition(":")[0].lower()
            unlisted[prefix] = unlisted.get(prefix, 0) + 1
        known = catalogue()
        services = [
            ServiceAccess(prefix, known.title(prefix), listed.get(prefix, {}), unlisted.get(prefix, 0))
            for prefix in {*listed, *unlisted}
        ]
        return sorted(services, key=lambda service: (service.title.lower(), service.prefix))

    @property
    def is_full(self) -> bool:
        """True if every action is allowed on every resource."""
        refused = ~self.found.everywhere & ~self.space.without_permission
        return not catalogue().listed(refused)

    @property
    def passes_roles(self) -> bool:
        """True if iam:PassRole is allowed in some way."""
        return bool(self.found.allowed_mask & catalogue().mask(PASSING))

    def of_service(self, prefix: str) -> int:
        """A bit mask of the listed actions of a service that are allowed in some way."""
        return self.found.allowed_mask & catalogue().mask_of_service(prefix)

    def allowing(self, mask: int) -> list[ApplicableStatement]:
        """The statements that allow some of these actions."""
        return [entry for entry in self.applicable_statements if entry.statement.allows and entry.mask & mask]

    def resources(self, prefix: str) -> tuple[str, ...] | None:
        """The resource patterns of the statements that allow a service; None if all of it is allowed
        everywhere.
        """
        mask = self.of_service(prefix)
        if mask and not mask & ~self.found.everywhere:
            return None
        arns: dict[str, None] = {}
        for entry in self.allowing(mask & ~self.found.everywhere):
            arns.update(dict.fromkeys(patterns_of(entry.statement)))
        return tuple(arns)

    def actions(self, prefix: str) -> Iterator[OneAction]:
        """The allowed actions of a service, listed ones first."""
        for name in catalogue().names(self.of_service(prefix)):
            yield self._action(name, catalogue().level(name))
        for name in self.names:
            if name.partition(":")[0].lower() == prefix:
                yield self._action(name, None)

    def _action(self, name: str, level: AccessLevel | None) -> OneAction:
        place = self.space.actions.index_of(name)
        assert place is not None
        bit = 1 << place
        grade = next(grade for grade in AccessGrade if getattr(self.found, grade) & bit)
        speaking = [entry for entry in self.applicable_statements if entry.mask & bit]
        return OneAction(
            name,
            level,
            grade,
            tuple(entry for entry in speaking if entry.statement.allows),
            tuple(entry for entry in speaking if not entry.statement.allows),
        )


def patterns_of(statement: Statement) -> tuple[str, ...]:
    """The resource patterns of a statement; `all but …` for NotResource."""
    names = statement.resources or ("*",)
    return tuple(f"all but {name}" for name in names) if statement.is_not_resource else names


def access_of(number: int, *, account: str, at: datetime | None) -> EffectiveAccess | None:
    """What a user or role can do at a moment.

    None if the index does not have the principal, even after an update.
    """
    for may_lag in (True, False):
        with snapshot(at, accounts=[account], may_lag=may_lag) as index:
            member = index.member(account, number)
            if member is not None:
                return read_access(index, member)
    return None


def read_access(index: PolicyIndex, member: IndexedPrincipal) -> EffectiveAccess:
    """What an indexed principal can do. The caller must hold the index."""
    effective = index.effective()
    space, allowed = effective.space, effective.for_member(member)
    allowed = AllowedActionSets(*(mask & ~space.without_permission for mask in allowed))
    request = effective.request_of(member)
    shard = index.accounts[member.account]
    docs = [doc for _, doc in shard.named_policies(member.grants)]
    held_policies = [holding for _, holding in holdings(shard, member.grants)]
    statements = tuple(
        chain.from_iterable(
            _applicable_statements(own, doc, space, request)
            for own, doc in zip(held_policies, docs, strict=True)
        )
    )
    return EffectiveAccess(
        space,
        _unlisted(allowed, statements, space),
        allowed,
        statements,
        _basis(shard, member, held_policies, request),
    )


def _unlisted(
    allowed: AllowedActionSets, statements: Iterable[ApplicableStatement], space: ActionNumbering
) -> tuple[str, ...]:
    """Allowed action names that AWS does not list, limited to names in the principal's own policies."""
    own: set[str] = set()
    for entry in statements:
        if not entry.statement.is_not_action:
            own.update(map(fold, entry.statement.actions))
    unlisted = allowed.allowed_mask ^ catalogue().listed(allowed.allowed_mask)
    return tuple(name for name in space.actions.names(unlisted) if fold(name) in own)


def _applicable_statements(
    holding: HeldPolicy, doc: IndexedDocument, space: ActionNumbering, request: Request
) -> Iterator[ApplicableStatement]:
    """The statements of a policy that can apply to the principal."""
    for clause, statement in _statements(doc):
        ready = clause.compiled_for(PolicyKind.IDENTITY)
        if all(condition.test(request) != NO for condition in ready.conditions):
            yield ApplicableStatement(holding, statement, space.mask(clause.actions))


def _statements(doc: IndexedDocument) -> Iterator[tuple[IndexedStatement, Statement]]:
    """Each statement as it is evaluated, and as this document numbers and names it."""
    for clause, (index, sid) in zip(doc.clauses, doc.labels, strict=True):
        yield clause, replace(clause.source, index=index, sid=sid)


def _basis(
    shard: AccountShard, member: IndexedPrincipal, held_policies: list[HeldPolicy], request: Request
) -> EffectiveBasis:
    identity, boundary = shard.named_policies(member.grants), shard.boundary_of(member.grants)
    is_restricted = has_scps(request)
    scps: list[tuple[str, IndexedDocument]] = []
    rcps: list[tuple[str, IndexedDocument]] = []
    if is_restricted:
        scps += chain.from_iterable(shard.levels.scps)
        rcps += chain.from_iterable(shard.levels.rcps)
    named = (
        (PolicyKind.IDENTITY, identity),
        (PolicyKind.BOUNDARY, [boundary] if boundary else []),
        (PolicyKind.SCP, scps),
        (PolicyKind.RCP, rcps),
    )
    managed = {holding.policy for holding in held_policies if holding.policy.pk}
    inline = {(holding.policy, holding.group) for holding in held_policies if not holding.policy.pk}
    boundary_name = plain_name(boundary[0]) if boundary else ""
    return EffectiveBasis(
        policies=len(managed) + len(inline),
        boundary=boundary_name,
        scps=len({name for name, _ in scps}),
        rcps=len({name for name, _ in rcps}),
        is_exempt=bool(shard.standing.organization_id) and not is_restricted,
        is_placed=shard.standing.is_known,
        unread=tuple(dict.fromkeys(_unread(named))),
    )


def _unread(
    named: Iterable[tuple[PolicyKind, list[tuple[str, IndexedDocument]]]],
) -> Iterator[tuple[PolicyKind, str, str]]:
    """Tuples of kind, policy and problem for documents and statements that could not be parsed. Problems have
    no final period.
    """
    for kind, policies in named:
        for name, doc in policies:
            unknown = chain.from_iterable(clause.compiled_for(kind).unknown for clause in doc.clauses)
            for problem in (*doc.problems, *unknown):
                yield kind, plain_name(name), str(problem).removesuffix(".")


def plain_name(label: str) -> str:
    """The policy's name for display, without the ARN that makes it unique in the index."""
    return label.rpartition("/")[2] if label.startswith("arn:") else label
