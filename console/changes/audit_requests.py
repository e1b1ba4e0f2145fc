"""Requests about the audit in the inbox: waiting for the viewer, the viewer's own, and those they decided."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.conf import settings

from console.web.access import ViewerRequest
from console.web.shortened_lists import MAX_OF_ALL, ShortenedList, first_rows
from iam.audit.approval_requests.registry import (
    WaitingRequest,
    decided_by_viewer,
    requested_by_viewer,
    waiting_for_viewer,
)
from iam.mirror.models import Account

SHORT: Final = 50
MAX_NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class AuditRequestRow:
    """A row of the inbox; `where` names the accounts, `outcome` and `decided_at` are the viewer's
    decision.
    """

    title: str
    label: str
    url: str
    by: str
    at: datetime
    where: str
    reason: str
    outcome: str = ""
    tone: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditRequests:
    """The rows, and the numbers of requests for the viewer and of their own."""

    shown: ShortenedList[AuditRequestRow]
    waiting: int
    own: int


def audit_requests(request: ViewerRequest, *, tab: str, text: str, is_hidden: bool) -> AuditRequests:
    """Return the requests of the chosen account, or of all, for a tab: waiting for the viewer, "mine" or
    "decided".

    With `is_hidden` only the numbers are calculated.
    """
    viewer, number = request.viewer, request.GET.get("account", "")
    waiting = waiting_for_viewer(viewer, is_single=settings.SINGLE_OPERATOR, most=MAX_OF_ALL)
    own = requested_by_viewer(viewer, most=MAX_OF_ALL)
    if number:
        waiting = [each for each in waiting if each.is_about(number)]
        own = [each for each in own if each.is_about(number)]
    chosen: list[WaitingRequest] = []
    if tab == "decided" and not is_hidden:
        chosen = decided_by_viewer(viewer, most=MAX_OF_ALL)
        chosen = [each for each in chosen if not number or each.is_about(number)]
    elif not is_hidden:
        chosen = own if tab == "mine" else waiting
    chosen = [each for each in chosen if not text or each.reads(text)]
    shown = first_rows(request, chosen, most=SHORT, name="requests")
    rows = _rows(shown, are_decided=tab == "decided")
    return AuditRequests(shown.with_rows(rows), len(waiting), len(own))


def _rows(requests: list[WaitingRequest], *, are_decided: bool) -> list[AuditRequestRow]:
    numbers: set[str] = set()
    for each in requests:
        numbers.update(each.kind.accounts_of(each.row))
    names = dict(Account.objects.filter(account_id__in=numbers).values_list("account_id", "name"))
    rows = []
    for each in requests:
        kind, by_and_at = each.kind, each.kind.asked(each.row)
        where = _where([names.get(number, number) for number in sorted(kind.accounts_of(each.row))])
        title, path, reason = kind.title(each.row), kind.path(each.row), kind.reason(each.row)
        row = AuditRequestRow(title, kind.label, path, *by_and_at, where, reason)
        if are_decided:
            outcome, tone = kind.outcome(each.row)
            title, decided_at = kind.title_afterwards(each.row), kind.decided_at(each.row)
            row = replace(row, title=title, outcome=outcome, tone=tone, decided_at=decided_at)
        rows.append(row)
    return rows


def _where(names: list[str]) -> str:
    if not names:
        return "All accounts"
    more = len(names) - MAX_NAMED
    shown = ", ".join(names[:MAX_NAMED])
    return f"{shown} and {more:,} more" if more > 0 else shown
