"""Which grants a viewer sees, page by page, and what there is to read of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from iam.access.grants.models import GIVING, Grant, GrantPart, GrantState, GrantVersion, LedgerEntry
from iam.access.grants.own_grants import held_by
from iam.changes.models import Change
from iam.changes.queries import in_accounts
from iam.compiled_queries import QueryParam
from iam.guard import Right, Viewer
from iam.keyset import NEWEST_FIRST, KeysetOrder, KeysetPlace, RowPage, page
from iam.mirror.models import Entity
from iam.mirror.queries.visibility import visible_entities
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
"""The tabs of the list: a word of the address → the states it shows; "soon" also asks for the end."""


def visible_grants(viewer: Viewer) -> QuerySet[Grant]:
    """What is for oneself and one's people, all of accounts that one sees whole, and one's own requests.

    Nothing of it disappears when it has ended. One who sees a grant of several accounts reads of the others
    only what `parts_of` gives.
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
    """The grant, if the viewer sees it."""
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
    """Newest first, filtered, and what ends soon by its end; one query, as fast at any depth. The parts of
    the rows are fetched with them: one query more.
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
    """By title, requester, reference, or a receiver whom the viewer sees: a search reveals no other
    receivers.
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
    """Those of them that have a part in the account; all of them for no account."""
    if not account_id:
        return grants
    parts = GrantPart.objects.filter(grant=OuterRef("pk"), account__account_id=account_id)
    return grants.filter(Exists(parts))


def ending_soon(viewer: Viewer, *, by: datetime | QueryParam | None = None) -> QuerySet[Grant]:
    """Living grants that end by themselves by a moment (None: soon from now), the next one first."""
    grants = visible_grants(viewer).filter(
        state__in=GIVING, ends_at__lte=by or datetime.now(tz=UTC) + ENDING_SOON
    )
    return grants.order_by("ends_at", "id")


def counts(viewer: Viewer) -> dict[str, int]:
    """How many there are by tab; one query a tab."""
    grants = visible_grants(viewer)
    numbers = {tab: grants.filter(state__in=states).count() for tab, states in TABS.items() if tab != "soon"}
    return numbers | {"soon": ending_soon(viewer).count()}


def parts_of(grant: Grant, *, viewer: Viewer) -> list[GrantPart]:
    """The parts that the viewer sees: of accounts that they see whole or in which it concerns their people,
    or all of what they asked for.
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
    """What was done to it as a whole, oldest first."""
    return list(grant.versions.order_by("number"))


def changes_of(grant: Grant) -> QuerySet[Change]:
    """Every change that was ever made for it: giving, trying again, altering, taking away; in order."""
    causes = Q(change_set__cause_id=grant.pk, change_set__cause_kind__startswith="grant")
    return (
        Change.objects.filter(causes)
        .select_related("account", "change_set")
        .order_by("created_at", "position")
    )


def waiting_for(viewer: Viewer) -> QuerySet[Grant]:
    """What waits for approval in accounts in which the viewer approves, and was not asked for by them."""
    sets = Change.objects.filter(in_accounts(viewer, Right.APPROVE_CHANGE)).values("change_set")
    waiting = Grant.objects.filter(state=GrantState.WAITING, parts__change_set__in=sets).distinct()
    return waiting.exclude(requested_by=viewer.person_id).order_by("created_at")


def grants_about(entity: Entity) -> QuerySet[Grant]:
    """Grants by which a user, group or role holds something, or held it, or is to hold it; newest first."""
    # By their keys: asked grant by grant, one who holds thousands would be looked through for each.
    entries = LedgerEntry.objects.filter(entity=entity).values("part__grant")
    return Grant.objects.filter(pk__in=entries).order_by("-created_at", "-id")


def grants_of_template(slug: str, *, version: int | None = None) -> QuerySet[Grant]:
    """Living grants of a template, of one version or of all."""
    grants = Grant.objects.filter(template=slug, state__in=GIVING)
    return (grants if version is None else grants.filter(template_version=version)).order_by("created_at")


def often_given(*, most: int = 3, now: datetime | None = None) -> list[str]:
    """The templates of which most was asked for lately, by their short names, the most first; one query."""
    since = (now or datetime.now(tz=UTC)) - LATELY
    grants = Grant.objects.filter(created_at__gte=since).exclude(template="").order_by()
    counted = grants.values("template").annotate(times=Count("pk")).order_by("-times", "template")
    return [row["template"] for row in counted[:most]]
