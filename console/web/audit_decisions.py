"""Reads the form that approves or declines a request."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from django.conf import settings
from django.contrib import messages

from console.web.access import ViewerRequest
from iam.guard import Viewer


class DecisionArguments(TypedDict):
    """Keyword arguments of the services that decide a request."""

    is_approved: bool
    actor: Viewer
    now: datetime
    is_single: bool


def decision_in(request: ViewerRequest) -> DecisionArguments:
    """Return the decision in the form; anything but “approve” declines."""
    return {
        "is_approved": request.POST.get("decision") == "approve",
        "actor": request.viewer,
        "now": datetime.now(tz=UTC),
        "is_single": settings.SINGLE_OPERATOR,
    }


def say_decided(request: ViewerRequest, *, declined: str = "Declined.", approved: str = "Approved.") -> None:
    """Show the decision in a message on the next page."""
    outcome = declined
    if request.POST.get("decision") == "approve":
        outcome = approved
    messages.success(request, outcome)


def reason_in(request: ViewerRequest) -> str:
    """Return the reason in the form, stripped and without NUL, which PostgreSQL can’t store."""
    return request.POST.get("reason", "").replace("\x00", "").strip()
