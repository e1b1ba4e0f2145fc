"""Cells that several lists share."""

from __future__ import annotations

from django.utils.safestring import SafeString, mark_safe

from console.identities.lists.spec import ListColumn
from console.web.templatetags.lists import under
from console.web.templatetags.ui import moment
from iam.keyset import Row


def under_path(row: Row) -> SafeString:
    """Render the path of an entity below its name, unless it is the root path."""
    shown_path = "" if row["path"] == "/" else row["path"]
    return under(shown_path, "id")


NONE = mark_safe('<span class="muted">None</span>')
NOT_READ = mark_safe('<span class="muted">Not synced</span>')


def number(count: int) -> int | SafeString:
    """Return the number, or a muted “None” for 0."""
    return count or NONE


def made(row: Row) -> SafeString:
    """Render when an entity was created."""
    return moment(row["created_at"], never="Unknown", only="date")


ACCOUNT_ID = ListColumn(files=(("account_id", lambda row, _: row["number"]),))
ACCOUNT = ListColumn(
    "Account",
    lambda row, _: row["account_name"],
    place=90,
    css="p2",
    cell_css="ink-2",
    of_several_accounts=True,
    files=(("account", lambda row, _: row["account_name"]),),
)
NAME = ListColumn(files=(("name", lambda row, _: row["name"]),))
ARN = ListColumn(files=(("arn", lambda row, _: row["arn"]),))
UNIQUE_ID = ListColumn(files=(("unique_id", lambda row, _: row["aws_id"]),))
PATH = ListColumn(files=(("path", lambda row, _: row["path"]),))
CREATED = ListColumn(
    "Created",
    lambda row, _: made(row),
    place=80,
    css="p3",
    cell_css="nowrap ink-2",
    sort="created",
    files=(("created", lambda row, _: row["created_at"]),),
)
DESCRIPTION = ListColumn(files=(("description", lambda row, _: row["attrs"].get("Description") or ""),))
IDENTITY = (ACCOUNT_ID, ACCOUNT, NAME, ARN, UNIQUE_ID, PATH)
"""File columns that identify an entity."""
