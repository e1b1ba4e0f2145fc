"""Connects the accounts of an organization: find them, select, and connect all with one role name."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.setup.forms import DiscoverForm, RolePlanForm
from console.setup.pages import setup_page
from console.setup.progress import step_of
from console.web.access import ViewerRequest, require_everywhere
from console.web.form_fields import add_service_error
from iam.guard import Right
from iam.mirror.accounts.connect_discovered import READABLE, RolePlan, connect_discovered
from iam.mirror.accounts.jobs import request_discovery
from iam.mirror.accounts.texts import READER, RoleTexts, role_texts
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models.setup import JobState, SetupJob, SetupKind
from iam.mirror.queries.setup import (
    askable_accounts,
    connected_numbers,
    external_id_of_organization,
    visible_job,
)

PER_PAGE = 100


@require_http_methods(["GET", "HEAD", "POST"])
@require_everywhere(Right.MANAGE_ACCOUNTS)
def connect_organization(request: ViewerRequest) -> HttpResponse:
    """Show the first step: through which account the organization is queried."""
    accounts = {account.account_id: account for account in askable_accounts(request.viewer)}
    form = DiscoverForm(request.POST or None, accounts=list(accounts.values()))
    if request.method == "POST" and form.is_valid():
        try:
            job = request_discovery(accounts.get(form.cleaned_data["account"]), actor=request.viewer)
            return redirect("setup:discovered", job=job.pk)
        except SetupError as error:
            add_service_error(form, error)
    past = SetupJob.objects.filter(kind=SetupKind.DISCOVER, state=JobState.DONE).order_by("-created_at")[:3]
    context = {"way": "organization", "form": form, "past": past}
    status = 422 if request.method == "POST" else 200
    return setup_page(request, "connect_organization.html", context, status=status)


def _discovery_or_404(request: ViewerRequest, job: UUID) -> SetupJob:
    setup_job = visible_job(request.viewer, job)
    if setup_job is None or setup_job.kind != SetupKind.DISCOVER:
        raise Http404
    return setup_job


@require_safe
@require_everywhere(Right.MANAGE_ACCOUNTS)
def discovered(request: ViewerRequest, job: UUID) -> HttpResponse:
    """Show the accounts that were found, or the worker's progress; status 286 ends the polling."""
    setup_job = _discovery_or_404(request, job)
    if not setup_job.is_final:
        return setup_page(
            request, "discovered.html", {"job": setup_job, "step": step_of(request)}, partial="body"
        )
    context = _context(
        request,
        setup_job,
        RolePlanForm(initial={"role_name": READER, "external_id": external_id_of_organization(setup_job)}),
    )
    status = 286 if request.GET.get("n") else 200
    return setup_page(request, "discovered.html", context, partial="body", status=status)


def _context(request: ViewerRequest, job: SetupJob, form: RolePlanForm) -> dict[str, Any]:
    accounts = job.result.get("accounts", [])
    text = request.GET.get("q", "").strip().lower()[:100]
    chosen = set(request.POST.getlist("account"))
    matching = [
        account for account in accounts if text in f"{account['name']} {account['account_id']}".lower()
    ]
    first = max(0, _number(request.GET.get("from", "")) - 1)
    shown = matching[first : first + PER_PAGE]
    connected = connected_numbers([account["account_id"] for account in accounts])
    open_ones = [
        account
        for account in accounts
        if account["account_id"] not in connected and account["status"] == READABLE
    ]
    previous = 0
    if first >= PER_PAGE:
        previous = first + 1 - PER_PAGE
    elif first:
        previous = 1
    return {
        "job": job,
        "form": form,
        "rows": [
            _row(job, account, connected) | {"is_chosen": account["account_id"] in chosen}
            for account in shown
        ],
        "q": request.GET.get("q", ""),
        "found": len(accounts),
        "matching": len(matching),
        "open": len(open_ones),
        "first": first + 1,
        "last": first + len(shown),
        "previous": previous,
        "next": first + PER_PAGE + 1 if first + PER_PAGE < len(matching) else 0,
        "text": _stack_set(job, form),
    }


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 7 else 1


def _row(job: SetupJob, row: dict[str, str], connected: set[str]) -> dict[str, Any]:
    number = row["account_id"]
    return {
        "account_id": number,
        "display_id": f"{number[:4]}-{number[4:8]}-{number[8:]}",
        "name": row["name"],
        "status": row["status"].lower().replace("_", " "),
        "is_connected": number in connected,
        "is_open": number not in connected and row["status"] == READABLE,
        "is_own": bool(job.result.get("own_credentials")) and number == job.result["identity"]["account_id"],
        "is_management": number == job.result.get("management_account_id"),
    }


def _stack_set(job: SetupJob, form: RolePlanForm) -> RoleTexts | None:
    """Return the template of the read role for a StackSet over the organization; it names no account."""
    if job.state != JobState.DONE:
        return None
    values = form.data if form.is_bound else form.initial
    try:
        return role_texts(
            "read",
            account_id=job.result["identity"]["account_id"],
            partition=job.result["identity"]["partition"],
            external_id=str(values.get("external_id", "")),
            hub_arn=job.result["identity"]["principal"],
            role_name=str(values.get("role_name", "")),
        )
    except ValueError:
        return None


@require_POST
@require_everywhere(Right.MANAGE_ACCOUNTS)
def connect_found(request: ViewerRequest, job: UUID) -> HttpResponse:
    """Connect the selected accounts, or all that aren’t connected yet."""
    setup_job = _discovery_or_404(request, job)
    if setup_job.state != JobState.DONE:
        raise Http404
    form = RolePlanForm(request.POST)
    chosen = None if request.POST.get("which") == "all" else set(request.POST.getlist("account"))
    if form.is_valid():
        try:
            if chosen is not None and not chosen:
                raise SetupError("Select at least one account.")
            outcome = connect_discovered(
                setup_job.result, chosen=chosen, plan=RolePlan(**form.cleaned_data), actor=request.viewer
            )
        except SetupError as error:
            add_service_error(form, error)
        else:
            return _connected_message(request, outcome.connected, outcome.left_out)
    return setup_page(request, "discovered.html", _context(request, setup_job, form), status=422)


def _connected_message(
    request: ViewerRequest, connected: tuple[Any, ...], left_out: tuple[tuple[str, str], ...]
) -> HttpResponse:
    count = len(connected)
    if count:
        words = "1 account is connected" if count == 1 else f"{count} accounts are connected"
        messages.success(request, f"{words} and will be synced within a minute.")
    if left_out:
        reasons = "; ".join(reason for _, reason in left_out[:3])
        more = f"; and {len(left_out) - 3} more" if len(left_out) > 3 else ""
        messages.warning(request, f"Not connected: {reasons}{more}.")
    return redirect("setup:accounts")
