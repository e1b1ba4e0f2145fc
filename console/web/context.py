"""What the frame of every page shows: navigation, account switch, freshness, theme."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from console.operators.landing import is_unsettled
from console.web.access import layout_for
from iam.changes.queries import waiting_for
from iam.guard import Right, Viewer
from iam.mirror.queries.accounts import Frame, frame


@dataclass(frozen=True, slots=True)
class Item:
    """One link of the navigation: shown to viewers who hold one of the rights."""

    url: str
    icon: str
    label: str
    section: str
    rights: tuple[Right, ...]


NAVIGATION: tuple[tuple[str, tuple[Item, ...]], ...] = (
    (
        "",
        (
            Item(
                "dashboard:overview",
                "gauge",
                "Overview",
                "overview",
                (Right.SEE_ACCOUNT, Right.SEE_TEAM, Right.SEE_SELF),
            ),
        ),
    ),
    (
        "Identities",
        (
            Item("identities:people", "user-round", "People", "people", (Right.SEE_ACCOUNT, Right.SEE_TEAM)),
            Item("identities:groups", "users", "Groups", "groups", (Right.SEE_ACCOUNT, Right.SEE_TEAM)),
            Item("identities:roles", "bot", "Roles", "roles", (Right.SEE_ACCOUNT,)),
            Item("identities:policies", "scroll-text", "Policies", "policies", (Right.SEE_ACCOUNT,)),
            Item(
                "identities:instance-profiles",
                "server",
                "Instance profiles",
                "instance-profiles",
                (Right.SEE_ACCOUNT,),
            ),
            Item(
                "identities:providers", "fingerprint", "Identity providers", "providers", (Right.SEE_ACCOUNT,)
            ),
        ),
    ),
    (
        "Access",
        (
            Item("access:who-can", "waypoints", "Who can", "who-can", (Right.SEE_ACCOUNT,)),
            Item("access:services", "boxes", "Services", "services", (Right.SEE_ACCOUNT,)),
            Item("access:compare", "arrow-left-right", "Compare", "compare-access", (Right.SEE_ACCOUNT,)),
            Item("access:escalation", "shield-alert", "Escalation", "escalation", (Right.SEE_ACCOUNT,)),
            Item("access:simulate", "play", "Simulate", "simulate", (Right.SEE_ACCOUNT,)),
        ),
    ),
    (
        "Operations",
        (
            Item("changes:approvals", "git-pull-request", "Approvals", "approvals", (Right.APPROVE_CHANGE,)),
            Item(
                "changes:list",
                "history",
                "Changes",
                "changes",
                (Right.REQUEST_CHANGE, Right.APPROVE_CHANGE, Right.SEE_ACCOUNT),
            ),
            Item("audit:journal", "book-open", "Journal", "journal", (Right.SEE_JOURNAL,)),
            Item("setup:accounts", "cloud", "Accounts", "accounts", (Right.SEE_ACCOUNT,)),
            Item("operators", "user-cog", "Operators", "operators", (Right.MANAGE_OPERATORS,)),
            Item("notify:outbox", "bell", "Notifications", "notifications", (Right.MANAGE_OPERATORS,)),
        ),
    ),
)


MOST_SAID = 99
Links = tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...]


@lru_cache
def _navigation(rights: frozenset[Right]) -> Links:
    """The groups of links, each (address, icon, label, section), of whoever holds these rights somewhere."""
    groups = (
        (
            title,
            [(reverse(i.url), i.icon, i.label, i.section) for i in items if rights.intersection(i.rights)],
        )
        for title, items in NAVIGATION
    )
    return tuple((title, tuple(links)) for title, links in groups if links)


def _approvals_waiting(viewer: Viewer) -> str:
    """How many requests wait for the viewer's decision, as the mark beside the link; one query of those who may decide."""
    if not viewer.may(Right.APPROVE_CHANGE):
        return ""
    waiting = waiting_for(viewer).order_by()[: MOST_SAID + 1].count()
    return f"{MOST_SAID}+" if waiting > MOST_SAID else str(waiting or "")


def frame_of(request: HttpRequest) -> Frame:
    """The accounts of the frame, read once a request; a view that needs the chosen account asks here."""
    found: Frame | None = getattr(request, "frame", None)
    if found is None:
        viewer: Viewer = request.viewer  # type: ignore[attr-defined]
        found = frame(viewer, account_id=request.GET.get("account", ""))
        request.frame = found  # type: ignore[attr-defined]
    return found


def shell(request: HttpRequest) -> dict[str, Any]:
    """The frame's context. What costs a query is found when a template asks for it: a fragment and a signed-out page do not."""
    viewer: Viewer | None = getattr(request, "viewer", None)
    theme = request.COOKIES.get("theme", "")
    base = {
        "viewer": viewer,
        "at": getattr(request, "at", None),
        "theme": theme if theme in {"light", "dark"} else "",
        "shortcuts_off": not getattr(getattr(request, "user", None), "shortcuts", True),
    }
    if viewer is None:
        return base
    return base | {
        "navigation": lambda: _navigation(frozenset(right for right, _ in viewer.grants)),
        "frame": lambda: frame_of(request),
        "own_layout": layout_for(viewer),
        "approvals_waiting": lambda: _approvals_waiting(viewer),
        "searches": viewer.may(Right.SEE_ACCOUNT) or viewer.may(Right.SEE_TEAM),
        "single_operator": settings.SINGLE_OPERATOR,
        "nobody_approves": SimpleLazyObject(
            lambda: viewer.may(Right.MANAGE_OPERATORS, account_id="") and is_unsettled()
        ),
    }
