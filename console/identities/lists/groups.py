"""The list of groups."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase

from console.identities.lists import views
from console.identities.lists.cells import made, number, under_path
from console.identities.lists.spec import Column, Filter, Page, TabWords
from console.web.access import ViewerRequest, require
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.queries.lists.core import Lens
from iam.mirror.queries.lists.groups import GROUPS

RIGHTS = (Right.SEE_ACCOUNT, Right.SEE_TEAM)


def policies_words(attached: int, inline: int) -> str:
    """'3', '3 and 1 inline', 'None'."""
    if not inline:
        return str(attached) if attached else "None"
    return f"{attached} and {inline} inline" if attached else f"{inline} inline"


def present(rows: list[Row], lens: Lens) -> list[dict[str, Any]]:
    """What the table shows of each group."""
    return [
        row
        | {
            "pk": row["entity"],
            "sub": under_path(row) if lens.viewer.sees_accounts else "",
            "created": made(row),
            "people": number(row["members"]),
            "policies": policies_words(row["attached"], row["inline"]),
            "short": f"Policies: {policies_words(row['attached'], row['inline']).lower()}",
        }
        for row in rows
    ]


def export(lens: Lens) -> tuple[Column, ...]:
    """The columns of a file."""
    return (
        ("account_id", lambda row, _: row["number"]),
        ("account", lambda row, _: row["account_name"]),
        ("name", lambda row, _: row["name"]),
        ("arn", lambda row, _: row["arn"]),
        ("unique_id", lambda row, _: row["aws_id"]),
        ("path", lambda row, _: row["path"]),
        ("created", lambda row, _: row["created_at"]),
        ("members", lambda row, _: row["members"]),
        ("attached_policies", lambda row, _: row["attached"]),
        ("inline_policies", lambda row, _: row["inline"]),
    )


PAGE = Page(
    listing=GROUPS,
    title="Groups",
    noun=("group", "groups"),
    intro="Every member of a group gets all of its policies.",
    icon="users",
    template="identities/groups.html",
    find="Name, ARN or ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("empty", "Without IAM users", phrase="without IAM users"),
        TabWords("no-policy", "Without policies", phrase="without policies"),
    ),
    filters=(Filter("people", "IAM users", (("some", "With IAM users"), ("none", "Without IAM users"))),),
    present=present,
    export=export,
    team_intro="The groups of your teams.",
    team_find="Name",
)


@require(*RIGHTS)
def groups(request: ViewerRequest) -> HttpResponse:
    """The list."""
    return views.show(request, PAGE)


@require(*RIGHTS)
def groups_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """The list as a file."""
    return views.files(request, PAGE, form)
