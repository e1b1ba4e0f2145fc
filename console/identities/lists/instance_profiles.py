"""The list of instance profiles, with the role that each gives to EC2 instances."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.identities.lists.cells import CREATED, IDENTITY, NOT_READ, number, under_path
from console.identities.lists.spec import ListColumn, ListFilter, ListPage, NameCell, TabWords, filters_of
from console.identities.lists.views import list_views
from console.web.templatetags.ui import badge
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.instance_profiles import INSTANCE_PROFILES


def begin(row: Row, _: ListContext) -> NameCell:
    """Return the first cell of a row."""
    instances = row["instances"] if row["instances_read"] else "not synced"
    return NameCell(row["name"], f"Role: {row['role'] or 'none'}. Instances: {instances}", under_path(row))


def _role(row: Row, _: ListContext) -> SafeString:
    """Render the role as a link to its page."""
    if not row["role"]:
        return badge("No role", "warn")
    url = f"{reverse('identities:role', args=[row['role_pk']])}{row['link']}"
    return format_html('<a href="{}">{}</a>', url, row["role"])


COLUMNS = (
    *IDENTITY,
    CREATED,
    ListColumn(
        "Role",
        _role,
        place=10,
        css="p2",
        files=(("role", lambda row, _: row["role"] or ""),),
        filter=ListFilter("role", "Role", (("yes", "With a role"), ("no", "Without"))),
    ),
    ListColumn(
        "Instances",
        lambda row, _: number(row["instances"]) if row["instances_read"] else NOT_READ,
        place=20,
        css="p2 end",
        files=(("instances", lambda row, _: row["instances"] if row["instances_read"] else None),),
    ),
)
PAGE = ListPage(
    listing=INSTANCE_PROFILES,
    title="Instance profiles",
    noun=("instance profile", "instance profiles"),
    intro="How EC2 instances use a role.",
    icon="server",
    find="Name, ARN or ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("no-role", "Without a role", "warn", "without a role"),
        TabWords("unused", "Without instances", phrase="without instances"),
    ),
    filters=filters_of(COLUMNS),
    columns=COLUMNS,
    begin=begin,
)
instance_profiles, instance_profiles_export = list_views(PAGE, Right.SEE_ACCOUNT)
