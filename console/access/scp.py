"""The page “SCP preview”: which recorded calls of an account a service control policy would deny if
attached.
"""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.http import HttpResponse
from django.views.decorators.http import require_http_methods

from console.changes.replay_rows import replay_shown
from console.web.access import ViewerRequest, require
from console.web.render import render_page
from iam.access.scp_replay import ScpError, replay_scp
from iam.guard import Right, Viewer
from iam.mirror.models import Account
from iam.mirror.queries.accounts import visible_accounts
from iam.mirror.queries.entities import openable_in

MAX_LENGTH: Final = 20_480
"""Twice the maximum of AWS, so that spaces don’t count."""
EXAMPLE: Final = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "OnlyEurope",
      "Effect": "Deny",
      "NotAction": ["iam:*", "sts:*", "organizations:*", "support:*"],
      "Resource": "*",
      "Condition": {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
    }
  ]
}"""


class ScpForm(forms.Form):
    """The account and the policy."""

    account = forms.ModelChoiceField(
        Account.objects.none(),
        to_field_name="account_id",
        empty_label=None,
        error_messages={"invalid_choice": "Choose an account from the list."},
    )
    document = forms.CharField(
        label="Service control policy",
        max_length=MAX_LENGTH,
        widget=forms.Textarea(attrs={"rows": 14, "spellcheck": "false"}),
        help_text="In JSON. It is replayed as if it were attached to the account, beside its other SCPs.",
        error_messages={"required": "Paste a policy in JSON."},
    )

    def __init__(self, data: Any, *, viewer: Viewer) -> None:
        super().__init__(data, initial={"document": EXAMPLE})
        accounts = visible_accounts(viewer).order_by("name")
        if viewer.scope.accounts is not None:
            accounts = accounts.filter(account_id__in=viewer.scope.accounts)
        self.fields["account"].queryset = accounts  # type: ignore[attr-defined]


@require_http_methods(["GET", "POST"])
@require(Right.SEE_ACCOUNT)
def scp_page(request: ViewerRequest) -> HttpResponse:
    """Show the form and the effect on recorded calls; nothing is stored, and AWS isn’t called."""
    data = request.POST if request.method == "POST" else None
    form = ScpForm(data, viewer=request.viewer)
    replay = None
    if form.is_bound and form.is_valid():
        account = form.cleaned_data["account"]
        try:
            replayed = replay_scp(account, form.cleaned_data["document"])
        except ScpError as error:
            form.add_error(error.field, str(error))
        else:
            numbers = {account.account_id}
            open_to = openable_in(request.viewer, account_ids=numbers, pks=replayed["entity_ids"])
            replay = replay_shown(replayed, open_to=open_to)
    context = {"form": form, "impact": {"replay": replay}, "section": "scp-preview"}
    status = 422 if form.errors else 200
    return render_page(request, "access/scp.html", context, status=status)
