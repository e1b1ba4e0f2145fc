"""Ask for a change of one thing: answer a few questions, look at what it does, say why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from console.changes.act_text import back_of, buttons_on, lint_of, shown_name
from console.changes.deciding import need_context
from console.changes.forms import ReasonForm
from console.changes.receipt import receipt_context
from console.changes.shown import call_rows
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.changes import services
from iam.changes.acts import ACTS, Act, Field, Subject, read_fields
from iam.changes.acts.base import account as account_of
from iam.changes.acts.fields import CHOICE, FLAG, NAME, FieldError
from iam.changes.errors import RefusedError
from iam.changes.operations import Operation
from iam.changes.receipts import set_receipt_of
from iam.changes.services import Plan
from iam.changes.services.requests import asked_before
from iam.guard import Right, Viewer
from iam.mirror.models import Account, Kind
from iam.mirror.queries import entities
from iam.mirror.queries.accounts import whole_accounts

MOST_TEXT = 10_000_000
MOST_OTHERS = 12
"""Accounts that are offered besides; all are in the choice of accounts at the top of the page."""


@dataclass(frozen=True, slots=True)
class Row:
    """A question as the form shows it."""

    field: Field
    value: str
    choices: tuple[tuple[str, str], ...]
    error: str


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def act(request: ViewerRequest, slug: str) -> HttpResponse:
    """The page of an act; `on` says of which entity, `account` in which account. An act that asks nothing shows at once what it does."""
    one = ACTS.get(slug)
    if one is None or request.at is not None:
        raise Http404
    subject = _subject(request, one)
    if request.method == "GET":
        return _page(request, one, subject, data=_start(one, subject), looks=not one.fields)
    data = {field.name: request.POST.get(field.name, "")[: MOST_TEXT + 1] for field in one.fields}
    if "look" in request.POST:
        return _page(request, one, subject, data=data, looks=True)
    return _ask(request, one, subject, data)


def _subject(request: ViewerRequest, one: Act) -> Subject:
    """What the address names, if the viewer may see it; else 404."""
    text = request.GET.get("on", "")
    found: Subject | None
    if text:
        if not text.isdecimal() or len(text) > 18:
            raise Http404
        kinds = [Kind(kind) for kind in one.kinds if kind in Kind.values]
        found = entities.find_entity(_asking(request), pk=int(text), kinds=kinds) if kinds else None
    else:
        number = request.GET.get("account", "")
        found = whole_accounts(request.viewer).filter(account_id=number).first()
    if found is None or not one.is_about(found):
        raise Http404
    return found


def _start(one: Act, subject: Subject) -> dict[str, str]:
    return {field.name: field.start(subject) if field.start else "" for field in one.fields}


def _operations(one: Act, subject: Subject, data: dict[str, str]) -> list[Operation]:
    """Raises RefusedError with what is wrong with the answers."""
    given = read_fields(one.fields, data, subject=subject)
    try:
        found = list(one.build(subject, given))
    except ValueError as error:
        # A parameter that the operation itself does not take.
        raise RefusedError(str(error)) from error
    if not found:
        raise RefusedError("Nothing is different: there is nothing to ask for.")
    return found


def _ask(request: ViewerRequest, one: Act, subject: Subject, data: dict[str, str]) -> HttpResponse:
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _page(request, one, subject, data=data, looks=True, form=form, status=422)
    key = str(form.cleaned_data["key"])
    try:
        operations = _operations(one, subject, data)
        standing = asked_before(operations, actor=request.viewer, idempotency_key=key)
        if standing:
            return redirect("changes:change", pk=standing[0].pk)
        if lint_of(operations).get("is_faulty"):
            raise RefusedError("AWS would refuse this text. Mend the errors that the lint names, then ask.")
        planned = services.plan_set(operations, viewer=request.viewer)
        if _digest(planned) != request.POST.get("seen"):
            raise RefusedError("What this does is not what was shown before. Look at it below, then ask.")
        made = services.request_changes(
            planned,
            actor=request.viewer,
            reason=form.cleaned_data["reason"],
            idempotency_key=key,
            title=_title(one, subject) if len(planned) > 1 else "",
        )
    except RefusedError as refused:
        return _page(request, one, subject, data=data, looks=True, form=form, refused=refused, status=422)
    return redirect("changes:change", pk=made[0].pk)


def _digest(planned: list[Plan]) -> str:
    """What the person who asks was shown."""
    return ".".join(plan.receipt.digest[:16] for plan in planned)[:4096]


def _page(
    request: ViewerRequest,
    one: Act,
    subject: Subject,
    *,
    data: dict[str, str],
    looks: bool,
    form: ReasonForm | None = None,
    refused: RefusedError | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {}
    error: RefusedError | None = None
    if looks:
        try:
            operations = _operations(one, subject, data)
            context = _preview(request, operations)
        except RefusedError as found:
            error, status = found, 422 if request.method == "POST" else status
    wrong = error if isinstance(error, FieldError) else None
    account = account_of(subject)
    context |= {
        "act": one,
        "title": _title(one, subject),
        "account": account,
        "back": back_of(subject),
        "rows": [_row(field, subject, data, wrong) for field in one.fields],
        "query": request.GET.urlencode(),
        "form": form or _with_reason(request),
        "refused": refused or (None if wrong else error),
        "section": back_of(subject).section,
    }
    return render_page(request, "changes/act.html", context, status=status)


def _with_reason(request: ViewerRequest) -> ReasonForm:
    """A form with what was written already, which a preview must not lose."""
    form = ReasonForm.blank()
    form.initial["reason"] = request.POST.get("reason", "")[:1000]
    return form


def _title(one: Act, subject: Subject) -> str:
    return one.title.format(shown_name(subject))


def _row(field: Field, subject: Subject, data: dict[str, str], wrong: FieldError | None) -> Row:
    offered = field.choices(subject) if field.choices and field.kind in (CHOICE, NAME) else ()
    value = data.get(field.name, "")
    error = wrong.message if wrong and wrong.field == field.name else ""
    return Row(field, "1" if field.kind == FLAG and value else value, tuple(offered), error)


def _preview(request: ViewerRequest, operations: list[Operation]) -> dict[str, Any]:
    """What it does. Raises RefusedError."""
    planned = services.plan_set(operations, viewer=request.viewer)
    together = set_receipt_of(operations)
    account = operations[0].account
    # What cannot be undone of a set is said, whichever of its changes it is.
    telling = next((plan for plan in reversed(planned) if plan.receipt.body.get("irreversible")), planned[-1])
    shown = receipt_context(telling.receipt.body, account=account, request=request, together=together)
    calls = [call for plan in planned for call in plan.receipt.body["calls"]]
    return (
        shown
        | need_context(request, planned, together=together)
        | lint_of(operations)
        | {
            "calls": call_rows(calls, partition=account.partition),
            "seen": _digest(planned),
            "steps": [plan.operation.title for plan in planned] if len(planned) > 1 else [],
            "lost": [f"{one.title}: {one.irreversible}" for one in operations if one.irreversible]
            if len(planned) > 1
            else [],
        }
    )


@require_GET
@require(Right.REQUEST_CHANGE)
def acts(request: ViewerRequest) -> HttpResponse:
    """What can be asked for about one entity (`on`), or in an account (`account`; the first that can be changed if none is named)."""
    if request.at is not None:
        raise Http404
    subject = _any_subject(request)
    buttons = buttons_on(subject, viewer=request.viewer)
    is_entity = not isinstance(subject, Account)
    context = {
        "buttons": buttons,
        "back": back_of(subject),
        "account": account_of(subject),
        "is_entity": is_entity,
        "others": [] if is_entity else whole_accounts(request.viewer).exclude(pk=subject.pk)[:MOST_OTHERS],
        "section": back_of(subject).section,
    }
    return render_page(request, "changes/acts.html", context)


def _any_subject(request: ViewerRequest) -> Subject:
    text, number = request.GET.get("on", ""), request.GET.get("account", "")
    found: Subject | None
    if text:
        is_number = text.isdecimal() and len(text) < 19
        found = entities.find_entity(_asking(request), pk=int(text), kinds=list(Kind)) if is_number else None
    else:
        mine = whole_accounts(request.viewer)
        found = (mine.filter(account_id=number) if number else mine).first()
    if found is None:
        raise Http404
    return found


def _asking(request: ViewerRequest) -> Viewer:
    """The viewer as far as they may ask, which is less than they see."""
    return replace(request.viewer, scope=request.viewer.asks)
