"""Connects an account by a role with an external ID: name it, create the role, check it, first sync."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.setup.forms import ExternalIdForm, HubForm, NameForm, RoleForm, where_of
from console.setup.pages import setup_page
from console.web.access import ViewerRequest, require
from console.web.address_choices import choice
from console.web.form_fields import add_service_error
from iam.guard import Right
from iam.mirror.accounts.connect import AccountConnection, connect_account
from iam.mirror.accounts.jobs import request_identity
from iam.mirror.accounts.prepare import discard_draft, prepare_connection, update_draft
from iam.mirror.accounts.texts import READER, RoleTexts, role_texts
from iam.mirror.accounts.validation import SetupError
from iam.mirror.doctor.services import request_examination
from iam.mirror.models.accounts import AccountSource
from iam.mirror.models.setup import ConnectionDraft
from iam.mirror.queries.setup import latest_identity, own_drafts

WAYS = ("cloudformation", "terraform", "hand")
FILES = {
    "cloudformation": ("yaml", "cloudformation", "application/yaml"),
    "terraform": ("tf", "terraform", "text/plain"),
    "trust": ("trust.json", "trust", "application/json"),
    "permissions": ("permissions.json", "permissions", "application/json"),
}


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.MANAGE_ACCOUNTS)
def connect(request: ViewerRequest) -> HttpResponse:
    """Show the ways to connect, and the first step of the usual one."""
    form = NameForm(request.POST or None, initial=_initial(request))
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                draft = prepare_connection(
                    form.cleaned_data["account_id"],
                    name=form.cleaned_data["name"],
                    partition=form.cleaned_data["partition"],
                    actor=request.viewer,
                )
                _find_hub(draft, request)
            return redirect("setup:connect-role", draft=draft.pk)
        except SetupError as error:
            add_service_error(form, error)
    context = {"way": "role", "form": form, "drafts": own_drafts(request.viewer)}
    status = 422 if form.is_bound else 200
    return setup_page(request, "connect.html", context, status=status)


def _initial(request: ViewerRequest) -> dict[str, str]:
    """Return initial values from the link, such as those of a disconnected account."""
    return {name: request.GET.get(name, "")[:128] for name in ("account_id", "name", "partition")}


def _find_hub(draft: ConnectionDraft, request: ViewerRequest) -> None:
    """Set the hub's ARN from a recent answer of the worker, or ask the worker."""
    known = latest_identity()
    if known and not draft.hub_arn:
        update_draft(draft, hub_arn=known.result["principal"], actor=request.viewer)
    elif not draft.hub_arn:
        request_identity(actor=request.viewer)


def _draft_or_404(request: ViewerRequest, draft: UUID) -> ConnectionDraft:
    connection_draft = ConnectionDraft.objects.filter(pk=draft).first()
    if connection_draft is None or not request.viewer.may(
        Right.MANAGE_ACCOUNTS, account_id=connection_draft.account_id
    ):
        raise Http404
    return connection_draft


@require_http_methods(["GET", "HEAD", "POST"])
@require(Right.MANAGE_ACCOUNTS)
def connect_role(request: ViewerRequest, draft: UUID) -> HttpResponse:
    """Show the second step: the templates that create the roles, and the fields for their ARNs."""
    connection_draft = _draft_or_404(request, draft)
    texts = _texts(connection_draft)
    initial = {"role_arn": texts[0].arn} if texts else {}
    form = RoleForm(request.POST or None, where=where_of(connection_draft), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            return _connect(request, connection_draft, form)
        except SetupError as error:
            add_service_error(form, error)
    status = 422 if form.is_bound else 200
    context = _role_context(request, connection_draft, form)
    return setup_page(request, "connect_role.html", context, status=status)


def _connect(request: ViewerRequest, draft: ConnectionDraft, form: RoleForm) -> HttpResponse:
    connection = AccountConnection(
        account_id=draft.account_id,
        name=draft.name,
        source=AccountSource.ROLE,
        partition=draft.partition,
        role_arn=form.cleaned_data["role_arn"],
        write_role_arn=form.cleaned_data["write_role_arn"],
        external_id=draft.external_id,
    )
    with transaction.atomic():
        account = connect_account(connection, actor=request.viewer)
        request_examination(account, actor=request.viewer, pull_after=True)
    return redirect("setup:doctor", number=account.account_id)


def _role_context(
    request: ViewerRequest, draft: ConnectionDraft, form: RoleForm, **more: Any
) -> dict[str, Any]:
    identity = latest_identity(include_failed=True)
    return {
        "draft": draft,
        "form": form,
        "texts": _texts(draft),
        "how": choice(request, "how", WAYS, default="hand"),
        "hub_form": HubForm(initial={"hub_arn": draft.hub_arn}),
        "external_form": ExternalIdForm(initial={"external_id": draft.external_id}),
        "identity": identity,
        "is_bad_hub": bool(draft.hub_arn) and not _texts(draft),
        "reader": READER,
    } | more


def _texts(draft: ConnectionDraft) -> list[RoleTexts]:
    """Return the templates of the read and write roles; empty while the principal that assumes them is
    unknown or unusable.
    """
    if not draft.hub_arn:
        return []
    where = {
        "account_id": draft.account_id,
        "partition": draft.partition,
        "external_id": draft.external_id,
        "hub_arn": draft.hub_arn,
    }
    try:
        return [role_texts("read", **where), role_texts("write", **where)]
    except ValueError:
        return []


@require_safe
@require(Right.MANAGE_ACCOUNTS)
def connect_hub(request: ViewerRequest, draft: UUID) -> HttpResponse:
    """Answer the polling page with the templates once the worker has reported its identity."""
    connection_draft = _draft_or_404(request, draft)
    identity = latest_identity(include_failed=True)
    waits = not connection_draft.hub_arn and (identity is None or not identity.is_final)
    context = _role_context(
        request,
        connection_draft,
        RoleForm(where=where_of(connection_draft), initial=_suggested(connection_draft)),
    )
    status = 200 if waits else 286
    return setup_page(request, "connect_role.html", context, partial="texts", status=status)


def _suggested(draft: ConnectionDraft) -> dict[str, str]:
    texts = _texts(draft)
    return {"role_arn": texts[0].arn} if texts else {}


@require_POST
@require(Right.MANAGE_ACCOUNTS)
def change_draft(request: ViewerRequest, draft: UUID) -> HttpResponse:
    """Set the hub's role, or the external ID that an existing role requires."""
    connection_draft = _draft_or_404(request, draft)
    form = HubForm(request.POST) if "hub_arn" in request.POST else ExternalIdForm(request.POST)
    if form.is_valid():
        try:
            update_draft(connection_draft, actor=request.viewer, **form.cleaned_data)
            return redirect("setup:connect-role", draft=connection_draft.pk)
        except SetupError as error:
            add_service_error(form, error)
    name = "hub_form" if isinstance(form, HubForm) else "external_form"
    context = _role_context(
        request,
        connection_draft,
        RoleForm(where=where_of(connection_draft), initial=_suggested(connection_draft)),
        **{name: form},
    )
    return setup_page(request, "connect_role.html", context, status=422)


@require_POST
@require(Right.MANAGE_ACCOUNTS)
def discard(request: ViewerRequest, draft: UUID) -> HttpResponse:
    """Discard a prepared connection."""
    connection_draft = _draft_or_404(request, draft)
    discard_draft(connection_draft, actor=request.viewer)
    messages.success(
        request, f"The connection of {connection_draft.name} was discarded, with its external ID."
    )
    return redirect("setup:accounts")


@require_safe
@require(Right.MANAGE_ACCOUNTS)
def download(request: ViewerRequest, draft: UUID, purpose: str, what: str) -> HttpResponse:
    """Download one of the templates."""
    connection_draft = _draft_or_404(request, draft)
    texts = {text.purpose: text for text in _texts(connection_draft)}
    if purpose not in texts or what not in FILES:
        raise Http404
    ending, attribute, content_type = FILES[what]
    text = texts[purpose]
    response = HttpResponse(getattr(text, attribute), content_type=f"{content_type}; charset=utf-8")
    response["Content-Disposition"] = (
        f'attachment; filename="{text.name}-{connection_draft.account_id}.{ending}"'
    )
    return response
