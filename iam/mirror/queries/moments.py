"""Times that a page links to: the first sync, the changes before and after a time, and the last sync."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

from django.db.models import (
    BigAutoField,
    Case,
    DateTimeField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)

from iam.compiled_queries import CompiledQuery
from iam.mirror.models import (
    Account,
    Edge,
    Entity,
    EntityState,
    InlinePolicy,
    PolicyVersion,
    Pull,
    Section,
    TagSet,
    UserCredentials,
)
from iam.mirror.models.accounts import CHANGED_PULL, NOT_WHOLE, UPLOAD, AccountSource, PullState
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam

READ = Q(state__in=[PullState.COMPLETE, PullState.PARTIAL], ended_at__isnull=False)
KNOWN_AT = Case(When(trigger=UPLOAD, then=F("began_at")), default=F("ended_at"))
"""When the data of a pull applies: for an upload, the date of its file."""
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class NearbyMoments:
    """Times around the one that is shown, to the second, because a URL contains seconds. `is_incomplete`
    means that a section could not be synced recently.

    `earliest` is the end of the first sync; `before` is just before the last change, `after` just after the
    next change (None for the present); `read_at` is the last sync by then.
    """

    earliest: datetime | None = None
    before: datetime | None = None
    after: datetime | None = None
    read_at: datetime | None = None
    is_incomplete: bool = False


def is_incomplete(account: str) -> Exists:
    """Return the condition that a section of the account in this column was never synced, denied, on hold or
    incomplete. Uploads are excluded.
    """
    return Exists(incomplete_sections().filter(account=OuterRef(account)))


def incomplete_sections() -> QuerySet[Section]:
    """Return the sections that were never synced, denied, on hold or incomplete, except those of uploads."""
    return Section.objects.filter(NOT_WHOLE).exclude(account__source=AccountSource.EXPORT)


def just_before(moment: datetime) -> datetime:
    """Return the last whole second before something first seen at `moment` was valid."""
    return (moment - timedelta(microseconds=1)).replace(microsecond=0)


def just_after(moment: datetime) -> datetime:
    """Return the first whole second at which something first seen at `moment` is valid."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + SECOND


def known_by(moment: datetime | QueryParam) -> Q:
    """Return the condition for pulls whose data was available at a time."""
    return Q(ended_at__lte=moment) | Q(trigger=UPLOAD, began_at__lte=moment, ended_at__isnull=False)


def _moments(
    accounts: QuerySet[Account], pulls: QuerySet[Pull], *, is_single: bool
) -> QuerySet[Account, Any]:
    """Return a row with four times around the parameter `shown`, each from an index (first sync, last change,
    next change, last sync), and whether the account is incomplete.

    For all accounts, only syncs with changes are examined, which includes each account's first.
    """
    shown = QueryParam("shown", DateTimeField())
    changed = pulls.filter(CHANGED_PULL, ended_at__isnull=False)
    if is_single:
        first = pulls.filter(READ).order_by("created_at")
        read = pulls.filter(READ, known_by(shown)).order_by("-created_at")
    else:
        first = changed.filter(READ).order_by("began_at")
        read = changed.filter(READ, known_by(shown), began_at__lte=shown).order_by("-began_at")
    return accounts.values_list(
        _value(first, KNOWN_AT),
        _value(changed.filter(began_at__lte=shown).order_by("-began_at"), F("began_at")),
        _value(changed.filter(began_at__gt=shown).order_by("began_at"), KNOWN_AT),
        _value(read, KNOWN_AT),
        is_incomplete("pk"),
    )[:1]


def account_moments(account: Account | None, *, at: datetime | None) -> NearbyMoments:
    """Return the times of one account, or (None) of all accounts, with one query."""
    rows = moments_read(account, at=at).rows()
    first, last, following, read, incomplete = rows[0] if rows else (None,) * 5
    if first is None:
        return NearbyMoments(is_incomplete=bool(incomplete))
    earliest = just_after(first)
    before = just_before(last) if last else None
    if before and before < earliest:
        before = None
    after = just_after(following) if at and following else None
    return NearbyMoments(
        earliest=earliest,
        before=before,
        after=after,
        read_at=read,
        is_incomplete=bool(incomplete),
    )


def moments_read(account: Account | None, *, at: datetime | None) -> PlannedRead:
    """Return the read of `account_moments`."""
    shown = at or datetime.now(tz=UTC)
    if account is None:
        return _OF_ALL.planned(shown=shown)
    return _OF_ACCOUNT.planned(shown=shown, account=account.pk)


def entity_moments(entity: Entity, *, at: datetime | None) -> NearbyMoments:
    """Return the times at which something on the entity's page changed: two queries for the present, three
    for the past.
    """
    shown = at or datetime.now(tz=UTC)
    readings = _OF_PULLS.rows(shown=shown, account=entity.account_id)
    read, incomplete = readings[0] if readings else (None, False)
    earlier = _LAST_CHANGE.rows(shown=shown, entity=entity.pk)
    later = _NEXT_CHANGE.rows(shown=shown, entity=entity.pk) if at else []
    last, following = earlier[0][0] if earlier else None, later[0][0] if later else None
    before = just_before(last) if last is not None and last > entity.first_seen else None
    after = just_after(following) if following else None
    return NearbyMoments(
        earliest=just_after(entity.first_seen),
        before=before,
        after=after,
        read_at=read,
        is_incomplete=bool(incomplete),
    )


def facts_about(entity: Entity | QueryParam) -> Iterator[QuerySet[Any]]:
    """Yield the rows with a validity period that the pages of an entity show, one query per table
    and side.
    """
    yield EntityState.objects.filter(entity=entity)
    yield EntityState.objects.filter(entity__owner=entity)
    yield Edge.objects.filter(source=entity)
    yield Edge.objects.filter(target=entity)
    yield InlinePolicy.objects.filter(owner=entity)
    yield PolicyVersion.objects.filter(policy=entity)
    yield TagSet.objects.filter(entity=entity)
    yield UserCredentials.objects.filter(user=entity)


def change_moments(entity: Entity | QueryParam, *, when: Q) -> QuerySet[Any, Any]:
    """Return the distinct times (`when`) at which a fact about the entity began or ended, with one query."""
    parts: list[QuerySet[Any, Any]] = [
        rows.order_by().annotate(when=F(side)).filter(when, **{f"{side}__isnull": False}).values("when")
        for rows, side in product(facts_about(entity), ("valid_from", "valid_to"))
    ]
    return parts[0].union(*parts[1:])


def _value(rows: QuerySet[Pull], moment: Case | F) -> Subquery:
    return Subquery(rows.annotate(moment=moment).values("moment")[:1])


_ACCOUNT, _ENTITY = QueryParam("account", BigAutoField()), QueryParam("entity", BigAutoField())
_SHOWN = QueryParam("shown", DateTimeField())
_OF_PULLS = CompiledQuery(
    lambda: (
        Pull.objects.filter(READ, known_by(_SHOWN), account=_ACCOUNT)
        .order_by("-created_at")
        .values_list(KNOWN_AT, is_incomplete("account_id"))[:1]
    )
)
_LAST_CHANGE = CompiledQuery(lambda: change_moments(_ENTITY, when=Q(when__lte=_SHOWN)).order_by("-when")[:1])
_NEXT_CHANGE = CompiledQuery(lambda: change_moments(_ENTITY, when=Q(when__gt=_SHOWN)).order_by("when")[:1])
_OF_ACCOUNT = CompiledQuery(
    lambda: _moments(
        Account.objects.filter(pk=_ACCOUNT), Pull.objects.filter(account=_ACCOUNT), is_single=True
    )
)
_OF_ALL = CompiledQuery(
    lambda: _moments(Account.objects.order_by("created_at"), Pull.objects.all(), is_single=False)
)
