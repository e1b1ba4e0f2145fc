"""The page that shows for which periods activity is known, by account and Region."""

from __future__ import annotations

from itertools import groupby
from operator import attrgetter
from typing import Any

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.activity.sources.coverage import PlaceCoverage, coverage
from iam.guard import Right
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts


@require_safe
@require(Right.SEE_ACCOUNT)
def coverage_page(request: ViewerRequest) -> HttpResponse:
    """Show each visible account with its Regions; accounts without events come last."""
    accounts = list(visible_accounts(request.viewer).order_by("name"))
    context = {
        "accounts": accounts_covered(accounts),
        "section": "coverage",
        "may_manage": request.viewer.may(Right.MANAGE_ACCOUNTS, account_id=""),
    }
    return render_page(request, "activity/coverage.html", context)


def accounts_covered(accounts: list[Account]) -> list[tuple[Account, list[PlaceCoverage]]]:
    """Return the accounts with their coverage, those with events first."""
    places = coverage([account.account_id for account in accounts])
    by_account = {number: list(group) for number, group in groupby(places, attrgetter("account_id"))}
    rows = [(account, by_account.get(account.account_id, [])) for account in accounts]
    return sorted(rows, key=_is_unknown)


def _is_unknown(row: tuple[Any, list[PlaceCoverage]]) -> bool:
    return not row[1]
