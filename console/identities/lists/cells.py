"""Cells that several lists have in common."""

from __future__ import annotations

from django.utils.safestring import SafeString, mark_safe

from console.web.templatetags.lists import under
from console.web.templatetags.ui import moment
from iam.keyset import Row


def under_path(row: Row) -> SafeString:
    """The path of an entity, below its name, unless it is the root."""
    shown_path = "" if row["path"] == "/" else row["path"]
    return under(shown_path, "id")


NONE = mark_safe('<span class="muted">None</span>')
NOT_READ = mark_safe('<span class="muted">Not synced</span>')


def number(count: int) -> int | SafeString:
    """A number; none is a quiet word."""
    return count or NONE


def made(row: Row) -> SafeString:
    """When an entity was made."""
    return moment(row["created_at"], never="Unknown", only="date")
