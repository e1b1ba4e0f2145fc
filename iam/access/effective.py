"""What one user or role can do, over all actions: per service and level, by which statements, on which
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
    """How far an action is allowed: everywhere, on some resources at most, or under conditions."""

    EVERYWHERE = "everywhere"
    LIMITED = "limited"
    CONDITIONAL = "conditional"


@dataclass(frozen=True, slots=True)
class ApplicableStatement:
    """A statement of an identity policy that may apply to the principal, and the actions that it speaks of,
    as bits.
    """

    held: HeldPolicy
    statement: Statement
    mask: int

    @property
    def is_conditional(self) -> bool:
        """Whether it depends on circumstances."""
        return bool(self.statement.conditions)


@dataclass(frozen=True, slots=True)
class EffectiveBasis:
    """What an answer rests on: identity policies, the boundary's name, numbers of SCPs and RCPs that restrict
    the principal.

    `unread` are policies that could not be understood whole, with the reason; `is_placed` is False where the
    organization's policies are not known.
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
    """What is allowed of one service. `levels` has those with any actions; `unlisted` counts allowed names
    that AWS does not list, which are in no other number.
    """

    prefix: str
    title: str
    levels: dict[AccessLevel, ActionCount]
    unlisted: int = 0

    def sum(self, grade: AccessGrade) -> int:
        """How many actions are allowed so far."""
        return sum(getattr(count, grade) for count in self.levels.values())

    @property
    def allowed(self) -> int:
        """How many actions that AWS lists are allowed in some way."""
        return sum(self.sum(grade) for grade in AccessGrade)


@dataclass(frozen=True, slots=True)
class OneAction:
    """An action that is allowed in some way, the statements that allow it, and those of the same policies
    that deny it in part.
    """

    name: str
    level: AccessLevel | None
    grade: AccessGrade
    allows: tuple[ApplicableStatement, ...]
    denies: tuple[ApplicableStatement, ...]


PASSING: Final = "iam:PassRole"


@dataclass(frozen=True)
class EffectiveAccess:
    """What a principal can do. What needs no permission is left out, since everybody can do it."""

    space: ActionNumbering
    names: tuple[str, ...]
    """Allowed actions that AWS's lists do not have."""
    found: AllowedActionSets
    applicable_statements: tuple[ApplicableStatement, ...]
    basis: EffectiveBasis

    @cached_property
    def services(self) -> list[ServiceAccess]:
        """The services of which something is allowed, by title."""
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
        """Whether every action is allowed on every resource."""
        refused = ~self.found.everywhere & ~self.space.without_permission
        return not catalogue().listed(refused)

    @property
    def passes_roles(self) -> bool:
        """Whether roles can be passed in some way."""
        return bool(self.found.allowed_mask & catalogue().mask(PASSING))

    def of_service(self, prefix: str) -> int:
        """All actions of a service that are allowed in some way and listed, as bits."""
        return self.found.allowed_mask & catalogue().mask_of_service(prefix)

    def allowing(self, mask: int) -> list[ApplicableStatement]:
        """The statements that allow some of the actions."""
        return [entry for entry in self.applicable_statements if entry.statement.allows and entry.mask & mask]

    def resources(self, prefix: str) -> tuple[str, ...] | None:
        """The resources of the statements by which a service is allowed; None where all of it is allowed
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
        """The allowed actions of a service, those first that are listed."""
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
    """The resources of a statement as it names them; `all but …` for NotResource."""
    names = statement.resources or ("*",)
    return tuple(f"all but {name}" for name in names) if statement.is_not_resource else names


def access_of(number: int, *, account: str, at: datetime | None) -> EffectiveAccess | None:
    """What the user or role with the number can do at a moment; None where the index does not have it, not
    even after it has been brought up to date.
    """
    for may_lag in (True, False):
        with snapshot(at, accounts=[account], may_lag=may_lag) as index:
            member = index.member(account, number)
            if member is not None:
                return read_access(index, member)
    return None


def read_access(index: PolicyIndex, member: IndexedPrincipal) -> EffectiveAccess:
    """The same, of an index that is at hand."""
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
    """What is allowed by a name that AWS's lists do not have: names in one's own policies, not what `*` means
    elsewhere.
    """
    own: set[str] = set()
    for entry in statements:
        if not entry.statement.is_not_action:
            own.update(map(fold, entry.statement.actions))
    unlisted = allowed.allowed_mask ^ catalogue().listed(allowed.allowed_mask)
    return tuple(name for name in space.actions.names(unlisted) if fold(name) in own)


def _applicable_statements(
    holding: HeldPolicy, doc: IndexedDocument, space: ActionNumbering, request: Request
) -> Iterator[ApplicableStatement]:
    """The statements of a policy that may apply, whatever the circumstances."""
    for clause, statement in _statements(doc):
        ready = clause.compiled_for(PolicyKind.IDENTITY)
        if all(condition.test(request) != NO for condition in ready.conditions):
            yield ApplicableStatement(holding, statement, space.mask(clause.actions))


def _statements(doc: IndexedDocument) -> Iterator[tuple[IndexedStatement, Statement]]:
    """Each statement as it is judged, and as it is numbered and called in this very document."""
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
    """(kind, policy, problem) of what could not be understood, in a document or within its statements; no
    full stop behind it.
    """
    for kind, policies in named:
        for name, doc in policies:
            unknown = chain.from_iterable(clause.compiled_for(kind).unknown for clause in doc.clauses)
            for problem in (*doc.problems, *unknown):
                yield kind, plain_name(name), str(problem).removesuffix(".")


def plain_name(label: str) -> str:
    """A policy as a person calls it: without the ARN by which the index tells it apart."""
    return label.rpartition("/")[2] if label.startswith("arn:") else label
