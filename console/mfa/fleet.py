"""The list of IAM users and their MFA devices, those who need one first; as a page and as an export."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from console.identities.lists import people, views
from console.identities.lists.people import activity_for_file, is_activity_unknown
from console.identities.lists.spec import ListColumn, ListFilter, ListPage, TabWords
from console.web.access import ViewerRequest, require
from console.web.context import frame_of
from console.web.templatetags.lists import under
from console.web.templatetags.ui import ago, avatar, badge
from iam.guard import Right, Viewer
from iam.keyset import Row
from iam.mirror.mfa import has_mfa
from iam.mirror.queries.lists.context import ListContext
from iam.people.fleet.calculation import FleetFreshness
from iam.people.fleet.device_list import DeviceFleet
from iam.people.fleet.models import Administrator
from iam.people.fleet.urgency import ADMINISTRATOR, CONSOLE, FINE, HARDWARE, NONE, UNREAD
from iam.phrases import joined

RIGHTS: Final = (Right.SEE_ACCOUNT, Right.SEE_TEAM)
STANDING: Final = {
    ADMINISTRATOR: ("No MFA", "bad", "shield-alert"),
    CONSOLE: ("No MFA", "bad", "x"),
    HARDWARE: ("Hardware MFA required", "warn", "triangle-alert"),
    UNREAD: ("Unknown", "", ""),
    FINE: ("Registered", "ok", "check"),
    NONE: ("Not applicable", "", ""),
}
SORTS: Final = {"virtual": "App", "hardware": "Hardware token", "security-key": "Passkey or security key"}
ASKS: Final = (ADMINISTRATOR, CONSOLE)
PREVIEW_DEVICES: Final = 2
UNCHECKED: Final = "administrators"
"""Marks, among the unsynced sections, that it isn’t known for every user whether they are an
administrator.
"""
ROLES: Final[dict[int | None, str]] = {
    None: "Administrator: unknown",
    Administrator.NO: "",
    Administrator.CONDITIONAL: "Conditional administrator",
    Administrator.YES: "Administrator",
}
NAMED: Final = 3


def present(rows: list[Row], list_context: ListContext) -> list[dict[str, Any]]:
    """Return the table row of each user."""
    shown = []
    for row in rows:
        words, tone, icon_name = STANDING[row["urgency"]]
        shown.append(
            {
                "pk": row["entity"],
                "name": row["display"],
                "face": avatar(row["display"]),
                "sub": under(row["name"]),
                "short": _short(row),
                "account_name": row["account_name"],
                "role": ROLES[row["administrator"]],
                "standing": badge(words, tone, icon_name) if tone else words,
                "devices": _devices(row),
                "password": people.PASSWORD[row["has_password"]],
                "used": _used(row),
                "is_asked": row["urgency"] in ASKS
                and list_context.viewer.may(Right.REQUEST_CHANGE, account_id=row["number"]),
            }
        )
    return shown


def _short(row: Row) -> str:
    return ", ".join(SORTS.get(sort, sort) for _, sort, _ in row["devices"]) or _without_devices(row)


def _without_devices(row: Row) -> str:
    """Return the text for a user without devices in the mirror."""
    return "Unknown" if has_mfa(row["mfa"]) is None else "No device"


def _devices(row: Row) -> SafeString | str:
    """Render the type and serial number of each device; further ones are counted."""
    if not row["devices"]:
        return format_html('<span class="muted">{}</span>', _without_devices(row))
    lines = format_html_join(
        "",
        "<li>{} <div>{}</div></li>",
        ((SORTS.get(sort, sort), under(name, "id")) for name, sort, _ in row["devices"][:PREVIEW_DEVICES]),
    )
    more = len(row["devices"]) - PREVIEW_DEVICES
    rest = format_html("<li>and {} more</li>", more) if more > 0 else ""
    return format_html('<ul class="plain">{}{}</ul>', lines, rest)


def _is_administrator(row: Row) -> bool | str:
    level = row["administrator"]
    return "unknown" if level is None else level != Administrator.NO


def _used(row: Row) -> SafeString | str:
    return "Unknown" if is_activity_unknown(row) else ago(row["used_at"])


COLUMNS: Final = (
    ListColumn(
        files=(
            ("account_id", lambda row, _: row["number"]),
            ("account", lambda row, _: row["account_name"]),
            ("login", lambda row, _: row["name"]),
            ("display_name", lambda row, _: row["display"]),
            ("arn", lambda row, _: row["arn"]),
            ("administrator", lambda row, _: _is_administrator(row)),
            ("standing", lambda row, _: STANDING[row["urgency"]][0]),
            ("mfa", lambda row, _: "unknown" if has_mfa(row["mfa"]) is None else row["mfa"]),
            ("devices", lambda row, _: [f"{sort} {serial}" for _, sort, serial in row["devices"]]),
            ("console_password", lambda row, _: row["has_password"]),
            ("active_access_keys", lambda row, _: row["active_keys"]),
            ("last_activity", lambda row, _: activity_for_file(row)),
        )
    ),
)


def page_of(fleet: DeviceFleet, viewer: Viewer) -> ListPage:
    """Return the list page for the loaded data."""
    unknown: frozenset[str] = frozenset({UNCHECKED}) if fleet.fresh.lacks_users else frozenset()
    return ListPage(
        listing=fleet.listing,
        title="MFA",
        noun=("IAM user", "IAM users"),
        intro="Which MFA devices IAM users have. Users who need one come first.",
        icon="smartphone",
        template="mfa/fleet.html",
        find="Name, user name or ARN",
        tabs=(
            TabWords("all", "All"),
            TabWords(
                "administrators",
                "Administrators without MFA",
                "bad",
                "administrator without MFA",
                needs=(UNCHECKED,),
            ),
            TabWords("no-mfa", "Console without MFA", "bad", "console password without MFA"),
            TabWords("unknown", "Unknown", "", "MFA unknown, because devices or passwords were not synced"),
            TabWords("hardware", "Hardware MFA required", "warn", "an app where hardware MFA is required"),
        ),
        filters=tuple(_filters(fleet, viewer)),
        present=present,
        columns=COLUMNS,
        team_intro="The IAM users of your teams and their MFA devices.",
        team_find="Name or user name",
        area="mfa",
        unknown=unknown,
        notice=_notice(fleet.fresh, viewer),
    )


def _notice(fresh: FleetFreshness, viewer: Viewer) -> SafeString | str:
    """Return the notice while administrators and the list's order are being calculated again."""
    if not fresh.behind:
        return ""
    where = _where(fresh, viewer)
    if fresh.since is None:
        return format_html("Who is administrator {} isn’t known yet. It’s being calculated.", where)
    return format_html(
        "Who is administrator {} and the order of this list were calculated {}. A new calculation has "
        "started.",
        where,
        ago(fresh.since, within=True),
    )


def _where(fresh: FleetFreshness, viewer: Viewer) -> str:
    """Return the accounts by name, for viewers who see all of them."""
    seen = [
        account for account in fresh.behind if viewer.may(Right.SEE_ACCOUNT, account_id=account.account_id)
    ]
    if len(seen) < len(fresh.behind):
        return "in some accounts"
    names = [account.name for account in seen[:NAMED]]
    more = len(seen) - len(names)
    if more:
        names.append(f"{more:,} more {'account' if more == 1 else 'accounts'}")
    return f"in {joined(names)}"


def _filters(fleet: DeviceFleet, viewer: Viewer) -> list[ListFilter]:
    list_filters = {list_filter.name: list_filter for list_filter in people.PAGE.filters}
    answers = (("administrator", "Yes"), ("other", "No"), ("unknown", "Unknown"))
    filters = [list_filters["mfa"], list_filters["password"], ListFilter("role", "Administrator", answers)]
    teams = fleet.places.teams
    if not viewer.sees_accounts:
        teams = [team for team in teams if team[0] in viewer.leads]
    if teams:
        filters.append(ListFilter("team", "Team", tuple(teams)))
    return filters


@require_safe
@require(*RIGHTS)
def fleet(request: ViewerRequest) -> HttpResponse:
    """Show the current list; for a past moment, the list of people shows MFA."""
    if request.at is not None:
        then = {name: request.GET[name] for name in ("account", "as-of") if request.GET.get(name)}
        return redirect(f"{reverse('identities:people')}?{urlencode(then)}")
    return views.render_list(request, _page(request))


@require_safe
@require(*RIGHTS)
def fleet_export(request: ViewerRequest, form: str) -> HttpResponseBase:
    """Export the list."""
    return views.files(request, _page(request), form)


def _page(request: ViewerRequest) -> ListPage:
    request.at = None
    return page_of(DeviceFleet(frame_of(request).chosen), request.viewer)
