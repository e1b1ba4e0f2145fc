"""Requires MFA by policy: the users, what each can still do without MFA, who would be locked out, and the
request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from console.changes.approval_context import need_context
from console.changes.forms import ReasonForm
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice, is_ticked, leave_out
from console.web.context import frame_of
from console.web.page_cursors import page_number
from console.web.render import render_page
from iam.access.enforcement.approvers import (
    approvers_elsewhere,
    approvers_of,
    has_policy,
    narrowed,
    parts_of,
)
from iam.access.enforcement.check import MfaOutlook, MfaStep, PasswordState
from iam.access.enforcement.scope import scope_of
from iam.access.enforcement.services import (
    NAMES,
    EnforcementForecast,
    because_of,
    left_out_notes,
    notes_for,
    operations_for,
    request_enforcement,
    situations_in_scope,
)
from iam.changes import services
from iam.changes.approval.possible_approvers import PossibleApprovers
from iam.changes.errors import RefusedError
from iam.changes.receipts import set_receipt_of
from iam.directory.models import Person
from iam.guard import Right
from iam.mirror.display_names import names_by_entity
from iam.mirror.models import Account
from iam.mirror.queries.accounts import whole_accounts

PAGE: Final = 50
MAX_PEOPLE: Final = 20
PASSWORDS: Final = {
    PasswordState.NONE: "No password",
    PasswordState.MUST_CHANGE: "First password, must be changed",
    PasswordState.SET: "Password",
    PasswordState.UNREAD: "Password unknown",
}
STEPS: Final = {
    MfaStep.PASSWORD: "change the password",
    MfaStep.ENROL: "add a device",
    MfaStep.RESYNC: "resync the device",
    MfaStep.SESSION: "get a session with a code",
}


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def enforce(request: ViewerRequest) -> HttpResponse:
    """Show the form and, with a scope in the address, the effect; a POST requests it."""
    request.at = None
    accounts = list(whole_accounts(request.viewer))
    context = _form(request, accounts)
    form = ReasonForm(request.POST) if request.method == "POST" else ReasonForm.blank()
    if not context["is_asked"]:
        return render_page(request, "mfa/enforce.html", context)
    status = 200
    try:
        seen = _outlook(request, context["account"])
        context |= _person_rows(request, seen)
        if request.method == "POST" and form.is_valid():
            if request.POST.get("seen") != seen.digest:
                raise RefusedError(
                    "The users or their access changed since this was shown. Review it below, then submit "
                    "again."
                )
            made = request_enforcement(
                request.viewer,
                seen=seen,
                reason=form.cleaned_data["reason"],
                idempotency_key=str(form.cleaned_data["key"]),
                left_out=_names(_people(request, "skip")),
            )
            return redirect("changes:request", pk=made.pk)
        status = 422 if request.method == "POST" else 200
        context |= _plan(request, seen)
    except RefusedError as refused:
        # The page already lists locked-out users, so a GET doesn't repeat the refusal.
        context["refused"] = None if request.method == "GET" and context.get("locked") else refused
        status = 422 if request.method == "POST" else 200
    return render_page(request, "mfa/enforce.html", context | {"form": form}, status=status)


def _form(request: ViewerRequest, accounts: list[Account]) -> dict[str, Any]:
    get = request.GET
    number = get.get("in", "") or (chosen.account_id if (chosen := frame_of(request).chosen) else "")
    account = next((account for account in accounts if account.account_id == number), None)
    if account is None and get.get("in"):
        leave_out(request, "in", label="Account")
    who = choice(request, "who", ("group", "path"))
    return {
        "section": "fleet",
        "sees_accounts": request.viewer.sees_accounts,
        "accounts": accounts,
        "account": account,
        "who": who or "path",
        "group": get.get("group", "").strip()[:128],
        "path": get.get("path", "/").strip()[:512] or "/",
        "denies_keys": _denies_keys(request),
        "leaves_out": is_ticked(request, "out"),
        "is_asked": bool(who) and account is not None,
        "refused": None,
        "seen": None,
    }


def _denies_keys(request: ViewerRequest) -> bool:
    return choice(request, "keys", ("denied", "left")) != "left"


def _outlook(request: ViewerRequest, account: Account) -> EnforcementForecast:
    get = request.GET
    by_group = get.get("who") == "group"
    group = get.get("group", "").strip() if by_group else ""
    path = "" if by_group else get.get("path", "/").strip() or "/"
    scope = scope_of(account, group=group, path=path)
    if by_group and scope.group is None:
        raise RefusedError("Enter the name of the group.")
    denies = _denies_keys(request)
    seen = situations_in_scope(request.viewer, scope=scope, denies_keys=denies)
    if is_ticked(request, "out") and scope.group is None:
        gone = [standing.number for standing in (*seen.locked_out, *seen.machines)] + [
            entity.pk for entity in seen.outside
        ]
        seen = situations_in_scope(request.viewer, scope=scope, denies_keys=denies, without=gone)
    only, skip = _people(request, "only"), _people(request, "skip")
    return narrowed(seen, only=only, skip=skip) if only or skip else seen


def _people(request: ViewerRequest, name: str) -> list[UUID]:
    """Return the people in a parameter: those to include exclusively, or those to leave out."""
    person_ids = []
    texts = [text for text in request.GET.get(name, "").split(",") if text]
    for text in texts[:MAX_PEOPLE]:
        try:
            person_ids.append(UUID(text))
        except ValueError:
            leave_out(request, name, value=text)
    return person_ids


def _names(people: list[UUID]) -> list[str]:
    return list(Person.objects.filter(pk__in=people).order_by("name").values_list("name", flat=True))


def _person_rows(request: ViewerRequest, seen: EnforcementForecast) -> dict[str, Any]:
    """Return the rows of users: locked-out ones first, then by name."""
    page = page_number(request)
    ranked = sorted(
        seen.standings, key=lambda standing: (standing.gets_out, seen.users[standing.number].name.lower())
    )
    part = ranked[(page - 1) * PAGE : page * PAGE]
    because = because_of(seen, part)
    names = names_by_entity(seen.users[standing.number] for standing in part)
    query = {name: str(value) for name, value in request.GET.items() if name != "page"}
    return {
        "seen": seen,
        "policy_name": NAMES[seen.variant.denies_keys],
        "rows": [_row(seen, standing, because.get(standing.number, ()), names) for standing in part],
        "total": len(ranked),
        "locked": len(seen.locked_out) + len(seen.outside),
        "machines": len(seen.machines),
        "page": page,
        "has_more": len(ranked) > page * PAGE,
        "query": urlencode(query),
        "without_them": urlencode(query | {"out": "1"}),
        "notes": [*notes_for(seen), *left_out_notes(_names(_people(request, "skip")))],
        "only_names": _names(_people(request, "only")),
        "skip_names": _names(_people(request, "skip")),
        "whole": urlencode({name: value for name, value in query.items() if name not in ("only", "skip")}),
        "digest": seen.digest,
    }


def _options(
    request: ViewerRequest, seen: EnforcementForecast, approvers: PossibleApprovers
) -> dict[str, Any]:
    """Return alternatives if no one could approve the request."""
    viewer, query = (
        request.viewer,
        {name: str(value) for name, value in request.GET.items() if name != "page"},
    )
    parts = parts_of(seen, approvers, viewer=viewer)
    subjects = ",".join(map(str, approvers.subjects))
    rows = []
    for part in parts:
        own = ",".join(map(str, part.people))
        address = urlencode(query | ({"only": own} if own else {"skip": subjects}))
        rows.append((part, list(part.people.values()), address))
    return {
        "no_approver": approvers,
        "parts": rows,
        "waits_for_policy": not has_policy(seen, NAMES[seen.variant.denies_keys]),
        "elsewhere": approvers_elsewhere(seen.scope.account, but=[*approvers.subjects, viewer.person_id]),
        "appoints": viewer.may(Right.MANAGE_OPERATORS),
    }


def _row(
    seen: EnforcementForecast, standing: MfaOutlook, because: tuple[str, ...], names: Mapping[int, str]
) -> dict[str, Any]:
    user = seen.users[standing.number]
    devices = standing.situation.devices
    noun = "devices" if devices > 1 else "device"
    has = f"{devices} {noun}" if devices else "no device"
    stopped = list(dict.fromkeys(step for step, _ in standing.stopped))
    return {
        "pk": user.pk,
        "name": names[user.pk],
        "login": user.name,
        "signs_in": f"{PASSWORDS[standing.situation.password]}, {has}",
        "gets_out": standing.gets_out,
        "ways": [STEPS[step] for step in standing.situation.steps if step not in stopped],
        "stopped": [STEPS[step] for step in stopped],
        "calls": sorted({action for _, action in standing.stopped}),
        "because": because,
        "depends": sorted({action for _, action in standing.depends}),
        "besides": standing.besides,
    }


def _plan(request: ViewerRequest, seen: EnforcementForecast) -> dict[str, Any]:
    """Return the context of the planned changes. Raises RefusedError."""
    operations = operations_for(seen)
    planned = services.plan_set(operations, viewer=request.viewer)
    approvers = approvers_of(seen, planned, viewer=request.viewer)
    options = {} if approvers.is_possible_now else _options(request, seen, approvers)
    return (
        need_context(request, planned, together=set_receipt_of(operations))
        | options
        | {
            "steps": [plan.operation.title for plan in planned[:PAGE]],
            "step_count": len(planned),
        }
    )
