"""The list of roles: who may assume each, in words."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString

from console.identities.details.labels import session_words
from console.identities.lists import views
from console.identities.lists.cells import made, under_path
from console.identities.lists.groups import policies_words
from console.identities.lists.spec import Column, Filter, Page, TabWords
from console.web.access import ViewerRequest, require
from console.web.known import NOT_SYNCED
from console.web.templatetags.ui import age, ago, badge
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.display_names import trusted_by
from iam.mirror.queries.lists.core import Lens
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


def _short(row: Row, lens: Lens) -> str:
    words = trusted_by(row["category"])
    if lens.at:
        return words
    used = age(row["used_at"], never="")
    if not used:
        return f"{words}, never used"
    return f"{words}, used just now" if used == "now" else f"{words}, used {used} ago"


def present(rows: list[Row], lens: Lens) -> list[dict[str, Any]]:
    """What the table shows of each role."""
    return [
        row
        | {
            "pk": row["entity"],
            "sub": under_path(row),
            "created": made(row),
            "trust": _trust(row["category"]),
            "used": ago(row["used_at"]) if lens.at is None else "",
            "short": _short(row, lens),
            "session": session_words(row["attrs"].get("MaxSessionDuration")) or NOT_SYNCED,
            "bounded": row["boundary"] or "None",
            "policies": policies_words(row["attached"], row["inline"]),
        }
        for row in rows
    ]


def export(lens: Lens) -> tuple[Column, ...]:
    """The columns of a file; last use is known of today only."""
    used: tuple[Column, ...] = (
        (
            ("last_used", lambda row, _: row["used_at"]),
            ("last_used_region", lambda row, _: row["region"] or ""),
        )
        if lens.at is None
        else ()
    )
    return (
        ("account_id", lambda row, _: row["number"]),
        ("account", lambda row, _: row["account_name"]),
        ("name", lambda row, _: row["name"]),
        ("arn", lambda row, _: row["arn"]),
        ("unique_id", lambda row, _: row["aws_id"]),
        ("path", lambda row, _: row["path"]),
        ("created", lambda row, _: row["created_at"]),
        ("trusted_by", lambda row, _: row["category"]),
        *used,
        ("max_session_seconds", lambda row, _: row["attrs"].get("MaxSessionDuration")),
        ("boundary", lambda row, _: row["boundary"] or ""),
        ("attached_policies", lambda row, _: row["attached"]),
        ("inline_policies", lambda row, _: row["inline"]),
        ("description", lambda row, _: row["attrs"].get("Description") or ""),
    )


PAGE = Page(
    listing=ROLES,
    title="Roles",
    noun=("role", "roles"),
    intro="What services, other accounts and people who sign in elsewhere may become.",
    icon="bot",
    template="identities/roles.html",
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
    filters=(
        Filter(
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
        Filter(
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
        Filter("boundary", "Boundary", (("yes", "With a boundary"), ("no", "Without"))),
    ),
    present=present,
    export=export,
)


@require(Right.SEE_ACCOUNT)
def roles(request: ViewerRequest) -> HttpResponse:
    """The list."""
    return views.show(request, PAGE)


@require(Right.SEE_ACCOUNT)
def roles_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """The list as a file."""
    return views.files(request, PAGE, form)
