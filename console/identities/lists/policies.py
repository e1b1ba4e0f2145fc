"""The list of managed policies."""

from __future__ import annotations

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from console.identities.lists.cells import CREATED, DESCRIPTION, IDENTITY, under_path
from console.identities.lists.spec import ListColumn, ListFilter, ListPage, NameCell, TabWords, filters_of
from console.identities.lists.views import list_views
from console.web.templatetags.ui import badge, moment
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.policies import POLICIES

OWNERS = {"aws": "AWS", "customer": "Customer"}
VERSIONS = 5
FULL = badge("5 of 5", "warn")
NOBODY = mark_safe('<span class="muted">None</span>')


def begin(row: Row, _: ListContext) -> NameCell:
    """Return the first cell of a row."""
    short = f"{_owner(row)}, {row['default_version']}. Attached to {_attached(row)}"
    return NameCell(row["name"], short, under_path(row))


def _owner(row: Row) -> str:
    return OWNERS.get(row["category"]) or str(row["category"])


def _attached(row: Row) -> str:
    """Return '14, boundary of 2', 'nothing, boundary of 2' or 'nothing', for use within a sentence."""
    attached = str(row["attached"]) if row["attached"] else "nothing"
    return f"{attached}, boundary of {row['bounds']}" if row["bounds"] else attached


def _holders(row: Row) -> SafeString | str:
    """Return '14', '14, boundary of 2', 'Boundary of 2' or 'None'."""
    if not row["bounds"]:
        return str(row["attached"]) if row["attached"] else NOBODY
    return (
        f"{row['attached']}, boundary of {row['bounds']}"
        if row["attached"]
        else f"Boundary of {row['bounds']}"
    )


def _versions(row: Row) -> SafeString:
    """Return '3, v7 in force', and a mark if no further version fits."""
    full = row["category"] == "customer" and row["version_count"] >= VERSIONS
    count = FULL if full else format_html('<span class="ink-2">{}</span>', row["version_count"])
    if not row["default_version"]:
        return count
    return format_html('{}<span class="muted">, {} in force</span>', count, row["default_version"])


COLUMNS = (
    *IDENTITY,
    ListColumn(
        "Owner",
        lambda row, _: _owner(row),
        place=10,
        css="p2",
        cell_css="ink-2",
        files=(("owner", lambda row, _: row["category"]),),
        filter=ListFilter("owner", "Owner", (("customer", "Customer"), ("aws", "AWS"))),
    ),
    CREATED,
    ListColumn(
        "Updated",
        lambda row, _: moment(row["updated_at"], never="Unknown", only="date"),
        place=40,
        css="p3",
        cell_css="nowrap ink-2",
        files=(("updated", lambda row, _: row["updated_at"]),),
    ),
    ListColumn(
        "Versions",
        lambda row, _: _versions(row),
        place=30,
        css="p2",
        cell_css="nowrap",
        files=(
            ("default_version", lambda row, _: row["default_version"]),
            ("versions", lambda row, _: row["version_count"]),
        ),
    ),
    ListColumn(
        "Attached to",
        lambda row, _: _holders(row),
        place=20,
        css="p2",
        cell_css="nowrap",
        files=(
            ("attached_to", lambda row, _: row["attached"]),
            ("boundary_of", lambda row, _: row["bounds"]),
        ),
        filter=ListFilter("attached", "Attached", (("yes", "Attached"), ("no", "Not attached"))),
    ),
    DESCRIPTION,
)
PAGE = ListPage(
    listing=POLICIES,
    title="Policies",
    noun=("policy", "policies"),
    intro="Customer managed and AWS managed policies. Inline policies are shown on the page of their user, "
    "group or role.",
    icon="scroll-text",
    find="Name, ARN or ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("customer", "Customer managed", phrase="customer managed"),
        TabWords("aws", "AWS managed", phrase="AWS managed"),
        TabWords("unattached", "Unattached", "warn", "customer managed and unattached"),
        TabWords("boundaries", "Boundaries", phrase="used as a permissions boundary"),
    ),
    filters=filters_of(COLUMNS),
    columns=COLUMNS,
    begin=begin,
)
policies, policies_export = list_views(PAGE, Right.SEE_ACCOUNT)
