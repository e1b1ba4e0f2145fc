"""Which grants a viewer sees, the list of them page by page, and which accounts each is about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q, QuerySet

from iam.access.grants.models import GIVING, Grant, GrantPart, LedgerEntry, State
from iam.guard import Viewer
from iam.mirror.queries.visibility import visible_entities

PAGE: Final = 50
SOON: Final = timedelta(days=7)
TABS: Final[dict[str, tuple[State, ...]]] = {
    "active": (State.APPLYING, State.ACTIVE, State.PARTLY, State.ENDING),
    "waiting": (State.WAITING,),
    "soon": GIVING,
    "ended": (State.ENDED, State.REJECTED, State.WITHDRAWN, State.EXPIRED),
    "failed": (State.FAILED, State.PARTLY),
}
"""A word of the address → the states it shows; what ends soon also by its end."""


def visible_grants(viewer: Viewer) -> QuerySet[Grant]:
    """What is for oneself or one's people, what one asked for, and all of the accounts that one sees whole."""
    grants = Grant.objects.all()
    scope = viewer.scope
    if scope.sees_everything:
        return grants
    people = visible_entities(viewer).values("pk")
    seen = Q(requested_by=viewer.person_id)
    seen |= Q(pk__in=LedgerEntry.objects.filter(entity__in=people).values("part__grant"))
    if scope.accounts:
        in_accounts = GrantPart.objects.filter(account__account_id__in=scope.accounts)
        seen |= Q(pk__in=in_accounts.values("grant"))
    return grants.filter(seen)


def hidden_in(grants: Iterable[Grant], *, viewer: Viewer) -> dict[UUID, set[str]]:
    """The ARNs of those of each grant whom the viewer does not see: they are told as a number. At most two queries."""
    if viewer.scope.sees_everything:
        return {}
    others = [one.pk for one in grants if one.requested_by != viewer.person_id]
    rows = list(
        LedgerEntry.objects.filter(part__grant__in=others).values_list(
            "part__grant", "account__account_id", "entity_id", "holder_arn"
        )
        if others
        else ()
    )
    apart = [row for row in rows if not viewer.scope.sees_account(row[1])]
    pks = {pk for _, _, pk, _ in apart if pk}
    seen = set(visible_entities(viewer).filter(pk__in=pks).values_list("pk", flat=True)) if pks else set()
    hidden: dict[UUID, set[str]] = defaultdict(set)
    for grant, _, pk, arn in apart:
        if pk not in seen:
            hidden[grant].add(arn)
    return hidden


def hidden_holders(grant: Grant, *, viewer: Viewer) -> set[str]:
    """The same of one grant."""
    return hidden_in([grant], viewer=viewer).get(grant.pk, set())


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands in the list: by when it was asked for, or by its end where the list is of what ends soon."""

    at: datetime
    pk: UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.pk.hex}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """From the address; None for what is no place."""
        at, _, pk = text.partition("~")
        try:
            moment = datetime.fromisoformat(at)
            return cls(moment.astimezone(UTC), UUID(pk)) if moment.tzinfo else None
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the list, and the place after which the next one begins; None: this is the last."""

    rows: list[Grant]
    following: Place | None


def list_grants(
    viewer: Viewer,
    *,
    tab: str = "",
    text: str = "",
    template: str = "",
    account_id: str = "",
    after: Place | None = None,
) -> Page:
    """Newest first, or what ends first; filtered; one query, as fast at any depth."""
    grants = visible_grants(viewer)
    if tab in TABS:
        grants = grants.filter(state__in=TABS[tab])
    if account_id:
        in_account = GrantPart.objects.filter(account__account_id=account_id)
        grants = grants.filter(pk__in=in_account.values("grant"))
    if template:
        grants = grants.filter(template=template)
    if text:
        grants = grants.filter(_matches(text, viewer))
    if tab == "soon":
        now = datetime.now(tz=UTC)
        grants = grants.filter(ends_at__lte=now + SOON)
        if after:
            grants = grants.filter(Q(ends_at__gte=after.at) & (Q(ends_at__gt=after.at) | Q(pk__gt=after.pk)))
        rows = list(grants.order_by("ends_at", "pk")[: PAGE + 1])
    else:
        if after:
            grants = grants.filter(
                Q(created_at__lte=after.at) & (Q(created_at__lt=after.at) | Q(pk__lt=after.pk))
            )
        rows = list(grants.order_by("-created_at", "-pk")[: PAGE + 1])
    more, rows = len(rows) > PAGE, rows[:PAGE]
    return Page(rows, _place(rows[-1], tab) if more else None)


def _place(row: Grant, tab: str) -> Place:
    return Place(row.ends_at if tab == "soon" and row.ends_at else row.created_at, row.pk)


def _matches(text: str, viewer: Viewer) -> Q:
    """By title; for who does not see whole accounts, by what they see of it: the title names others too."""
    found = Q(template__icontains=text)
    if viewer.scope.sees_everything or viewer.sees_accounts:
        found |= Q(title__icontains=text) | Q(requested_label__icontains=text)
    else:
        people = visible_entities(viewer).values("pk")
        own = LedgerEntry.objects.filter(entity__in=people, holder_arn__icontains=text)
        found |= Q(pk__in=own.values("part__grant"))
        found |= Q(requested_by=viewer.person_id, title__icontains=text)
    reference = text.strip().lower().removeprefix("grt-")
    if len(reference) >= 4 and all(c in "0123456789abcdef" for c in reference):
        low, high = reference[:32].ljust(32, "0"), reference[:32].ljust(32, "f")
        found |= Q(pk__gte=UUID(low), pk__lte=UUID(high))
    return found


def accounts_of(grants: Iterable[Grant]) -> dict[UUID, list[str]]:
    """The names of the accounts of each grant, by name; one query."""
    found: dict[UUID, list[str]] = defaultdict(list)
    rows = GrantPart.objects.filter(grant__in=[one.pk for one in grants])
    for pk, name in rows.order_by("account__name").values_list("grant_id", "account__name"):
        found[pk].append(name)
    return found
