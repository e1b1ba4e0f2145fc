"""Demand MFA by policy: whom it is for, what each of them can still do without MFA, that they get out of it, and asking for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from console.changes.deciding import need_context
from console.changes.forms import ReasonForm
from console.web.access import ViewerRequest, require
from console.web.context import frame_of
from console.web.paging import page_number
from console.web.render import render_page
from iam.access.enforcement.check import Password, Standing, Step
from iam.access.enforcement.scope import scope_of
from iam.access.enforcement.services import (
    NAMES,
    Outlook,
    because_of,
    look,
    notes_for,
    operations_for,
    request_enforcement,
)
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.receipts import set_receipt_of
from iam.guard import Right
from iam.mirror.models import Account
from iam.mirror.naming import names_by_entity
from iam.mirror.queries.accounts import whole_accounts

PAGE: Final = 50
PASSWORDS: Final = {
    Password.NONE: "No password",
    Password.MUST_CHANGE: "First password, to be changed",
    Password.SET: "Password",
    Password.UNREAD: "Password not read",
}
STEPS: Final = {
    Step.PASSWORD: "change the password",
    Step.ENROL: "add a device",
    Step.RESYNC: "resync the device",
    Step.SESSION: "get a session with a code",
}


@require_http_methods(["GET", "POST"])
@require(Right.REQUEST_CHANGE)
def enforce(request: ViewerRequest) -> HttpResponse:
    """The form; with a scope in the address, what it comes to; posted, the request."""
    request.at = None
    accounts = list(whole_accounts(request.viewer)[:500])
    context = _form(request, accounts)
    form = ReasonForm(request.POST) if request.method == "POST" else ReasonForm.blank()
    if not context["is_asked"]:
        return render_page(request, "mfa/enforce.html", context)
    status = 200
    try:
        seen = _outlook(request, context["account"])
        context |= _shown(request, seen)
        if request.method == "POST" and form.is_valid():
            if request.POST.get("seen") != seen.digest:
                raise RefusedError("What this does is not what was shown before. Look at it below, then ask.")
            made = request_enforcement(
                request.viewer,
                seen=seen,
                reason=form.cleaned_data["reason"],
                idempotency_key=str(form.cleaned_data["key"]),
            )
            return redirect("changes:request", pk=made.pk)
        status = 422 if request.method == "POST" else 200
        context |= _plan(request, seen)
    except RefusedError as refused:
        # Who is locked out is told below, and whoever posts is told why not.
        context["refused"] = None if request.method == "GET" and context.get("locked") else refused
        status = 422 if request.method == "POST" else 200
    return render_page(request, "mfa/enforce.html", context | {"form": form}, status=status)


def _form(request: ViewerRequest, accounts: list[Account]) -> dict[str, Any]:
    get = request.GET
    number = get.get("in", "") or (chosen.account_id if (chosen := frame_of(request).chosen) else "")
    account = next((one for one in accounts if one.account_id == number), None)
    return {
        "section": "fleet",
        "sees_accounts": request.viewer.sees_accounts,
        "accounts": accounts,
        "account": account,
        "who": "group" if get.get("who") == "group" else "path",
        "group": get.get("group", "").strip()[:128],
        "path": get.get("path", "/").strip()[:512] or "/",
        "denies_keys": get.get("keys", "denied") != "left",
        "leaves_out": get.get("out") == "1",
        "is_asked": bool(get.get("who")) and account is not None,
        "refused": None,
        "seen": None,
    }


def _outlook(request: ViewerRequest, account: Account) -> Outlook:
    get = request.GET
    by_group = get.get("who") == "group"
    scope = scope_of(
        account,
        group=get.get("group", "").strip() if by_group else "",
        path="" if by_group else get.get("path", "/").strip() or "/",
    )
    if by_group and scope.group is None:
        raise RefusedError("Write the name of the group.")
    denies = get.get("keys", "denied") != "left"
    seen = look(request.viewer, scope=scope, denies_keys=denies)
    if get.get("out") == "1" and scope.group is None:
        gone = [one.number for one in (*seen.locked_out, *seen.machines)] + [one.pk for one in seen.outside]
        seen = look(request.viewer, scope=scope, denies_keys=denies, without=gone)
    return seen


def _shown(request: ViewerRequest, seen: Outlook) -> dict[str, Any]:
    """Who stands how: whoever is locked out first, then by name."""
    page = page_number(request)
    ranked = sorted(seen.standings, key=lambda one: (one.gets_out, seen.users[one.number].name.lower()))
    part = ranked[(page - 1) * PAGE : page * PAGE]
    because = because_of(seen, part)
    names = names_by_entity(seen.users[one.number] for one in part)
    query = {name: str(value) for name, value in request.GET.items() if name != "page"}
    return {
        "seen": seen,
        "policy_name": NAMES[seen.variant.denies_keys],
        "rows": [_row(seen, one, because.get(one.number, ()), names) for one in part],
        "total": len(ranked),
        "locked": len(seen.locked_out) + len(seen.outside),
        "machines": len(seen.machines),
        "page": page,
        "has_more": len(ranked) > page * PAGE,
        "query": urlencode(query),
        "without_them": urlencode(query | {"out": "1"}),
        "notes": notes_for(seen),
        "digest": seen.digest,
    }


def _row(seen: Outlook, one: Standing, because: tuple[str, ...], names: Mapping[int, str]) -> dict[str, Any]:
    user = seen.users[one.number]
    devices = one.situation.devices
    has = f"{devices} device{'s' if devices > 1 else ''}" if devices else "no device"
    stopped = list(dict.fromkeys(step for step, _ in one.stopped))
    return {
        "pk": user.pk,
        "name": names[user.pk],
        "login": user.name,
        "signs_in": f"{PASSWORDS[one.situation.password]}, {has}",
        "gets_out": one.gets_out,
        "ways": [STEPS[step] for step in one.situation.steps if step not in stopped],
        "stopped": [STEPS[step] for step in stopped],
        "calls": sorted({action for _, action in one.stopped}),
        "because": because,
        "depends": sorted({action for _, action in one.depends}),
        "besides": one.besides,
    }


def _plan(request: ViewerRequest, seen: Outlook) -> dict[str, Any]:
    """What asking comes to. Raises RefusedError."""
    operations = operations_for(seen)
    planned = services.plan_set(operations, viewer=request.viewer)
    return need_context(request, planned, together=set_receipt_of(operations)) | {
        "steps": [plan.operation.title for plan in planned[:PAGE]],
        "step_count": len(planned),
    }
