"""Groups similar recorded calls and turns them into questions to the policy engine.

Calls are similar if they have the same principal, action, resource, answer, Region, address, MFA and session.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final

from django.db.models import Count, Max, Min, QuerySet

from iam.activity.key_addresses import is_ip
from iam.activity.models import TrailEvent
from iam.activity.permissions import WITHOUT_PERMISSION
from iam.mirror.models import KINDS_BY_ARN, Entity, Kind
from iam.policy.index.question import AccessQuestion

COLUMNS: Final = (
    "caller_id",
    "service",
    "action",
    "resource",
    "is_denied",
    "region",
    "source_address",
    "mfa",
    "session_name",
)
SIX_CHARACTERS: Final = "-??????"
"""Secrets Manager appends six characters to a name, which events leave out."""
IamName = tuple[str, Kind, str]


@dataclass(frozen=True, slots=True)
class CallGroup:
    """Similar calls. `resource` is as in the events, `asked` is as policies would name it."""

    caller: int
    service: str
    action: str
    resource: str
    asked: str
    was_denied: bool
    region: str
    address: str
    mfa: bool | None
    session: str
    calls: int
    first_at: datetime
    last_at: datetime

    @property
    def permission(self) -> str:
        """The action as policies write it."""
        return f"{self.service}:{self.action}"

    @property
    def needs_permission(self) -> bool:
        """True if policies decide about the action."""
        return (self.service, self.action) not in WITHOUT_PERMISSION

    @property
    def question(self) -> AccessQuestion:
        """The call as a question, with what events lack left open."""
        return AccessQuestion(self.permission, self.asked or "*", self.context, is_any_time=True)

    @property
    def context(self) -> dict[str, Any]:
        """The condition keys known from events. A call with a user’s access key has no MFA, and then the key
        is absent.
        """
        context: dict[str, Any] = {}
        if self.region:
            context["aws:RequestedRegion"] = self.region
        if is_ip(self.address):
            context["aws:SourceIp"] = self.address
        if self.mfa is not None:
            context["aws:MultiFactorAuthPresent"] = str(self.mfa).lower()
        elif not self.session:
            context["aws:MultiFactorAuthPresent"] = ()
        return context


def call_groups(
    callers: Collection[int], *, since: datetime | None = None, most: int | None = None
) -> list[CallGroup]:
    """Return at most `most` groups of similar calls of the principals, the most frequent first.
    Two queries.
    """
    events = TrailEvent.objects.filter(caller__in=callers)
    if since is not None:
        events = events.filter(at__gte=since)
    return groups_in(events, most=most)


def call_groups_of_each(
    callers: Collection[int], *, since: datetime, most: int
) -> dict[int, list[CallGroup]]:
    """Return the most frequent groups of each principal. Two queries for any number of principals."""
    events = TrailEvent.objects.filter(caller__in=callers, at__gte=since)
    grouped = _grouped(events).order_by("caller_id", "-all_calls", *COLUMNS)
    rows: list[dict[str, Any]] = []
    for _, of_caller in groupby(grouped.iterator(chunk_size=2_000), key=itemgetter("caller_id")):
        rows += islice(of_caller, most)
    arns = iam_arns(row["resource"] for row in rows)
    by_caller: dict[int, list[CallGroup]] = {}
    for row in rows:
        by_caller.setdefault(row["caller_id"], []).append(_group(row, arns))
    return by_caller


def groups_in(events: QuerySet[TrailEvent], *, most: int | None = None) -> list[CallGroup]:
    """Return the groups of any events in the same way. Two queries."""
    rows = list(_grouped(events).order_by("-all_calls", *COLUMNS)[:most])
    arns = iam_arns(row["resource"] for row in rows)
    return [_group(row, arns) for row in rows]


def _grouped(events: QuerySet[TrailEvent]) -> QuerySet[Any]:
    """Group similar events."""
    similar: Any = events.values(*COLUMNS)
    groups: QuerySet[Any] = similar.annotate(all_calls=Count("event_id"), first=Min("at"), last=Max("at"))
    return groups


def _group(row: dict[str, Any], arns: dict[str, str]) -> CallGroup:
    return CallGroup(
        caller=row["caller_id"],
        service=row["service"],
        action=row["action"],
        resource=row["resource"],
        asked=arns.get(row["resource"], row["resource"]),
        was_denied=row["is_denied"],
        region=row["region"],
        address=row["source_address"],
        mfa=row["mfa"],
        session=row["session_name"],
        calls=row["all_calls"],
        first_at=row["first"],
        last_at=row["last"],
    )


def iam_arns(resources: Iterable[str]) -> dict[str, str]:
    """Return the ARNs of IAM entities with their paths, by the ARN without path that events give, and secrets
    with a pattern for the suffix that events leave out. Entities that the mirror lacks are left out. One
    query.
    """
    named = {resource for resource in resources if resource}
    arns = {name: f"{name}{SIX_CHARACTERS}" for name in named if _is_secret_name(name)}
    names = dict(_iam_names(named))
    known: dict[IamName, str] = {}
    if names:
        rows = Entity.objects.filter(
            account__account_id__in={account for account, _, _ in names.values()},
            kind__in={kind for _, kind, _ in names.values()},
            name__in={name for _, _, name in names.values()},
            gone_at__isnull=True,
        )
        for account, kind, name, arn in rows.values_list("account__account_id", "kind", "name", "arn"):
            known[account, Kind(kind), name] = arn
    for short, iam_name in names.items():
        arns[short] = known.get(iam_name, "*")
    return arns


def _is_secret_name(arn: str) -> bool:
    parts = arn.split(":")
    return len(parts) == 7 and parts[2] == "secretsmanager" and parts[6][-7:-6] != "-"


def _iam_names(resources: Iterable[str]) -> Iterator[tuple[str, IamName]]:
    """Yield (ARN, (account, kind, name)) for the resources that are IAM entities."""
    for arn in sorted(resources):
        parts = arn.split(":", 5)
        if len(parts) == 6 and parts[2] == "iam" and parts[4].isdecimal():
            kind, _, name = parts[5].partition("/")
            if kind in KINDS_BY_ARN and "/" not in name:
                yield arn, (parts[4], KINDS_BY_ARN[kind], name)
