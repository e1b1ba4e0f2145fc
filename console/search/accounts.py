"""Finds accounts by name and by ID, with or without hyphens."""

from __future__ import annotations

from typing import Final

from django.db.models import Q
from django.urls import reverse

from console.search.results import FirstResults, SearchResult
from iam.guard import Viewer
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts
from iam.search_words import matches

MAX_ACCOUNTS: Final = 5
DIGITS: Final = 12


def account_named(viewer: Viewer, text: str) -> Account | None:
    """Return the account whose complete ID is the text."""
    number = text.replace("-", "").replace(" ", "")
    if not viewer.sees_accounts or len(number) != DIGITS or not number.isdecimal():
        return None
    return visible_accounts(viewer).filter(account_id=number).first()


def account_results(viewer: Viewer, text: str) -> FirstResults:
    """Return accounts whose name contains the text, or whose ID starts with it."""
    if not viewer.sees_accounts or len(text) < 2:
        return FirstResults([], 0)
    matching = matches(text, "name")
    number = text.replace("-", "")
    if number.isdecimal():
        matching |= Q(account_id__startswith=number)
    rows = visible_accounts(viewer).filter(matching).order_by("name", "pk")
    results = [
        SearchResult(
            title=account.name,
            url=reverse("setup:account", args=[account.account_id]),
            icon="cloud",
            kind="Account",
            detail=account.display_id,
        )
        for account in rows[:MAX_ACCOUNTS]
    ]
    total = len(results) if len(results) < MAX_ACCOUNTS else rows.count()
    return FirstResults(results, total)
