"""Exports the answer to “Who can”: the question with its assumptions, and every row with conditions and
policies.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from django.http import Http404
from django.http.response import HttpResponseBase
from django.urls import reverse

from console.access.forms.who_can import WhoCanForm
from console.access.lines import PRINCIPAL_COLUMNS, conditions, policy_name
from console.web.access import ViewerRequest, require
from console.web.address_choices import to_page_with_problems
from console.web.files import FORMS, csv_lines, download, json_lines, json_value
from iam.access.answers import AnswerFilter
from iam.access.explanation import ExplanationStep
from iam.access.who_can import WhoCanQuestion, WhoCanRow, every_row
from iam.guard import Right, Viewer
from iam.journal.services import record
from iam.policy.evaluate import EvaluationDecision

COLUMNS: Final = (
    *PRINCIPAL_COLUMNS,
    "decision",
    "certainty",
    "not_synced",
    "allowed_actions",
    "conditional_actions",
    "first_action",
    "conditions",
    "policies",
)


@require(Right.SEE_ACCOUNT)
def who_can_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export the answer and record the export.

    Raises Http404 for viewers without the right to export, and for an invalid question.
    """
    question = WhoCanForm(request)
    asked = question.question
    if asked is None or form not in FORMS or not may_export(request.viewer, question):
        raise Http404
    if way := to_page_with_problems(request, reverse("access:who-can")):
        return way
    number = question.account.account_id if question.account else ""
    record(
        kind="who_can.export",
        actor=request.viewer,
        subject=f"{asked.selection.words} on {asked.resource}",
        account_id=number,
        data={"form": form, "query": str(question.query)},
    )
    now = datetime.now(tz=UTC)
    shown = asked.at or now
    name = f"gatehouse-who-can-{number or 'all-accounts'}-{shown:%Y-%m-%dT%H%M%SZ}"
    rows = _rows(asked, question.narrowed)
    facts = question_facts(asked, number, now)
    if question.assertion is not None:
        facts["breaks_assertion"] = question.assertion.name
    parts = csv_lines(COLUMNS, rows) if form == "csv" else json_lines(facts, rows)
    return download(parts, form=form, name=name)


def may_export(viewer: Viewer, form: WhoCanForm) -> bool:
    """Return whether the viewer can export from the chosen account or, if none is chosen, from any
    account.
    """
    account_id = form.account.account_id if form.account else None
    return viewer.may(Right.EXPORT, account_id=account_id)


def question_facts(asked: WhoCanQuestion, account: str, now: datetime) -> dict[str, Any]:
    """Return the question, and when it was asked."""
    return {
        "question": asked.selection.words,
        "actions": list(asked.selection.actions),
        "resource": asked.resource,
        "resource_account": asked.owner or None,
        "context": dict(asked.context),
        "strict": asked.strict,
        "account": account or None,
        "as_of": json_value(asked.at),
        "exported_at": json_value(now),
    }


def _rows(asked: WhoCanQuestion, narrowed: AnswerFilter) -> Iterator[dict[str, Any]]:
    for row in every_row(asked, narrowed=narrowed):
        yield values_of(row)


def values_of(row: WhoCanRow) -> dict[str, Any]:
    """Return the columns of a row."""
    return {
        "account_id": row.account,
        "arn": row.arn,
        "name": row.name,
        "display_name": row.display,
        "kind": str(row.kind),
        "decision": str(row.decision),
        "certainty": str(row.certainty),
        "not_synced": list(row.unread),
        "allowed_actions": row.can,
        "conditional_actions": row.may,
        "first_action": row.action,
        "conditions": conditions(row.why) if row.decision is EvaluationDecision.CONDITIONAL else [],
        "policies": list(dict.fromkeys(map(_policy, (*row.why.grants, *row.why.denies)))),
    }


def _policy(step: ExplanationStep) -> str:
    through = f" of group {step.held.group.name}" if step.held and step.held.group else ""
    return f"{policy_name(step)}, {step.statement}{through}" if step.statement else policy_name(step)
