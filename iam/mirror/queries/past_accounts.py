"""The accounts at a past time: which were connected, and how fresh each was, derived from the pulls that had
ended by then.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, TextField
from django.db.models.functions import Cast, Coalesce
from django.db.models.lookups import In, LessThan

from iam.journal.models import Entry
from iam.mirror.accounts.validation import INTERVALS
from iam.mirror.models import (
    NEVER,
    Account,
    AccountFact,
    Edge,
    EdgeKind,
    EntityState,
    Kind,
    Pull,
    PullSection,
    Section,
    SectionState,
    valid_at,
)
from iam.mirror.models.accounts import PULLS_KEPT, UPLOAD, PullState
from iam.mirror.pull.progress import NOT_APPLIED
from iam.mirror.pull.sections import ALL, USERS
from iam.mirror.queries.freshness import patience

LEFT, CAME = "account.disconnect", ("account.connect", "account.import")
_BAD_PULL = (PullState.PARTIAL, PullState.HELD, PullState.FAILED)
_LOADED = (PullState.COMPLETE, PullState.PARTIAL, PullState.HELD)


def connected_at(at: datetime) -> Q:
    """Return the condition for accounts connected at a time, and those with an uploaded file
    about that time.
    """
    pulls_ahead = Pull.objects.filter(ahead(at), account=OuterRef("pk"))
    begun = Q(created_at__lte=at) | Q(Exists(pulls_ahead))
    return begun & ~(Q(removed_at__lte=at) | Q(account_id__in=_away(at)))


def was_connected(account: Account, *, at: datetime) -> bool:
    """Return True if an account was connected at a time, or has an uploaded file about that time."""
    return Account.objects.filter(connected_at(at), pk=account.pk).exists()


def _away(at: datetime) -> QuerySet[Entry, Any]:
    """Return the IDs of accounts that were disconnected at a time, according to the journal."""
    back = Entry.objects.filter(
        account_id=OuterRef("account_id"), id__gt=OuterRef("id"), kind__in=CAME, at__lte=at
    )
    return Entry.objects.filter(~Exists(back), kind=LEFT, at__lte=at).values("account_id")


def ahead(at: datetime, *, prefix: str = "") -> Q:
    """Return the condition for later pulls with data about the time: uploads of an older file."""
    conditions = {"trigger": UPLOAD, "began_at__lte": at, "created_at__gt": at, "state__in": _LOADED}
    return Q(**{f"{prefix}{name}": value for name, value in conditions.items()})


def by_then(at: datetime, *, prefix: str = "") -> Q:
    """Return the condition for pulls requested by then."""
    return Q(**{f"{prefix}created_at__lte": at})


def _last_pull(at: datetime, column: str, *, stopped: bool = False) -> Coalesce:
    """Return a column of the last pull that had ended. Stopped pulls are only included on request."""
    pulls = Pull.objects.filter(account=OuterRef("pk"))
    uploads = pulls.filter(ahead(at)).order_by("-began_at")
    ended = pulls.filter(by_then(at), ended_at__lte=at)
    ended = ended if stopped else ended.exclude(state=PullState.CANCELLED)
    return Coalesce(
        Subquery(uploads.values(column)[:1]), Subquery(ended.order_by("-created_at").values(column)[:1])
    )


def with_last_pull(accounts: QuerySet[Account], *, at: datetime) -> QuerySet[Account]:
    """Return accounts annotated with `last_state`, `last_message` and `last_trigger` of the last pull by
    then, its id as `newest` (possibly a stopped one), and `unit`, the organizational unit then.
    """
    state = EntityState.objects.filter(valid_at(at), entity=OuterRef("unit_id"))
    return accounts.annotate(
        last_state=_last_pull(at, "state"),
        last_message=_last_pull(at, "message"),
        last_trigger=_last_pull(at, "trigger"),
        newest=_last_pull(at, "pk", stopped=True),
        unit_id=Subquery(_units_of_account(at).values("target")[:1]),
    ).annotate(unit=Subquery(state.values("name")[:1]))


def _units_of_account(at: datetime) -> QuerySet[Edge]:
    """Return the edges from the outer query's account to its units."""
    return Edge.objects.filter(
        valid_at(at),
        kind=EdgeKind.PARENT,
        source__kind=Kind.ORG_ACCOUNT,
        source__aws_id=OuterRef("account_id"),
    )


def called_then(word: str, *, at: datetime) -> Q:
    """Return the condition for accounts whose alias or unit at the time contains the word."""
    aliases = AccountFact.objects.filter(valid_at(at), account=OuterRef("pk"), name="alias")
    aliases = aliases.annotate(text=Cast("value", TextField()))
    has_alias = Exists(aliases.filter(text__icontains=word))

    units = EntityState.objects.filter(valid_at(at), name__icontains=word, kind=Kind.ORG_UNIT)
    is_called_so = Q(target__aws_id__icontains=word) | Q(target__in=units.values("entity"))
    is_in_unit = Exists(_units_of_account(at).filter(is_called_so))
    return Q(has_alias) | Q(is_in_unit)


def unsure_until(at: datetime) -> datetime:
    """Return the last time at which there may have been a sync that was deleted because it found
    no changes.
    """
    return min(at, datetime.now(tz=UTC) - PULLS_KEPT)


def needed_attention(at: datetime) -> Q:
    """Return the condition for accounts whose last pull by then failed, was incomplete or on hold, or whose
    data was certainly old.
    """
    bad = Q(In(_last_pull(at, "state"), _BAD_PULL))
    return (bad | _was_old(at)) & ~Q(In(_last_pull(at, "trigger"), [UPLOAD]))


def _was_old(at: datetime) -> Q:
    """Return the condition for old data, by the last complete sync of users and today's schedule."""
    read = PullSection.objects.filter(
        by_then(at, prefix="pull__"), pull__account=OuterRef("pk"), name=USERS, state=SectionState.COMPLETE
    ).filter(ended_at__lte=at)
    last = Subquery(read.order_by("-pull__created_at").values("observed_at")[:1])
    old = Q(pk__in=[])
    for minutes in (None, *INTERVALS):
        since = at - patience(minutes)
        if unsure_until(at) < since:
            schedule: dict[str, Any] = {"pull_every": minutes} if minutes else {"pull_every__isnull": True}
            old |= Q(LessThan(last, since), **schedule)
    return old


def sections_at(newest: Mapping[int, UUID | None], *, at: datetime) -> dict[int, dict[str, Section]]:
    """Return the freshness of each section at a time, by account and name, as unsaved rows. `newest` is the
    last pull of each account.

    One query, and a second one for what that pull didn't read completely. What a pull had not applied when it
    ended counts as not read.
    """
    whole = PullSection.objects.filter(
        pull__in=[pk for pk in newest.values() if pk], state=SectionState.COMPLETE
    )
    by_account: dict[int, dict[str, Section]] = {pk: {} for pk in newest}
    for account, name, observed_at, count in whole.values_list(
        "pull__account_id", "name", "observed_at", "count"
    ):
        by_account[account][name] = Section(
            name=name, state=SectionState.COMPLETE, observed_at=observed_at, count=count
        )
    missing = Q(pk__in=[])
    for pk, sections in by_account.items():
        if newest[pk] and (names := [name for name in ALL if name not in sections]):
            missing |= Q(account=pk, name__in=names)
    if missing != Q(pk__in=[]):
        for row in _not_whole(missing, at=at):
            by_account[row["account_id"]][row["name"]] = _section(row)
    return by_account


def _not_whole(which: Q, *, at: datetime) -> Iterable[Mapping[str, Any]]:
    """Yield what had been read of each attempted section."""
    rows = PullSection.objects.filter(pull__account=OuterRef("account"), name=OuterRef("name"))
    rows = rows.exclude(message=NOT_APPLIED)
    ended = rows.filter(by_then(at, prefix="pull__"), ended_at__lte=at)
    uploads = rows.filter(ahead(at, prefix="pull__"))

    def last(column: str, **state: str) -> Coalesce:
        return Coalesce(
            Subquery(uploads.filter(**state).order_by("-pull__began_at").values(column)[:1]),
            Subquery(ended.filter(**state).order_by("-pull__created_at").values(column)[:1]),
        )

    whole = {"state": SectionState.COMPLETE.value}
    since = ended.filter(pull__created_at__gt=Coalesce(OuterRef("whole_at"), NEVER))
    return (
        Section.objects.filter(which)
        .annotate(
            was=last("state"),
            said=last("message"),
            lacked=last("permission"),
            whole_at=last("pull__created_at", **whole),
            seen_at=last("observed_at", **whole),
            counted=last("count", **whole),
        )
        .annotate(since=Subquery(since.order_by("pull__created_at").values("began_at")[:1]))
        .filter(was__isnull=False)
        .values("account_id", "name", "was", "said", "lacked", "seen_at", "counted", "since")
    )


def _section(row: Mapping[str, Any]) -> Section:
    bad_since = None if row["was"] == SectionState.COMPLETE else row["since"]
    return Section(
        name=row["name"],
        state=row["was"],
        observed_at=row["seen_at"],
        bad_since=bad_since,
        count=row["counted"] or 0,
        permission=row["lacked"],
        message=row["said"],
    )


def facts_at(ids: Collection[int], *, at: datetime) -> dict[int, dict[str, Any]]:
    """Return alias and stored figures of accounts, with one query."""
    rows = AccountFact.objects.filter(valid_at(at), account__in=ids, name__in=("alias", "numbers"))
    facts: dict[int, dict[str, Any]] = defaultdict(dict)
    for pk, name, value in rows.values_list("account_id", "name", "value"):
        facts[pk][name] = value
    return facts
