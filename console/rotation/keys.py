"""The list of access keys: owner, age, and last use; as a page and as an export."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from console.identities.lists import views
from console.identities.lists.spec import BulkAct, ListColumn, ListFilter, ListPage, TabWords
from console.rotation.labels import mark_of
from console.web.access import ViewerRequest, require
from console.web.files import last_use
from console.web.templatetags.lists import under
from console.web.templatetags.ui import ago, avatar, badge
from iam.guard import Right, Viewer
from iam.keyset import Row
from iam.linking.owners import owners_to_filter
from iam.mirror.models import NEVER
from iam.mirror.owners import WORDS
from iam.mirror.queries.lists.context import ListContext
from iam.people.rotation.key_list import KEYS, OLD, VERY_OLD

RIGHTS: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)


def present(rows: list[Row], context: ListContext) -> list[dict[str, Any]]:
    """Return the table row of each key."""
    return [_key_row(row, context) for row in rows]


def _key_row(row: Row, context: ListContext) -> dict[str, Any]:
    is_active, rotation = row["status"] == "Active", row["rotation"]
    return {
        "pk": row["entity"],
        "name": row["aws_id"],
        "user": row["user"],
        "display": row["display"],
        "face": avatar(row["display"]),
        "sub": under(row["user_name"] or ""),
        "owner": row["owner"],
        "account_name": row["account_name"],
        "state": badge("Active", "ok", "check") if is_active else badge("Inactive", ""),
        "age": _age(row, context),
        "used": used_words(row["known_use"], row["service"], row["region"]),
        "rotation": rotation,
        "mark": badge(*mark_of(rotation)) if rotation else "",
        "may_ask": is_active
        and rotation is None
        and context.viewer.may(Right.REQUEST_CHANGE, account_id=row["number"]),
    }


def _age(row: Row, context: ListContext) -> SafeString | str:
    made = row["created_at"]
    if made in {None, NEVER}:
        return "Unknown"
    days = max(0, (context.now - made).days)
    tone = ""
    if days > VERY_OLD:
        tone = "bad"
    elif days > OLD:
        tone = "warn"
    return badge(f"{days} d", tone) if tone and row["status"] == "Active" else f"{days} d"


def used_words(at: Any, service: str | None, region: str | None) -> SafeString | str:
    """Render when a key was last used and, below, by which service and where."""
    if at is None:
        return "Unknown"
    if at == NEVER:
        return "Never"
    where = ", ".join(part for part in (service, region) if part)
    return format_html("<div>{}</div>{}", ago(at), under(where))


COLUMNS: Final = (
    ListColumn(
        files=(
            ("account_id", lambda row, _: row["number"]),
            ("account", lambda row, _: row["account_name"]),
            ("access_key_id", lambda row, _: row["aws_id"]),
            ("status", lambda row, _: row["status"]),
            ("login", lambda row, _: row["user_name"]),
            ("display_name", lambda row, _: row["display"]),
            ("owning_team", lambda row, _: row["owner"]),
            ("created", lambda row, _: row["created_at"]),
            ("last_used", lambda row, _: last_use(row["known_use"])),
            ("last_used_service", lambda row, _: row["service"]),
            ("last_used_region", lambda row, _: row["region"]),
            ("rotation", lambda row, _: row["rotation"].reference if row["rotation"] else ""),
        )
    ),
)


PAGE: Final = ListPage(
    listing=KEYS,
    title="Access keys",
    noun=("access key", "access keys"),
    intro="Every access key of an IAM user. A rotation takes several days, so that nothing "
    "that uses the key stops working.",
    icon="rotate-cw",
    template="rotation/keys.html",
    find="Key ID, user name or ARN",
    tabs=(
        TabWords("all", "All"),
        TabWords("old", "Over 90 days", "warn", "active key over 90 days"),
        TabWords("never", "Never used", phrase="active key that was never used"),
        TabWords("two", "Two active", phrase="user with two active keys"),
        TabWords("rotating", "Being rotated", "info", "rotation in progress"),
    ),
    filters=(
        ListFilter("state", "Status", (("active", "Active"), ("inactive", "Inactive"))),
        ListFilter(
            "age",
            "Age",
            (
                ("fresh", "Up to 90 days"),
                ("90", "Over 90 days"),
                ("180", "Over 180 days"),
                ("365", "Over a year"),
            ),
        ),
        ListFilter(
            "use",
            "Last used",
            (
                ("7", "Within 7 days"),
                ("30", "Within 30 days"),
                ("idle-90", "Not for 90 days"),
                ("never", "Never"),
            ),
        ),
    ),
    present=present,
    columns=COLUMNS,
    team_intro="The access keys of your teams’ IAM users.",
    team_find="Key ID or login",
    area="keys",
)


def page_for(viewer: Viewer) -> ListPage:
    """Return the page with the viewer's teams as a filter."""
    owners = owners_to_filter(viewer)
    owner = ListFilter("owner", "Owning team", tuple(owners))
    own_choices = [choice for choice in owners if choice not in WORDS]
    teams = (ListFilter("team", "Team", tuple(own_choices)),) if own_choices else ()
    page = replace(PAGE, filters=(*PAGE.filters, *teams, owner))
    if not viewer.may(Right.REQUEST_CHANGE):
        return page
    return replace(page, acts=(BulkAct("Rotate", "rotate-cw", reverse("keys:rotate-many")),))


@require_safe
@require(*RIGHTS)
def keys_page(request: ViewerRequest) -> HttpResponse:
    """Show the current list; last use has no history."""
    request.at = None
    return views.render_list(request, page_for(request.viewer))


@require_safe
@require(*RIGHTS)
def keys_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export the list."""
    request.at = None
    return views.files(request, page_for(request.viewer), form)
