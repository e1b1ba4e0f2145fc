"""The recent changes on the first page. They come from indexes, so they are fast even with a million
entities.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from django.db.models import BigAutoField, Exists, F, Model, OuterRef, Q, QuerySet, Subquery

from iam.compiled_queries import SCOPES_KEPT, CompiledQuery
from iam.guard import ViewerScope
from iam.mirror.mfa import mfa_is_unknown
from iam.mirror.models import (
    Edge,
    EntityState,
    InlinePolicy,
    Kind,
    PolicyVersion,
    Section,
    UserCredentials,
)
from iam.mirror.queries.accounts import accounts_within
from iam.mirror.queries.differences import (
    CAME,
    CHANGED,
    KINDS,
    TIES,
    WENT,
    ConnectionDifferences,
    CredentialsDifference,
    DifferenceRow,
    DifferenceSource,
    DocumentDifferences,
    EntityDifferences,
    InlinePolicyDifferences,
)
from iam.mirror.queries.figures import generation
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.counts import scope_key
from iam.mirror.queries.lists.rows import of_account
from iam.mirror.queries.result_cache import KeptResults, State
from iam.mirror.queries.visibility import visible
from iam.planned_reads import PlannedRead
from iam.prepared_statements import QueryParam

M = TypeVar("M", bound=Model)
NEWS_DAYS = 30
PRINCIPALS = (Kind.USER, Kind.GROUP, Kind.ROLE)
_kept = KeptResults[list[DifferenceRow]]()
forget = _kept.forget


def recent_events(context: ListContext, *, limit: int, written: State | None = None) -> list[DifferenceRow]:
    """Return the latest additions, deletions and changes, newest first, within thirty days before the time.
    What a first sync found isn't included.

    Eight queries, each from an index, or one if nothing was written since the last call, for at most a
    minute. `written` is the `generation` if the caller has it.
    """
    shown = context.at or datetime.now(tz=UTC)
    written = written or generation(context)
    about = (limit, scope_key(context), written, shown.replace(second=0, microsecond=0))
    return list(_kept.get_or_make(about, lambda: _newest(context, shown, limit)))


def _newest(context: ListContext, shown: datetime, limit: int) -> list[DifferenceRow]:
    rows = chain.from_iterable(_parts(context, shown, limit))
    return sorted(rows, key=lambda row: row.when, reverse=True)[:limit]


def news_since(context: ListContext) -> datetime | None:
    """Return when the history of the shown accounts begins, if that is within the thirty days before the
    time, otherwise None.
    """
    rows = news_read(context).rows()
    begins = rows[0][0] if rows else None
    shown = context.at or datetime.now(tz=UTC)
    return begins if begins and shown - timedelta(days=NEWS_DAYS) < begins <= shown else None


def news_read(context: ListContext) -> PlannedRead:
    """Return the read of `news_since`."""
    if context.account:
        return _first_known(None).planned(account=context.account.pk)
    return _first_known(context.viewer.scope).planned()


@lru_cache(maxsize=SCOPES_KEPT)
def _first_known(scope: ViewerScope | None) -> CompiledQuery:
    """Return the query for the earliest time from which a section is known, within a scope or (None) in the
    account in the parameter `account`.
    """
    known = Section.objects.filter(known_since__isnull=False)
    if scope is None:
        known = known.filter(account=QueryParam("account", BigAutoField()))
    else:
        known = known.filter(account__in=accounts_within(scope).values("pk"))
    return CompiledQuery(lambda: known.order_by("known_since").values_list("known_since")[:1])


def _parts(context: ListContext, shown: datetime, limit: int) -> Iterator[Iterator[DifferenceRow]]:
    window = (shown - timedelta(days=NEWS_DAYS), shown)
    begun = Q(valid_from__range=window, after__isnull=False)
    ended = Q(valid_to__range=window)
    # Phrased as an exclusion, so that no database uses the index of kinds for it.
    others = [kind.value for kind in Kind if kind not in KINDS]

    states = _seen(EntityState.objects.filter(begun).exclude(kind__in=others), context, entity="entity")
    states = states.annotate(was_there=_before(EntityState, entity="entity"))
    states = states.exclude(kind=Kind.POLICY, was_there=True)
    yield _told(EntityDifferences, states, by="was_there", order="-valid_from", limit=limit)
    gone = _seen(EntityState.objects.filter(ended).exclude(kind__in=others), context, entity="entity")
    gone = gone.exclude(_behind(EntityState, entity="entity"))
    yield _told(EntityDifferences, gone, order="-valid_to", limit=limit)

    ties = Edge.objects.filter(kind__in=TIES)
    yield _told(
        ConnectionDifferences,
        _seen(ties.filter(begun), context, entity="source", kinds=PRINCIPALS),
        order="-valid_from",
        limit=limit,
    )
    yield _told(
        ConnectionDifferences,
        _seen(ties.filter(ended), context, entity="source", kinds=PRINCIPALS),
        order="-valid_to",
        limit=limit,
    )

    inline = _seen(InlinePolicy.objects.filter(begun), context, entity="owner", kinds=PRINCIPALS)
    inline = inline.annotate(was_there=_before(InlinePolicy, owner="owner", name="name"))
    yield _told(InlinePolicyDifferences, inline, by="was_there", order="-valid_from", limit=limit)
    dropped = _seen(InlinePolicy.objects.filter(ended), context, entity="owner", kinds=PRINCIPALS)
    dropped = dropped.exclude(_behind(InlinePolicy, owner="owner", name="name"))
    yield _told(InlinePolicyDifferences, dropped, order="-valid_to", limit=limit)

    defaults = _seen(
        PolicyVersion.objects.filter(begun, is_default=True), context, entity="policy", kinds=(Kind.POLICY,)
    )
    had_one = PolicyVersion.objects.filter(
        policy=OuterRef("policy"), valid_to=OuterRef("valid_from"), is_default=True
    )
    documents = defaults.filter(Exists(had_one)).exclude(
        Exists(had_one.filter(document=OuterRef("document")))
    )
    source = DocumentDifferences(CHANGED)
    yield (source.read(raw) for raw in source.select(documents.order_by("-valid_from")[:limit]))
    yield _mfa_news(context, begun, limit)


def _seen(
    rows: QuerySet[M], context: ListContext, *, entity: str, kinds: Collection[str] | None = None
) -> QuerySet[M]:
    return visible(rows.filter(of_account(context)), context.viewer, entity=entity, kinds=kinds)


def _before(model: Any, **same: str) -> Exists:
    """Return the condition that the fact was valid until this row began."""
    keys = {name: OuterRef(column) for name, column in same.items()}
    return Exists(model.objects.filter(valid_to=OuterRef("valid_from"), **keys))


def _behind(model: Any, **same: str) -> Exists:
    """Return the condition that the fact remained valid when this row ended."""
    keys = {name: OuterRef(column) for name, column in same.items()}
    return Exists(model.objects.filter(valid_from=OuterRef("valid_to"), **keys))


def _told(
    sort: type[DifferenceSource], rows: QuerySet[Any, Any], *, order: str, limit: int, by: str = ""
) -> Iterator[DifferenceRow]:
    sign = WENT if order == "-valid_to" else CAME
    extra = (by,) if by else ()
    for raw in sort(sign).select(rows.order_by(order)[:limit], extra=extra):
        shown_sign = CHANGED if by and raw[by] else sign
        yield sort(shown_sign).read(raw)


def _mfa_news(context: ListContext, begun: Q, limit: int) -> Iterator[DifferenceRow]:
    was = UserCredentials.objects.filter(user=OuterRef("user"), valid_to=OuterRef("valid_from"))
    rows = (
        _seen(UserCredentials.objects.filter(begun), context, entity="user", kinds=(Kind.USER,))
        .annotate(
            was_mfa=Subquery(was.values("mfa")[:1]), had_password=Subquery(was.values("has_password")[:1])
        )
        .exclude(mfa_is_unknown() | mfa_is_unknown("was_mfa") | Q(was_mfa=F("mfa")))
    )
    for raw in CredentialsDifference(CHANGED, "mfa").select(rows.order_by("-valid_from")[:limit]):
        sign = CHANGED
        if raw["mfa"] == "none":
            sign = WENT
        elif raw["was_mfa"] == "none":
            sign = CAME
        yield CredentialsDifference(sign, "mfa").read(raw)
