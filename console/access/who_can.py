"""The page “Who can”: everyone who can do something, grouped by how access is given; and the page of one
principal.
"""

from __future__ import annotations

from itertools import chain
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from console.access.assertion_note import assertion_note
from console.access.circumstances import circumstances_context
from console.access.forms.who_can import WhoCanForm, cursor_of, place_of
from console.access.graph import GraphDrawing, graph_of
from console.access.lines import MARKS, AnswerLine, entity_url, line_of
from console.access.offers import resources_offered
from console.access.stages import stages_of
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
from console.web.page_cursors import first_number, place_pairs
from console.web.render import is_fragment, render_page
from iam.access.actions import action_names, resources_of
from iam.access.escalation_reach import is_quick
from iam.access.who_can import WhoCanPage, WhoCanRow, who_can, why_one
from iam.guard import Right
from iam.mirror.models import Kind
from iam.mirror.queries.accounts import visible_accounts
from iam.policy.evaluate import EvaluationDecision
from iam.policy.request import account_of
from iam.question_budget import BudgetSpentError

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
    """Show the form, and the answer if something is asked; htmx gets only the part below the heading."""
    form = WhoCanForm(request)
    context = _frame(request, form)
    if form.question is not None:
        is_narrowed = form.is_filtered or bool(form.narrowed.way) or form.assertion is not None
        is_first = not (form.after or form.before or is_narrowed)
        denied = STOPPED if is_first else 0
        group_size = 0 if form.is_list else OF_GROUP
        try:
            answer = who_can(
                form.question,
                size=PAGE,
                after=place_of(form.after),
                before=place_of(form.before),
                denied=denied,
                narrowed=form.narrowed,
                group_size=group_size,
            )
        except BudgetSpentError as stopped:
            context["stopped_after"] = stopped.seconds
        else:
            context |= _answer(request, form, answer)
    status = 422 if form.is_wrong else 200
    response = render_page(request, "access/who_can.html", context, partial="question", status=status)
    if is_fragment(request):
        response["HX-Push-Url"] = f"{request.path}{form.query.with_values(**place_pairs(request))}"
    return response


def _frame(request: ViewerRequest, form: WhoCanForm) -> dict[str, Any]:
    asked = form.question
    names = action_names(form.texts["action"], size=OFFERED)
    asks_owner = bool(form.texts["owner"]) or (
        not form.is_blank
        and form.texts["resource"].strip("*") != ""
        and not account_of(form.texts["resource"])
        and "resource" not in form.problems
    )
    return {
        **asof_context(request, account=form.account),
        **circumstances_context(form.circumstances),
        "section": "who-can",
        "account": form.account,
        "form": form,
        "levels": LEVEL_WORDS,
        "action_names": names,
        "resources": resources_offered(request, form.texts["resource"]),
        "takes": resources_of(asked.selection.actions[0]) if asked and asked.selection.is_one else (),
        "asks_owner": asks_owner,
        "owner_choices": account_choices(request, form) if asks_owner else [],
        "owner_is_unclear": owner_is_unclear(form),
        "assumptions": assumptions(form),
        "kept": form.query.with_only("account", "as-of").pairs,
        "fragment": is_fragment(request),
    }


def _answer(request: ViewerRequest, form: WhoCanForm, answer: WhoCanPage) -> dict[str, Any]:
    asked = form.question
    assert asked is not None
    grouped = list(chain.from_iterable(group.rows for group in answer.groups))
    shown = [*answer.rows, *grouped, *answer.stopped]
    accounts = _account_names(request, shown)
    total = len(asked.selection.actions)

    def lines(rows: list[WhoCanRow]) -> list[AnswerLine]:
        return [
            line_of(row, accounts=accounts, query=form.query, total=total, resource=asked.resource)
            for row in rows
        ]

    page_url = reverse("access:who-can")
    is_whole = not (form.is_list or form.is_filtered or form.assertion)
    has_goals = answer.counts[EvaluationDecision.ALLOWED] > 0 and is_whole
    return {
        "found": answer,
        "summary": headline(answer, asked),
        "assertion": assertion_note(form, answer),
        "selection": asked.selection,
        "total": total,
        "groups": group_cards(answer.groups, form=form, lines=lines, accounts=accounts),
        "lines": lines(answer.rows) if form.is_list else [],
        "stopped": lines(answer.stopped),
        "all_accounts": form.account is None,
        "pager": _pager(form, answer),
        "reach": f"{reverse('access:who-can-reach')}{form.query}" if has_goals else "",
        "reach_at_once": is_quick(),
        "graph": _graph(form, answer, asked.resource),
        "files": _files(request, form),
        "limits": limits(answer, viewer=request.viewer),
        "way_title": way_words(answer.way) if answer.way else "",
        "kind_choices": [
            (value, label, value == request.GET.get("kind", "")) for value, label in KIND_CHOICES
        ],
        "certainty_choices": [
            (value, label, value == request.GET.get("certainty", "")) for value, label in CERTAINTIES
        ],
        "filter_kept": form.query.with_values(q="", kind="", certainty="").pairs,
        "unfiltered": f"{page_url}{form.query.with_values(q='', kind='', certainty='', way='', view='')}",
        "as_list": f"{page_url}{form.query.with_values(view='list')}",
        "as_groups": f"{page_url}{form.query.with_values(view='', way='')}",
        "gives": request.at is None and asked.selection.is_one and request.viewer.may(Right.REQUEST_CHANGE),
    }


def _graph(form: WhoCanForm, answer: WhoCanPage, resource: str) -> GraphDrawing | None:
    """Return the graph of the page; with groups only if it can show everyone, since its boxes are counted."""
    rows = [*answer.rows, *answer.stopped]
    if not rows or (answer.has_after and not form.is_list):
        return None
    return graph_of(rows, resource=resource)


def _files(request: ViewerRequest, form: WhoCanForm) -> list[tuple[str, str]]:
    """Return (label, address) of the exports, for viewers with the right to export."""
    if not may_export(request.viewer, form):
        return []
    return [
        (label, f"{reverse('access:who-can-export', args=[suffix])}{form.query}")
        for suffix, label in (("csv", "Export CSV"), ("json", "Export JSON"))
    ]


def _account_names(request: ViewerRequest, rows: list[WhoCanRow]) -> dict[str, str]:
    numbers = {row.account for row in rows}
    accounts = visible_accounts(request.viewer).filter(account_id__in=numbers)
    return dict(accounts.values_list("account_id", "name")) if numbers else {}


def _pager(form: WhoCanForm, answer: WhoCanPage) -> dict[str, Any]:
    length = len(answer.rows)
    first = first_number(after=form.after, before=form.before, has_before=answer.has_before, length=length)
    last = first + length - 1
    query, rows = form.query, answer.rows
    return {
        "first": first,
        "last": last,
        "total": f"{answer.matching_count:,}",
        "number": (first - 1) // PAGE + 1,
        "start": str(query) if form.after or form.before else "",
        "before": str(query.with_values(before=cursor_of(rows[0], number=first)))
        if rows and answer.has_before
        else "",
        "after": str(query.with_values(after=cursor_of(rows[-1], number=last)))
        if rows and answer.has_after
        else "",
    }


@require(Right.SEE_ACCOUNT)
def who_can_offers(request: ViewerRequest) -> HttpResponse:
    """Return suggestions as options of the lists of both fields."""
    text = request.GET.get("action", "")
    context = {
        "form": {"texts": {"action": text}},
        "action_names": action_names(text, size=OFFERED),
        "resources": resources_offered(request, request.GET.get("resource", "")),
    }
    part = "acts" if request.GET.get("of") == "action" else "ress"
    return render_page(request, "access/who_can_offers.html", context, partial=part)


@require(Right.SEE_ACCOUNT)
def who_can_why(request: ViewerRequest, pk: int) -> HttpResponse:
    """Explain why a principal can or can’t, in a drawer or on a page."""
    shown = shown_or_404(request, pk, kinds=[Kind.USER, Kind.ROLE])
    form = WhoCanForm(request)
    if form.question is None or not request.viewer.scope.sees_account(shown.account_id):
        raise Http404
    if request.GET.get("account", shown.account_id) not in ("", shown.account_id):
        # The account switch chose another account, which has the question but not this principal.
        return redirect(f"{reverse('access:who-can')}{form.query}")
    rows = why_one(form.question, account=shown.account_id, pk=pk)
    if not rows:
        raise Http404
    context = {
        **asof_context(request, account=shown.entity.account),
        "section": "who-can",
        "account": shown.entity.account,
        "form": form,
        "selection": form.question.selection,
        "assumptions": assumptions(form),
        "back": f"{reverse('access:who-can')}{form.query}",
        "simulate": _simulate(form, rows),
        "entity_url": f"{entity_url(rows[0])}{form.query.with_only('as-of')}".rstrip("?"),
        "name": rows[0].display,
        "arn": rows[0].arn,
        "stages": stages_of(rows[0], account=shown.entity.account.name, query=form.query)
        if len(rows) == 1
        else [],
        "actions": [(row, MARKS[row.decision], _single_action_url(form, row, pk)) for row in rows]
        if len(rows) > 1
        else [],
    }
    return render_page(request, "access/who_can_why.html", context, partial="drawer")


def _simulate(form: WhoCanForm, rows: list[WhoCanRow]) -> str:
    """Return the address to simulate the request under other conditions; "" for several actions."""
    if len(rows) > 1:
        return ""
    query = form.query.with_values(
        principal=rows[0].arn, level="", q="", kind="", certainty="", way="", view="", assertion=""
    )
    return f"{reverse('access:simulate')}{query}"


def _single_action_url(form: WhoCanForm, row: WhoCanRow, pk: int) -> str:
    """Return the address of this page for one of several actions."""
    query = form.query.with_values(action=row.action, level="")
    return f"{reverse('access:who-can-why', args=[pk])}{query}"
