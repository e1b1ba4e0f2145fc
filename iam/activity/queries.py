"""Queries about activity for pages and commands. They take the principals; the caller has checked what the
viewer can see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from iam.activity.callers import FEDERATED, IDENTITY_CENTER, ROLE, ROOT, USER
from iam.activity.models import CallerAction, CallerAddress, CallerDay, TrailCaller, TrailEvent, TrailFile
from iam.keyset import KeysetOrder, KeysetPlace, RowPage, page, window
from iam.mirror.models import Entity, Kind
from iam.search_words import shown_end, words_of

NEWEST: Final = KeysetOrder("at", "event_id", descending=True)
PAGE_SIZE: Final = 50
SEARCHED: Final = 5_000
"""Maximum number of events that are searched for a page if no index supports the filter."""
ADDRESSES_SHOWN: Final = 20
HIDDEN: Final = "Hidden"
"""The text shown instead of a source address if the setting hides them."""
FIRST_ID: Final = UUID(int=0)
KINDS: Final = {Kind.USER: USER, Kind.ROLE: ROLE}
ALL, DENIED, FAILED, CHANGES, WITHOUT_MFA = "all", "denied", "failed", "changes", "no-mfa"
RESULTS: Final = {
    ALL: Q(),
    DENIED: Q(is_denied=True),
    FAILED: ~Q(error_code=""),
    CHANGES: Q(is_read_only=False),
    WITHOUT_MFA: Q(mfa=False),
}


@dataclass(frozen=True, slots=True)
class ActivityFilter:
    """A filter for events. `result` is a key of RESULTS, `text` is a part of the service, the action, the
    resource or the source address. `since` is included, `until` is not.
    """

    result: str = ALL
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_search(self) -> bool:
        """True if events must be examined one by one."""
        return bool(self.text) or self.result not in (ALL, DENIED)

    @property
    def period(self) -> ActivityFilter:
        """The filter with only its period."""
        return ActivityFilter(since=self.since, until=self.until)


@dataclass(frozen=True, slots=True)
class SearchedPage:
    """A page of matching events. `after` is where the next page begins, None if there is none. `searched_to`
    is how far back the search went, None if to the end.
    """

    rows: list[TrailEvent]
    after: KeysetPlace | None
    searched_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class EventCoverage:
    """The times of the first and the last event, and the number of files that could not be read
    completely.
    """

    first_at: datetime
    last_at: datetime
    quarantined: int


@dataclass(frozen=True, slots=True)
class ServiceCalls:
    """The use of a service: calls, failed and denied ones, and the number of actions."""

    service: str
    calls: int
    errors: int
    denied: int
    first_at: datetime
    last_at: datetime
    actions: int


@dataclass(frozen=True, slots=True)
class AddressCalls:
    """The number of a principal's calls from an address, with the first and the last time."""

    address: str
    calls: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class ActionCalls:
    """The use of an action."""

    service: str
    action: str
    calls: int
    errors: int
    denied: int
    first_at: datetime
    last_at: datetime


def callers_of(entity: Entity) -> list[int]:
    """Return the principals in events that are this user or role, by unique ID, or by ARN if an event lacks
    the ID. Events of a former user with the same name are excluded.
    """
    kind = KINDS[Kind(entity.kind)]
    same_arn = Q(unique_id="", arn=entity.arn) if entity.arn else Q(pk__in=())
    rows = TrailCaller.objects.filter(Q(unique_id=entity.aws_id) | same_arn, kind=kind)
    return list(rows.values_list("pk", flat=True))


def callers_by_entity(entities: Collection[Entity]) -> dict[int, list[int]]:
    """Return the principals of many users and roles by their ids, with one query. Those without calls are
    left out.
    """
    by_id = {(KINDS[Kind(entity.kind)], entity.aws_id): entity.pk for entity in entities}
    by_arn = {(KINDS[Kind(entity.kind)], entity.arn): entity.pk for entity in entities if entity.arn}
    ids, arns = {aws_id for _, aws_id in by_id}, {arn for _, arn in by_arn}
    rows = TrailCaller.objects.filter(Q(unique_id__in=ids) | Q(unique_id="", arn__in=arns))
    callers: dict[int, list[int]] = {}
    for pk, kind, unique_id, arn in rows.values_list("pk", "kind", "unique_id", "arn"):
        number = by_id.get((kind, unique_id)) if unique_id else by_arn.get((kind, arn))
        if number is not None:
            callers.setdefault(number, []).append(pk)
    return callers


def entities_of_callers(callers: Collection[TrailCaller]) -> dict[int, Entity]:
    """Return the mirror's users and roles for the principals, by principal id, with one query."""
    ids = {caller.unique_id for caller in callers if caller.unique_id}
    arns = {caller.arn for caller in callers if caller.arn and not caller.unique_id}
    same = Q(aws_id__in=ids) | Q(arn__in=arns, gone_at__isnull=True)
    entities = list(Entity.objects.filter(same, kind__in=list(KINDS)).select_related("account"))
    by_id = {entity.aws_id: entity for entity in entities}
    by_arn = {entity.arn: entity for entity in entities}
    known: dict[int, Entity] = {}
    for caller in callers:
        entity = by_id.get(caller.unique_id) if caller.unique_id else by_arn.get(caller.arn)
        if entity is not None:
            known[caller.pk] = entity
    return known


def callers_named(text: str) -> list[TrailCaller]:
    """Return at most a hundred principals with this ARN, unique ID or name."""
    same = Q(arn=text) | Q(unique_id=text) | Q(name=text)
    return list(TrailCaller.objects.filter(same).order_by("pk")[:100])


def events_of(callers: Collection[int], wanted: ActivityFilter) -> QuerySet[TrailEvent]:
    """Return the matching events of these principals."""
    return _filtered(TrailEvent.objects.filter(caller__in=callers), wanted)


def events_in(accounts: Collection[str] | None, wanted: ActivityFilter) -> QuerySet[TrailEvent]:
    """Return the matching events of these accounts (None: of all)."""
    rows = (
        TrailEvent.objects.all() if accounts is None else TrailEvent.objects.filter(account_id__in=accounts)
    )
    return _filtered(rows, wanted)


def events_page(
    rows: QuerySet[TrailEvent],
    *,
    after: KeysetPlace | None = None,
    before: KeysetPlace | None = None,
    size: int = PAGE_SIZE,
) -> RowPage[TrailEvent]:
    """Return a page of events, newest first, with one query."""
    shown = rows.defer("raw").select_related("caller")
    return page(shown, order=NEWEST, size=size, after=after, before=before)


def searched_page(
    rows: QuerySet[TrailEvent],
    every: QuerySet[TrailEvent],
    *,
    is_search: bool,
    after: KeysetPlace | None = None,
    callers: Collection[int] = (),
) -> SearchedPage:
    """Return a page of `rows`, newest first. With `is_search`, only SEARCHED events of `every` are examined,
    and the next page continues from there, so that the time doesn't depend on their number. One or two
    queries, for each of several `callers`, since no index has the events of two in order.
    """
    each: list[dict[str, int]] = [{}]
    if len(callers) > 1:
        each = [{"caller": caller} for caller in callers]
    end = None
    if is_search:
        ends = [_search_end(every.filter(**only), after) for only in each]
        end = max(filter(None, ends), default=None)
    if end is not None:
        rows = rows.filter(at__gte=end)
    part = _merged([events_page(rows.filter(**only), after=after) for only in each])
    if part.after is not None or end is None:
        return SearchedPage(part.rows, part.after)
    return SearchedPage(part.rows, KeysetPlace(end, FIRST_ID), end)


def _search_end(every: QuerySet[TrailEvent], after: KeysetPlace | None) -> datetime | None:
    """Return the time at which a search ends, or None if it covers everything."""
    looked_at = window(every.values_list("at", flat=True), order=NEWEST, size=SEARCHED, after=after)
    return looked_at[SEARCHED:].first()


def _merged(pages: Sequence[RowPage[TrailEvent]]) -> RowPage[TrailEvent]:
    """Return the first page of several merged pages."""
    if len(pages) == 1:
        return pages[0]
    rows = list(chain.from_iterable(each.rows for each in pages))
    rows.sort(key=lambda event: (event.at, event.event_id), reverse=True)
    has_after = len(rows) > PAGE_SIZE or any(each.has_after for each in pages)
    return RowPage(rows[:PAGE_SIZE], has_before=False, has_after=has_after, order=NEWEST)


def event_at(at: datetime, event_id: UUID) -> TrailEvent | None:
    """Return an event with its raw text, or None."""
    return TrailEvent.objects.select_related("caller").filter(at=at, event_id=event_id).first()


def callers_like(text: str) -> list[int]:
    """Return the first thousand principals whose name or ARN contains the text, or whose display name or
    email address has its words.
    """
    users = Entity.objects.filter(kind=Kind.USER)
    for word in words_of(text):
        users = users.filter(search__contains=word)
    part = Q(name__icontains=text) | Q(arn__icontains=text) | Q(unique_id=text)
    part |= Q(kind=USER, unique_id__in=users.values("aws_id"))
    return list(TrailCaller.objects.filter(part).order_by("pk").values_list("pk", flat=True)[:1000])


def made_by(events: QuerySet[TrailEvent], who: str) -> QuerySet[TrailEvent]:
    """Return the events of a principal that is named by a part of its name or ARN, by an access key or its
    end, or by the person behind the session.
    """
    same = Q(caller__in=callers_like(who)) | Q(access_key=who) | Q(person=who)
    if end := shown_end(who):
        same |= Q(access_key__endswith=end)
    return events.filter(same | Q(source_identity=who) | Q(session_name=who))


def _filtered(rows: QuerySet[TrailEvent], wanted: ActivityFilter) -> QuerySet[TrailEvent]:
    rows = rows.filter(RESULTS[wanted.result])
    if wanted.since is not None:
        rows = rows.filter(at__gte=wanted.since)
    if wanted.until is not None:
        rows = rows.filter(at__lt=wanted.until)
    if not wanted.text:
        return rows
    service, colon, action = wanted.text.partition(":")
    if colon and service.isalnum() and " " not in wanted.text and not wanted.text.startswith("arn:"):
        return rows.filter(service__iexact=service, action__istartswith=action.rstrip("*"))
    part = Q(action__icontains=wanted.text) | Q(service__iexact=wanted.text)
    part |= Q(resource__icontains=wanted.text) | Q(error_code__icontains=wanted.text)
    if not hides_addresses():
        part |= Q(source_address=wanted.text)
    if end := shown_end(wanted.text):
        part |= Q(access_key__endswith=end)
    return rows.filter(part)


def by_service(actions: Iterable[ActionCalls]) -> list[ServiceCalls]:
    """Return the use of each service from that of its actions, the most recently used first."""
    of_service: dict[str, list[ActionCalls]] = {}
    for action in actions:
        of_service.setdefault(action.service, []).append(action)
    used = []
    for service, own in sorted(of_service.items()):
        used.append(
            ServiceCalls(
                service,
                sum(action.calls for action in own),
                sum(action.errors for action in own),
                sum(action.denied for action in own),
                min(action.first_at for action in own),
                max(action.last_at for action in own),
                len(own),
            )
        )
    return sorted(used, key=attrgetter("last_at"), reverse=True)


def actions_used(callers: Collection[int], *, since: date | None = None) -> list[ActionCalls]:
    """Return each action that these principals called since a day (UTC), by name. One query, on the total
    sums or on the days.
    """
    rows: QuerySet[Any] = CallerAction.objects.filter(caller__in=callers)
    if since is not None:
        rows = CallerDay.objects.filter(caller__in=callers, day__gte=since)
    summed = rows.values("service", "action").annotate(**_OF_ROLLUPS)
    return [ActionCalls(*row) for row in summed.order_by("service", "action").values_list(*_ACTION_USE)]


def actions_in(events: QuerySet[TrailEvent]) -> list[ActionCalls]:
    """Return the actions of events, by name. It is for access keys, which have no rollups."""
    rows = events.values("service", "action").annotate(**_OF_EVENTS)
    return [ActionCalls(*row) for row in rows.order_by("service", "action").values_list(*_ACTION_USE)]


_OF_ROLLUPS: Final[dict[str, Any]] = {
    "all_calls": Sum("calls"),
    "failed": Sum("errors"),
    "refused": Sum("denied"),
    "first": Min("first_at"),
    "last": Max("last_at"),
}
_OF_EVENTS: Final[dict[str, Any]] = {
    "all_calls": Count("event_id"),
    "failed": Count("event_id", filter=~Q(error_code="")),
    "refused": Count("event_id", filter=Q(is_denied=True)),
    "first": Min("at"),
    "last": Max("at"),
}
_ACTION_USE: Final = ("service", "action", "all_calls", "failed", "refused", "first", "last")


def addresses_of(callers: Collection[int]) -> list[AddressCalls]:
    """Return at most twenty source addresses of these principals, the most recently used first, or none if
    the setting hides them. One query.
    """
    if hides_addresses():
        return []
    rows = CallerAddress.objects.filter(caller__in=callers).values("address")
    used = rows.annotate(all_calls=Sum("calls"), first=Min("first_at"), last=Max("last_at"))
    columns = ("address", "all_calls", "first", "last")
    return [
        AddressCalls(*row)
        for row in used.order_by("-last", "address").values_list(*columns)[:ADDRESSES_SHOWN]
    ]


def addresses_in(events: QuerySet[TrailEvent]) -> list[AddressCalls]:
    """Return the source addresses of events in the same way."""
    if hides_addresses():
        return []
    rows = events.exclude(source_address="").values("source_address")
    used = rows.annotate(all_calls=Count("event_id"), first=Min("at"), last=Max("at"))
    columns = ("source_address", "all_calls", "first", "last")
    ordered = used.order_by("-last", "source_address").values_list(*columns)
    return [AddressCalls(*row) for row in ordered[:ADDRESSES_SHOWN]]


def events_of_key(access_key: str, wanted: ActivityFilter) -> QuerySet[TrailEvent]:
    """Return the events that were signed with an access key."""
    return _filtered(TrailEvent.objects.filter(access_key=access_key), wanted)


def extent(account_id: str | None = None) -> EventCoverage | None:
    """Return the period of known events of an account (None: of any), or None if there are none."""
    rows = (
        TrailEvent.objects.all() if account_id is None else TrailEvent.objects.filter(account_id=account_id)
    )
    newest = rows.order_by("-at").values_list("at", flat=True).first()
    if newest is None:
        return None
    oldest = rows.order_by("at").values_list("at", flat=True)[0]
    return EventCoverage(oldest, newest, TrailFile.objects.exclude(reason="").count())


def shown_address(event: TrailEvent) -> str:
    """Return the source address, or the text that it is hidden."""
    return HIDDEN if event.source_address and hides_addresses() else event.source_address


def hides_addresses() -> bool:
    """Return True if source addresses, which are personal data, are hidden from everyone."""
    return bool(settings.ACTIVITY_HIDE_ADDRESSES)


def is_person(caller: TrailCaller) -> bool:
    """Return True if the principal is the sign-in of a person: a user, root or a federated user."""
    return caller.kind in (USER, ROOT, FEDERATED, IDENTITY_CENTER)
