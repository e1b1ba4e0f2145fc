"""The list of roles, with who can assume each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from django.utils.safestring import SafeString

from console.identities.details.labels import session_words
from console.identities.lists.cells import CREATED, DESCRIPTION, IDENTITY, under_path
from console.identities.lists.groups import POLICIES
from console.identities.lists.spec import ListColumn, ListFilter, ListPage, NameCell, TabWords, filters_of
from console.identities.lists.views import list_views
from console.web.files import last_use
from console.web.known_facts import NOT_SYNCED
from console.web.templatetags.ui import age, ago, badge
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.display_names import trusted_by
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.roles import ROLES

TONES = {"any": "bad", "cross-account": "warn", "saml": "info", "oidc": "info"}
ICONS = {
    "any": "globe",
    "cross-account": "building-2",
    "account": "users",
    "saml": "fingerprint",
    "oidc": "fingerprint",
    "service-linked": "lock",
    "": "ban",
}


@cache
def _trust(category: str) -> SafeString:
    return badge(trusted_by(category), TONES.get(category, ""), ICONS.get(category, "server"))


def _short(row: Row, context: ListContext) -> str:
    words = trusted_by(row["category"])
    if context.at:
        return words
    used = age(row["used_at"], never="")
    if not used:
        return f"{words}, never used"
    return f"{words}, used just now" if used == "now" else f"{words}, used {used} ago"


def begin(row: Row, context: ListContext) -> NameCell:
    """Return the first cell of a row."""
    return NameCell(row["name"], _short(row, context), under_path(row))


COLUMNS = (
    *IDENTITY,
    CREATED,
    ListColumn(
        "Trusted by",
        lambda row, _: _trust(row["category"]),
        place=10,
        css="p2",
        cell_css="nowrap",
        files=(("trusted_by", lambda row, _: row["category"]),),
        filter=ListFilter(
            "trust",
            "Trusted by",
            (
                ("ec2", "EC2"),
                ("lambda", "Lambda"),
                ("services", "Any AWS service"),
                ("service-linked", "AWS, service-linked"),
                ("account", "This account"),
                ("cross-account", "Another account"),
                ("saml", "SAML"),
                ("oidc", "OpenID Connect"),
                ("any", "Anyone"),
                ("nobody", "No one"),
            ),
        ),
    ),
    ListColumn(
        "Last used",
        lambda row, _: ago(row["used_at"]),
        place=20,
        css="p2",
        cell_css="nowrap ink-2",
        sort="used",
        when="today",
        files=(
            ("last_used", lambda row, _: last_use(row["used_at"])),
            ("last_used_region", lambda row, _: row["region"] or ""),
        ),
        filter=ListFilter(
            "use",
            "Last used",
            (
                ("30", "Within 30 days"),
                ("90", "Within 90 days"),
                ("unused-90", "Not for 90 days"),
                ("never", "Never"),
            ),
            is_past=False,
        ),
    ),
    ListColumn(
        "Max. session",
        lambda row, _: session_words(row["attrs"].get("MaxSessionDuration")) or NOT_SYNCED,
        place=50,
        css="p3",
        cell_css="nowrap ink-2",
        files=(("max_session_seconds", lambda row, _: row["attrs"].get("MaxSessionDuration")),),
    ),
    ListColumn(
        "Boundary",
        lambda row, _: row["boundary"] or "None",
        place=40,
        css="p3",
        cell_css="ink-2",
        files=(("boundary", lambda row, _: row["boundary"] or ""),),
        filter=ListFilter("boundary", "Boundary", (("yes", "With a boundary"), ("no", "Without"))),
    ),
    replace(POLICIES, place=30, css="p3", cell_css="ink-2"),
    DESCRIPTION,
)
PAGE = ListPage(
    listing=ROLES,
    title="Roles",
    noun=("role", "roles"),
    intro="What services, other accounts and people who sign in elsewhere may become.",
    icon="bot",
    find="Name, ARN or ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("cross-account", "Cross-account", phrase="trusted by another account"),
        TabWords("federated", "Federated", phrase="trusted by an identity provider"),
        TabWords("anyone", "Anyone", "bad", "trusted by anyone"),
        TabWords("services", "Services", phrase="trusted by a service"),
        TabWords("service-linked", "Service-linked", phrase="service-linked"),
        TabWords("unused", "Unused 90 days", "warn", "unused for 90 days"),
    ),
    filters=filters_of(COLUMNS),
    columns=COLUMNS,
    begin=begin,
)
roles, roles_export = list_views(PAGE, Right.SEE_ACCOUNT)
