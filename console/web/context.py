"""Context of the frame of every page: navigation, account switch, freshness and theme."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from console.operators.audit_words import audit_words
from console.web.access import layout_for
from console.web.address_choices import leave_out
from console.web.cookies import name_of
from console.web.navigation import DECIDES, NavigationReader, links_for, tabs_at
from iam.audit.approval_requests.registry import countable
from iam.changes.drift.queries import open_drifts
from iam.changes.queries import waiting_for
from iam.changes.restore.services import open_holds
from iam.changes.services import to_review
from iam.compiled_queries import SCOPES_KEPT, CompiledCounts
from iam.directory.rules import APPROVERS_NEEDED, who_approve
from iam.guard import Right, Viewer
from iam.mirror.queries.accounts import AccountFrame, frame
from iam.planned_reads import PlannedRead

MAX_BADGE = 99
OWN_SECTIONS = ("overview", "people", "fleet")
"""Sections that belong to “My access” for a member: their own users and devices."""


@dataclass(frozen=True, slots=True)
class FrameMarks:
    """Counts shown beside the links of the frame and in its banners."""

    waiting: str = ""
    drift: str = ""
    glass: int = 0
    approvers: int = APPROVERS_NEEDED
    is_held: bool = False


def _marks(viewer: Viewer) -> FrameMarks:
    """Count everything with one query."""
    names, _ = _counted(viewer, is_single=settings.SINGLE_OPERATOR)
    numbers = dict(zip(names, marks_read(viewer).numbers(), strict=True))
    return FrameMarks(
        waiting=count_said(numbers.get("waiting", 0) + numbers.get("requests", 0)),
        drift=count_said(numbers.get("drift", 0)),
        glass=numbers.get("glass", 0),
        approvers=numbers.get("approvers", APPROVERS_NEEDED),
        is_held=bool(numbers.get("held")),
    )


def marks_read(viewer: Viewer) -> PlannedRead:
    """Return the read of the frame's counts."""
    return _counted(viewer, is_single=settings.SINGLE_OPERATOR)[1].planned()


@lru_cache(maxsize=SCOPES_KEPT)
def _counted(viewer: Viewer, *, is_single: bool) -> tuple[tuple[str, ...], CompiledCounts]:
    """Return the names of the counts that this viewer needs and the query for them, cached per viewer.

    `is_single` is part of the key, because some counts depend on this setting.
    """
    wanted: dict[str, QuerySet[Any, Any]] = {}
    if any(viewer.may(right) for right in DECIDES):
        wanted["waiting"] = waiting_for(viewer).values("pk")
    requests = countable(viewer, is_single=is_single)
    if requests is not None:
        wanted["requests"] = requests
    if sees_others(viewer):
        wanted["drift"] = open_drifts(viewer).values("pk")
        wanted["held"] = open_holds().values("pk")
    if viewer.may(Right.APPROVE_CHANGE) or viewer.may(Right.MANAGE_OPERATORS):
        wanted["glass"] = to_review(viewer).values("pk")
    if viewer.may(Right.MANAGE_OPERATORS, account_id="") and not is_single:
        wanted["approvers"] = who_approve()
    querysets = tuple(wanted.values())
    return tuple(wanted), CompiledCounts(lambda: querysets, most=MAX_BADGE + 1)


def count_said(count: int) -> str:
    """Return the count as text: '99+' beyond 99, and '' for 0."""
    return f"{MAX_BADGE}+" if count > MAX_BADGE else str(count or "")


def sees_others(viewer: Viewer) -> bool:
    """Return whether the viewer can see other people, in an account or a team."""
    return viewer.may(Right.SEE_ACCOUNT) or viewer.may(Right.SEE_TEAM)


def _broken_glass(viewer: Viewer) -> list[dict[str, Any]]:
    """Return changes that were applied without approval and not yet reviewed, for the banner of
    administrators and approvers.
    """
    rows = to_review(viewer).values("change_set", "change_set__title", "used_by", "used_label", "at")[
        :MAX_BADGE
    ]
    return [dict(row) for row in rows]


def frame_of(request: HttpRequest) -> AccountFrame:
    """Return the accounts of the frame, loaded once per request. Views use it to get the chosen account.

    An account in the address that the viewer doesn’t see is left out, and the page says so, unless the page
    reads accounts that aren’t connected.
    """
    known_frame: AccountFrame | None = getattr(request, "frame", None)
    if known_frame is None:
        viewer: Viewer = request.viewer  # type: ignore[attr-defined]
        number = request.GET.get("account", "")
        known_frame = frame(viewer, account_id=number)
        request.frame = known_frame  # type: ignore[attr-defined]
        if number and known_frame.chosen is None and not vars(request).get("reads_any_account"):
            leave_out(request, "account")
    return known_frame


def read_any_account(request: HttpRequest) -> None:
    """Have this page read the account of its address itself, because it also shows disconnected accounts."""
    vars(request)["reads_any_account"] = True


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context processor of the frame.

    Values that need a query are lazy: fragments and signed-out pages don’t use them.
    """
    # On pages of evidence a limited auditor sees more than in the rest of the console, but the navigation
    # shows the rest of the console.
    viewer: Viewer | None = getattr(request, "signed_in", None) or getattr(request, "viewer", None)
    theme = request.COOKIES.get(name_of("theme"), "")
    base = {
        "viewer": viewer,
        "at": getattr(request, "at", None),
        "cookie_prefix": settings.COOKIE_PREFIX,
        "theme": theme if theme in {"light", "dark"} else "",
        "shortcuts_off": not getattr(getattr(request, "user", None), "shortcuts", True),
    }
    if viewer is None:
        return base
    marks: Any = SimpleLazyObject(lambda: _marks(viewer))
    return base | {
        "navigation": lambda: links_for(NavigationReader.for_viewer(viewer)),
        "hub": lambda: tabs_at(request.path, NavigationReader.for_viewer(viewer)),
        "frame": lambda: frame_of(request),
        "own_layout": layout_for(viewer),
        "audit_words": SimpleLazyObject(lambda: audit_words(viewer.limits)),
        "own_sections": OWN_SECTIONS,
        "may_connect": viewer.may(Right.MANAGE_ACCOUNTS),
        "drift_open": lambda: marks.drift,
        "approvals_waiting": lambda: marks.waiting,
        "searches": sees_others(viewer),
        "broken_glass": SimpleLazyObject(lambda: _broken_glass(viewer) if marks.glass else []),
        "changes_held": lambda: marks.is_held,
        "single_operator": settings.SINGLE_OPERATOR,
        "nobody_approves": lambda: marks.approvers < APPROVERS_NEEDED,
    }
