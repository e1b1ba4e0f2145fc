"""Connects the account of the worker's own credentials: an instance profile, a task role, or the
environment.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.setup.forms import EnvironmentForm
from console.setup.pages import setup_page
from console.setup.progress import step_of
from console.web.access import ViewerRequest, require
from console.web.form_fields import add_service_error
from iam.guard import Right
from iam.mirror.accounts.connect import AccountConnection, connect_account
from iam.mirror.accounts.jobs import request_identity
from iam.mirror.accounts.texts import own_text
from iam.mirror.accounts.validation import SetupError
from iam.mirror.doctor.services import request_examination
from iam.mirror.models import Account
from iam.mirror.models.accounts import AccountSource
from iam.mirror.models.setup import JobState, SetupJob
from iam.mirror.queries.setup import latest_identity


@require_safe
@require(Right.MANAGE_ACCOUNTS)
def connect_environment(request: ViewerRequest) -> HttpResponse:
    """Show the worker’s identity, if it was requested; status 286 ends the polling."""
    identity = latest_identity(include_failed=True)
    final = identity is None or identity.is_final
    status = 286 if final and request.GET.get("n") else 200
    context = _context(request, identity, None)
    return setup_page(request, "connect_environment.html", context, partial="credentials", status=status)


@require_POST
@require(Right.MANAGE_ACCOUNTS)
def look_up_environment(request: ViewerRequest) -> HttpResponse:
    """Ask the worker for its identity, and return to the connection being prepared, if any."""
    request_identity(actor=request.viewer)
    try:
        draft = UUID(request.POST.get("next", ""))
    except ValueError:
        return redirect("setup:connect-environment")
    return redirect("setup:connect-role", draft=draft)


@require_http_methods(["POST"])
@require(Right.MANAGE_ACCOUNTS)
def connect_own(request: ViewerRequest) -> HttpResponse:
    """Connect the account that the worker reported."""
    identity = latest_identity()
    if identity is None:
        raise Http404
    form = EnvironmentForm(request.POST)
    if form.is_valid():
        connection = AccountConnection(
            account_id=identity.result["account_id"],
            name=form.cleaned_data["name"],
            source=AccountSource.ENVIRONMENT,
            partition=identity.result["partition"],
        )
        try:
            with transaction.atomic():
                account = connect_account(connection, actor=request.viewer)
                request_examination(account, actor=request.viewer, pull_after=True)
            return redirect("setup:doctor", number=account.account_id)
        except SetupError as error:
            add_service_error(form, error)
    return setup_page(request, "connect_environment.html", _context(request, identity, form), status=422)


def _context(
    request: ViewerRequest, identity: SetupJob | None, form: EnvironmentForm | None
) -> dict[str, Any]:
    known = identity is not None and identity.state == JobState.DONE
    result = identity.result if identity is not None and known else {}
    account = (
        Account.objects.filter(account_id=result["account_id"], removed_at__isnull=True).first()
        if known
        else None
    )
    connected = account if account and account.source != AccountSource.EXPORT else None
    return {
        "way": "environment",
        "identity": identity,
        "is_known": known,
        "connected": connected,
        "form": form or EnvironmentForm(),
        "policy": own_text(result.get("partition", "aws")),
        "step": step_of(request),
    }
