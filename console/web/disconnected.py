"""The page of a disconnected account: when and by whom it was disconnected, and how to connect it again."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.defaults import page_not_found

from console.web.access import DisconnectedError, ViewerRequest, layout_for
from console.web.query import QueryPairs
from console.web.render import is_fragment, render_page
from iam.guard import Right
from iam.journal.models import Entry
from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Handle 404: show the page of a disconnected account with status 410, or the normal 404.

    Forms and fragments always get the normal 404.
    """
    is_page = request.method in ("GET", "HEAD") and not is_fragment(request)
    if not isinstance(exception, DisconnectedError) or not is_page:
        return page_not_found(request, exception)
    account, viewer = exception.account, cast(ViewerRequest, request).viewer
    may_connect = viewer.may(Right.MANAGE_ACCOUNTS, account_id=account.account_id)
    context = {
        "section": "accounts",
        "layout": layout_for(viewer),
        "account": account,
        "name": exception.name,
        "entry": _disconnected_by(account),
        "connect_url": _connect_url(account) if may_connect else "",
        "changes_url": f"{reverse('changes:list')}{QueryPairs.from_pairs([('account', account.account_id)])}",
    }
    return render_page(request, "setup/disconnected.html", context, status=HTTPStatus.GONE)


def _disconnected_by(account: Account) -> Entry | None:
    disconnections = Entry.objects.filter(kind="account.disconnect", account_id=account.account_id)
    return disconnections.order_by("-id").first()


def _connect_url(account: Account) -> str:
    """Return the address where the account is connected again, with known values filled in.

    For an account from an uploaded file this is the upload page.
    """
    if account.source == AccountSource.EXPORT:
        return reverse("setup:upload")
    known = (("account_id", account.account_id), ("name", account.name), ("partition", account.partition))
    return f"{reverse('setup:connect')}{QueryPairs.from_pairs(known)}"
