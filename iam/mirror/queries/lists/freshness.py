"""Finds the sections behind a page that were not synced, or not recently, so that the page can say what is
missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from django.db.models import BigAutoField, Exists, Min, Q, QuerySet

from iam.compiled_queries import SCOPES_KEPT, CompiledQuery, instance
from iam.guard import Right, ViewerScope
from iam.mirror.models import Account, Entity, EntityState, Section, SectionState
from iam.mirror.models.accounts import KNOWN_SINCE, unknown_at
from iam.mirror.pull.sections import KINDS
from iam.mirror.queries.accounts import COLUMNS, accounts_within
from iam.mirror.queries.lists.context import ListContext, ListViewpoint
from iam.mirror.queries.past_accounts import connected_at
from iam.mirror.queries.visibility import people_within
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam

MAX_NOTES = 3
LOOKED_AT = 200
INCOMPLETE = (
    SectionState.NEVER,
    SectionState.PARTIAL,
    SectionState.DENIED,
    SectionState.FAILED,
    SectionState.HELD,
)


@dataclass(frozen=True, slots=True)
class SectionGap:
    """Incomplete sections of an account with the same state. `permission` is the action that AWS denied.

    `synced_at` is the last complete sync of one of them, or None.
    """

    account: Account
    sections: tuple[str, ...]
    state: str
    permission: str
    since: datetime | None
    synced_at: datetime | None


@dataclass(frozen=True, slots=True)
class SyncGaps:
    """Incomplete sections: the first few notes, whether there are more, and the sections that some visible
    account never had synced completely. For those, a page must not say "none" or "0".
    """

    shown: tuple[SectionGap, ...] = ()
    has_more: bool = False
    unsynced: frozenset[str] = frozenset()

    def were_synced(self, *sections: str) -> bool:
        """Return True if all of these sections were synced at least once in each visible account."""
        return self.unsynced.isdisjoint(sections)


def gaps(sections: tuple[str, ...], context: ListContext) -> SyncGaps:
    """Return the sections of this list that are incomplete today, by account name, with one query."""
    if context.account:
        rows = _incomplete(sections, None).rows(account=context.account.pk)
    else:
        rows = _incomplete(sections, context.viewer.scope).rows()
    notes: dict[tuple[int, str, str], SectionGap] = {}
    unsynced = set()
    for section, state, permission, since, synced_at, *values in rows:
        account = instance(Account, values)
        if synced_at is None:
            unsynced.add(section)
        key = (account.pk, state, permission)
        before = notes.get(key) or SectionGap(
            account, (), state, permission, since=since, synced_at=synced_at
        )
        may_see = context.viewer.may(Right.SEE_ACCOUNT, account_id=account.account_id)
        shown_permission = permission if may_see else ""
        notes[key] = SectionGap(
            account,
            (*before.sections, section),
            state,
            shown_permission,
            _earlier(since, before.since),
            _earlier(synced_at, before.synced_at),
        )
    return SyncGaps(tuple(notes.values())[:MAX_NOTES], len(notes) > MAX_NOTES, frozenset(unsynced))


def unsynced_sections(context: ListViewpoint) -> frozenset[str]:
    """Return the sections that some visible account never had synced completely, or not by the shown time.
    One query.
    """
    if context.at is not None:
        return frozenset(_unsynced(context).values_list("name", flat=True).distinct())
    return frozenset(name for (name,) in unsynced_read(context).rows())


def unsynced_read(context: ListViewpoint) -> PlannedRead:
    """Return the read of `unsynced_sections` for now."""
    if context.account:
        return _unsynced_names(None).planned(account=context.account.pk)
    return _unsynced_names(context.viewer.scope).planned()


def unsynced_accounts(sections: tuple[str, ...], context: ListViewpoint) -> list[tuple[str, str]]:
    """Return (account ID, section) of the unsynced sections among these, by account, with one query."""
    missing = _unsynced(context).filter(name__in=sections)
    return sorted(missing.values_list("account__account_id", "name"))


def accounts_concerned(scope: ViewerScope) -> QuerySet[Account]:
    """Return the accounts that this scope concerns: whole ones, those that it names, and those in which it
    has users.

    A team rule for any account also matches accounts that were never synced. These are left out if the team
    has users elsewhere, because otherwise each new account would make every team's numbers incomplete.
    """
    within = accounts_within(scope)
    named = set(scope.accounts or ())
    named.update(arn.split(":")[4] for arn in scope.user_arns)
    named.update(account for account, _ in scope.groups | scope.paths | scope.owned)
    if scope.sees_everything or "" not in named:
        return within
    theirs = people_within(scope).values("account")
    has_someone = Exists(theirs)
    return within.filter(Q(account_id__in=named) | Q(pk__in=theirs) | ~has_someone)


def _unsynced(context: ListViewpoint) -> QuerySet[Section]:
    missing = Section.objects.filter(unknown_at(context.at)).order_by()
    if context.account:
        return missing.filter(account=context.account)
    accounts = accounts_concerned(context.viewer.scope)
    accounts = accounts.filter(connected_at(context.at)) if context.at else accounts
    return missing.filter(account__in=accounts.values("pk"))


def first_syncs(account: Account, *, after: datetime) -> list[tuple[str, datetime]]:
    """Return the sections of an account that are synced now but were unknown at a time, each with its first
    sync. One query.
    """
    rows = Section.objects.filter(unknown_at(after), account=account, observed_at__isnull=False)
    return sorted(rows.values_list("name", KNOWN_SINCE), key=lambda row: (row[1], row[0]))


def known_since(account: Account, *, kind: str) -> datetime | None:
    """Return from when entities of a kind are known in an account, or None if they were never synced. One
    query.
    """
    names = [section for section, kinds in KINDS.items() if kind in kinds]
    rows = Section.objects.filter(account=account, name__in=names)
    moment: datetime | None = rows.aggregate(first=Min(KNOWN_SINCE))["first"]
    return moment


def was_unknown(entity: Entity, *, at: datetime) -> bool:
    """Return True if an entity is unknown at a time: it was found by the first sync, or the time is before
    that.
    """
    first = EntityState.objects.filter(entity=entity).order_by("valid_from", "pk").first()
    if first is None or at >= first.valid_from:
        return False
    known = known_since(entity.account, kind=entity.kind)
    return first.after is None or (known is not None and at < known)


def _earlier(only_newest: datetime | None, other: datetime | None) -> datetime | None:
    """Return the earlier of two times, or None if either is unknown."""
    return min(only_newest, other) if only_newest and other else None


@lru_cache(maxsize=SCOPES_KEPT)
def _unsynced_names(scope: ViewerScope | None) -> CompiledQuery:
    """Return the query for the names of `_unsynced` today, within a scope or (None) in the account in the
    parameter `account`.
    """
    missing = Section.objects.filter(unknown_at(None)).order_by()
    if scope is None:
        missing = missing.filter(account=QueryParam("account", BigAutoField()))
    else:
        missing = missing.filter(account__in=accounts_concerned(scope).values("pk"))
    return CompiledQuery(lambda: missing.values_list("name").distinct())


@lru_cache(maxsize=SCOPES_KEPT)
def _incomplete(sections: tuple[str, ...], scope: ViewerScope | None) -> CompiledQuery:
    """Return the query for incomplete sections, within a scope or (None) of the account in the parameter
    `account`.
    """
    bad = Section.objects.filter(name__in=sections, state__in=INCOMPLETE)
    where = (
        Q(account__in=accounts_concerned(scope).values("pk"))
        if scope is not None
        else Q(account=QueryParam("account", BigAutoField()))
    )
    columns = ("name", "state", "permission", "bad_since", "observed_at", *(f"account__{c}" for c in COLUMNS))
    return CompiledQuery(
        lambda: (
            bad.filter(where).order_by("account__name", "account", "name").values_list(*columns)[:LOOKED_AT]
        )
    )
