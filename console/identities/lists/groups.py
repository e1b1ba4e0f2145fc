"""The list of groups."""

from __future__ import annotations

from console.identities.lists.cells import CREATED, IDENTITY, number, under_path
from console.identities.lists.spec import ListColumn, ListFilter, ListPage, NameCell, TabWords, filters_of
from console.identities.lists.views import list_views
from iam.guard import Right
from iam.keyset import Row
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.groups import GROUPS

RIGHTS = (Right.SEE_ACCOUNT, Right.SEE_TEAM)


def policies_words(attached: int, inline: int) -> str:
    """Return '3', '3 and 1 inline' or 'None'."""
    if not inline:
        return str(attached) if attached else "None"
    return f"{attached} and {inline} inline" if attached else f"{inline} inline"


POLICIES = ListColumn(
    "Policies",
    lambda row, _: policies_words(row["attached"], row["inline"]),
    place=20,
    css="p2 end",
    cell_css="ink-2",
    files=(
        ("attached_policies", lambda row, _: row["attached"]),
        ("inline_policies", lambda row, _: row["inline"]),
    ),
)


def begin(row: Row, context: ListContext) -> NameCell:
    """Return the first cell of a row."""
    short = f"Policies: {policies_words(row['attached'], row['inline']).lower()}"
    sub = under_path(row) if context.viewer.sees_accounts else ""
    return NameCell(row["name"], short, sub)


COLUMNS = (
    *IDENTITY,
    CREATED,
    ListColumn(
        "IAM users",
        lambda row, _: number(row["members"]),
        place=10,
        css="end",
        files=(("members", lambda row, _: row["members"]),),
        filter=ListFilter("people", "IAM users", (("some", "With IAM users"), ("none", "Without IAM users"))),
    ),
    POLICIES,
)
PAGE = ListPage(
    listing=GROUPS,
    title="Groups",
    noun=("group", "groups"),
    intro="Every member of a group gets all of its policies.",
    icon="users",
    find="Name, ARN or ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("empty", "Without IAM users", phrase="without IAM users"),
        TabWords("no-policy", "Without policies", phrase="without policies"),
    ),
    filters=filters_of(COLUMNS),
    columns=COLUMNS,
    begin=begin,
    team_intro="The groups of your teams.",
    team_find="Name",
)
groups, groups_export = list_views(PAGE, *RIGHTS)
