"""Sample data for the development page that shows every component."""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from console.web.shortened_lists import ShortenedList

NOW: Final = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
LONG: Final = "platform-observability-with-a-name-that-does-not-end"


@dataclass(frozen=True, slots=True)
class ComponentSample:
    """A component with sample arguments; `note` says what else the sample shows.

    `is_wrapped`: the component isn’t included like the others, so a template in `development` shows its use.
    """

    component: str
    context: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    is_wrapped: bool = False

    @property
    def template(self) -> str:
        """Return the template to render."""
        folder = "development/_" if self.is_wrapped else "components/"
        return f"{folder}{self.component}.html"


def record(**values: Any) -> Any:
    """Return an immutable object with these attributes that can be hashed, as `{% cached_include %}`
    requires.
    """
    return namedtuple("Record", values)(**values)


def _option(text: str, *, is_chosen: bool = False) -> tuple[str, str, bool]:
    return (text.lower(), text, is_chosen)


ACCOUNT: Final = record(name="payments", account_id="111122223333")
PAGE: Final = record(
    title="Groups",
    noun=("group", "groups"),
    icon="users",
    notice="",
    acts=(record(url="#", icon="user-plus", label="Add to a team"),),
)
GAP: Final = record(
    account=ACCOUNT, since=NOW - timedelta(hours=3), permission="iam:ListGroups", synced_at=NOW
)
TABS: Final = (
    record(label="All", url="#all", count=record(text="128", title=""), tone="", current=True),
    record(
        label="Unused", url="#old", count=record(text="1,000+", title="At least"), tone="warn", current=False
    ),
)
MENUS: Final = (
    record(
        label="Path",
        name="path",
        active=1,
        choices=(_option("Teams", is_chosen=True), _option("Apps")),
        text="",
        hint="",
    ),
    record(label="Tag", name="tag", active=0, choices=(), text="", hint="Write key=value."),
)
PAGER: Final = record(
    first=51, last=53, total="128", number=2, start="#first", before="#before", after="#after"
)
AS_OF: Final = record(
    earliest=NOW - timedelta(days=90),
    before=NOW - timedelta(days=2),
    next=NOW - timedelta(hours=1),
    read_at=NOW,
    fresh=NOW,
    is_old=False,
    is_incomplete=True,
    moments=(("A week ago", NOW - timedelta(days=7), "calendar"),),
    kept=(),
    compare="#compare",
)
LIST: Final[dict[str, Any]] = {
    "page": PAGE,
    "label": "Groups",
    "table_label": "Groups table",
    "table": "development/_table.html",
    "rows": ("payments-dev", "payments-readers", LONG),
    "tabs": TABS,
    "menus": MENUS,
    "chips": (record(label="Path", value="Teams", url="#all"),),
    "find": "Name or path",
    "text": "pay",
    "kept": (),
    "cleared": "#all",
    "pager": PAGER,
    "may_export": True,
    "sees_accounts": True,
    "gaps": (record(gap=GAP, label="Groups, memberships", words="AWS denied access", tone="warn"),),
    "more_gaps": True,
    "problems": ("The filter “color” doesn’t exist. It was left out.",),
    "csv_path": "#csv",
    "json_path": "#json",
    "kept_by_files": (("account", ACCOUNT.account_id),),
}
SWITCH: Final = (
    (ACCOUNT.account_id, ACCOUNT.name, "1111-2222-3333"),
    ("444455556666", LONG, "4444-5555-6666"),
)
SAMPLES: Final = (
    ComponentSample(
        "list_head",
        {"page": PAGE, "intro": "How groups look.", "csv": "#csv", "json": "#json", "may_export": True},
    ),
    ComponentSample("list_frame", LIST, "With its notes, saved views, filter, table, pager and actions."),
    ComponentSample("list_empty", {"page": PAGE, "no_account": True, "may_connect": True}),
    ComponentSample(
        "list_empty", {"page": PAGE, "is_filtered": True, "nothing": "No group matches", "whole": "#all"}
    ),
    ComponentSample(
        "list_empty", {"page": PAGE, "is_known": False}, "What was not synced is unknown, not empty."
    ),
    ComponentSample("nothing_then", {"asof": AS_OF}),
    ComponentSample("connect_first", {"then": "Its groups then appear here.", "may_connect": True}),
    ComponentSample("export_links", {"files": (("CSV", "#csv"), ("JSON", "#json"))}),
    ComponentSample("cut", {"rows": ShortenedList(["a", "b"], 70), "what": "requests"}),
    ComponentSample(
        "pages_foot", {"first": 51, "last": 100, "total": 12_345, "page": 2, "has_more": True, "base": ""}
    ),
    ComponentSample("first_and_next", {"is_later": True, "after": "abc"}),
    ComponentSample(
        "following", {"following": "abc", "target": "#main", "back": "Newest entries", "on": "Older entries"}
    ),
    ComponentSample("find", {"id": "sample-find", "placeholder": "Name", "label": "Filter by name"}),
    ComponentSample("filter_kept", {"tab": "old"}, "Hidden fields only."),
    ComponentSample(
        "choice",
        {"name": "state", "label": "State", "choices": (_option("Open"), _option("Done", is_chosen=True))},
    ),
    ComponentSample(
        "labeled_choice",
        {
            "id": "sample-kind",
            "name": "kind",
            "label": "Kind",
            "any": "Any kind",
            "choices": (("role", "Role"),),
        },
    ),
    ComponentSample(
        "date_range",
        {"id": "sample", "from_name": "since", "from": "2026-11-02", "to_name": "until", "to": "2026-11-30"},
    ),
    ComponentSample(
        "status_tabs", {"tabs": (("", "Open"), ("done", "Done")), "tab": "done", "target": "#table"}
    ),
    ComponentSample(
        "field", note="With a hint, with an error, as a text area and as a select.", is_wrapped=True
    ),
    ComponentSample("form_error", {"title": "The request was not sent", "text": "The reason is missing."}),
    ComponentSample("messages", {"messages": (record(level_tag="success", message="The grant was ended."),)}),
    ComponentSample("kept_text", {"text": "I called Maya.\nShe confirmed it."}),
    ComponentSample("question_stopped", {"stopped_after": 20.0}),
    ComponentSample("problems", {"problems": ("The date “tomorrow” is not understood. Now is shown.",)}),
    ComponentSample(
        "standing_update",
        {"is_update": False, "mark": record(text="Done")},
        "Nothing is shown: it is announced.",
    ),
    ComponentSample("poll", note="Attributes only.", is_wrapped=True),
    ComponentSample("poll_every", note="Attributes only.", is_wrapped=True),
    ComponentSample("filter_swap", note="Attributes only.", is_wrapped=True),
    ComponentSample("aws_profile", {"profile": "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE"}),
    ComponentSample("terms", {"sentences": ("A policy is a list of permissions.",)}),
    ComponentSample("pastbar", {"at": NOW, "asof": AS_OF}),
    ComponentSample("drawer", {"labelledby": "drawer-h"}, "Opens when its content comes."),
    ComponentSample("account_switch", {"switch": SWITCH, "chosen": SWITCH[0]}, is_wrapped=True),
    ComponentSample("hub", {"hub": ("Credentials", (("#mfa", "MFA devices"), ("#keys", "Access keys")))}),
    ComponentSample("member_nav", {"own_sections": ("overview",), "section": "overview", "home": "#home"}),
)
"""Samples in the order of templates/components/README.md; a component that others include appears in theirs.
"""
