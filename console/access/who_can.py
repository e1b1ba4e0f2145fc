"""The page "Who can": a question in the address, and everyone who can, grouped by how access is given; and
the page of one principal.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from console.access.asked import Address, cursor_of, place_of, read
from console.access.circumstances import circumstances_context
from console.access.graph import Graph, graph_of
from console.access.lines import MARKS, Line, entity_url, line
from console.access.offers import resources_offered
from console.access.stages import tall
from console.access.who_can_answer import (
    CERTAINTIES,
    KIND_CHOICES,
    account_choices,
    assumptions,
    group_cards,
    headline,
    limits,
    owner_is_unclear,
    way_words,
)
from console.access.who_can_export import may_export
from console.identities.details.frame import shown_or_404
from console.web.access import ViewerRequest, require
from console.web.asof import asof_context
from console.web.render import is_fragment, render_page
from iam.access.actions import action_names, resources_of
from iam.access.escalation_reach import is_quick
from iam.access.who_can import Found, Row, who_can, why_one
from iam.guard import Right
from iam.mirror.models import Kind
from iam.mirror.queries.accounts import visible_accounts
from iam.policy.evaluate import Decision
from iam.policy.request import account_of

PAGE: Final = 50
STOPPED: Final = 10
OFFERED: Final = 20
OF_GROUP: Final = 5
LEVEL_WORDS: Final = {
    "list": "List",
    "read": "Read",
    "write": "Write",
    "permissions": "Permissions management",
    "tagging": "Tagging",
}


@require(Right.SEE_ACCOUNT)
def who_can_page(request: ViewerRequest) -> HttpResponse:
    """The form, and the answer if something is asked; with htmx only the part below the heading."""
    address = read(request)
    context = _frame(request, address)
    if address.asked is not None:
        is_first = not (address.after or address.before or address.narrowed.way or address.is_filtered)
        denied = STOPPED if is_first else 0
        group_size = 0 if address.is_list else OF_GROUP
        answer = who_can(
            address.asked,
            size=PAGE,
            after=place_of(address.after),
            before=place_of(address.before),
            denied=denied,
            narrowed=address.narrowed,
            group_size=group_size,
        )
        context |= _answer(request, address, answer)
    status = 422 if address.is_wrong else 200
    response = render_page(request, "access/who_can.html", context, partial="question", status=status)
    if is_fragment(request):
        response["HX-Push-Url"] = f"{request.path}{address.query.but(**_place(request))}"
    return response


def _place(request: ViewerRequest) -> dict[str, str]:
    return {name: request.GET[name] for name in ("after", "before") if request.GET.get(name)}


def _frame(request: ViewerRequest, address: Address) -> dict[str, Any]:
    asked = address.asked
    names = action_names(address.action, size=OFFERED)
    asks_owner = bool(address.owner) or (
        not address.is_blank
        and address.resource.strip("*") != ""
        and not account_of(address.resource)
        and "resource" not in address.errors
    )
    return {
        **asof_context(request, account=address.account),
        **circumstances_context(address.circumstances),
        "section": "who-can",
        "account": address.account,
        "address": address,
        "levels": LEVEL_WORDS,
        "action_names": names,
        "resources": resources_offered(request, address.resource),
        "takes": resources_of(asked.meant.actions[0]) if asked and asked.meant.is_one else (),
        "asks_owner": asks_owner,
        "owner_choices": account_choices(request, address) if asks_owner else [],
        "owner_is_unclear": owner_is_unclear(address),
        "assumptions": assumptions(address),
        "kept": address.query.only("account", "as-of").pairs,
        "fragment": is_fragment(request),
    }


def _answer(request: ViewerRequest, address: Address, answer: Found) -> dict[str, Any]:
    asked = address.asked
    assert asked is not None
    grouped = list(chain.from_iterable(group.rows for group in answer.groups))
    shown = [*answer.rows, *grouped, *answer.stopped]
    accounts = _account_names(request, shown)
    total = len(asked.meant.actions)

    def lines(rows: list[Row]) -> list[Line]:
        return [
            line(row, accounts=accounts, query=address.query, total=total, resource=asked.resource)
            for row in rows
        ]

    has_goals = answer.counts[Decision.ALLOWED] > 0 and not address.is_list and not address.is_filtered
    return {
        "found": answer,
        "summary": headline(answer, asked),
        "meant": asked.meant,
        "total": total,
        "groups": group_cards(answer.groups, address=address, lines=lines, accounts=accounts),
        "lines": lines(answer.rows) if address.is_list else [],
        "stopped": lines(answer.stopped),
        "all_accounts": address.account is None,
        "pager": _pager(address, answer),
        "reach": f"{reverse('access:who-can-reach')}{address.query}" if has_goals else "",
        "reach_at_once": is_quick(),
        "graph": _graph(address, answer, asked.resource),
        "files": _files(request, address),
        "limits": limits(answer, viewer=request.viewer),
        "way_title": way_words(answer.way) if answer.way else "",
        "kind_choices": [
            (value, label, value == request.GET.get("kind", "")) for value, label in KIND_CHOICES
        ],
        "certainty_choices": [
            (value, label, value == request.GET.get("certainty", "")) for value, label in CERTAINTIES
        ],
        "filter_kept": address.query.but(q="", kind="", certainty="").pairs,
        "unfiltered": (
            f"{reverse('access:who-can')}{address.query.but(q='', kind='', certainty='', way='', view='')}"
        ),
        "as_list": f"{reverse('access:who-can')}{address.query.but(view='list')}",
        "as_groups": f"{reverse('access:who-can')}{address.query.but(view='', way='')}",
        "gives": request.at is None and asked.meant.is_one and request.viewer.may(Right.REQUEST_CHANGE),
    }


def _graph(address: Address, answer: Found, resource: str) -> Graph | None:
    """The graph of the page; beside groups only where it can show everyone, since its boxes count."""
    rows = [*answer.rows, *answer.stopped]
    if not rows or (answer.has_after and not address.is_list):
        return None
    return graph_of(rows, resource=resource)


def _files(request: ViewerRequest, address: Address) -> list[tuple[str, str]]:
    """(label, address) of the answer as a file, for those who may export."""
    if not may_export(request.viewer, address):
        return []
    return [
        (label, f"{reverse('access:who-can-export', args=[form])}{address.query}")
        for form, label in (("csv", "Export CSV"), ("json", "Export JSON"))
    ]


def _account_names(request: ViewerRequest, rows: list[Row]) -> dict[str, str]:
    numbers = {row.account for row in rows}
    accounts = visible_accounts(request.viewer).filter(account_id__in=numbers)
    return dict(accounts.values_list("account_id", "name")) if numbers else {}


def _pager(address: Address, answer: Found) -> dict[str, Any]:
    """Numbers are carried along from page to page."""
    length, first = len(answer.rows), 1
    if address.after:
        first = address.after.number + 1
    elif address.before and answer.has_before:
        first = max(1, address.before.number - length)
    last = first + length - 1
    query, rows = address.query, answer.rows
    return {
        "first": first,
        "last": last,
        "total": f"{answer.fitting:,}",
        "number": (first - 1) // PAGE + 1,
        "start": str(query) if address.after or address.before else "",
        "before": str(query.but(before=cursor_of(rows[0], number=first)))
        if rows and answer.has_before
        else "",
        "after": str(query.but(after=cursor_of(rows[-1], number=last))) if rows and answer.has_after else "",
    }


@require(Right.SEE_ACCOUNT)
def who_can_offers(request: ViewerRequest) -> HttpResponse:
    """Suggestions for what has been typed: options of the lists of the two fields."""
    text = request.GET.get("action", "")
    context = {
        "address": {"action": text},
        "action_names": action_names(text, size=OFFERED),
        "resources": resources_offered(request, request.GET.get("resource", "")),
    }
    part = "acts" if request.GET.get("of") == "action" else "ress"
    return render_page(request, "access/who_can_offers.html", context, partial=part)


@require(Right.SEE_ACCOUNT)
def who_can_why(request: ViewerRequest, pk: int) -> HttpResponse:
    """Why one principal can or cannot: a drawer with htmx, else a page."""
    shown = shown_or_404(request, pk, kinds=[Kind.USER, Kind.ROLE])
    address = read(request)
    if address.asked is None or not request.viewer.scope.sees_account(shown.account_id):
        raise Http404
    if request.GET.get("account", shown.account_id) not in ("", shown.account_id):
        # The account switch of this page: the principal isn't in the other account, the question is.
        return redirect(f"{reverse('access:who-can')}{address.query}")
    rows = why_one(address.asked, account=shown.account_id, pk=pk)
    if not rows:
        raise Http404
    context = {
        **asof_context(request, account=shown.entity.account),
        "section": "who-can",
        "account": shown.entity.account,
        "address": address,
        "meant": address.asked.meant,
        "assumptions": assumptions(address),
        "back": f"{reverse('access:who-can')}{address.query}",
        "simulate": _simulate(address, rows),
        "entity_url": f"{entity_url(rows[0])}{address.query.only('as-of')}".rstrip("?"),
        "name": rows[0].display,
        "arn": rows[0].arn,
        "stages": tall(rows[0], account=shown.entity.account.name, query=address.query)
        if len(rows) == 1
        else [],
        "actions": [(row, MARKS[row.decision], _one(address, row, pk)) for row in rows]
        if len(rows) > 1
        else [],
    }
    return render_page(request, "access/who_can_why.html", context, partial="drawer")


def _simulate(address: Address, rows: list[Row]) -> str:
    """Where the one request can be tried under other conditions; several actions are no one request."""
    if len(rows) > 1:
        return ""
    query = address.query.but(principal=rows[0].arn, level="", q="", kind="", certainty="", way="", view="")
    return f"{reverse('access:simulate')}{query}"


def _one(address: Address, row: Row, pk: int) -> str:
    """The same page about one of several actions."""
    query = address.query.but(action=row.action, level="")
    return f"{reverse('access:who-can-why', args=[pk])}{query}"
