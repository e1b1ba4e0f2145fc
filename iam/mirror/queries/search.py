"""Finds anything that has a name, an ARN, a unique id or a key id, in all accounts that the viewer sees, now or as it was then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Value, When, Window
from django.db.models.functions import Lower, RowNumber

from iam.guard import Viewer
from iam.mirror.models import EntityState, Kind, valid_at
from iam.mirror.queries.lists.core import WORDS
from iam.mirror.queries.visibility import visible_entities

SHORTEST = 2
PER_KIND = 10
SUGGESTED = 8
FOUND = (
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
"""What has a page of its own, and what is shown on the page of its owner."""


@dataclass(frozen=True, slots=True)
class Hit:
    """An entity that matches. `page_pk` and `page_kind` name the entity on whose page it is: itself, or its owner."""

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
class Group:
    """The hits of one kind, at most PER_KIND of them, the closest first; `total` is how many there are."""

    kind: str
    hits: list[Hit]
    total: int


def exact(viewer: Viewer, text: str, *, at: datetime | None = None) -> Hit | None:
    """What has exactly this ARN or this id, if it is one thing; what exists goes before what is gone. One query, two of the past."""
    rows = _found(viewer, at).filter(Q(arn=text) | Q(aws_id=text))
    hits = _hits(_values(rows).order_by("pk")[:SUGGESTED], at)
    living = [hit for hit in hits if hit.gone_at is None]
    candidates = living or hits
    return candidates[0] if len({hit.page_pk for hit in candidates}) == 1 else None


def search(viewer: Viewer, text: str, *, at: datetime | None = None) -> list[Group]:
    """All that matches, by kind, in one query, two of the past. What is too short finds nothing."""
    rows = _matching(viewer, text, at)
    if rows is None:
        return []
    placed = rows.annotate(
        place=Window(RowNumber(), partition_by="kind", order_by=("gone", "rank", "name", "pk")),
        total=Window(Count("pk"), partition_by="kind"),
    )
    by_kind: dict[str, Group] = {}
    found = list(_values(placed.filter(place__lte=PER_KIND).order_by("place"), "total"))
    for row, hit in zip(found, _hits(found, at), strict=True):
        by_kind.setdefault(hit.kind, Group(hit.kind, [], row["total"])).hits.append(hit)
    return [by_kind[kind] for kind in FOUND if kind in by_kind]


def suggestions(viewer: Viewer, text: str, *, at: datetime | None = None) -> list[Hit]:
    """The few closest of what exists, for whoever is still typing. One query, two of the past."""
    rows = _matching(viewer, text, at)
    if rows is None:
        return []
    closest = rows.filter(_exists(at)).order_by("rank", "name", "pk")[:SUGGESTED]
    return _hits(_values(closest), at)


def _found(viewer: Viewer, at: datetime | None) -> QuerySet[Any, Any]:
    """What can be found; of a past moment what had been there by then."""
    rows: QuerySet[Any, Any] = visible_entities(viewer).filter(kind__in=FOUND)
    return rows.filter(first_seen__lte=at) if at else rows


def _exists(at: datetime | None) -> Q:
    here = Q(gone_at__isnull=True)
    return here | Q(gone_at__gt=at) if at else here


def _matching(viewer: Viewer, text: str, at: datetime | None) -> QuerySet[Any, Any] | None:
    """Every word occurs; ranked by how well the name fits the whole text."""
    wanted = text.lower().strip()
    words = wanted.split()[:WORDS]
    if len(wanted.replace(" ", "")) < SHORTEST:
        return None
    rows = _found(viewer, at).annotate(
        small=Lower("name"),
        gone=Case(When(_exists(at), then=0), default=1),
        rank=Case(
            When(small=wanted, then=Value(0)),
            When(small__startswith=wanted, then=Value(1)),
            When(small__contains=wanted, then=Value(2)),
            default=Value(3),
        ),
    )
    has_all = Q()
    for word in words:
        has_all &= Q(search__contains=word)
    matching: QuerySet[Any, Any] = rows.filter(has_all | Q(pk__in=_other_names(words, at)) if at else has_all)
    return matching


def _other_names(words: list[str], at: datetime) -> QuerySet[Any, Any]:
    """Entities that had a name or an ARN with the words then, and have another now."""
    then = EntityState.objects.filter(valid_from__lte=at, valid_to__gt=at)
    for word in words:
        then = then.filter(Q(sort_name__contains=word) | Q(arn__icontains=word))
    return then.values("entity")


def _hits(rows: Iterable[dict[str, Any]], at: datetime | None) -> list[Hit]:
    """The rows as hits; of a past moment under the names of then, and not gone yet if they went later."""
    hits = [_hit(row) for row in rows]
    if at is None:
        return hits
    states = EntityState.objects.filter(valid_at(at), entity__in=[hit.pk for hit in hits])
    then = {pk: (name, arn) for pk, name, arn in states.values_list("entity_id", "name", "arn")}
    return [
        replace(hit, name=then[hit.pk][0], arn=then[hit.pk][1], gone_at=None) if hit.pk in then else hit
        for hit in hits
    ]


def _values(rows: QuerySet[Any, Any], *extra: str) -> QuerySet[Any, dict[str, Any]]:
    return rows.values(
        *("pk", "kind", "name", "arn", "aws_id", "gone_at", "owner_id"),
        *extra,
        account_name=F("account__name"),
        owner_name=F("owner__name"),
        owner_kind=F("owner__kind"),
    )


def _hit(row: dict[str, Any]) -> Hit:
    owned = row["owner_id"] is not None
    return Hit(
        pk=row["pk"],
        kind=row["kind"],
        name=row["name"],
        arn=row["arn"],
        aws_id=row["aws_id"],
        account=row["account_name"],
        owner=row["owner_name"] or "",
        gone_at=row["gone_at"],
        page_pk=row["owner_id"] if owned else row["pk"],
        page_kind=row["owner_kind"] if owned else row["kind"],
    )
