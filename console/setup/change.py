"""Changes an account's settings, and disconnects it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.operators.recency import recently_authenticated
from console.setup.forms import SettingsForm
from console.setup.pages import setup_page
from console.web.access import ViewerRequest, account_or_404, require
from console.web.form_fields import add_service_error
from iam.guard import Right
from iam.mirror.accounts.disconnect import disconnect_account
from iam.mirror.accounts.update import update_account
from iam.mirror.accounts.validation import SetupError
from iam.mirror.doctor.services import request_examination
from iam.mirror.models import Account
from iam.mirror.queries.account_facts import facts_of

WAY = {"role_arn", "write_role_arn", "external_id"}


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.MANAGE_ACCOUNTS)
@recently_authenticated
def change_settings(request: ViewerRequest, number: str) -> HttpResponse:
    """Change name, sync interval and roles."""
    account = account_or_404(request.viewer, number, right=Right.MANAGE_ACCOUNTS)
    form = SettingsForm(
        request.POST or None,
        account=account,
        default_minutes=settings.PULL_MINUTES,
        initial={name: getattr(account, name) for name in ("name", "pull_every", *WAY)},
    )
    if request.method == "POST" and form.is_valid():
        try:
            return _save(request, account, form)
        except SetupError as error:
            add_service_error(form, error)
    context = {"account": account, "form": form}
    status = 422 if form.is_bound else 200
    return setup_page(request, "settings.html", context, status=status)


def _save(request: ViewerRequest, account: Account, form: SettingsForm) -> HttpResponse:
    values = {"pull_every": account.pull_every} | form.cleaned_data
    changed = update_account(account, actor=request.viewer, **values)
    if not changed:
        messages.info(request, "No changes to save.")
    elif WAY & set(changed):
        request_examination(account, actor=request.viewer, pull_after=True)
        messages.success(request, "Saved. The roles are being checked. If they work, the account is synced.")
        return redirect("setup:doctor", number=account.account_id)
    else:
        messages.success(request, "Saved.")
    return redirect("setup:account", number=account.account_id)


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.MANAGE_ACCOUNTS)
@recently_authenticated
def disconnect(request: ViewerRequest, number: str) -> HttpResponse:
    """Explain the effect of disconnecting, and do it after confirmation."""
    account = account_or_404(request.viewer, number, right=Right.MANAGE_ACCOUNTS)
    context = {"account": account, "facts": facts_of([account.pk])[0]}
    if request.method != "POST":
        return setup_page(request, "disconnect.html", context)
    if request.POST.get("name", "").strip() != account.name:
        context["error"] = f"Type {account.name} exactly as shown."
        return setup_page(request, "disconnect.html", context, status=422)
    try:
        disconnect_account(account, actor=request.viewer)
    except SetupError as error:
        messages.error(request, error.message)
        return redirect("setup:accounts")
    messages.success(request, f"{account.name} is disconnected. Its data is kept.")
    return redirect("setup:accounts")
