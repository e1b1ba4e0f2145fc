"""Whether a grant was used: recorded calls of those who have it that the permissions it gave allow."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from iam.access.grants.models import GIVING, Grant, LedgerEntry, PermissionSort
from iam.activity.callers import ROLE, USER
from iam.activity.first_calls import accounts_with_events
from iam.activity.models import TrailCaller
from iam.activity.recorded_calls import CallGroup, call_groups
from iam.mirror.models import Edge, EdgeKind, InlinePolicy, PolicyVersion, valid_at
from iam.policy.compiled import Compiled, PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.logic import NO
from iam.policy.request import Principal, Request

COUNTED: Final = (PermissionSort.MEMBER, PermissionSort.ATTACHED, PermissionSort.INLINE)
"""What of a grant is used by calls of the user or role that has it."""
MOST_ENTRIES: Final = 50
MOST_CALLS: Final = 5_000


@dataclass(frozen=True, slots=True)
class GrantUse:
    """How often, and when last. `unknown` are the names of accounts of which no events are known."""

    calls: int
    last_at: datetime | None
    unknown: tuple[str, ...]
    is_known: bool


def grant_use(grant: Grant) -> GrantUse | None:
    """The use since it was given; None where that can't be told: for grants that are not active, that give
    something else than permissions of users and roles, or that too many have. Eight queries.
    """
    if grant.state not in GIVING:
        return None
    entries = _entries(grant)
    known = accounts_with_events({entry.account_id for entry in entries})
    if not entries or len(entries) > MOST_ENTRIES:
        return None
    unknown = sorted({entry.account.name for entry in entries if entry.account_id not in known})
    counted = [entry for entry in entries if entry.account_id in known]
    calls, last_at = _counted(counted) if counted else (0, None)
    return GrantUse(calls, last_at, tuple(unknown), is_known=bool(counted))


def _entries(grant: Grant) -> list[LedgerEntry]:
    rows = LedgerEntry.objects.filter(
        part__grant=grant, sort__in=COUNTED, since__isnull=False, until__isnull=True, entity__isnull=False
    )
    return list(rows.select_related("account", "entity").order_by("pk")[: MOST_ENTRIES + 1])


def _counted(entries: Sequence[LedgerEntry]) -> tuple[int, datetime | None]:
    """How many calls the permissions allow, and when the last was made."""
    statements_by_holder = _statements(entries)
    holders = _holders_of_callers(entries)
    since = min(entry.since for entry in entries if entry.since)
    total = 0
    last_at: datetime | None = None
    for group in call_groups(holders, since=since, most=MOST_CALLS):
        entity, arn = holders[group.caller]
        if not group.was_denied and _is_allowed(group, arn, statements_by_holder.get(entity, ())):
            total += group.calls
            last_at = max(filter(None, (last_at, group.last_at)))
    return total, last_at


def _holders_of_callers(entries: Iterable[LedgerEntry]) -> dict[int, tuple[int, str]]:
    """The number and ARN of each holder, by the row of the principal in events."""
    by_id = {entry.entity.aws_id: (entry.entity.pk, entry.entity.arn) for entry in entries if entry.entity}
    rows = TrailCaller.objects.filter(unique_id__in=by_id, kind__in=(USER, ROLE))
    return {number: by_id[unique_id] for number, unique_id in rows.values_list("pk", "unique_id")}


def _is_allowed(group: CallGroup, arn: str, statements: Sequence[Compiled]) -> bool:
    request = Request(
        group.permission, group.asked or "*", Principal(arn), context=group.context, is_any_time=True
    )
    is_open = "*" in request.resource or "?" in request.resource
    for statement in statements:
        speaks = statement.allows and statement.speaks_of(request.lowered)
        if speaks and (is_open or statement.applies(request) != NO):
            return True
    return False


def _statements(entries: Sequence[LedgerEntry]) -> dict[int, tuple[Compiled, ...]]:
    """What the permissions say, by the number of the holder."""
    targets = {entry.target_entity_id for entry in entries if entry.target_entity_id is not None}
    now = valid_at(None)
    attached: dict[int, list[int]] = {}
    edges = Edge.objects.filter(now, kind=EdgeKind.ATTACHED, source__in=targets)
    for group, policy in edges.values_list("source", "target"):
        attached.setdefault(group, []).append(policy)
    wanted = targets.union(*attached.values())
    versions = PolicyVersion.objects.filter(now, policy__in=wanted, is_default=True)
    texts = dict(versions.values_list("policy", "document__text"))
    owners = targets | {entry.entity_id for entry in entries}
    inline: dict[int, dict[str, str]] = {}
    rows = InlinePolicy.objects.filter(now, owner__in=owners)
    for owner, name, text in rows.values_list("owner_id", "name", "document__text"):
        inline.setdefault(owner, {})[name] = text
    by_holder: dict[int, list[str]] = {}
    for entry in entries:
        assert entry.entity_id is not None
        by_holder.setdefault(entry.entity_id, []).extend(_texts(entry, texts, inline, attached))
    return {holder: _compiled(of_holder) for holder, of_holder in by_holder.items()}


def _texts(
    entry: LedgerEntry,
    texts: Mapping[int, str],
    inline: Mapping[int, Mapping[str, str]],
    attached: Mapping[int, Collection[int]],
) -> list[str]:
    """The documents of one permission, as far as the mirror has them."""
    if entry.sort == PermissionSort.INLINE:
        own_policies = inline.get(entry.entity_id or 0, {})
        return [own_policies[entry.target]] if entry.target in own_policies else []
    target = entry.target_entity_id or 0
    if entry.sort == PermissionSort.ATTACHED:
        return [texts[target]] if target in texts else []
    documents = [texts[policy] for policy in attached.get(target, ()) if policy in texts]
    documents += inline.get(target, {}).values()
    return documents


def _compiled(texts: Iterable[str]) -> tuple[Compiled, ...]:
    documents = [("", read(text)) for text in dict.fromkeys(texts)]
    return compile_set(documents, kind=PolicyKind.IDENTITY).statements
