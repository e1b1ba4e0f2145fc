"""The list of accounts and the page of one: a constant number of queries, whatever the number of accounts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from iam.guard import Viewer
from iam.mirror.accounts.validation import INTERVALS
from iam.mirror.models import Account, Pull, PullSection, Section, SectionState
from iam.mirror.models.accounts import ACTIVE_PULL, PullState, Source
from iam.mirror.models.setup import DoctorRun
from iam.mirror.pull.sections import USERS
from iam.mirror.queries import keyset
from iam.mirror.queries.freshness import Facts, patience

PAGE_SIZE = 50
HISTORY_SIZE = 20
ORDER = keyset.Order("sort", "id")
ALL, ATTENTION, REMOVED = "", "attention", "disconnected"
_BAD = (SectionState.DENIED, SectionState.HELD, SectionState.PARTIAL, SectionState.FAILED)


def readable_accounts(viewer: Viewer) -> QuerySet[Account]:
    """The connected accounts whose whole content the viewer sees."""
    return _scoped(viewer).filter(removed_at__isnull=True)


def _scoped(viewer: Viewer) -> QuerySet[Account]:
    accounts = Account.objects.all()
    return (
        accounts if viewer.scope.accounts is None else accounts.filter(account_id__in=viewer.scope.accounts)
    )


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is narrowed to: words in name, alias, number or unit; and a state."""

    text: str = ""
    state: str = ALL

    def apply(self, viewer: Viewer, *, now: datetime) -> QuerySet[Account]:
        """The accounts that match, in no order."""
        accounts = readable_accounts(viewer)
        if self.state == REMOVED:
            accounts = _scoped(viewer).filter(removed_at__isnull=False)
        elif self.state == ATTENTION:
            accounts = accounts.filter(needs_attention(now))
        return accounts.filter(_matching(self.text)) if self.text.strip() else accounts


def _matching(text: str) -> Q:
    words = text.split()
    digits = "".join(words).replace("-", "")
    number = Q(account_id__contains=digits) if digits.isdecimal() else Q(pk__in=[])
    found = Q()
    for word in words:
        found &= Q(name__icontains=word) | Q(alias__icontains=word) | Q(organization_path__icontains=word)
    return found | number


def needs_attention(now: datetime) -> Q:
    """Accounts with a section that was denied, held back or not read whole; that cannot be read; or that are old."""
    bad = Section.objects.filter(account=OuterRef("pk"), state__in=_BAD)
    old = Section.objects.filter(account=OuterRef("pk"), name=USERS).filter(_old(now))
    last = Pull.objects.filter(account=OuterRef("pk")).order_by("-created_at")
    failed = Exact(Subquery(last.values("state")[:1]), Value(PullState.FAILED))
    reached = ~Q(source=Source.EXPORT)
    return reached & (Q(Exists(bad)) | Q(Exists(old)) | Q(failed))


def _old(now: datetime) -> Q:
    old = Q(account__pull_every__isnull=True, observed_at__lt=now - patience(None))
    for minutes in INTERVALS:
        old |= Q(account__pull_every=minutes, observed_at__lt=now - patience(minutes))
    return old


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of accounts, with the places before and after it."""

    rows: list[Facts]
    before: keyset.Place | None
    after: keyset.Place | None


def account_page(
    viewer: Viewer,
    wanted: Filter,
    *,
    after: keyset.Place | None = None,
    before: keyset.Place | None = None,
    size: int = PAGE_SIZE,
) -> AccountPage:
    """Accounts by name with all that their freshness follows from: five queries."""
    now = datetime.now(tz=UTC)
    accounts: QuerySet[Account, dict[str, Any]] = (
        wanted.apply(viewer, now=now).annotate(sort=Lower("name")).values("id", "sort")  # type: ignore[assignment]
    )
    found = keyset.page(accounts, order=ORDER, size=size, after=after, before=before)
    rows = facts_of([row["id"] for row in found.rows], now=now)
    return AccountPage(
        rows=rows,
        before=ORDER.place(found.rows[0]) if found.has_before and found.rows else None,
        after=ORDER.place(found.rows[-1]) if found.has_after and found.rows else None,
    )


def facts_of(ids: list[int], *, now: datetime | None = None) -> list[Facts]:
    """The facts of accounts, in the given order: four queries."""
    last = Pull.objects.filter(account=OuterRef("pk")).order_by("-created_at")
    accounts = Account.objects.filter(pk__in=ids).annotate(
        last_state=Subquery(last.values("state")[:1]), last_message=Subquery(last.values("message")[:1])
    )
    by_id = {account.pk: account for account in accounts}
    sections: dict[int, dict[str, Section]] = defaultdict(dict)
    for section in Section.objects.filter(account__in=ids):
        sections[section.account_id][section.name] = section
    pulls = {pull.account_id: pull for pull in Pull.objects.filter(ACTIVE_PULL, account__in=ids)}
    reading: dict[int, set[str]] = defaultdict(set)
    for part in PullSection.objects.filter(
        pull__in=[pull.pk for pull in pulls.values()], state=SectionState.READING
    ).select_related("pull"):
        reading[part.pull.account_id].add(part.name)
    return [
        Facts(
            account=by_id[pk],
            sections=sections[pk],
            pull=pulls.get(pk),
            reading=reading[pk],
            last_state=by_id[pk].last_state,
            last_message=by_id[pk].last_message or "",
            now=now or datetime.now(tz=UTC),
        )
        for pk in ids
        if pk in by_id
    ]


@dataclass(frozen=True, slots=True)
class Counts:
    """How many accounts each tab of the list holds."""

    all: int
    attention: int
    removed: int


def account_counts(viewer: Viewer, *, text: str = "") -> Counts:
    """Three counts."""
    now = datetime.now(tz=UTC)
    return Counts(
        *(
            Filter(text=text, state=state).apply(viewer, now=now).count()
            for state in (ALL, ATTENTION, REMOVED)
        )
    )


def pull_history(account: Account, *, before: datetime | None = None, size: int = HISTORY_SIZE) -> list[Pull]:
    """The pulls of an account, newest first; one more than `size` when there are older ones."""
    pulls = Pull.objects.filter(account=account)
    if before:
        pulls = pulls.filter(created_at__lt=before)
    return list(pulls.order_by("-created_at")[: size + 1])


def pull_sections(pull: Pull) -> list[PullSection]:
    """What a pull has done so far, section by section, in the order of reading."""
    return list(PullSection.objects.filter(pull=pull).order_by("began_at", "id"))


def last_examination(account: Account) -> DoctorRun | None:
    """The newest examination, whether it has ended or not."""
    return DoctorRun.objects.filter(account=account).order_by("-created_at").first()
