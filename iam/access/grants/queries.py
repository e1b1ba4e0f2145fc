"""Finds the grants that a viewer sees, page by page, and the details of one grant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from iam.access.grants.models import GIVING, Grant, GrantPart, GrantState, GrantVersion, LedgerEntry
from iam.access.grants.own_grants import held_by
from iam.changes.models import Change
from iam.changes.queries import in_accounts
from iam.guard import Right, Viewer
from iam.keyset import NEWEST_FIRST, KeysetOrder, KeysetPlace, RowPage, page
from iam.mirror.models import Entity
from iam.mirror.queries.visibility import visible_entities
from iam.prepared_statements import QueryParam
from iam.search_words import matches

PAGE: Final = 50
ENDING_SOON: Final = timedelta(days=7)
SOONEST_FIRST: Final = KeysetOrder("ends_at", "id")
LATELY: Final = timedelta(days=180)
TABS: Final[dict[str, tuple[GrantState, ...]]] = {
    "waiting": (GrantState.PREPARING, GrantState.WAITING),
    "active": (GrantState.APPLYING, GrantState.ACTIVE, GrantState.PARTLY),
    "soon": GIVING,
    "ended": (GrantState.ENDING, GrantState.ENDED),
    "failed": (GrantState.FAILED, GrantState.PARTLY, GrantState.REFUSED),
    "partly": (GrantState.PARTLY,),
    "closed": (GrantState.REJECTED, GrantState.WITHDRAWN, GrantState.EXPIRED),
}
"""The tabs of the list, by their word in the URL, with their states; "soon" also filters by end date."""


def visible_grants(viewer: Viewer) -> QuerySet[Grant]:
    """Grants of the viewer and of people they see, grants in accounts that they see whole, and their own
    requests.

    Ended grants stay visible. A viewer of some accounts of a grant reads of the other accounts only what
    `parts_of` returns.
    """
    scope = viewer.scope
    if scope.sees_everything:
        return Grant.objects.all()
    seen = Q(requested_by=viewer.person_id)
    mine = LedgerEntry.objects.filter(
        part__grant=OuterRef("pk"), entity__in=visible_entities(viewer).values("pk")
    )
    seen |= Q(Exists(mine))
    if scope.accounts:
        parts = GrantPart.objects.filter(grant=OuterRef("pk"), account__account_id__in=scope.accounts)
        seen |= Q(Exists(parts))
    return Grant.objects.filter(seen)


def grant_for(viewer: Viewer, *, pk: UUID) -> Grant | None:
    """The grant; None if it doesn't exist or the viewer can't see it."""
    return visible_grants(viewer).filter(pk=pk).first()


def list_grants(
    viewer: Viewer,
    *,
    tab: str = "",
    text: str = "",
    account_id: str = "",
    template: str = "",
    mine: bool = False,
    after: KeysetPlace | None = None,
) -> RowPage[Grant]:
    """A filtered page of visible grants, newest first; the tab "soon" sorts by end date.

    Two queries, one of them for the parts; keyset pagination makes every page equally fast.
    """
    grants = visible_grants(viewer)
    if tab in TABS:
        grants = grants.filter(state__in=TABS[tab])
    if tab == "soon":
        grants = grants.filter(ends_at__lte=datetime.now(tz=UTC) + ENDING_SOON)
    if text.strip():
        grants = grants.filter(_matching(text.strip(), viewer))
    grants = narrowed(grants, account_id=account_id)
    if template:
        grants = grants.filter(template=template)
    if mine:
        grants = grants.filter(Q(requested_by=viewer.person_id) | held_by(viewer))
    order = SOONEST_FIRST if tab == "soon" else NEWEST_FIRST
    return page(grants.prefetch_related("parts__account"), order=order, size=PAGE, after=after)


def _matching(text: str, viewer: Viewer) -> Q:
    """A search by title, requester, reference or a recipient that the viewer sees, so that hidden recipients
    stay hidden.
    """
    condition = matches(text, "title", "requested_label")
    reference = text.upper().removeprefix("GRT-").lower()[:8]
    if len(reference) >= 4 and set(reference) <= set("0123456789abcdef"):
        first = UUID(reference.ljust(32, "0"))
        last = UUID(reference.ljust(32, "f"))
        condition |= Q(pk__gte=first, pk__lte=last)
    holders = LedgerEntry.objects.filter(part__grant=OuterRef("pk"), holder_arn__icontains=text)
    if not viewer.scope.sees_everything:
        seen = Q(entity__in=visible_entities(viewer).values("pk"))
        seen |= Q(part__grant__requested_by=viewer.person_id)
        seen |= Q(account__account_id__in=viewer.scope.accounts or ())
        holders = holders.filter(seen)
    return condition | Q(Exists(holders))


def narrowed(grants: QuerySet[Grant], *, account_id: str) -> QuerySet[Grant]:
    """The grants that have a part in the account; all of them if `account_id` is ""."""
    if not account_id:
        return grants
    parts = GrantPart.objects.filter(grant=OuterRef("pk"), account__account_id=account_id)
    return grants.filter(Exists(parts))


def ending_soon(viewer: Viewer, *, by: datetime | QueryParam | None = None) -> QuerySet[Grant]:
    """Active grants that end before a time (None: within seven days), the earliest first."""
    grants = visible_grants(viewer).filter(
        state__in=GIVING, ends_at__lte=by or datetime.now(tz=UTC) + ENDING_SOON
    )
    return grants.order_by("ends_at", "id")


def counts(viewer: Viewer) -> dict[str, int]:
    """The number of visible grants by tab. One query per tab."""
    grants = visible_grants(viewer)
    numbers = {tab: grants.filter(state__in=states).count() for tab, states in TABS.items() if tab != "soon"}
    return numbers | {"soon": ending_soon(viewer).count()}


def parts_of(grant: Grant, *, viewer: Viewer) -> list[GrantPart]:
    """The parts of a grant that the viewer sees.

    These are parts in accounts they see whole or that concern people they see, or all parts of their own
    request.
    """
    parts = grant.parts.select_related("account", "change_set", "ending_set").order_by("lane")
    scope = viewer.scope
    if scope.sees_everything or grant.requested_by == viewer.person_id:
        return list(parts)
    seen = Q(entries__entity__in=visible_entities(viewer).values("pk"))
    if scope.accounts:
        seen |= Q(account__account_id__in=scope.accounts)
    return list(parts.filter(seen).distinct())


def versions_of(grant: Grant) -> list[GrantVersion]:
    """The actions on the grant as a whole, oldest first."""
    return list(grant.versions.order_by("number"))


def changes_of(grant: Grant) -> QuerySet[Change]:
    """All changes that were ever made for the grant, in order."""
    causes = Q(change_set__cause_id=grant.pk, change_set__cause_kind__startswith="grant")
    return (
        Change.objects.filter(causes)
        .select_related("account", "change_set")
        .order_by("created_at", "position")
    )


def waiting_for(viewer: Viewer) -> QuerySet[Grant]:
    """Grants waiting for approval in accounts in which the viewer approves, without their own requests."""
    sets = Change.objects.filter(in_accounts(viewer, Right.APPROVE_CHANGE)).values("change_set")
    waiting = Grant.objects.filter(state=GrantState.WAITING, parts__change_set__in=sets).distinct()
    return waiting.exclude(requested_by=viewer.person_id).order_by("created_at")


def grants_about(entity: Entity) -> QuerySet[Grant]:
    """Grants by which a user, group or role has, had or will have a permission, newest first."""
    # A subquery by key: an EXISTS per grant would scan all entries of an entity with thousands of them.
    entries = LedgerEntry.objects.filter(entity=entity).values("part__grant")
    return Grant.objects.filter(pk__in=entries).order_by("-created_at", "-id")


def often_given(*, most: int = 3, now: datetime | None = None) -> list[str]:
    """The slugs of the most requested templates of the last 180 days, most frequent first. One query."""
    since = (now or datetime.now(tz=UTC)) - LATELY
    grants = Grant.objects.filter(created_at__gte=since).exclude(template="").order_by()
    counted = grants.values("template").annotate(times=Count("pk")).order_by("-times", "template")
    return [row["template"] for row in counted[:most]]
