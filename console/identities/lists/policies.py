"""The list of managed policies."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from console.identities.lists import views
from console.identities.lists.cells import made, under_path
from console.identities.lists.spec import Column, Filter, Page, TabWords
from console.web.access import ViewerRequest, require
from console.web.templatetags.ui import badge, moment
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.queries.lists.core import Lens
from iam.mirror.queries.lists.policies import POLICIES

OWNERS = {"aws": "AWS", "customer": "Customer"}
VERSIONS = 5
FULL = badge("5 of 5", "warn")
NOBODY = mark_safe('<span class="muted">None</span>')


def present(rows: list[Row], lens: Lens) -> list[dict[str, Any]]:
    """What the table shows of each policy; a policy keeps at most five versions, and a full one stands
    out.
    """
    return [
        row
        | {
            "pk": row["entity"],
            "sub": under_path(row),
            "created": made(row),
            "owner": OWNERS.get(row["category"], row["category"]),
            "versions": _versions(row),
            "holders": _holders(row),
            "updated": moment(row["updated_at"], never="Unknown", only="date"),
            "short": (
                f"{OWNERS.get(row['category'], row['category'])}, {row['default_version']}. Attached to "
                f"{_attached(row)}"
            ),
        }
        for row in rows
    ]


def _attached(row: Row) -> str:
    """'14, boundary of 2', 'nothing, boundary of 2', 'nothing': within a sentence."""
    attached = str(row["attached"]) if row["attached"] else "nothing"
    return f"{attached}, boundary of {row['bounds']}" if row["bounds"] else attached


def _holders(row: Row) -> SafeString | str:
    """'14', '14, boundary of 2', 'Boundary of 2', 'None'."""
    if not row["bounds"]:
        return str(row["attached"]) if row["attached"] else NOBODY
    return (
        f"{row['attached']}, boundary of {row['bounds']}"
        if row["attached"]
        else f"Boundary of {row['bounds']}"
    )


def _versions(row: Row) -> SafeString:
    """'3, v7 in force', and a mark where there is no room for another."""
    full = row["category"] == "customer" and row["version_count"] >= VERSIONS
    count = FULL if full else format_html('<span class="ink-2">{}</span>', row["version_count"])
    if not row["default_version"]:
        return count
    return format_html('{}<span class="muted">, {} in force</span>', count, row["default_version"])


def export(lens: Lens) -> tuple[Column, ...]:
    """The columns of a file."""
    return (
        ("account_id", lambda row, _: row["number"]),
        ("account", lambda row, _: row["account_name"]),
        ("name", lambda row, _: row["name"]),
        ("arn", lambda row, _: row["arn"]),
        ("unique_id", lambda row, _: row["aws_id"]),
        ("path", lambda row, _: row["path"]),
        ("owner", lambda row, _: row["category"]),
        ("created", lambda row, _: row["created_at"]),
        ("updated", lambda row, _: row["updated_at"]),
        ("default_version", lambda row, _: row["default_version"]),
        ("versions", lambda row, _: row["version_count"]),
        ("attached_to", lambda row, _: row["attached"]),
        ("boundary_of", lambda row, _: row["bounds"]),
        ("description", lambda row, _: row["attrs"].get("Description") or ""),
    )


PAGE = Page(
    listing=POLICIES,
    title="Policies",
    noun=("policy", "policies"),
    intro="Customer managed and AWS managed policies. Inline policies are shown on the page of their user, "
    "group or role.",
    icon="scroll-text",
    template="identities/policies.html",
    find="Name, ARN or ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("customer", "Customer managed", phrase="customer managed"),
        TabWords("aws", "AWS managed", phrase="AWS managed"),
        TabWords("unattached", "Unattached", "warn", "customer managed and unattached"),
        TabWords("boundaries", "Boundaries", phrase="used as a permissions boundary"),
    ),
    filters=(
        Filter("owner", "Owner", (("customer", "Customer"), ("aws", "AWS"))),
        Filter("attached", "Attached", (("yes", "Attached"), ("no", "Not attached"))),
    ),
    present=present,
    export=export,
)


@require(Right.SEE_ACCOUNT)
def policies(request: ViewerRequest) -> HttpResponse:
    """The list."""
    return views.show(request, PAGE)


@require(Right.SEE_ACCOUNT)
def policies_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """The list as a file."""
    return views.files(request, PAGE, form)
