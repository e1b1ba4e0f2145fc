"""Shows the secret of a new credential once, only to its recipient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from console.changes.page import SEES, acting_on
from console.operators.recency import recently_authenticated
from console.web.access import ViewerRequest, layout_for, require
from console.web.post_only import answers_get_with_its_page
from console.web.render import render_page
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.services.secrets import read_secret, seal_of
from iam.mirror.models import Account, AccountFact, Entity, valid_at


@dataclass(frozen=True, slots=True)
class SecretLine:
    """A value needed to sign in: its key on the page, label and text."""

    key: str
    label: str
    text: str


@answers_get_with_its_page
@require_http_methods(["GET", "POST"])
@require(*SEES)
@recently_authenticated
def secret(request: ViewerRequest, pk: UUID) -> HttpResponse:
    """Show the secret once. A GET comes from re-authentication or a reload, and is redirected to the
    change.
    """
    shown = acting_on(request, pk)
    seal = seal_of(shown)
    if seal is None or seal.recipient_id != request.viewer.person_id:
        raise Http404
    if request.method == "GET":
        return redirect("changes:change", pk=pk)
    context: dict[str, Any] = {
        "change": shown,
        "account": shown.account,
        "layout": layout_for(request.viewer),
        "section": "changes",
    }
    try:
        text = read_secret(shown, actor=request.viewer)
    except RefusedError as refused:
        return render_page(request, "changes/secret.html", context | {"refused": refused}, status=422)
    label = seal.row.label if seal.row else ""
    context |= {
        "rows": _rows(shown, label=label, text=text),
        "profile": _profile(shown, label=label, text=text),
    }
    return render_page(request, "changes/secret.html", context)


def _rows(change: Change, *, label: str, text: str) -> list[SecretLine]:
    if change.operation == "access_key.create":
        return [SecretLine("id", "Access key ID", label), SecretLine("secret", "Secret access key", text)]
    if change.operation.startswith("service_credential."):
        entity = Entity.objects.filter(account=change.account, aws_id=label).first()
        user_name = entity.name if entity else label
        return [SecretLine("id", "User name", user_name), SecretLine("secret", "Password", text)]
    return [
        SecretLine("page", "Sign-in page", sign_in_page(change.account)),
        SecretLine("id", "User name", change.params["user_name"]),
        SecretLine("secret", "Password", text),
    ]


def _profile(change: Change, *, label: str, text: str) -> str:
    """Return a profile for the AWS CLI's credentials file; "" if the secret isn’t an access key."""
    if change.operation != "access_key.create":
        return ""
    name = change.params["user_name"]
    return f"[{name}]\naws_access_key_id = {label}\naws_secret_access_key = {text}"


_SIGN_IN: Final = {
    "aws": "https://{name}.signin.aws.amazon.com/console",
    "aws-cn": "https://{name}.signin.amazonaws.cn/console",
    "aws-us-gov": "https://{name}.signin.amazonaws-us-gov.com/console",
}


def sign_in_page(account: Account) -> str:
    """Return the console sign-in page for an account's IAM users, with the account alias if there is one.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/console_account-alias.html
    """
    alias = AccountFact.objects.filter(valid_at(None), account=account, name="alias").first()
    name = alias.value if alias and isinstance(alias.value, str) and alias.value else account.account_id
    return _SIGN_IN.get(account.partition, _SIGN_IN["aws"]).format(name=name)
