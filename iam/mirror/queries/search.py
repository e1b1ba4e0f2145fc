"""Searches everything with a name, an ARN, a unique ID or a key ID, in all accounts that the viewer can see,
now or at a past time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from iam.guard import Viewer
from iam.mirror.models import Entity, EntityState, Kind, valid_at
from iam.mirror.queries.lists.core import WORDS
from iam.mirror.queries.visibility import visible
from iam.search_words import words_of

SHORTEST = 2
PER_KIND = 10
SUGGESTED = 8
CLOSEST = ("gone", "rank", "name", "pk")
SEARCHED_KINDS = (
    Kind.USER,
    Kind.GROUP,
    Kind.ROLE,
    Kind.POLICY,
    Kind.INSTANCE_PROFILE,
    Kind.SAML_PROVIDER,
    Kind.OIDC_PROVIDER,
    Kind.ACCESS_KEY,
    Kind.MFA_DEVICE,
    Kind.SSH_KEY,
    Kind.SIGNING_CERTIFICATE,
    Kind.SERVICE_CREDENTIAL,
)
"""Kinds with a page of their own, and kinds that are shown on their owner's page."""


@dataclass(frozen=True, slots=True)
class EntityHit:
    """A matching entity. `page_pk` and `page_kind` identify the entity whose page shows it: itself or its
    owner.
    """

    pk: int
    kind: str
    name: str
    arn: str
    aws_id: str
    account: str
    owner: str
    gone_at: datetime | None
    page_pk: int
    page_kind: str


@dataclass(frozen=True, slots=True)
class HitGroup:
    """The hits of one kind, at most PER_KIND, the closest first. `total` is the number of all."""

    kind: str
    hits: list[EntityHit]
    total: int


def exact(viewer: Viewer, text: str, *, at: datetime | None = None) -> EntityHit | None:
    """Return the only entity with exactly this ARN or ID, or None. Existing ones precede deleted ones. One
    query, two for the past.
    """
    rows = _findable_entities(viewer, at).filter(Q(arn=text) | Q(aws_id=text))
    hits = _hits(_values(rows).order_by("pk")[:SUGGESTED], at)
    candidates = [hit for hit in hits if hit.gone_at is None] or hits
    pages = {hit.page_pk for hit in candidates}
    return candidates[0] if len(pages) == 1 else None


def search(viewer: Viewer, text: str, *, at: datetime | None = None) -> list[HitGroup]:
    """Return all matches by kind, with two queries, three for the past. A text that is too short finds
    nothing.

    Matches are counted first, and only the closest of each kind are fetched, because ranking all would sort a
    hundred thousand for a short text.
    """
    if _is_too_short(text):
        return []
    rows = _matching(_findable_entities(viewer, at), text, at)
    totals = dict(rows.values_list("kind").annotate(total=Count("pk")).order_by())
    by_kind: dict[str, HitGroup] = {
        kind: HitGroup(kind, [], totals[kind]) for kind in SEARCHED_KINDS if kind in totals
    }
    if by_kind:
        for hit in _hits(_values(_closest(viewer, text, at, list(by_kind))), at):
            by_kind[hit.kind].hits.append(hit)
    return list(by_kind.values())


def _closest(viewer: Viewer, text: str, at: datetime | None, kinds: list[str]) -> QuerySet[Any, Any]:
    """Return the closest few of each kind, in order."""
    by_kind = []
    for kind in kinds:
        matching = _matching(_findable_entities(viewer, at, kind), text, at)
        ranked = _ranked(matching, text, at).order_by(*CLOSEST)
        closest = ranked.values("pk")[:PER_KIND]
        # On SQLite, a limit in a union needs an outer query.
        by_kind.append(Entity.objects.filter(pk__in=closest).values("pk"))
    first, *others = by_kind
    closest_of_all = Entity.objects.filter(pk__in=first.union(*others, all=True))
    return _ranked(closest_of_all, text, at).order_by(*CLOSEST)


def suggestions(viewer: Viewer, text: str, *, at: datetime | None = None) -> list[EntityHit]:
    """Return the closest few existing entities, while the user types. One query, two for the past."""
    if _is_too_short(text):
        return []
    rows = _matching(_findable_entities(viewer, at).filter(_exists(at)), text, at)
    closest = _ranked(rows, text, at).order_by("rank", "name", "pk")[:SUGGESTED]
    return _hits(_values(closest), at)


def _findable_entities(viewer: Viewer, at: datetime | None, *kinds: str) -> QuerySet[Any, Any]:
    """Return what can be found, of all kinds or some. For a past time, only what had been seen by then."""
    rows: QuerySet[Any, Any] = Entity.objects.filter(kind__in=kinds or SEARCHED_KINDS)
    rows = visible(rows, viewer, entity="pk", kinds=kinds or None)
    return rows.filter(first_seen__lte=at) if at else rows


def _exists(at: datetime | None) -> Q:
    here = Q(gone_at__isnull=True)
    return here | Q(gone_at__gt=at) if at else here


def _is_too_short(text: str) -> bool:
    return len("".join(text.split())) < SHORTEST


def _matching(rows: QuerySet[Any, Any], text: str, at: datetime | None) -> QuerySet[Any, Any]:
    """Return the rows that contain every word."""
    words = words_of(text, most=WORDS)
    has_all = Q()
    for word in words:
        has_all &= Q(search__contains=word)
    if at:
        return rows.filter(has_all | Q(pk__in=_other_names(words, at)))
    return rows.filter(has_all)


def _ranked(rows: QuerySet[Any, Any], text: str, at: datetime | None) -> QuerySet[Any, Any]:
    """Rank the rows by whether they are deleted, and by how well the name matches the whole text."""
    wanted = text.lower().strip()
    ranked: QuerySet[Any, Any] = rows.annotate(
        small=Lower("name"),
        gone=Case(When(_exists(at), then=0), default=1),
        rank=Case(
            When(small=wanted, then=Value(0)),
            When(small__startswith=wanted, then=Value(1)),
            When(small__contains=wanted, then=Value(2)),
            default=Value(3),
        ),
    )
    return ranked


def _other_names(words: list[str], at: datetime) -> QuerySet[Any, Any]:
    """Return entities whose name or ARN contained the words then but has changed since."""
    then = EntityState.objects.filter(valid_from__lte=at, valid_to__gt=at)
    for word in words:
        then = then.filter(Q(sort_name__contains=word) | Q(arn__icontains=word))
    return then.values("entity")


def _hits(rows: Iterable[dict[str, Any]], at: datetime | None) -> list[EntityHit]:
    """Return the rows as hits. For a past time, they have their names then, and later deletions
    are ignored.
    """
    hits = [_hit(row) for row in rows]
    if at is None:
        return hits
    states = EntityState.objects.filter(valid_at(at), entity__in=[hit.pk for hit in hits])
    then = {pk: (name, arn) for pk, name, arn in states.values_list("entity_id", "name", "arn")}
    for place, hit in enumerate(hits):
        if hit.pk in then:
            name, arn = then[hit.pk]
            hits[place] = replace(hit, name=name, arn=arn, gone_at=None)
    return hits


def _values(rows: QuerySet[Any, Any]) -> QuerySet[Any, dict[str, Any]]:
    return rows.values(
        *("pk", "kind", "name", "arn", "aws_id", "gone_at", "owner_id"),
        account_name=F("account__name"),
        owner_name=F("owner__name"),
        owner_kind=F("owner__kind"),
    )


def _hit(row: dict[str, Any]) -> EntityHit:
    page_pk, page_kind = row["pk"], row["kind"]
    if row["owner_id"] is not None:
        page_pk, page_kind = row["owner_id"], row["owner_kind"]
    return EntityHit(
        pk=row["pk"],
        kind=row["kind"],
        name=row["name"],
        arn=row["arn"],
        aws_id=row["aws_id"],
        account=row["account_name"],
        owner=row["owner_name"] or "",
        gone_at=row["gone_at"],
        page_pk=page_pk,
        page_kind=page_kind,
    )
