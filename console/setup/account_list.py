"""The list of accounts: how fresh each is, section by section, and which need attention."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from console.setup.account_rows import ListedAccount, RowAddresses, account_row
from console.setup.pages import setup_page
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
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
    """All accounts that the viewer sees whole, now or as they were."""
    state = request.GET.get("state", ALL)
    states = {ATTENTION} if request.at else {ATTENTION, REMOVED}
    known_state = state if state in states else ALL
    wanted = AccountFilter(text=request.GET.get("q", "")[:200], state=known_state)
    page = account_page(
        request.viewer,
        wanted,
        at=request.at,
        after=place_in(request, "after"),
        before=place_in(request, "before"),
    )
    addresses = RowAddresses.of(request)
    rows = [account_row(facts, addresses) for facts in page.rows]
    context = asof_context(request) | {
        "at": request.at,
        "rows": rows,
        "wanted": wanted,
        "counts": account_counts(request.viewer, text=wanted.text, at=request.at),
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
    """The accounts of the page that are being read, for the next question of the page."""
    return ",".join(row.number for row in rows if row.is_active)


def _lowered(label: str) -> str:
    """The label within a sentence: names such as CloudTrail and SSH stay as they are."""
    first_word = label.split()[0]
    return label if first_word[1:] != first_word[1:].lower() else label[:1].lower() + label[1:]


@require_safe
@require(Right.SEE_ACCOUNT)
def live_rows(request: ViewerRequest) -> HttpResponse:
    """How far the accounts named in the address are: their strips and states, put in place out of band; 286
    when none is read.

    Without htmx: the whole list.
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
    """Have every account read that the viewer manages."""
    count = read_all(readable_accounts(request.viewer), actor=request.viewer)
    if count == 0:
        messages.warning(request, "No account to sync.")
    elif count == 1:
        messages.success(request, "1 account is being synced.")
    else:
        messages.success(request, f"{count} accounts are being synced, a few at a time.")
    return redirect("setup:accounts")
