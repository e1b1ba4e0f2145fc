"""Computes the smallest policy that allows what a user, a role or the holders of a policy used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from django.db.models import Q
from django.utils import timezone

from iam.activity.data_events import recorded_services
from iam.activity.queries import EventCoverage, callers_of, extent
from iam.activity.recorded_calls import CallGroup, call_groups
from iam.activity.sources.models import ServicesReport
from iam.mirror.models import Edge, EdgeKind, Entity, InlinePolicy, Kind, PolicyVersion, valid_at
from iam.mirror.snapshot import snapshot
from iam.policy.index.classes import IndexedPrincipal
from iam.policy.index.index import PolicyIndex
from iam.policy.index.who_can import judge_for
from iam.policy.least_privilege import PolicyText, ReducedPolicy, reduce_policies, without_services
from iam.policy.request import Request

MOST_CALLS: Final = 5_000
"""With more distinct calls, the rest would be missing and the policy too small."""
HOLDERS: Final = 200
FRESH: Final = timedelta(days=14)
"""Older IAM last-accessed reports are ignored."""
MANAGED_BY_AWS: Final = ":iam::aws:"


class ReductionError(ValueError):
    """Raised if no smaller policy can be offered; the message gives the reason in one sentence."""


@dataclass(frozen=True, slots=True)
class PolicyReduction:
    """The smallest policy and its basis.

    `fixed` are policies that stay unchanged, such as those of groups. `calls` counts allowed calls by
    `holders` principals. If `known` is None because there are no events, the basis is IAM's last-accessed
    reports, the oldest of them from `read_at`.
    """

    reduced: ReducedPolicy
    policies: tuple[str, ...]
    fixed: tuple[str, ...]
    holders: int
    calls: int
    since: datetime
    known: EventCoverage | None
    read_at: datetime | None = None

    @property
    def is_shorter(self) -> bool:
        """True if the known events begin later than the period."""
        return self.known is not None and self.known.first_at > self.since


def reduction_of(entity: Entity, *, days: int) -> PolicyReduction:
    """The smallest policy that allows everything used in the last `days` days. Raises ReductionError."""
    known = extent(entity.account.account_id)
    policies = _policies_of(entity)
    own = tuple(policy.name for policy in policies if not policy.is_fixed)
    if not own:
        raise ReductionError(
            f"{entity.name} has no policy of its own. Reduce those of its groups on their pages."
        )
    holders = _holders_of(entity)
    since = timezone.now() - timedelta(days=days)
    if known is None:
        return _by_services(entity, policies, holders, since)
    groups, requests = _used(entity, holders, since)
    recorded = recorded_services(entity.account.account_id, since=since)
    try:
        reduced = reduce_policies(policies, requests, recorded_services=recorded)
    except ValueError as error:
        raise ReductionError(f"{error}.") from None
    return PolicyReduction(
        reduced=reduced,
        policies=own,
        fixed=tuple(policy.name for policy in policies if policy.is_fixed),
        holders=len(holders),
        calls=sum(group.calls for group in groups),
        since=since,
        known=known,
    )


def _by_services(
    entity: Entity, policies: Sequence[PolicyText], holders: Sequence[Entity], since: datetime
) -> PolicyReduction:
    """The reduction without services that no holder used according to IAM's last-accessed reports."""
    reports = ServicesReport.objects.filter(entity__in=holders, read_at__gt=timezone.now() - FRESH)
    rows = list(reports.values_list("read_at", "services"))
    if not holders or len(rows) < len(holders):
        raise ReductionError(
            f"No CloudTrail events of {entity.account.name} are known, so what was used there is unknown."
        )
    used, named = set[str](), set[str]()
    for row in chain.from_iterable(services for _, services in rows):
        named.add(row["prefix"])
        if row["at"] and datetime.fromisoformat(row["at"]) >= since:
            used.add(row["prefix"])
    try:
        reduced = without_services(policies, frozenset(named - used))
    except ValueError as error:
        raise ReductionError(f"{error}.") from None
    return PolicyReduction(
        reduced=reduced,
        policies=tuple(policy.name for policy in policies if not policy.is_fixed),
        fixed=tuple(policy.name for policy in policies if policy.is_fixed),
        holders=len(holders),
        calls=0,
        since=since,
        known=None,
        read_at=min(read_at for read_at, _ in rows if read_at is not None),
    )


def reduced_texts(entity: Entity, texts: Sequence[str], *, days: int) -> str:
    """One policy that allows what the entity used of these policies in the last `days` days; "" if nothing.

    Raises ReductionError.
    """
    account = entity.account
    if extent(account.account_id) is None:
        raise ReductionError(
            f"No CloudTrail events of {account.name} are known, so what was used is unknown."
        )
    since = timezone.now() - timedelta(days=days)
    _, requests = _used(entity, [entity], since)
    policies = [PolicyText(f"policy {number}", text) for number, text in enumerate(texts, 1)]
    try:
        recorded = recorded_services(account.account_id, since=since)
        return reduce_policies(policies, requests, recorded_services=recorded).text
    except ValueError as error:
        raise ReductionError(f"{error}.") from None


def _used(
    entity: Entity, holders: Sequence[Entity], since: datetime
) -> tuple[list[CallGroup], list[Request]]:
    """The allowed calls of the holders, also as requests of the engine. Raises ReductionError."""
    groups: list[CallGroup] = []
    requests: list[Request] = []
    with snapshot(None, accounts={entity.account.account_id}, may_lag=True) as index:
        for holder in holders:
            of_holder = call_groups(callers_of(holder), since=since, most=MOST_CALLS + 1)
            if len(groups) + len(of_holder) > MOST_CALLS:
                raise ReductionError(
                    f"This period has more than {MOST_CALLS:,} different calls. Choose a shorter one."
                )
            member = index.member(entity.account.account_id, holder.pk)
            if member is None:
                raise ReductionError(f"{holder.name} isn’t analyzed yet. Try again in a minute.")
            allowed = [group for group in of_holder if group.needs_permission and not group.was_denied]
            groups += allowed
            requests += _requests(index, member, allowed)
    return groups, requests


def _requests(index: PolicyIndex, member: IndexedPrincipal, groups: Iterable[CallGroup]) -> Iterable[Request]:
    for group in groups:
        judge, _ = judge_for(
            group.question, shards=index.accounts, documents=index.documents, moment=index.moment
        )
        yield judge.request_of(member)


def _holders_of(entity: Entity) -> list[Entity]:
    """The entity itself or, for a policy, the users and roles that have it. Raises ReductionError."""
    if entity.kind != Kind.POLICY:
        return [entity]
    now = valid_at(None)
    direct = Edge.objects.filter(now, kind=EdgeKind.ATTACHED, target=entity).values("source")
    members = Edge.objects.filter(now, kind=EdgeKind.MEMBER, target__in=direct).values("source")
    rows = Entity.objects.filter(
        Q(pk__in=direct) | Q(pk__in=members), kind__in=(Kind.USER, Kind.ROLE), gone_at__isnull=True
    )
    holders = list(rows.select_related("account").order_by("pk")[: HOLDERS + 1])
    if len(holders) > HOLDERS:
        raise ReductionError(f"More than {HOLDERS} users and roles have this policy, which is too many.")
    return holders


def _policies_of(entity: Entity) -> list[PolicyText]:
    """The policies to reduce, and those of groups, which stay unchanged. Raises ReductionError."""
    if entity.kind == Kind.POLICY:
        if MANAGED_BY_AWS in entity.arn:
            raise ReductionError("AWS manages this policy, so only AWS can change it.")
        return _managed([entity.pk])
    now = valid_at(None)
    groups = Edge.objects.filter(now, kind=EdgeKind.MEMBER, source=entity).values_list("target", flat=True)
    own = chain(_attached([entity.pk]), _inline([entity.pk]))
    fixed = list(groups)
    of_groups = chain(_attached(fixed, is_fixed=True), _inline(fixed, is_fixed=True)) if fixed else ()
    return [*own, *of_groups]


def _attached(holders: Collection[int], *, is_fixed: bool = False) -> list[PolicyText]:
    edges = Edge.objects.filter(valid_at(None), kind=EdgeKind.ATTACHED, source__in=holders)
    return _managed(edges.values_list("target", flat=True), is_fixed=is_fixed)


def _managed(policies: Iterable[int], *, is_fixed: bool = False) -> list[PolicyText]:
    rows = PolicyVersion.objects.filter(valid_at(None), policy__in=list(policies), is_default=True)
    named = rows.order_by("policy__name").values_list("policy__name", "document__text")
    return [PolicyText(name, text, is_fixed) for name, text in named]


def _inline(owners: Collection[int], *, is_fixed: bool = False) -> list[PolicyText]:
    rows = InlinePolicy.objects.filter(valid_at(None), owner__in=owners).order_by("name")
    return [PolicyText(name, text, is_fixed) for name, text in rows.values_list("name", "document__text")]
