"""The list of identity providers, SAML and OpenID Connect."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from console.identities.lists import views
from console.identities.lists.cells import made, number, under_path
from console.identities.lists.spec import Column, Page, TabWords
from console.web.access import ViewerRequest, require
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.models import Kind
from iam.mirror.queries.lists.core import Lens
from iam.mirror.queries.lists.providers import PROVIDERS

KINDS = {Kind.SAML_PROVIDER.value: "SAML", Kind.OIDC_PROVIDER.value: "OpenID Connect"}
AUDIENCES_SHOWN = 2


def present(rows: list[Row], lens: Lens) -> list[dict[str, Any]]:
    """What the table shows of each provider."""
    return [
        row
        | {
            "pk": row["entity"],
            "sub": under_path(row),
            "created": made(row),
            "type": KINDS[row["kind"]],
            "short": KINDS[row["kind"]],
            "trusting": number(row["roles"]),
            "is_saml": row["kind"] == Kind.SAML_PROVIDER,
            "audience": _audience(row["audiences"]),
        }
        for row in rows
    ]


def _audience(names: list[str]) -> str:
    more = len(names) - AUDIENCES_SHOWN
    return ", ".join(names[:AUDIENCES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def export(lens: Lens) -> tuple[Column, ...]:
    """The columns of a file."""
    return (
        ("account_id", lambda row, _: row["number"]),
        ("account", lambda row, _: row["account_name"]),
        ("name", lambda row, _: row["name"]),
        ("type", lambda row, _: row["kind"]),
        ("arn", lambda row, _: row["arn"]),
        ("created", lambda row, _: row["created_at"]),
        ("valid_until", lambda row, _: row["valid_until"]),
        ("audiences", lambda row, _: row["audiences"]),
        ("roles", lambda row, _: row["roles"]),
    )


PAGE = Page(
    listing=PROVIDERS,
    title="Identity providers",
    noun=("identity provider", "identity providers"),
    intro="Where people and workloads sign in before they become a role.",
    icon="fingerprint",
    template="identities/providers.html",
    find="Name, address or ARN",
    tabs=(
        TabWords("all", "All"),
        TabWords("saml", "SAML", phrase="SAML"),
        TabWords("oidc", "OpenID Connect", phrase="OpenID Connect"),
    ),
    filters=(),
    present=present,
    export=export,
)


@require(Right.SEE_ACCOUNT)
def providers(request: ViewerRequest) -> HttpResponse:
    """The list."""
    return views.show(request, PAGE)


@require(Right.SEE_ACCOUNT)
def providers_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """The list as a file."""
    return views.files(request, PAGE, form)
