"""What needs attention, the worst first: each matter with its number, what it means, and the page that shows the same number."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from console.web.context import MOST_SAID, count_said, drift_said
from iam.access.escalation_groups import EscalationTotals, escalation_totals
from iam.access.grants.models import State as GrantState
from iam.access.grants.queries import ending_soon, visible_grants
from iam.access.grants.queries import narrowed as grants_in
from iam.access.sight import accounts_seen
from iam.changes.drift.effect import WEIGHTS
from iam.changes.drift.queries import open_drifts
from iam.changes.models import Change, ChangeSet, ChangeState
from iam.changes.queries import narrowed, visible_changes, waiting_for
from iam.changes.risks import CRITICAL
from iam.guard import Right, Viewer
from iam.mirror.models import Account
from iam.people.fleet.roots import Root, RootStanding, roots
from iam.people.leaving.models import Stage
from iam.people.leaving.queries import visible_leavers
from iam.people.onboarding.models import RunState
from iam.people.onboarding.queries import visible_runs
from iam.prepared import counts

UNKNOWN = "?"
IN_ALL_ACCOUNTS = "In all accounts."
"""Said on the overview of a chosen account of what is not counted account by account."""
CRITICAL_WEIGHT = WEIGHTS[CRITICAL]
"""The weight of a drift of critical risk (`Drift.weight`)."""
RANK = {"bad": 0, "warn": 1, "note": 2, "": 3}


@dataclass(frozen=True, slots=True)
class Matter:
    """One line. `number` is `?` where it is not known; `url` shows what it counts; `load` is what works it out, if that takes a while."""

    title: str
    meaning: str
    number: str
    tone: str
    url: str = ""
    load: str = ""


def matters(viewer: Viewer, *, account: Account | None, figures: list[Matter]) -> list[Matter]:
    """Those of this viewer; `figures` are what the lists of the mirror count."""
    found = [*_mirrored(viewer, account), *_waiting(viewer, account), *figures]
    return sorted(found, key=lambda matter: RANK[matter.tone])


def _mirrored(viewer: Viewer, account: Account | None) -> Iterator[Matter]:
    kept = f"?account={account.account_id}" if account else ""
    if viewer.may(Right.SEE_ACCOUNT):
        totals = escalation_totals(accounts_seen(viewer, account=_number(account)), wait=False)
        yield from escalation_matter(totals, kept)
        yield from _root_matters(roots(viewer, account=account), kept)
    if drift := drift_said(viewer, account=account):
        critical = open_drifts(viewer).filter(weight=CRITICAL_WEIGHT)
        critical = critical.filter(account=account) if account else critical
        number = critical.order_by().count()
        named = f"{number:,} critical. " if number else ""
        decides = viewer.may(Right.REQUEST_CHANGE)
        what = (
            "Accept what is right, and undo the rest." if decides else "No one has accepted or undone it yet."
        )
        yield Matter(
            "Changed outside Gatehouse",
            f"{named}{what}",
            drift,
            "bad" if number else "warn",
            f"{reverse('changes:drift')}{kept}",
        )


def escalation_matter(totals: EscalationTotals | None, kept: str) -> Iterator[Matter]:
    """Who can become administrator; nothing where no one can, and unknown where that was not worked out yet."""
    title, url = "Can become administrator", f"{reverse('access:escalation')}{kept}"
    if totals is None:
        load = f"{reverse('dashboard:escalation')}{kept}"
        yield Matter(title, "Not calculated yet.", UNKNOWN, "bad", url, load)
    elif totals.everyone.total:
        tone = "bad" if totals.confirmed.total else "warn"
        yield Matter(title, f"{totals.words}.", f"{totals.everyone.total:,}", tone, url)
    elif totals.unread:
        yield Matter(title, " ".join(totals.unread), UNKNOWN, "warn", url)


def _root_matters(found: list[Root], kept: str) -> Iterator[Matter]:
    without = sum(root.standing is RootStanding.NONE for root in found)
    unknown = sum(root.standing in (RootStanding.UNREAD, RootStanding.UNCONNECTED) for root in found)
    with_keys = sum(bool(root.keys) for root in found)
    url = f"{reverse('mfa:roots')}{kept}"
    if without:
        meaning = "A root user can do everything in its account, and no policy stops it."
        yield Matter("Root users without MFA", meaning, f"{without:,}", "bad", url)
    if with_keys:
        meaning = "Anyone with such a key can do everything in the account."
        yield Matter(
            "Root users with access keys", meaning, f"{with_keys:,}", "bad", f"{reverse('keys:roots')}{kept}"
        )
    if unknown:
        meaning = f"Not synced for {unknown:,} account{'' if unknown == 1 else 's'}."
        yield Matter("Root users whose MFA is unknown", meaning, UNKNOWN, "note", url)


@dataclass(frozen=True, slots=True)
class Countable:
    """Rows that need somebody, and how the line about them reads."""

    rows: QuerySet[Any, Any]
    title: str
    meaning: str
    tone: str
    url: str


def _waiting(viewer: Viewer, account: Account | None) -> list[Matter]:
    """What waits for people: requests, grants that end, runs that didn't finish. One query counts them all."""
    lines = _countables(viewer, account)
    numbers = counts(*(line.rows.order_by().values("pk") for line in lines), most=MOST_SAID + 1)
    return [
        Matter(line.title, line.meaning, count_said(number), line.tone, line.url)
        for line, number in zip(lines, numbers, strict=True)
        if number
    ]


def _countables(viewer: Viewer, account: Account | None) -> list[Countable]:
    """Requests and grants are those of the chosen account, as their lists narrow them; people join and leave in all accounts together."""
    changes, grants, number = reverse("changes:list"), reverse("access:grants"), _number(account)
    everywhere = f"{IN_ALL_ACCOUNTS} " if account else ""
    also, only = (f"&account={number}", f"?account={number}") if account else ("", "")
    return [
        Countable(
            visible_leavers(viewer).filter(stage__in=(Stage.OPEN, Stage.PARTLY)),
            "Offboarding not finished",
            f"{everywhere}Some access of people who left is still there.",
            "bad",
            reverse("leaving:leavers"),
        ),
        Countable(
            _requests_of(_within(visible_changes(viewer).filter(state=ChangeState.UNKNOWN), account)),
            "Requests with an unknown outcome",
            "AWS didn’t answer. Check the status in AWS, then decide.",
            "bad",
            f"{changes}?tab=unknown{also}",
        ),
        Countable(
            narrowed(waiting_for(viewer), viewer=viewer, account_id=number),
            "Requests to approve",
            "Nothing changes in AWS until you decide.",
            "warn",
            f"{reverse('changes:approvals')}{only}",
        ),
        Countable(
            visible_runs(viewer).filter(state=RunState.PARTLY),
            "Onboarding only partly done",
            f"{everywhere}Some people don’t have everything that their blueprint gives.",
            "warn",
            reverse("onboarding:runs"),
        ),
        Countable(
            grants_in(visible_grants(viewer).filter(state=GrantState.PARTLY), account_id=number),
            "Grants only partly active",
            "In some accounts the change failed.",
            "warn",
            f"{grants}?tab=partly{also}",
        ),
        Countable(
            grants_in(ending_soon(viewer), account_id=number),
            "Grants that end soon",
            "Access ends automatically. Extend what is still needed.",
            "note",
            f"{grants}?tab=soon{also}",
        ),
    ]


def _within(changes: QuerySet[Change], account: Account | None) -> QuerySet[Change]:
    return changes.filter(account=account) if account else changes


def _requests_of(changes: QuerySet[Change]) -> QuerySet[ChangeSet]:
    """The requests, which the list has a row of each."""
    return ChangeSet.objects.filter(pk__in=changes.values("change_set"))


def _number(account: Account | None) -> str:
    return account.account_id if account else ""
