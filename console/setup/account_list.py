"""The list of accounts: freshness by section, and which accounts need attention."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from console.setup.account_rows import ListedAccount, RowAddresses, account_row
from console.setup.pages import setup_page
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from console.web.asof import asof_context
from console.web.known_facts import PartialCount
from console.web.page_cursors import place_in, word_of
from console.web.render import is_fragment
from iam.guard import Right
from iam.mirror.accounts.read_all import read_all
from iam.mirror.pull.sections import ALL as SECTIONS
from iam.mirror.pull.sections import LABELS
from iam.mirror.queries.account_facts import facts_of
from iam.mirror.queries.account_lists import (
    ALL,
    ATTENTION,
    REMOVED,
    AccountFilter,
    account_counts,
    account_page,
    readable_accounts,
)
from iam.mirror.queries.setup import own_drafts

_LIVE_ROWS = 50


@require_safe
@require(Right.SEE_ACCOUNT)
def accounts(request: ViewerRequest) -> HttpResponse:
    """List all accounts that the viewer sees whole, now or at a past moment."""
    states = {ALL, ATTENTION} if request.at else {ALL, ATTENTION, REMOVED}
    state = choice(request, "state", states, default=ALL)
    wanted = AccountFilter(text=request.GET.get("q", "")[:200], state=state)
    page = account_page(
        request.viewer,
        wanted,
        at=request.at,
        after=place_in(request, "after"),
        before=place_in(request, "before"),
    )
    addresses = RowAddresses.of(request)
    rows = [account_row(facts, addresses) for facts in page.rows]
    counts = account_counts(request.viewer, text=wanted.text, at=request.at)
    context = asof_context(request) | {
        "at": request.at,
        "rows": rows,
        "wanted": wanted,
        "counts": counts,
        "attention": PartialCount(counts.attention, is_whole=not counts.unsynced),
        "before": word_of(page.before),
        "after": word_of(page.after),
        "labels": ", ".join(_lowered(LABELS[name]) for name in SECTIONS),
        "live": _accounts_being_read(rows),
        "swap_counts": is_fragment(request),
    }
    if not is_fragment(request) and not request.at and request.viewer.may(Right.MANAGE_ACCOUNTS):
        context["drafts"] = len(own_drafts(request.viewer))
    return setup_page(request, "accounts.html", context, partial="table")


def _accounts_being_read(rows: list[ListedAccount]) -> str:
    """Return the accounts of the page that are being synced, for the next poll."""
    return ",".join(row.number for row in rows if row.is_active)


def _lowered(label: str) -> str:
    """Return the label for use within a sentence; names such as CloudTrail and SSH stay unchanged."""
    first_word = label.split()[0]
    return label if first_word[1:] != first_word[1:].lower() else label[:1].lower() + label[1:]


@require_safe
@require(Right.SEE_ACCOUNT)
def live_rows(request: ViewerRequest) -> HttpResponse:
    """Answer the polling list with out-of-band updates of the accounts in the address; status 286 ends the
    polling.

    Without htmx, redirect to the whole list.
    """
    if not is_fragment(request):
        return redirect("setup:accounts")
    numbers = request.GET.get("live", "").split(",")[:_LIVE_ROWS]
    ids = readable_accounts(request.viewer).filter(account_id__in=numbers).values_list("id", flat=True)
    addresses = RowAddresses.of(request)
    rows = [account_row(facts, addresses) for facts in facts_of(list(ids))]
    live = _accounts_being_read(rows)
    status = 200 if live else 286
    return setup_page(request, "live_rows.html", {"rows": rows, "live": live}, status=status)


@require_POST
@require(Right.MANAGE_ACCOUNTS)
def read_all_now(request: ViewerRequest) -> HttpResponse:
    """Request a sync of every account that the viewer manages."""
    count = read_all(readable_accounts(request.viewer), actor=request.viewer)
    if count == 0:
        messages.warning(request, "No account to sync.")
    elif count == 1:
        messages.success(request, "1 account is being synced.")
    else:
        messages.success(request, f"{count} accounts are being synced, a few at a time.")
    return redirect("setup:accounts")
