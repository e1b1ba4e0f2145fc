"""Ask for a change of one thing: answer a few questions, look at what it does, say why."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET, require_http_methods

from console.changes.act_text import (
    also_on,
    back_of,
    lint_of,
    menu_on,
    pageless_in,
    shown_name,
    text_shown,
)
from console.changes.actions import ACTIONS, Action
from console.changes.actions.action import END
from console.changes.actions.form import ActionForm
from console.changes.approval_context import need_context
from console.changes.forms import ReasonForm
from console.changes.page import address_of
from console.changes.receipt import receipt_context
from console.web.access import ViewerRequest, entity_or_404, require, require_present
from console.web.cut import first_rows
from console.web.render import render_page
from iam.changes import services
from iam.changes.acts import Act, Subject
from iam.changes.acts.base import SEALED
from iam.changes.acts.base import account as account_of
from iam.changes.errors import FieldError, RefusedError
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.receipts import set_receipt_of
from iam.changes.services import Plan
from iam.changes.services.requests import asked_before
from iam.guard import Right, Viewer
from iam.mirror.models import Account, Kind
from iam.mirror.queries.accounts import whole_accounts

MAX_SECRET_LENGTH = 16_384
MAX_REASON_LENGTH = 1_000
MAX_NAME_LENGTH = 128
MAX_OTHERS = 12
"""Accounts that are offered besides; all are in the choice of accounts at the top of the page."""


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def act(request: ViewerRequest, slug: str) -> HttpResponse:
    """The page of an act; `on` says of which entity, `account` in which account. An act that asks nothing
    shows at once what it does.
    """
    action = ACTIONS.get(slug)
    if action is None or request.at is not None:
        raise Http404
    subject = _subject(request, action.act)
    viewer = _asking(request)
    if request.method == "GET" and action.fields:
        initial = _start(request, action, subject)
        return _page(request, action, ActionForm(action, subject, viewer=viewer, initial=initial))
    form = ActionForm(action, subject, viewer=viewer, data=request.POST)
    if request.method == "GET" or "look" in request.POST:
        return _page(request, action, form)
    return _ask(request, action, form)


def _subject(request: ViewerRequest, act: Act) -> Subject:
    """What the address names, if the viewer may see it; else 404."""
    text = request.GET.get("on", "")
    whole_account: Subject | None
    if text:
        if not text.isdecimal() or len(text) > 18:
            raise Http404
        kinds = [Kind(kind) for kind in act.kinds if kind in Kind.values]
        whole_account = entity_or_404(_asking(request), int(text), kinds=kinds) if kinds else None
    else:
        number = request.GET.get("account", "")
        whole_account = whole_accounts(request.viewer).filter(account_id=number).first()
    if whole_account is None or not act.is_about(whole_account):
        raise Http404
    return whole_account


def _start(request: ViewerRequest, action: Action, subject: Subject) -> dict[str, str]:
    """What the form begins with; `policy` in the address names one of several that the subject has."""
    initial = {field.name: field.start(subject) for field in action.fields if field.start}
    named = request.GET.get("policy", "")[:MAX_NAME_LENGTH]
    return initial | action.begin(subject, named) if named and action.begin else initial


def _operations(action: Action, form: ActionForm) -> list[Operation]:
    """What the answers come to. Raises RefusedError."""
    try:
        operations = list(action.act.build(form.subject, form.cleaned_data))
    except ValueError as error:
        # A parameter that the operation itself does not take.
        raise RefusedError(str(error)) from error
    if not operations:
        raise RefusedError("Nothing would change, so there is nothing to request.")
    return operations


def _ask(request: ViewerRequest, action: Action, form: ActionForm) -> HttpResponse:
    reason = ReasonForm(request.POST)
    if not reason.is_valid() or not form.is_valid():
        return _page(request, action, form, reason=reason, status=422)
    send = _without_secret if action.act.send is None else _with_secret
    try:
        change = send(request, action, form, **reason.cleaned_data)
    except RefusedError as refused:
        return _page(request, action, form, reason=reason, refused=refused, status=422)
    return redirect(address_of(change))


def _without_secret(
    request: ViewerRequest, action: Action, form: ActionForm, *, reason: str, key: UUID
) -> Change:
    operations = _operations(action, form)
    standing = asked_before(operations, actor=request.viewer, idempotency_key=str(key))
    if standing:
        return standing[0]
    planned = _planned(request, operations)
    title = _title(action, form.subject) if len(planned) > 1 else ""
    changes = services.request_changes(
        planned, actor=request.viewer, reason=reason, idempotency_key=str(key), title=title
    )
    return changes[0]


def _with_secret(
    request: ViewerRequest, action: Action, form: ActionForm, *, reason: str, key: UUID
) -> Change:
    assert action.act.send is not None
    secret = request.POST.get(SEALED, "")[:MAX_SECRET_LENGTH]
    return action.act.send(
        form.subject, form.cleaned_data, secret=secret, actor=request.viewer, reason=reason, key=str(key)
    )


def _planned(request: ViewerRequest, operations: list[Operation]) -> list[Plan]:
    """What is asked for. Raises RefusedError when AWS would refuse it, or when it is not what was shown."""
    findings = lint_of(operations)
    if findings.get("is_faulty"):
        why = "AWS would refuse this text" if findings["is_refused"] else "This text has errors"
        raise RefusedError(f"{why}. Fix the errors listed below, then submit again.")
    planned = services.plan_set(operations, viewer=request.viewer)
    if _digest(planned) != request.POST.get("seen"):
        raise RefusedError(
            "What this does has changed since the preview. Review it below, then submit again."
        )
    return planned


def _digest(planned: list[Plan]) -> str:
    """What the person who asks was shown."""
    return ".".join(plan.receipt.digest[:16] for plan in planned)[:4096]


def _page(
    request: ViewerRequest,
    action: Action,
    form: ActionForm,
    *,
    reason: ReasonForm | None = None,
    refused: RefusedError | None = None,
    status: int = 200,
) -> HttpResponse:
    context: dict[str, Any] = {}
    subject, error = form.subject, None
    if form.is_valid():
        try:
            operations = _operations(action, form)
            context = lint_of(operations)
            context |= {} if context.get("is_faulty") else _preview(request, operations)
        except RefusedError as refusal:
            error = refusal
    secret_error = ""
    if isinstance(refused, FieldError) and refused.field == SEALED:
        secret_error, refused = refused.message, None
    problem = error or refused
    if isinstance(problem, FieldError):
        form.refuse(problem)
    if request.method == "POST" and (error or form.errors):
        status = 422
    context |= {
        "act": action,
        "title": _title(action, subject),
        "account": account_of(subject),
        "back": back_of(subject),
        "rows": form.rows,
        "is_about_account": isinstance(subject, Account),
        "query": request.GET.urlencode(),
        "form": reason or _with_reason(request),
        "reason": request.POST.get("reason", "")[:MAX_REASON_LENGTH],
        "secret_error": secret_error,
        "refused": None if form.errors else refused or error,
        "section": back_of(subject).section,
    }
    return render_page(request, "changes/act.html", context, status=status)


def _with_reason(request: ViewerRequest) -> ReasonForm:
    """A form with what was written already, which a preview must not lose."""
    form = ReasonForm.blank()
    form.initial["reason"] = request.POST.get("reason", "")[:MAX_REASON_LENGTH]
    return form


def _title(action: Action, subject: Subject) -> str:
    return action.title.format(shown_name(subject))


def _preview(request: ViewerRequest, operations: list[Operation]) -> dict[str, Any]:
    """What it does. Raises RefusedError."""
    planned = services.plan_set(operations, viewer=request.viewer)
    together = set_receipt_of(operations)
    account = operations[0].account
    body = planned[0].receipt.body if len(planned) == 1 else _one_body(planned)
    shown = receipt_context(body, account=account, request=request, together=together)
    return (
        shown
        | need_context(request, planned, together=together)
        | (text_shown(operations[0], before=planned[0].before) if len(planned) == 1 else {})
        | {
            "seen": _digest(planned),
            "quotas": _quotas(planned),
            "steps": [plan.operation.title for plan in planned] if len(planned) > 1 else [],
            "lost": [_lost(operation) for operation in operations if operation.irreversible]
            if len(planned) > 1
            else [],
        }
    )


def _quotas(planned: list[Plan]) -> list[dict[str, Any]]:
    """What the changes come to under each quota that they draw on; what only makes room is not told."""
    quotas = [plan.receipt.body["quota"] for plan in planned]
    quotas_full = {quota["what"]: quota for quota in quotas if quota and quota["after"] >= quota["used"]}
    return list(quotas_full.values())


def _lost(operation: Operation) -> str:
    """Why nothing brings it back, and what could be done instead."""
    return f"{operation.title}: {operation.irreversible}" + (
        f" Instead: {operation.instead}" if operation.instead else ""
    )


def _one_body(planned: list[Plan]) -> dict[str, Any]:
    """The receipts of several changes as that of the last one, which is what the others lead to: with the
    calls and notes of all. What does not come back is told once, for all of them.
    """
    bodies = [plan.receipt.body for plan in planned]
    calls = list(chain.from_iterable(body["calls"] for body in bodies))
    notes = chain.from_iterable(body["effect"]["notes"] for body in bodies)
    managed = next((body["managed"] for body in reversed(bodies) if body["managed"]), None)
    return bodies[-1] | {
        "calls": calls,
        "effect": bodies[-1]["effect"] | {"notes": list(dict.fromkeys(notes))},
        "confidential": list(chain.from_iterable(body["confidential"] for body in bodies)),
        "managed": managed,
        "irreversible": "",
    }


@require_GET
@require(Right.REQUEST_CHANGE)
def acts(request: ViewerRequest) -> HttpResponse:
    """What can be asked for about one entity (`on`), or in an account (`account`; the first that can be
    changed if none is named).
    """
    require_present(request)
    subject = _any_subject(request)
    is_entity = not isinstance(subject, Account)
    wanted = request.GET.get("find", "").strip()[:MAX_NAME_LENGTH]
    others = whole_accounts(request.viewer).exclude(pk=subject.pk)
    context = {
        "menu": menu_on(subject, viewer=request.viewer),
        "removals": END,
        "also": also_on(subject, viewer=request.viewer),
        "pageless": pageless_in(subject, wanted=wanted) if isinstance(subject, Account) else None,
        "find": wanted,
        "name": shown_name(subject),
        "back": back_of(subject, is_menu=True),
        "account": account_of(subject),
        "is_entity": is_entity,
        "others": [] if is_entity else first_rows(request, others, most=MAX_OTHERS),
        "section": back_of(subject).section,
    }
    return render_page(request, "changes/acts.html", context)


def _any_subject(request: ViewerRequest) -> Subject:
    text, number = request.GET.get("on", ""), request.GET.get("account", "")
    subject: Subject | None
    if text:
        is_number = text.isdecimal() and len(text) < 19
        subject = entity_or_404(_asking(request), int(text), kinds=list(Kind)) if is_number else None
    else:
        mine = whole_accounts(request.viewer)
        subject = (mine.filter(account_id=number) if number else mine).first()
    if subject is None:
        raise Http404
    return subject


def _asking(request: ViewerRequest) -> Viewer:
    """The viewer as far as they may ask, which is less than they see."""
    return replace(request.viewer, scope=request.viewer.asks)
