"""The overview: how many, how well protected, what waits, what is new, and how fresh it all is."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import reverse

from console.identities.details.differing import differences
from console.web.access import ViewerRequest
from console.web.asof import asof_context
from console.web.context import drift_said
from console.web.render import render_page
from iam.changes.queries import waiting_for, waiting_for_others
from iam.guard import Right
from iam.mirror.queries import overview as mirror
from iam.mirror.queries.account_pages import facts_of, readable_accounts
from iam.mirror.queries.accounts import visible_accounts
from iam.mirror.queries.figures import figures
from iam.mirror.queries.freshness import Facts, Standing, standing
from iam.mirror.queries.lists.core import Lens, Wanted, list_page
from iam.mirror.queries.lists.people import PEOPLE

NEWS, WAITING, ACCOUNTS, TEAM = 8, 5, 8, 8
ACCOUNTS_READ = 50
WORRIES = (
    ("Console password without MFA", "no-mfa", "bad"),
    ("Access keys older than 90 days", "old-keys", "warn"),
    ("Not used for 45 days", "inactive", "warn"),
    ("Console password never used", "never", "warn"),
    ("Machine users with keys", "machines", ""),
)
"""What is worth a look: the words, the view of the list of people, and the tone."""
URGENCY = {"bad": 0, "warn": 1, "info": 2, "": 3, "ok": 4}


@dataclass(frozen=True, slots=True)
class Sync:
    """An account, its facts and its state in words."""

    facts: Facts
    standing: Standing


def look_after(request: ViewerRequest) -> HttpResponse:
    """The overview of the chosen account, or of all that the viewer sees; without any account, the way to the first one."""
    viewer, number = request.viewer, request.GET.get("account", "")
    accounts = visible_accounts(viewer)
    chosen = accounts.filter(account_id=number).first() if number else None
    if chosen is None and not accounts.exists():
        context = {"section": "overview", "may_connect": viewer.may(Right.MANAGE_ACCOUNTS)}
        return render_page(request, "dashboard/empty.html", context)
    whole = viewer.scope.sees_account(number) if chosen else viewer.may(Right.SEE_ACCOUNT)
    asof = asof_context(request, account=chosen)
    lens = Lens(viewer=viewer, at=request.at, account=chosen)
    news = mirror.news(lens, limit=NEWS)
    context = {
        "section": "overview",
        "chosen": chosen,
        "sees_accounts": whole,
        "news": differences(news, viewer=viewer, with_nouns=True),
        **asof,
        **_numbers(lens),
        **(
            _waiting(request)
            | _sync(request, chosen_pk=chosen.pk if chosen else None)
            | {"drift": drift_said(viewer, account=chosen)}
            if lens.at is None
            else {}
        ),
    }
    if not whole:
        context["team"] = list_page(PEOPLE, lens, Wanted()).rows[:TEAM]
    return render_page(request, "dashboard/overview.html", context)


def _numbers(lens: Lens) -> dict[str, Any]:
    numbers = figures(lens)
    people, mfa = numbers.of("people"), Counter(numbers.of("mfa"))
    mfa["unread"] += mfa.pop("unknown", 0)
    known = mfa.total() - mfa["unread"]
    covered = known - mfa["none"]
    return {
        "people": people,
        "totals": Counter(numbers.values),
        "uncounted": numbers.uncounted,
        "mfa": mfa,
        "share": {name: round(100 * number / known, 1) if known else 0 for name, number in mfa.items()},
        "covered": covered,
        "with_password": known,
        # Nobody should read 100 % while one is missing.
        "coverage": 100 * covered // known if known else None,
        "worries": [
            # Views that rest on last use are of today only: their numbers were kept, their rows were not.
            (label, view if view in PEOPLE.tabs_for(lens) else "", people[view], tone)
            for label, view, tone in WORRIES
            if view in people
        ],
    }


def _waiting(request: ViewerRequest) -> dict[str, Any]:
    """What waits for this viewer's decision, or else for somebody's: rules may ask administrators and team leads as well."""
    found = list(waiting_for(request.viewer)[: WAITING + 1])
    mine = bool(found) or request.viewer.may(Right.APPROVE_CHANGE)
    if not mine:
        found = list(waiting_for_others(request.viewer)[: WAITING + 1])
    return {
        "waits_for_me": mine,
        "waiting": found[:WAITING],
        "waiting_more": len(found) > WAITING,
        "waiting_url": reverse("changes:approvals") if mine else f"{reverse('changes:list')}?tab=waiting",
        "asks": request.viewer.may(Right.REQUEST_CHANGE),
    }


def _sync(request: ViewerRequest, *, chosen_pk: int | None) -> dict[str, Any]:
    """The accounts by name, the chosen one or the first few; those that need a look come first."""
    if not request.viewer.may(Right.SEE_ACCOUNT):
        return {}
    accounts = readable_accounts(request.viewer)
    total = accounts.count()
    shown = accounts.filter(pk=chosen_pk) if chosen_pk else accounts.order_by("name", "id")
    rows = [
        Sync(facts, standing(facts))
        for facts in facts_of(list(shown.values_list("pk", flat=True)[:ACCOUNTS_READ]))
    ]
    rows.sort(key=lambda row: URGENCY.get(row.standing.tone, 3))
    return {"sync": rows[:ACCOUNTS], "accounts": total, "sync_more": total > min(len(rows), ACCOUNTS)}
