"""The list of accounts and the page of one: a constant number of queries, whatever the number of accounts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from django.db.models import (
    BigAutoField,
    Case,
    Count,
    DateTimeField,
    Exists,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.base import ModelState
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from iam import keyset
from iam.compiled_queries import SCOPES_KEPT, CompiledQuery, Param, columns, instance
from iam.guard import Scope, Viewer
from iam.mirror.accounts.validation import INTERVALS
from iam.mirror.models import Account, Pull, PullSection, Section, SectionState
from iam.mirror.models.accounts import ACTIVE_PULL, UPLOAD, PullState, Source
from iam.mirror.models.setup import DoctorRun
from iam.mirror.pull.sections import AUTHORIZATION, ROLES, USERS
from iam.mirror.queries.accounts import COLUMNS
from iam.mirror.queries.figures import identities_of, with_kept_figures
from iam.mirror.queries.freshness import FreshnessFacts, patience
from iam.mirror.queries.past_accounts import (
    ahead,
    by_then,
    called_then,
    connected_at,
    facts_at,
    needed_attention,
    sections_at,
    unsure_until,
    with_last_pull,
)
from iam.search_words import matches

PAGE_SIZE = 50
HISTORY_SIZE = 20
ORDER = keyset.Order("sort", "id")
ALL, ATTENTION, REMOVED = "", "attention", "disconnected"
_BAD = (SectionState.DENIED, SectionState.HELD, SectionState.PARTIAL, SectionState.FAILED)


def readable_accounts(viewer: Viewer) -> QuerySet[Account]:
    """The connected accounts whose whole content the viewer sees."""
    return _scoped(viewer).filter(removed_at__isnull=True)


def accounts_by_need(viewer: Viewer, *, account: Account | None = None) -> list[tuple[int, bool]]:
    """The `readable_accounts` by id, or one of them, each with whether it needs attention: those first, then
    by name. One query.
    """
    wanted = account.pk if account else 0
    by_need = _by_need(viewer.scope, is_one=account is not None)
    return [(pk, bool(needs)) for pk, needs in by_need.rows(account=wanted, **_oldest_by_slot())]


@lru_cache(maxsize=SCOPES_KEPT)
def _by_need(scope: Scope, *, is_one: bool) -> CompiledQuery:
    accounts = _accounts_in_scope(scope).filter(removed_at__isnull=True)
    if is_one:
        accounts = accounts.filter(pk=Param("account", BigAutoField()))
    annotated = accounts.annotate(needs=Case(When(_needs_attention(_oldest_slot), then=1), default=0))
    by_need = annotated.order_by("-needs", "name", "id")
    return CompiledQuery(lambda: by_need.values_list("pk", "needs"))


def _oldest_by_slot() -> dict[str, datetime]:
    now = datetime.now(tz=UTC)
    return {_slot_name(minutes): now - patience(minutes) for minutes in (None, *INTERVALS)}


def _oldest_slot(minutes: int | None) -> Param:
    return Param(_slot_name(minutes), DateTimeField())


def _slot_name(minutes: int | None) -> str:
    return f"oldest_{minutes or 0}"


def _scoped(viewer: Viewer) -> QuerySet[Account]:
    return _accounts_in_scope(viewer.scope)


def _accounts_in_scope(scope: Scope) -> QuerySet[Account]:
    accounts = Account.objects.all()
    return accounts if scope.accounts is None else accounts.filter(account_id__in=scope.accounts)


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """What the list is narrowed to: words in name, alias, number or unit; and a state."""

    text: str = ""
    state: str = ALL

    def apply(self, viewer: Viewer, *, at: datetime | None = None) -> QuerySet[Account]:
        """The accounts that match, in no order; of a past moment those that were connected then."""
        accounts = _scoped(viewer).filter(_in_state(self.state, at))
        return accounts.filter(_matching(self.text, at)) if self.text.strip() else accounts


def _in_state(state: str, at: datetime | None) -> Q:
    if at is not None:
        return connected_at(at) & needed_attention(at) if state == ATTENTION else connected_at(at)
    if state == REMOVED:
        return Q(removed_at__isnull=False)
    here = Q(removed_at__isnull=True)
    return here & needs_attention(datetime.now(tz=UTC)) if state == ATTENTION else here


def _matching(text: str, at: datetime | None) -> Q:
    words = text.split()
    digits = "".join(words).replace("-", "")
    number = Q(account_id__contains=digits) if digits.isdecimal() else Q(pk__in=[])
    condition = Q()
    for word in words:
        called = called_then(word, at=at) if at else matches(word, "alias", "organization_path")
        condition &= matches(word, "name") | called
    return condition | number


def needs_attention(now: datetime) -> Q:
    """Accounts with a section that was denied, held back or not read whole; that cannot be read; or that are
    old.
    """
    return _needs_attention(lambda minutes: now - patience(minutes))


def _needs_attention(oldest: Callable[[int | None], Any]) -> Q:
    """`oldest` gives the moment before which a reading is old, by the minutes between the syncs of its
    account (None: the default).
    """
    sections = Section.objects.filter(account=OuterRef("pk"))
    is_bad = Exists(sections.filter(state__in=_BAD))
    is_old = Exists(sections.filter(name=USERS).filter(_old(oldest)))
    pulls = Pull.objects.filter(account=OuterRef("pk")).order_by("-created_at")
    has_failed = Exact(Subquery(pulls.values("state")[:1]), Value(PullState.FAILED))
    is_connected = ~Q(source=Source.EXPORT)
    return is_connected & (Q(is_bad) | Q(is_old) | Q(has_failed))


def _old(oldest: Callable[[int | None], Any]) -> Q:
    old = Q(account__pull_every__isnull=True, observed_at__lt=oldest(None))
    for minutes in INTERVALS:
        old |= Q(account__pull_every=minutes, observed_at__lt=oldest(minutes))
    return old


@dataclass(frozen=True, slots=True)
class AccountPage:
    """One page of accounts, with the places before and after it."""

    rows: list[FreshnessFacts]
    before: keyset.KeysetPlace | None
    after: keyset.KeysetPlace | None


def account_page(
    viewer: Viewer,
    wanted: AccountFilter,
    *,
    at: datetime | None = None,
    after: keyset.KeysetPlace | None = None,
    before: keyset.KeysetPlace | None = None,
    size: int = PAGE_SIZE,
) -> AccountPage:
    """Accounts by name with all that their freshness follows from, now or at a moment: three queries, or four
    of the past.
    """
    accounts = _with_last_pull(wanted.apply(viewer, at=at), at=at).annotate(sort=Lower("name"))
    account_slice = keyset.page(accounts, order=ORDER, size=size, after=after, before=before)
    return AccountPage(
        rows=_facts(account_slice.rows, at=at), before=account_slice.before, after=account_slice.after
    )


def facts_of(
    ids: list[int], *, at: datetime | None = None, for_standing: bool = False
) -> list[FreshnessFacts]:
    """The facts of accounts in the given order: three queries, four of the past; `for_standing` without what
    it does not need.
    """
    then = with_last_pull(Account.objects.filter(pk__in=ids), at=at) if at else ()
    by_id = {account.pk: account for account in then} if at else _by_id(ids)
    return _facts([by_id[pk] for pk in ids if pk in by_id], at=at, for_standing=for_standing)


_EXTRA: Final = ("last_state", "last_message", "kept_values", "kept_at")
"""What `_with_last_pull` adds to an account."""


def _by_id(ids: list[int]) -> dict[int, Any]:
    values_by_id = {}
    for row in _accounts(len(ids)).rows(**_filled(ids)) if ids else ():
        account = instance(Account, row[len(_EXTRA) :])
        for name, value in zip(_EXTRA, row, strict=False):
            setattr(account, name, value)
        values_by_id[account.pk] = account
    return values_by_id


@lru_cache
def _accounts(number: int) -> CompiledQuery:
    accounts = _with_last_pull(Account.objects.filter(pk__in=_slots(number)), at=None)
    return CompiledQuery(lambda: accounts.values_list(*_EXTRA, *COLUMNS))


def _slots(number: int) -> list[Any]:
    """The ids of so many accounts in a statement that is kept."""
    return [Param(f"id{place}", BigAutoField()) for place in range(number)]


def _filled(ids: list[int]) -> dict[str, int]:
    return {f"id{place}": pk for place, pk in enumerate(ids)}


def _with_last_pull(accounts: QuerySet[Account], *, at: datetime | None) -> QuerySet[Account]:
    if at is not None:
        return with_last_pull(accounts, at=at)
    last = Pull.objects.filter(account=OuterRef("pk")).order_by("-created_at")
    return with_kept_figures(accounts).annotate(
        last_state=Subquery(last.values("state")[:1]), last_message=Subquery(last.values("message")[:1])
    )


def _facts(accounts: list[Any], *, at: datetime | None, for_standing: bool = False) -> list[FreshnessFacts]:
    ids = [account.pk for account in accounts]
    if at is not None:
        return _facts_then(accounts, ids, at=at)
    sections: dict[int, dict[str, Section]] = defaultdict(dict)
    for row in _sections(len(ids), for_standing).rows(**_filled(ids)) if ids else ():
        section = _section(row)
        sections[section.account_id][section.name] = section
    pulls, reading = _active(ids)
    now = datetime.now(tz=UTC)
    identities = {} if for_standing else identities_of(accounts)
    facts = []
    for account in accounts:
        own = sections[account.pk]
        known_identities = identities.get(account.pk) if _has_identities(own) else None
        facts.append(
            FreshnessFacts(
                account=account,
                sections=own,
                pull=pulls.get(account.pk),
                reading=reading[account.pk],
                last_state=account.last_state,
                last_message=account.last_message or "",
                alias=account.alias,
                identities=known_identities,
                now=now,
            )
        )
    return facts


def _active(ids: list[int]) -> tuple[dict[int, Pull], dict[int, set[str]]]:
    """The pulls that wait or run, and the sections that are being read: one query."""
    pulls: dict[int, Pull] = {}
    reading: dict[int, set[str]] = defaultdict(set)
    for part, *values in _active_pulls(len(ids)).rows(**_filled(ids)) if ids else ():
        pull = instance(Pull, values)
        pulls[pull.account_id] = pull
        if part:
            reading[pull.account_id].add(part)
    return pulls, reading


@lru_cache
def _sections(number: int, for_standing: bool) -> CompiledQuery:
    sections = Section.objects.filter(account__pk__in=_slots(number))
    if for_standing:
        sections = sections.filter(Q(name__in=AUTHORIZATION) | Q(state__in=_BAD))
    return CompiledQuery(lambda: sections.values_list(*(columns(Section) if number == 1 else _OF_LISTS)))


_OF_LISTS: Final = ("id", "account_id", "name", "state", "observed_at", "permission", "message")
"""What lists show of a section. To read a date takes longer than a text, and fifty accounts have a thousand
sections with four of them.
"""


def _section(row: Sequence[Any]) -> Section:
    if len(row) != len(_OF_LISTS):
        return instance(Section, row)
    # For a thousand sections, `from_db` took an eighth of the time of the whole page.
    section = Section.__new__(Section)
    section.__dict__.update(zip(_OF_LISTS, row, strict=True), _state=ModelState())
    return section


@lru_cache
def _active_pulls(number: int) -> CompiledQuery:
    being_read = FilteredRelation("sections", condition=Q(sections__state=SectionState.READING))
    pulls = Pull.objects.filter(ACTIVE_PULL, account__pk__in=_slots(number)).annotate(being_read=being_read)
    return CompiledQuery(
        lambda: pulls.annotate(part=F("being_read__name")).values_list("part", *columns(Pull))
    )


def _facts_then(accounts: list[Any], ids: list[int], *, at: datetime) -> list[FreshnessFacts]:
    sections = sections_at({account.pk: account.newest for account in accounts}, at=at)
    known = facts_at(ids, at=at)
    return [
        FreshnessFacts(
            account=account,
            sections=sections[account.pk],
            last_state=account.last_state,
            last_message=account.last_message or "",
            now=at,
            is_past=True,
            was_uploaded=account.last_trigger == UPLOAD,
            alias=known[account.pk].get("alias") or "",
            unit=account.unit or "",
            identities=_identities_then(known[account.pk].get("numbers"), sections[account.pk]),
            unsure_until=unsure_until(at),
        )
        for account in accounts
    ]


def _has_identities(sections: dict[str, Section]) -> bool:
    """True if IAM users and roles were synced, at least in part."""
    identity_sections = [sections[name] for name in (USERS, ROLES) if name in sections]
    return any(
        section.observed_at is not None or section.state == SectionState.PARTIAL
        for section in identity_sections
    )


def _identities_then(kept: dict[str, int] | None, sections: dict[str, Section]) -> int | None:
    """How many IAM users and roles an account had: as counted then, or else as its last sync had found
    them.
    """
    if kept and "people.all" in kept:
        return kept["people.all"] + kept.get("roles", 0)
    if not _has_identities(sections):
        return None
    return sum(sections[name].count for name in (USERS, ROLES) if name in sections)


@dataclass(frozen=True, slots=True)
class TabCounts:
    """How many accounts each tab of the list holds; of a past moment how many have been connected and
    disconnected since.
    """

    all: int
    attention: int
    removed: int = 0
    come: int = 0
    gone: int = 0


def account_counts(viewer: Viewer, *, text: str = "", at: datetime | None = None) -> TabCounts:
    """All counts in one query."""
    if at is None and not text.strip():
        rows = _counts_now(viewer.scope).rows(**_oldest_by_slot())
        return TabCounts(*rows[0]) if rows else TabCounts(all=0, attention=0)
    accounts = _scoped(viewer)
    if text.strip():
        accounts = accounts.filter(_matching(text, at))
    here = Q(removed_at__isnull=True)
    wanted = {"all": _in_state(ALL, at), "attention": _in_state(ATTENTION, at)}
    if at is None:
        wanted["removed"] = ~here
    else:
        wanted |= {"come": here & ~connected_at(at), "gone": connected_at(at) & ~here}
    return TabCounts(
        **accounts.aggregate(**{name: Count("pk", filter=which) for name, which in wanted.items()})
    )


@lru_cache(maxsize=SCOPES_KEPT)
def _counts_now(scope: Scope) -> CompiledQuery:
    """One row: all, attention, removed."""
    here = Q(removed_at__isnull=True)
    counts = {
        "all": Count("pk", filter=here),
        "attention": Count("pk", filter=here & _needs_attention(_oldest_slot)),
        "removed": Count("pk", filter=~here),
    }
    together = _accounts_in_scope(scope).order_by().annotate(group=Value(1)).values("group")
    return CompiledQuery(lambda: together.annotate(**counts).values_list(*counts))


def pull_history(
    account: Account,
    *,
    before: datetime | None = None,
    at: datetime | None = None,
    size: int = HISTORY_SIZE,
) -> list[Pull]:
    """The pulls of an account, newest first; one more than `size` when there are older ones.

    Of a past moment, those that had begun by then, one that had not ended as it was while it ran; and uploads
    of files that tell of it.
    """
    pulls = Pull.objects.filter(account=account)
    if before:
        pulls = pulls.filter(created_at__lt=before)
    if at is None:
        return list(pulls.order_by("-created_at")[: size + 1])
    known = list(pulls.filter(by_then(at) | ahead(at)).order_by("-created_at")[: size + 1])
    return [_as_known(pull, at) for pull in known]


def _as_known(pull: Pull, at: datetime) -> Pull:
    """What was known of a pull at the moment: one that still ran has no end yet; never to be saved."""
    has_ended = pull.ended_at is not None and pull.ended_at <= at
    if has_ended or pull.trigger == UPLOAD:
        return pull
    return Pull(
        pk=pull.pk,
        account_id=pull.account_id,
        state=PullState.RUNNING,
        trigger=pull.trigger,
        requested_by=pull.requested_by,
        created_at=pull.created_at,
        began_at=pull.began_at,
    )


def pull_sections(pull: Pull) -> list[PullSection]:
    """What a pull has done so far, section by section, in the order of reading."""
    return list(PullSection.objects.filter(pull=pull).order_by("began_at", "id"))


def last_examination(account: Account) -> DoctorRun | None:
    """The newest examination, whether it has ended or not."""
    return DoctorRun.objects.filter(account=account).order_by("-created_at").first()
