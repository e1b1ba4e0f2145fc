"""The escalation pages: who can become administrator or another principal, by policy or by principal; and one
path with its fix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import require_safe

from console.access.calculation import file_waits_for_calculation, waits_for_calculation
from console.access.escalation_address import THERE, VIEWS, EscalationAddress, frame_of_path, read, word_of
from console.access.escalation_openings import WHO, AffectedLine, coverage_context, opening_context
from console.access.escalation_steps import (
    PATH_MARKS,
    PathPageContext,
    closers_of,
    conditions_of,
    mark_of,
    members_of,
    nodes_of,
    page_of,
    stages_of,
    titles_of,
)
from console.access.grant_references import given_by
from console.access.limits import limit_rows
from console.access.lines import PRINCIPAL_COLUMNS, unread_words
from console.access.who_can_answer import CERTAINTIES
from console.identities.details.frame import shown_or_404
from console.web.access import ViewerRequest, require
from console.web.address_choices import to_page_with_problems
from console.web.asof import asof_context
from console.web.context import frame_of
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from console.web.render import is_fragment, render_page
from iam.access import escalation as domain
from iam.access.certainty import Certainty
from iam.access.escalation_calculation.path_records import FindingPath, FindingPrincipal
from iam.access.escalation_calculation.stored_calculation import BeingCalculatedError, checked_at
from iam.access.escalation_path import ExplainedPath, explained_path
from iam.access.escalation_use import UsedPath, path_use, used_paths
from iam.access.visible_accounts import accounts_seen
from iam.guard import Right
from iam.journal.services import record
from iam.mirror.models import Account, Kind
from iam.phrases import counted
from iam.policy.request import PrincipalKind

PAGE: Final = 50
ACTIVITY: Final = {PrincipalKind.USER: "activity:person", PrincipalKind.ROLE: "activity:role"}
"""Addresses of the activity pages by kind of principal."""
KIND_LABELS: Final = (("", "Users and roles"), ("users", "IAM users"), ("roles", "Roles"))
COLUMNS: Final = (
    *PRINCIPAL_COLUMNS,
    "certainty",
    "steps",
    "path",
    "conditions",
    "closed_without",
    "of_gatehouse",
)


@require_safe
@require(Right.SEE_ACCOUNT)
@waits_for_calculation
def escalation_page(request: ViewerRequest) -> HttpResponse:
    """Show who can become the goal, by policy or by principal; with `from`, show the path of one
    principal.
    """
    asked = read(request)
    context = _frame(request, asked)
    if asked.errors:
        return render_page(request, "access/escalation.html", context, partial="answer", status=422)
    if context["no_account"]:
        return render_page(request, "access/escalation.html", context, partial="answer")
    if asked.start is not None:
        context |= _path_page(request, asked, asked.start)
    elif asked.is_by_policy:
        context |= _choices(asked) | opening_context(request, asked) | {"files": _files(request, asked)}
    else:
        context |= _choices(asked) | _list(request, asked)
    return render_page(request, "access/escalation.html", context, partial="answer")


@require_safe
@require(Right.SEE_ACCOUNT)
@waits_for_calculation
def escalation_path(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show one path with all its evidence, as a page or a drawer."""
    asked, account, explained = _path_or_404(request, pk)
    query = asked.query.with_values(**{"from": ""})
    context = _explained(request, asked, explained) | {
        **asof_context(request, account=account),
        "section": "escalation",
        "account": account,
        "back": f"{reverse('access:escalation')}{query}".rstrip("?"),
        "arn": explained.who.arn,
    }
    return render_page(request, "access/escalation_path.html", context, partial="drawer")


@require_safe
@require(Right.SEE_ACCOUNT)
def escalation_closing(request: ViewerRequest, pk: int) -> HttpResponse:
    """Show the statements to remove so that all paths of a principal are closed; empty until a worker has
    found them.
    """
    try:
        asked, _, explained = _path_or_404(request, pk)
    except BeingCalculatedError:
        return HttpResponse(status=204)
    if explained.waits or explained.path is None:
        return HttpResponse(status=204)
    return render_page(request, "access/_escalation_closing.html", _explained(request, asked, explained))


def _path_or_404(request: ViewerRequest, pk: int) -> tuple[EscalationAddress, Account, ExplainedPath]:
    asked = read(request)
    if asked.errors:
        raise Http404
    shown = shown_or_404(request, pk, kinds=[Kind.USER, Kind.ROLE])
    seen = accounts_seen(request.viewer)
    is_seen = seen is None or shown.account_id in seen
    explained = (
        explained_path(shown.account_id, pk, at=request.at, to=asked.to, accounts=seen) if is_seen else None
    )
    if explained is None:
        raise Http404
    return asked, shown.entity.account, explained


@require_safe
@require(Right.SEE_ACCOUNT)
@file_waits_for_calculation
def escalation_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export the whole list and record the export. Raises Http404 for viewers without the right to export."""
    asked = read(request)
    number = asked.account.account_id if asked.account else ""
    if form not in FORMS or asked.errors or not request.viewer.may(Right.EXPORT, account_id=number or None):
        raise Http404
    if way := to_page_with_problems(request, reverse("access:escalation")):
        return way
    coverage = checked_at(request.at, asked.wanted.accounts).coverage(asked.wanted.accounts)
    unknown = [*(f"{text[0].upper()}{text[1:]}." for text in coverage.unread), *coverage.words(WHO)]
    record(
        kind="escalation.export",
        actor=request.viewer,
        subject=_goal(asked),
        account_id=number,
        data={"form": form, "query": str(asked.query)},
    )
    now = datetime.now(tz=UTC)
    about = {
        "goal": asked.goal.arn if asked.goal else "administrator",
        "account": number or None,
        "as_of": json_value(request.at),
        "exported_at": json_value(now),
        "is_complete": not coverage.may_miss_someone,
        "not_known": unknown,
    }
    rows = _values(request, asked)
    if form == "csv" and coverage.may_miss_someone:
        rows = chain(rows, [{COLUMNS[0]: f"At least these. {' '.join(unknown)}".strip()}])
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(about, rows)
    name = f"gatehouse-escalation-{number or 'all-accounts'}-{request.at or now:%Y-%m-%dT%H%M%SZ}"
    return download(parts, form=form, name=name)


def _goal(asked: EscalationAddress) -> str:
    return f"who can become {asked.goal_name}"


def _frame(request: ViewerRequest, asked: EscalationAddress) -> dict[str, Any]:
    return {
        **asof_context(request, account=asked.account),
        "section": "escalation",
        "account": asked.account,
        "asked": asked,
        "texts": asked.texts,
        "start": asked.texts["from"],
        "goal": _goal(asked),
        "goal_name": asked.goal_name,
        "views": _views(request, asked),
        "kept": asked.query.with_only("account", "as-of").pairs,
        "fragment": is_fragment(request),
        "no_account": not frame_of(request).accounts,
    }


def _views(request: ViewerRequest, asked: EscalationAddress) -> list[tuple[str, str, bool]]:
    """Return (label, address, is chosen) of the views; for a goal other than administrator there is only a
    list.
    """
    if asked.goal is not None:
        return []
    query = asked.query.with_values(show="", all="")
    views = [
        (
            label,
            f"{request.path}{query.with_values(view=view)}",
            view == asked.texts["view"] and not asked.texts["show"],
        )
        for view, label in VIEWS
    ]
    there = f"{request.path}{query.with_values(view='', certainty='', show=THERE)}"
    return [*views, ("Already administrator", there, asked.wanted.is_there)]


def _choices(asked: EscalationAddress) -> dict[str, Any]:
    return {
        "kind_choices": [(value, label, value == asked.texts["kind"]) for value, label in KIND_LABELS],
        "certainty_choices": []
        if asked.wanted.is_there
        else [(value, label, value == asked.texts["certainty"]) for value, label in CERTAINTIES],
        "filter_kept": asked.query.with_values(q="", kind="", certainty="").pairs,
        "unfiltered": f"{reverse('access:escalation')}{asked.query.with_values(q='', kind='', certainty='')}",
    }


def _list(request: ViewerRequest, asked: EscalationAddress) -> dict[str, Any]:
    answer = domain.who_reaches(asked.wanted, size=PAGE, after=asked.after)
    frame = frame_of_path(request, asked)
    used: dict[str, UsedPath] = {}
    if request.at is None and not asked.wanted.is_there:
        used = used_paths([row.path for row in answer.rows])
    return {
        "found": answer,
        **coverage_context(answer.coverage),
        "summary": _summary(answer, asked),
        "lines": [_line(row, asked, frame, used.get(row.path.who.arn)) for row in answer.rows],
        "after": word_of(answer.rows[-1].place) if answer.rows and answer.has_after else "",
        "is_later": asked.after is not None,
        "limits": limit_rows(answer.limitations, viewer=request.viewer),
        "all_accounts": asked.account is None,
        "files": _files(request, asked),
    }


def _line(
    row: domain.EscalationRow, asked: EscalationAddress, frame: PathPageContext, used: UsedPath | None
) -> AffectedLine:
    path = row.path
    query = asked.query.with_only("to", "account", "as-of")
    mark = PATH_MARKS[row.certainty] if path.steps else mark_of(path)
    nodes = nodes_of(path, frame) if path.steps else []
    steps = counted(row.place.steps, "step") if row.place.steps else ""
    used_at = used.last_at if used else None
    return AffectedLine(
        name=row.display,
        url=page_of(path.who, frame),
        is_role=row.place.is_role,
        account=frame.accounts.get(row.place.account, row.place.account),
        mark=mark,
        nodes=nodes,
        titles=titles_of(path, frame),
        notes=_notes(row, path, frame),
        path_url=f"{reverse('access:escalation-path', args=[row.pk])}{query}".rstrip("?"),
        steps=steps,
        is_own=row.is_own,
        used_at=used_at,
    )


def _notes(row: domain.EscalationRow, path: FindingPath, frame: PathPageContext) -> list[str]:
    if row.certainty is Certainty.UNCONFIRMED:
        return [f"Unconfirmed: {unread_words(row.unread)}"]
    return conditions_of(path, frame)


def _summary(answer: domain.EscalationPage, asked: EscalationAddress) -> str:
    """Return '3 IAM users (3 people) and 1 role can become administrator: 3 confirmed, 1 conditional'."""
    goal = asked.goal_name
    people = domain.at_least(answer.everyone.words, answer.coverage)
    if asked.wanted.is_there:
        if not answer.total:
            return domain.no_one_words(f"is {goal}", answer.coverage)
        verb = "is" if answer.total == 1 else "are"
        return f"{people} {verb} {goal} already"
    if not answer.total:
        return domain.no_one_words(f"can become {goal}", answer.coverage)
    counts = answer.by_certainty
    parts = [f"{counts[certainty]:,} {certainty}" for certainty in Certainty if counts[certainty]]
    return f"{people} can become {goal}: {', '.join(parts)}"


def _files(request: ViewerRequest, asked: EscalationAddress) -> list[tuple[str, str]]:
    if not request.viewer.may(Right.EXPORT, account_id=asked.texts["account"] or None):
        return []
    return [
        (label, f"{reverse('access:escalation-export', args=[form])}{asked.query}".rstrip("?"))
        for label, form in (("Export CSV", "csv"), ("Export JSON", "json"))
    ]


def _path_page(request: ViewerRequest, asked: EscalationAddress, start: FindingPrincipal) -> dict[str, Any]:
    seen = accounts_seen(request.viewer)
    explained = explained_path(start.account, start.id, at=request.at, to=asked.to, accounts=seen)
    return {"nobody": start} if explained is None else _explained(request, asked, explained)


def _explained(request: ViewerRequest, asked: EscalationAddress, explained: ExplainedPath) -> dict[str, Any]:
    path, closing = explained.path, explained.closing
    alone = path.closing if path and closing and path.closing != closing.statements else frozenset()
    statements = [*(closing.statements if closing else ()), *alone]
    policies = domain.policies_of(statements, at=request.at)
    members = members_of(path) if path else {}
    frame = replace(frame_of_path(request, asked, policies), members=members)
    return {
        "who": explained.who,
        "name": explained.name,
        "entity_url": page_of(explained.who, frame),
        "goal_name": asked.goal_name,
        "path": path,
        "activity_url": reverse(ACTIVITY[explained.who.kind], args=[explained.who.id]),
        "use": path_use(path) if path and request.at is None else None,
        "mark": _mark(path, explained.unread) if path else None,
        "stages": stages_of(path, frame, _mark(path, explained.unread)) if path else [],
        "closing": closing,
        "closers": closers_of(closing.statements, frame) if closing else [],
        "alone": closers_of(alone, frame),
        "given_by": given_by(request, statements),
        "made_at": explained.made_at,
        "closing_url": _closing_url(asked, explained) if explained.waits else "",
        "unread_words": unread_words(explained.unread),
        "limits": limit_rows(explained.limitations, viewer=request.viewer),
    }


def _closing_url(asked: EscalationAddress, explained: ExplainedPath) -> str:
    address = reverse("access:escalation-closing", args=[explained.who.id])
    return f"{address}{asked.query.with_only('to', 'account', 'as-of')}".rstrip("?")


def _mark(path: FindingPath, unread: Sequence[str]) -> tuple[str, str, str]:
    """Return (label, tone, icon) of a path; a confirmed path with unread policies becomes unconfirmed.

    A principal that already is the goal has no steps that could be uncertain.
    """
    if path.steps and path.is_sure and unread:
        return PATH_MARKS[Certainty.UNCONFIRMED]
    return mark_of(path)


def _values(request: ViewerRequest, asked: EscalationAddress) -> Iterator[dict[str, Any]]:
    frame = frame_of_path(request, asked)
    for row in domain.every_row(asked.wanted):
        path = row.path
        place = row.place
        closing = [closer.text for closer in closers_of(path.closing, frame)]
        values = (
            place.account,
            place.arn,
            row.name,
            row.display,
            str(row.kind),
            str(row.certainty),
            place.steps,
            titles_of(path, frame),
            conditions_of(path, frame),
            closing,
            row.is_own,
        )
        yield dict(zip(COLUMNS, values, strict=True))
