"""The list of IAM users: how they sign in, the age of their keys, and their last activity."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cache

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from console.identities.details.labels import MFA, EntityBadge
from console.identities.lists import views
from console.identities.lists.cells import ACCOUNT, ACCOUNT_ID, ARN, CREATED, PATH, UNIQUE_ID
from console.identities.lists.spec import (
    BulkAct,
    FileColumn,
    ListColumn,
    ListFilter,
    ListPage,
    NameCell,
    TabWords,
    filters_of,
)
from console.web.access import ViewerRequest, require
from console.web.files import last_use
from console.web.known_facts import UNKNOWN
from console.web.moments import date_text
from console.web.templatetags.lists import under
from console.web.templatetags.ui import ago, avatar, badge
from iam.access.levels import LevelCounts, LevelsByAccount
from iam.guard import Right, Viewer
from iam.keyset import Row
from iam.linking.owners import may_set_any, owners_to_filter
from iam.mirror.models import NEVER
from iam.mirror.pull.sections import CREDENTIAL_REPORT
from iam.mirror.queries.lists.context import ListContext
from iam.mirror.queries.lists.people import PEOPLE

OLD_KEY, VERY_OLD_KEY = 90, 180
PREVIEW_GROUPS = 3
RIGHTS = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
THE_SAME = mark_safe('<span class="muted">The same</span>')
COMPARE = '<a class="btn sm" href="{}" aria-label="Compare {} then and now">Compare</a>'


def _mfa_mark(mfa: str, has_password: bool | None) -> EntityBadge:
    """Return the MFA badge; without a console password, missing MFA isn’t bad, because there is nothing to
    protect.
    """
    if mfa != "none":
        return MFA.get(mfa, EntityBadge(mfa))
    if has_password is False:
        return EntityBadge("Not applicable")
    return EntityBadge("None", "bad", "x") if has_password else EntityBadge("None")


@cache
def _mfa(mfa: str, has_password: bool | None) -> tuple[str, SafeString]:
    mark = _mfa_mark(mfa, has_password)
    plain = format_html('<span class="muted">{}</span>', mark.text)
    return mark.text, badge(mark.text, mark.tone, mark.icon) if mark.tone else plain


def _key(made: datetime, has_password: bool | None, context: ListContext) -> tuple[str, str]:
    """Return the age of the oldest active key at the shown moment, and its tone."""
    if made == NEVER:
        return UNKNOWN if has_password is None else "No keys", ""
    days = max(0, ((context.at or context.now) - made).days)
    tone = ""
    if days > VERY_OLD_KEY:
        tone = "bad"
    elif days > OLD_KEY:
        tone = "warn"
    return f"{days} d", tone


def _key_words(age: str) -> str:
    """Return 'no keys', 'keys unknown' or 'key 41 d', for use within a line of text."""
    return {"No keys": "no keys", UNKNOWN: "keys unknown"}.get(age, f"key {age}")


def _groups(names: list[str]) -> str:
    if not names:
        return "None"
    more = len(names) - PREVIEW_GROUPS
    return ", ".join(names[:PREVIEW_GROUPS]) + (f" and {more} more" if more > 0 else "")


def _used(row: Row) -> SafeString | str:
    return UNKNOWN if is_activity_unknown(row) else ago(row["used_at"])


def is_activity_unknown(row: Row) -> bool:
    """Return True if nothing is known of the last activity, because there was no credential report."""
    return row["has_password"] is None and row["used_at"] in {None, NEVER}


def activity_for_file(row: Row) -> datetime | str | None:
    """Return the last activity for a file: "never" if there was none, and None if it is unknown."""
    return None if is_activity_unknown(row) else last_use(row["used_at"])


PASSWORD = {True: "Yes", False: "No", None: UNKNOWN}


def _second_line(row: Row) -> SafeString:
    """Render the user name below the display name, and the owning team of a machine user."""
    name = under(row["name"])
    return name + under(f"Owned by {row['owner']}") if row["owner"] else name


def begin(row: Row, context: ListContext) -> NameCell:
    """Return the first cell of a row."""
    mfa, _ = _mfa(row["mfa"], row["has_password"])
    key, _ = _key(row["key_at"], row["has_password"], context)
    short = f"MFA: {mfa.lower()}, {_key_words(key)}"
    return NameCell(row["display"], short, _second_line(row), avatar(row["display"]))


def _mfa_cell(row: Row, _: ListContext) -> SafeString:
    return _mfa(row["mfa"], row["has_password"])[1]


def _key_cell(row: Row, context: ListContext) -> SafeString | str:
    key, tone = _key(row["key_at"], row["has_password"], context)
    return badge(key, tone) if tone else key


def _since_cell(row: Row, context: ListContext) -> SafeString:
    """Render what has changed for a user since the shown moment, and the button that compares both
    moments.
    """
    marks = _changed_since(row)
    if not marks:
        return THE_SAME
    badges = format_html_join(" ", "{}", ((badge(text, tone),) for text, tone in marks))
    url = f"{reverse('identities:compare')}?from={context.at:%Y-%m-%dT%H:%M:%S}&entity={row['entity']}"
    compare = format_html(COMPARE, url, row["display"])
    return format_html('<span class="row tight">{} {}</span>', badges, compare)


def _changed_since(row: Row) -> list[tuple[str, str]]:
    """Return (text, tone) of what has changed for a user since the shown moment."""
    if row["gone_at"]:
        return [(f"Gone since {date_text(row['gone_at'])}", "")]
    marks: list[tuple[str, str]] = []
    mfa, now = row["mfa"], row["now_mfa"] or row["mfa"]
    if mfa != now:
        words = _mfa_mark(now, row["now_password"])
        mark = ("MFA off", "bad") if now == "none" else (f"MFA: {words.text.lower()}", words.tone)
        marks.append(mark)
    had, has = row["has_password"], row["now_password"]
    if had != has and None not in (had, has):
        password_mark = ("Password set", "") if has else ("Password gone", "")
        marks.append(password_mark)
    if row["now_key_at"] and row["now_key_at"] != row["key_at"]:
        if row["now_key_at"] == NEVER:
            word = "Keys gone"
        elif row["key_at"] == NEVER:
            word = "Key made"
        else:
            word = "Key replaced"
        marks.append((word, ""))
    marks += [(f"+ {name}", "ok") for name in sorted(row["joined"])[:2]]
    marks += [(f"− {name}", "bad") for name in sorted(row["left"])[:2]]
    more = max(0, len(row["joined"]) - 2) + max(0, len(row["left"]) - 2)
    return [*marks, (f"{more} more", "")] if more else marks


MFA_COLUMN = ListColumn(
    "MFA",
    _mfa_cell,
    place=10,
    css="p2",
    sort="mfa",
    when="today",
    filter=ListFilter(
        "mfa",
        "MFA",
        (
            ("none", "None"),
            ("virtual", "Authenticator app"),
            ("security-key", "Passkey or security key"),
            ("hardware", "Hardware token"),
            ("several", "Several devices"),
            ("unknown", "Unknown"),
        ),
    ),
)
PASSWORD_COLUMN = ListColumn(
    "Password",
    lambda row, _: PASSWORD[row["has_password"]],
    place=20,
    css="p3",
    cell_css="ink-2",
    when="today",
    filter=ListFilter("password", "Password", (("yes", "Yes"), ("no", "No"), ("unread", "Unknown"))),
)
KEY_COLUMN = ListColumn(
    "Oldest key",
    _key_cell,
    place=30,
    css="p2",
    cell_css="nowrap ink-2",
    sort="key",
    when="today",
    filter=ListFilter(
        "key",
        "Keys",
        (
            ("none", "No active key"),
            ("fresh", "Up to 90 days"),
            ("90", "Over 90 days"),
            ("180", "Over 180 days"),
        ),
    ),
)
ACTIVITY = ListColumn(
    "Last activity",
    lambda row, _: _used(row),
    place=40,
    css="p3",
    cell_css="ink-2",
    sort="activity",
    when="today",
    files=(("last_activity", lambda row, _: activity_for_file(row)),),
    filter=ListFilter(
        "activity",
        "Activity",
        (
            ("30", "Within 30 days"),
            ("90", "Within 90 days"),
            ("idle-45", "None for 45 days"),
            ("idle-90", "None for 90 days"),
            ("never", "Never"),
        ),
        is_past=False,
    ),
)
GROUPS_COLUMN = ListColumn(
    "Groups",
    lambda row, _: _groups(row["groups"]),
    place=50,
    css="p3",
    cell_css="ink-2",
    when="today",
    filter=ListFilter("group", "Group", hint="The exact name of a group"),
)
OWNER = ListColumn(
    when="today",
    files=(("owning_team", lambda row, _: row["owner"]),),
    filter=ListFilter("owner", "Owning team", is_past=False),
)
ACCESS = ListColumn(
    "Access",
    lambda row, _: "",
    place=60,
    css="p3 lv",
    when="today",
    loads="identities/_people_levels_load.html",
)
COLUMNS = (
    ACCOUNT_ID,
    ACCOUNT,
    ListColumn(
        files=(
            ("login", lambda row, _: row["name"]),
            ("display_name", lambda row, _: row["display"]),
        )
    ),
    ARN,
    UNIQUE_ID,
    PATH,
    replace(CREATED, cell=None),
    ListColumn(files=(("mfa", lambda row, _: row["mfa"]),)),
    MFA_COLUMN,
    replace(MFA_COLUMN, label="MFA then", cell_css="nowrap", when="past"),
    ListColumn(
        files=(
            ("console_password", lambda row, _: row["has_password"]),
            ("password_changed", lambda row, _: row["password_changed_at"]),
        )
    ),
    PASSWORD_COLUMN,
    ListColumn(
        files=(
            ("access_keys", lambda row, _: row["keys"]),
            ("active_access_keys", lambda row, _: row["active_keys"]),
            ("oldest_active_key", lambda row, _: row["key_at"]),
        )
    ),
    KEY_COLUMN,
    replace(KEY_COLUMN, label="Oldest key then", css="p3", when="past"),
    ACTIVITY,
    ListColumn(files=(("groups", lambda row, _: row["groups"]),)),
    GROUPS_COLUMN,
    replace(GROUPS_COLUMN, label="Groups then", when="past"),
    OWNER,
    ACCESS,
    replace(ACCESS, label="Access then", when="past"),
    ListColumn("Since then", _since_cell, place=91, when="past"),
)


def level_columns() -> ListColumn:
    """Return the column with the number of allowed actions per access level, only for files.

    The numbers are calculated per account and cached for one file.
    """
    counts: dict[datetime | None, LevelsByAccount] = {}

    def column(name: str) -> FileColumn:
        def value(row: Row, context: ListContext) -> int | None:
            known = counts.setdefault(context.at, LevelsByAccount(context.at))
            levels = known.levels_of_user(row["entity"], account=row["number"])
            return None if levels is None else int(getattr(levels, name))

        return f"{name}_actions", value

    return ListColumn(files=tuple(map(column, LevelCounts._fields)))


PAGE = ListPage(
    listing=PEOPLE,
    title="IAM users",
    noun=("IAM user", "IAM users"),
    intro="Every IAM user: the sign-ins of people, and of machines.",
    icon="user-round",
    find="Name, user name, ARN or key ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("no-mfa", "No MFA", "bad", "with a password and no MFA", needs=(CREDENTIAL_REPORT,)),
        TabWords(
            "old-keys", "Keys over 90 days", "warn", "active key over 90 days", needs=(CREDENTIAL_REPORT,)
        ),
        TabWords("inactive", "Inactive 45 days", phrase="inactive for 45 days", needs=(CREDENTIAL_REPORT,)),
        TabWords("never", "Never signed in", phrase="never signed in", needs=(CREDENTIAL_REPORT,)),
        TabWords("machines", "Keys only", phrase="with keys and no password", needs=(CREDENTIAL_REPORT,)),
    ),
    filters=filters_of((MFA_COLUMN, GROUPS_COLUMN, PASSWORD_COLUMN, KEY_COLUMN, ACTIVITY, OWNER)),
    columns=COLUMNS,
    begin=begin,
    label="People",
    extra="identities/_people_levels.html",
    team_intro="The IAM users of your teams.",
    team_find="Name or user name",
)


def page_for(viewer: Viewer) -> ListPage:
    """Return the page with the viewer's teams as a filter, and the button to set owning teams if the viewer
    can.
    """
    owners = tuple(owners_to_filter(viewer))
    filters = []
    for known in PAGE.filters:
        offered = replace(known, choices=owners) if known.name == "owner" else known
        filters.append(offered)
    page = replace(PAGE, filters=tuple(filters), columns=(*COLUMNS, level_columns()))
    if not may_set_any(viewer):
        return page
    return replace(page, acts=(BulkAct("Set owning team", "users", reverse("linking:owners")),))


@require(*RIGHTS)
def people(request: ViewerRequest) -> HttpResponse:
    """Show the list."""
    return views.render_list(request, page_for(request.viewer))


@require(*RIGHTS)
def people_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export the list."""
    return views.files(request, page_for(request.viewer), form)
