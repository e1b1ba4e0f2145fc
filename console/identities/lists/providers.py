"""The list of identity providers (SAML and OpenID Connect)."""

from __future__ import annotations

from dataclasses import replace

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from console.identities.lists.cells import ACCOUNT, ACCOUNT_ID, ARN, CREATED, NAME, number, under_path
from console.identities.lists.spec import ListColumn, ListPage, NameCell, TabWords, filters_of
from console.identities.lists.views import list_views
from console.web.templatetags.ui import badge, moment
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.models import Kind
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.providers import PROVIDERS

KINDS = {Kind.SAML_PROVIDER.value: "SAML", Kind.OIDC_PROVIDER.value: "OpenID Connect"}
PREVIEW_AUDIENCES = 2
AWS_SIGN_IN = mark_safe('<span class="muted">AWS sign-in</span>')
ENDLESS = mark_safe('<span class="muted">Doesn’t expire</span>')


def begin(row: Row, _: ListContext) -> NameCell:
    """Return the first cell of a row."""
    return NameCell(row["name"], KINDS[row["kind"]], under_path(row))


def _type(row: Row) -> SafeString:
    icon = "fingerprint" if row["kind"] == Kind.SAML_PROVIDER else "globe"
    return badge(KINDS[row["kind"]], "", icon)


def _purpose(row: Row) -> SafeString | str:
    if row["kind"] == Kind.SAML_PROVIDER:
        return AWS_SIGN_IN
    return _audience(row["audiences"]) or "No audience"


def _validity(row: Row) -> SafeString:
    if row["is_expired"]:
        return badge("Expired", "bad", "x")
    if not row["valid_until"]:
        return ENDLESS
    end = moment(row["valid_until"], only="date")
    if row["ends_soon"]:
        return format_html('<span class="badge" data-tone="warn">{}</span>', end)
    return format_html('<span class="ink-2">{}</span>', end)


def _audience(names: list[str]) -> str:
    more = len(names) - PREVIEW_AUDIENCES
    return ", ".join(names[:PREVIEW_AUDIENCES]) + (f" and {more} more" if more > 0 else "")


COLUMNS = (
    ACCOUNT_ID,
    ACCOUNT,
    NAME,
    ListColumn(
        "Type",
        lambda row, _: _type(row),
        place=10,
        css="p2",
        files=(("type", lambda row, _: row["kind"]),),
    ),
    ARN,
    replace(CREATED, sort=""),
    ListColumn(
        "Valid until",
        lambda row, _: _validity(row),
        place=40,
        css="p2",
        cell_css="nowrap",
        files=(("valid_until", lambda row, _: row["valid_until"]),),
    ),
    ListColumn(
        "For",
        lambda row, _: _purpose(row),
        place=20,
        css="p3",
        cell_css="ink-2",
        files=(("audiences", lambda row, _: row["audiences"]),),
    ),
    ListColumn(
        "Roles",
        lambda row, _: number(row["roles"]),
        place=30,
        css="end",
        files=(("roles", lambda row, _: row["roles"]),),
    ),
)
PAGE = ListPage(
    listing=PROVIDERS,
    title="Identity providers",
    noun=("identity provider", "identity providers"),
    intro="Where people and workloads sign in before they become a role.",
    icon="fingerprint",
    find="Name, address or ARN",
    tabs=(
        TabWords("all", "All"),
        TabWords("saml", "SAML", phrase="SAML"),
        TabWords("oidc", "OpenID Connect", phrase="OpenID Connect"),
    ),
    filters=filters_of(COLUMNS),
    columns=COLUMNS,
    begin=begin,
)
providers, providers_export = list_views(PAGE, Right.SEE_ACCOUNT)
