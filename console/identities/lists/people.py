"""The list of IAM users: how they sign in, how old their keys are, what they last did."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from console.identities.details.labels import MFA, Mark
from console.identities.lists import views
from console.identities.lists.spec import BulkAct, Column, Filter, Page, TabWords
from console.web.access import ViewerRequest, require
from console.web.known import UNKNOWN
from console.web.templatetags.lists import under
from console.web.templatetags.ui import ago, avatar, badge
from iam.access.levels import Levels, LevelsByAccount
from iam.guard import Right, Viewer
from iam.keyset import Row
from iam.linking.owners import may_set_any, owners_to_filter
from iam.mirror.models import NEVER
from iam.mirror.pull.sections import CREDENTIAL_REPORT
from iam.mirror.queries.lists.core import Lens
from iam.mirror.queries.lists.people import PEOPLE

OLD_KEY, VERY_OLD_KEY = 90, 180
GROUPS_SHOWN = 3
RIGHTS = (Right.SEE_ACCOUNT, Right.SEE_TEAM)


def _mfa_mark(mfa: str, has_password: bool | None) -> Mark:
    """None is bad only where a password opens the console; without a password there is nothing to protect."""
    if mfa != "none":
        return MFA.get(mfa, Mark(mfa))
    if has_password is False:
        return Mark("Not applicable")
    return Mark("None", "bad", "x") if has_password else Mark("None")


@cache
def _mfa(mfa: str, has_password: bool | None) -> tuple[str, SafeString]:
    mark = _mfa_mark(mfa, has_password)
    plain = format_html('<span class="muted">{}</span>', mark.text)
    return mark.text, badge(mark.text, mark.tone, mark.icon) if mark.tone else plain


def _key(made: datetime, has_password: bool | None, lens: Lens) -> tuple[str, str]:
    """The age of the oldest active key at the shown moment, and its tone."""
    if made == NEVER:
        return UNKNOWN if has_password is None else "No keys", ""
    days = max(0, ((lens.at or lens.now) - made).days)
    tone = ""
    if days > VERY_OLD_KEY:
        tone = "bad"
    elif days > OLD_KEY:
        tone = "warn"
    return f"{days} d", tone


def _key_words(age: str) -> str:
    """'no keys', 'keys unknown', 'key 41 d': within a line of text."""
    return {"No keys": "no keys", UNKNOWN: "keys unknown"}.get(age, f"key {age}")


def _groups(names: list[str]) -> str:
    if not names:
        return "None"
    more = len(names) - GROUPS_SHOWN
    return ", ".join(names[:GROUPS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _used(row: Row) -> SafeString | str:
    """When somebody was last active; without a credential report nobody knows."""
    unknown = row["has_password"] is None and row["used_at"] in {None, NEVER}
    return UNKNOWN if unknown else ago(row["used_at"])


PASSWORD = {True: "Yes", False: "No", None: UNKNOWN}


def _sub(row: Row) -> SafeString:
    """The user name below the display name, and the owning team of a machine user."""
    name = under(row["name"])
    return name + under(f"Owned by {row['owner']}") if row["owner"] else name


def present(rows: list[Row], lens: Lens) -> list[dict[str, Any]]:
    """What the table shows of each user."""
    shown = []
    for row in rows:
        mfa, mfa_badge = _mfa(row["mfa"], row["has_password"])
        key, key_tone = _key(row["key_at"], row["has_password"], lens)
        shown.append(
            {
                "pk": row["entity"],
                "name": row["display"],
                "face": avatar(row["display"]),
                "sub": _sub(row),
                "short": f"MFA: {mfa.lower()}, {_key_words(key)}",
                "account_name": row["account_name"],
                "mfa": mfa_badge,
                "password": PASSWORD[row["has_password"]],
                "key": badge(key, key_tone) if key_tone else key,
                "used": _used(row) if lens.at is None else "",
                "groups": _groups(row["groups"]),
                "since": _since(row) if lens.at else [],
            }
        )
    return shown


def _since(row: Row) -> list[tuple[str, str]]:
    """What has changed for a user since the shown moment, as words with a tone."""
    if row["gone_at"]:
        return [(f"Gone since {row['gone_at']:%-d %b %Y}", "")]
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


def export(lens: Lens) -> tuple[Column, ...]:
    """The columns of a file; last activity is known of today only."""
    used: tuple[Column, ...] = (("last_activity", lambda row, _: row["used_at"]),) if lens.at is None else ()
    owner: tuple[Column, ...] = (("owning_team", lambda row, _: row["owner"]),) if lens.at is None else ()
    return (
        ("account_id", lambda row, _: row["number"]),
        ("account", lambda row, _: row["account_name"]),
        ("login", lambda row, _: row["name"]),
        ("display_name", lambda row, _: row["display"]),
        ("arn", lambda row, _: row["arn"]),
        ("unique_id", lambda row, _: row["aws_id"]),
        ("path", lambda row, _: row["path"]),
        ("created", lambda row, _: row["created_at"]),
        ("mfa", lambda row, _: row["mfa"]),
        ("console_password", lambda row, _: row["has_password"]),
        ("password_changed", lambda row, _: row["password_changed_at"]),
        ("access_keys", lambda row, _: row["keys"]),
        ("active_access_keys", lambda row, _: row["active_keys"]),
        ("oldest_active_key", lambda row, _: row["key_at"]),
        *used,
        ("groups", lambda row, _: row["groups"]),
        *owner,
        *_levels(lens),
    )


def _levels(lens: Lens) -> Iterator[Column]:
    """How many actions of each access level somebody can do, in some way."""
    known = LevelsByAccount(lens.at)

    def column(name: str) -> Column:
        def value(row: Row, _: Lens) -> int | None:
            levels = known.of(row["entity"], account=row["number"])
            return None if levels is None else int(getattr(levels, name))

        return f"{name}_actions", value

    return map(column, Levels._fields)


PAGE = Page(
    listing=PEOPLE,
    title="IAM users",
    noun=("IAM user", "IAM users"),
    intro="Every IAM user: the sign-ins of people, and of machines.",
    icon="user-round",
    template="identities/people.html",
    find="Name, user name, ARN or key ID",
    tabs=(
        TabWords("all", "All"),
        TabWords("no-mfa", "No MFA", "bad", "with a password and no MFA", needs=(CREDENTIAL_REPORT,)),
        TabWords(
            "old-keys", "Keys over 90 days", "warn", "active key over 90 days", needs=(CREDENTIAL_REPORT,)
        ),
        TabWords("inactive", "Inactive 45 days", phrase="inactive for 45 days", needs=(CREDENTIAL_REPORT,)),
        TabWords("never", "Never signed in", phrase="never signed in", needs=(CREDENTIAL_REPORT,)),
        TabWords("machines", "Machines", phrase="with keys and no password", needs=(CREDENTIAL_REPORT,)),
    ),
    filters=(
        Filter(
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
        Filter("group", "Group", hint="The exact name of a group"),
        Filter("password", "Password", (("yes", "Yes"), ("no", "No"), ("unread", "Unknown"))),
        Filter(
            "key",
            "Keys",
            (
                ("none", "No active key"),
                ("fresh", "Up to 90 days"),
                ("90", "Over 90 days"),
                ("180", "Over 180 days"),
            ),
        ),
        Filter(
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
        Filter("owner", "Owning team", is_past=False),
    ),
    present=present,
    export=export,
    team_intro="The IAM users of your teams.",
    team_find="Name or user name",
)


def page_for(viewer: Viewer) -> Page:
    """The page, with the teams that the viewer can filter by, and the button to set owning teams for those
    who can.
    """
    owners = tuple(owners_to_filter(viewer))
    filters = []
    for known in PAGE.filters:
        offered = replace(known, choices=owners) if known.name == "owner" else known
        filters.append(offered)
    page = replace(PAGE, filters=tuple(filters))
    if not may_set_any(viewer):
        return page
    return replace(page, acts=(BulkAct("Set owning team", "users", reverse("linking:owners")),))


@require(*RIGHTS)
def people(request: ViewerRequest) -> HttpResponse:
    """The list."""
    return views.show(request, page_for(request.viewer))


@require(*RIGHTS)
def people_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """The list as a file."""
    return views.files(request, page_for(request.viewer), form)
