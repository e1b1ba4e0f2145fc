"""Settings of CloudTrail sources: administrators test and pause them, and request to add, change or remove
one.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from console.setup.forms import MonoField, SetupForm
from console.setup.progress import step_of
from console.web.access import ViewerRequest, require, require_everywhere
from console.web.audit_decisions import reason_in
from console.web.form_fields import add_service_error, errors_by_field
from console.web.kept_text import keep_text
from console.web.render import render_page
from console.web.text import reads_as_stored
from iam.activity.sources import services
from iam.activity.sources.coverage import folder_state
from iam.activity.sources.models import SourceKind, TrailSource
from iam.audit.approval_requests.requests import MAX_REASON, RequestState
from iam.audit.source_requests import requests
from iam.audit.source_requests.models import SourceRequest
from iam.aws.permissions import trail_bucket_policy
from iam.directory.approval_words import waits_for_approval
from iam.guard import Right
from iam.mirror.accounts.validation import SetupError
from iam.mirror.models import Account, EntityState, Kind, valid_at
from iam.mirror.queries.accounts import visible_accounts

DAYS_AT_FIRST: Final = 90
_INPUT: Final = {"class": "input"}


class SourceForm(SetupForm):
    """What a source reads, and with which role."""

    kind = forms.ChoiceField(label="Read from", choices=SourceKind.choices, widget=forms.Select(attrs=_INPUT))
    account = forms.ChoiceField(
        label="Account whose role reads",
        widget=forms.Select(attrs=_INPUT),
        error_messages={"required": "Choose an account.", "invalid_choice": "Choose an account."},
    )
    bucket = MonoField(label="S3 bucket", max_length=63, required=False)
    key_prefix = MonoField(
        label="Prefix",
        max_length=200,
        required=False,
        help_text="What comes before AWSLogs/ in the keys. Usually empty.",
    )
    region = MonoField(label="Region of the bucket", max_length=32, required=False)
    queue_url = MonoField(
        label="SQS queue",
        max_length=512,
        required=False,
        help_text="The URL of a queue that S3 tells of new files. Without one, the bucket is listed.",
    )
    reason = forms.CharField(
        label="Reason",
        max_length=MAX_REASON,
        validators=[reads_as_stored],
        widget=forms.Textarea(attrs=_INPUT | {"rows": 3}),
        error_messages={"required": "Give a reason. The approver and auditors see it."},
    )
    since = forms.DateField(
        label="Read from this day on",
        widget=forms.DateInput(attrs=_INPUT | {"type": "date"}, format="%Y-%m-%d"),
        error_messages={"required": "Enter the first day.", "invalid": "Enter a date."},
    )

    def __init__(self, *args: Any, accounts: list[Account], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._accounts = {account.account_id: account for account in accounts}
        choices = [(account.account_id, f"{account.name} ({account.account_id})") for account in accounts]
        self.fields["account"].choices = choices  # type: ignore[attr-defined]

    @property
    def terms(self) -> services.SourceTerms:
        """Return the terms of a valid form."""
        values = dict(self.cleaned_data)
        values["account"] = self._accounts[values["account"]]
        values["prefix"] = values.pop("key_prefix")
        del values["reason"]
        return services.SourceTerms(**values)


@require_safe
@require(Right.SEE_ACCOUNT)
def sources_page(request: ViewerRequest) -> HttpResponse:
    """List all sources, the folder in the settings, and trails that no source reads."""
    sources = list(_visible(request))
    waiting = SourceRequest.objects.filter(state=RequestState.REQUESTED).order_by("requested_at")
    context = {
        "sources": sources,
        "requested": waiting if request.viewer.scope.sees_everything else (),
        "trails": _trails(request, sources),
        "folder": settings.TRAIL_FOLDER,
        "folder_state": folder_state("folder"),
        "other_states": [(label, folder_state(name)) for name, label in _OTHERS],
    }
    return _page(request, "sources.html", context)


_OTHERS: Final = (
    ("upload", "Uploaded files"),
    ("command", "manage.py ingest_trail"),
    ("sample", "Sample organization"),
)


@require_http_methods(["GET", "HEAD", "POST"])
@require_everywhere(Right.MANAGE_ACCOUNTS)
def add(request: ViewerRequest) -> HttpResponse:
    """Request a source; a link from a trail fills in the form."""
    initial = {
        name: request.GET.get(name, "")[:512]
        for name in ("kind", "account", "bucket", "key_prefix", "region")
    }
    initial["since"] = (date.today() - timedelta(days=DAYS_AT_FIRST)).isoformat()
    form = SourceForm(posted(request), accounts=_readers(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            row = requests.request_addition(
                form.terms, reason=form.cleaned_data["reason"], actor=request.viewer, now=timezone.now()
            )
            messages.success(request, waits_for_approval())
            return redirect("activity:source-request", pk=row.pk)
        except SetupError as error:
            add_service_error(form, error)
    status = 422 if form.is_bound else 200
    return _page(request, "source_add.html", {"form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@require_everywhere(Right.MANAGE_ACCOUNTS)
def source_page(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show a source: its status, test errors at their fields, and its terms."""
    source = _source_or_404(request, pk)
    form = SourceForm(posted(request), accounts=_readers(request), initial=_initial(source))
    if request.method == "POST" and form.is_valid():
        try:
            row = requests.request_change(
                source,
                form.terms,
                reason=form.cleaned_data["reason"],
                actor=request.viewer,
                now=timezone.now(),
            )
            messages.success(request, waits_for_approval())
            return redirect("activity:source-request", pk=row.pk)
        except SetupError as error:
            add_service_error(form, error)
    return _source_page(request, source, form)


def _source_page(
    request: ViewerRequest,
    source: TrailSource,
    form: SourceForm,
    *,
    errors: dict[str, str] | None = None,
    reason: str = "",
) -> HttpResponse:
    pausing = "pause"
    if source.is_paused:
        pausing = "resume"
    context = {
        "source": source,
        "form": form,
        "step": step_of(request),
        "wrong": _wrong(source),
        "pausing": pausing,
        "policy": _policy(source),
        "waiting": requests.waiting_request(source),
        "errors": errors or {},
        "removal_reason": reason,
    }
    is_answered = request.GET.get("n") and not source.is_check_running
    status = 200
    if form.is_bound or errors:
        status = 422
    elif is_answered:
        status = 286
    return _page(request, "source.html", context, partial="standing", status=status)


def _initial(source: TrailSource) -> dict[str, Any]:
    names = ("kind", "bucket", "region", "queue_url", "since")
    initial = {name: getattr(source, name) for name in names}
    return initial | {"account": source.account.account_id, "key_prefix": source.prefix}


def _wrong(source: TrailSource) -> dict[str, str]:
    """Return errors by field: those of the test, else of the last failed run."""
    result = source.check_result
    if source.is_check_running:
        return {}
    if result and not result.get("is_ok"):
        return {str(result.get("field") or "all"): str(result.get("text"))}
    if source.error:
        return {source.error_field or "all": source.error}
    return {}


@require_POST
@require_everywhere(Right.MANAGE_ACCOUNTS)
def act(request: ViewerRequest, pk: UUID, what: str) -> HttpResponse:
    """Test, pause or resume a source."""
    source = _source_or_404(request, pk)
    if what not in ACTS:
        raise Http404
    ACTS[what](source, request)
    return redirect("activity:source", pk=pk)


@require_POST
@require_everywhere(Right.MANAGE_ACCOUNTS)
def remove(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Request to remove a source."""
    source = _source_or_404(request, pk)
    reason = reason_in(request)
    try:
        row = requests.request_removal(source, reason=reason, actor=request.viewer, now=timezone.now())
    except SetupError as error:
        form = SourceForm(accounts=_readers(request), initial=_initial(source))
        if not error.field:
            keep_text(request, reason)
        return _source_page(request, source, form, errors=errors_by_field(error), reason=reason)
    messages.success(request, waits_for_approval())
    return redirect("activity:source-request", pk=row.pk)


def _test(source: TrailSource, request: ViewerRequest) -> None:
    services.request_test(source, actor=request.viewer)


def _pause(source: TrailSource, request: ViewerRequest) -> None:
    services.pause_source(source, is_paused=True, actor=request.viewer)
    messages.success(request, "Paused. Stored events are kept.")


def _resume(source: TrailSource, request: ViewerRequest) -> None:
    services.pause_source(source, is_paused=False, actor=request.viewer)
    messages.success(request, "The source is read again.")


ACTS: Final[dict[str, Callable[[TrailSource, ViewerRequest], None]]] = {
    "test": _test,
    "pause": _pause,
    "resume": _resume,
}


def posted(request: ViewerRequest) -> QueryDict | None:
    """Return the POST data; None for a GET, so that an empty posted form has errors."""
    return request.POST if request.method == "POST" else None


def _visible(request: ViewerRequest) -> Any:
    rows = TrailSource.objects.filter(removed_at__isnull=True, account__in=visible_accounts(request.viewer))
    return rows.select_related("account").order_by("created_at")


def _source_or_404(request: ViewerRequest, pk: UUID) -> TrailSource:
    source: TrailSource | None = _visible(request).filter(pk=pk).first()
    if source is None:
        raise Http404
    return source


def _readers(request: ViewerRequest) -> list[Account]:
    """Return the accounts that Gatehouse reads with a role or the worker's credentials."""
    return list(visible_accounts(request.viewer).exclude(source="export").order_by("name"))


def _trails(request: ViewerRequest, sources: list[TrailSource]) -> list[dict[str, Any]]:
    """Return the trails of the mirror, and whether a source reads their bucket."""
    read = {source.bucket for source in sources if source.kind == SourceKind.BUCKET}
    rows = EntityState.objects.filter(
        valid_at(None), kind=Kind.TRAIL, account__in=visible_accounts(request.viewer)
    ).select_related("account", "entity__usage")
    shown = []
    for state in rows.order_by("account__name", "name"):
        usage = getattr(state.entity, "usage", None)
        shown.append(
            {
                "state": state,
                "attrs": state.attrs,
                "add_url": _add_url(state),
                "is_read": state.attrs.get("S3BucketName") in read,
                "delivered_at": usage.last_used_at if usage and usage.last_used_at.year > 2012 else None,
            }
        )
    return shown


def _add_url(state: EntityState) -> str:
    """Return the address of the form for a trail's bucket."""
    attrs = state.attrs
    answers = {
        "kind": SourceKind.BUCKET.value,
        "account": state.account.account_id,
        "bucket": attrs.get("S3BucketName") or "",
        "key_prefix": attrs.get("S3KeyPrefix") or "",
        "region": attrs.get("HomeRegion") or "",
    }
    return f"{reverse('activity:add-source')}?{urlencode(answers)}"


def _policy(source: TrailSource) -> str:
    """Return the permissions that the role needs besides the read role's own policy."""
    if source.kind != SourceKind.BUCKET:
        return ""
    parts = source.queue_url.split("/")
    queue_arn = ""
    if len(parts) == 5:
        region = parts[2].split(".")[1]
        queue_arn = f"arn:{source.account.partition}:sqs:{region}:{parts[3]}:{parts[4]}"
    keys = EntityState.objects.filter(valid_at(None), kind=Kind.TRAIL, attrs__S3BucketName=source.bucket)
    key = next((state.attrs["KmsKeyId"] for state in keys if state.attrs.get("KmsKeyId")), "")
    return json.dumps(
        trail_bucket_policy(
            source.account.partition,
            bucket=source.bucket,
            prefix=source.prefix,
            queue_arn=queue_arn,
            kms_key=key,
        )
    )


def _page(
    request: ViewerRequest, template: str, context: dict[str, Any], *, partial: str = "", status: int = 200
) -> HttpResponse:
    shared = {
        "section": "trail-sources",
        "may_manage": request.viewer.may(Right.MANAGE_ACCOUNTS, account_id=""),
    }
    return render_page(request, f"activity/{template}", shared | context, partial=partial, status=status)
