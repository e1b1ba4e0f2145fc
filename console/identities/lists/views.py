"""Views of a list page and its export, shared by all lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from console.identities.lists import export
from console.identities.lists.list_address import ListAddress, read
from console.identities.lists.presenters import gap_notes, head, table
from console.identities.lists.spec import ListPage
from console.web.access import ViewerRequest, require
from console.web.address_choices import problems_of
from console.web.asof import asof_context
from console.web.context import frame_of
from console.web.files import FORMS
from console.web.page_cursors import place_pairs
from console.web.render import is_fragment, render_page
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.queries.figures import list_counts
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.core import list_page
from iam.mirror.queries.lists.freshness import SyncGaps, gaps, unsynced_sections


def list_views(
    page: ListPage, *rights: Right
) -> tuple[Callable[..., HttpResponse], Callable[..., HttpResponseBase]]:
    """Return the views of a list and its export, for viewers with one of the rights."""

    @require(*rights)
    def shown(request: ViewerRequest) -> HttpResponse:
        return render_list(request, page)

    @require(*rights)
    def exported(request: ViewerRequest, form: str) -> HttpResponseBase:
        return files(request, page, form)

    return shown, exported


def render_list(request: ViewerRequest, page: ListPage) -> HttpResponse:
    """Render the list, or only its table for htmx; the normalized address goes into the browser history."""
    asked = read(request, page)
    asof = asof_context(request, account=asked.list_context.account)
    counts = list_counts(page.listing, asked.list_context, asked.wanted)
    after = asked.after.place if asked.after else None
    before = asked.before.place if asked.before else None
    part = list_page(
        page.listing,
        asked.list_context,
        asked.wanted,
        after=after,
        before=before,
    )
    missing = _gaps(page, asked.list_context)
    context: dict[str, Any] = asof | head(page, asked, counts, missing) | table(page, asked, part, counts)
    context["gaps"], context["more_gaps"] = gap_notes(missing), missing.has_more
    context["may_export"] = _may_export(request, asked)
    context["read_at"] = (
        frame_of(request).oldest
        if asked.list_context.account is None and not request.at
        else asof["asof"].read_at
    )
    context["sees_accounts"] = request.viewer.may(Right.SEE_ACCOUNT)
    context["may_connect"] = request.viewer.may(Right.MANAGE_ACCOUNTS)
    context["fragment"] = is_fragment(request)
    context["no_account"] = not frame_of(request).accounts
    response = render_page(request, page.template, context, partial="table")
    if is_fragment(request):
        response["HX-Push-Url"] = request.path + str(asked.query.with_values(**place_pairs(request)))
    return response


def _gaps(page: ListPage, list_context: ListContext) -> SyncGaps:
    """Return what was not synced; for a past moment only what had not been synced by then, since old syncs
    aren’t stored.
    """
    if list_context.at is None:
        return gaps(page.listing.sections, list_context)
    return SyncGaps(unsynced=unsynced_sections(list_context))


def files(request: ViewerRequest, page: ListPage, form: str) -> HttpResponseBase:
    """Export all filtered rows or only the selected ones, and record the export.

    Raises Http404 for viewers without the right to export. An address with invalid parts is redirected to the
    list, which shows what is wrong.
    """
    asked = read(request, page)
    if not _may_export(request, asked) or form not in FORMS:
        raise Http404
    if asked.problems or problems_of(request):
        return redirect(f"{reverse(page.export_url.removesuffix('-export'))}?{request.GET.urlencode()}")
    account_id = asked.list_context.account.account_id if asked.list_context.account else ""
    record(
        kind="list.export",
        actor=request.viewer,
        subject=page.listing.name,
        account_id=account_id,
        data={"form": form, "query": str(asked.query), "chosen": len(asked.wanted.ids)},
    )
    return export.response(page, asked, form)


def _may_export(request: ViewerRequest, asked: ListAddress) -> bool:
    account = asked.list_context.account
    account_id = account.account_id if account else None
    return request.viewer.may(Right.EXPORT, account_id=account_id)
