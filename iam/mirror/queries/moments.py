"""The moments worth looking at: the first reading, the changes before and after a moment, and when AWS was
last read.
"""

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

from iam.compiled_queries import CompiledQuery, QueryParam
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

READ = Q(state__in=[PullState.COMPLETE, PullState.PARTIAL], ended_at__isnull=False)
KNOWN_AT = Case(When(trigger=UPLOAD, then=F("began_at")), default=F("ended_at"))
"""When what a pull has found counts: an upload counts as of the moment at which its file was made."""
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class NearbyMoments:
    """Moments around the one that is shown, each to the second, since an address carries seconds.
    `is_incomplete`: part of the account could not be synced lately.

    `earliest` is the end of the first reading; `before` shows what was before the last change, `after` what
    the next change made (None in the present); `read_at` is when AWS had last been read.
    """

    earliest: datetime | None = None
    before: datetime | None = None
    after: datetime | None = None
    read_at: datetime | None = None
    is_incomplete: bool = False


def is_incomplete(account: str) -> Exists:
    """Whether a section of the account in this column was never read, denied, held back or not read whole. An
    upload is what it is.
    """
    return Exists(incomplete_sections().filter(account=OuterRef(account)))


def incomplete_sections() -> QuerySet[Section]:
    """The sections that were never read, denied, held back or not read whole, but for those of uploads."""
    return Section.objects.filter(NOT_WHOLE).exclude(account__source=AccountSource.EXPORT)


def just_before(moment: datetime) -> datetime:
    """The last whole second at which what was first seen at `moment` did not yet hold."""
    return (moment - timedelta(microseconds=1)).replace(microsecond=0)


def just_after(moment: datetime) -> datetime:
    """The first whole second at which what was first seen at `moment` holds."""
    whole = moment.replace(microsecond=0)
    return whole if whole == moment else whole + SECOND


def known_by(moment: datetime | QueryParam) -> Q:
    """The pulls whose findings were there at a moment."""
    return Q(ended_at__lte=moment) | Q(trigger=UPLOAD, began_at__lte=moment, ended_at__isnull=False)


def _moments(
    accounts: QuerySet[Account], pulls: QuerySet[Pull], *, is_single: bool
) -> QuerySet[Account, Any]:
    """A row of four moments around the parameter `shown`, each out of an index: the first reading, the last
    change, the next, the last reading; then whether the account is incomplete.

    Of all accounts only readings that found something are looked at, which the first of each account is.
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
    """Moments of one account, or (None) of all of them: one query."""
    shown = at or datetime.now(tz=UTC)
    rows = _OF_ACCOUNT.rows(shown=shown, account=account.pk) if account else _OF_ALL.rows(shown=shown)
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


def entity_moments(entity: Entity, *, at: datetime | None) -> NearbyMoments:
    """Moments at which something on the entity's page changed: two queries in the present, three in the
    past.
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
    """Every row in time that the pages of an entity show, one query set a table and side."""
    yield EntityState.objects.filter(entity=entity)
    yield EntityState.objects.filter(entity__owner=entity)
    yield Edge.objects.filter(source=entity)
    yield Edge.objects.filter(target=entity)
    yield InlinePolicy.objects.filter(owner=entity)
    yield PolicyVersion.objects.filter(policy=entity)
    yield TagSet.objects.filter(entity=entity)
    yield UserCredentials.objects.filter(user=entity)


def change_moments(entity: Entity | QueryParam, *, when: Q) -> QuerySet[Any, Any]:
    """The distinct moments (`when`) at which a fact about the entity began or ended, in one query."""
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
