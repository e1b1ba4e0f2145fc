"""What the form of a decision about a request says, and who makes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypedDict

from django.conf import settings
from django.contrib import messages

from console.web.access import ViewerRequest
from iam.guard import Viewer


class DecisionArguments(TypedDict):
    """What the service that decides takes."""

    is_approved: bool
    actor: Viewer
    now: datetime
    is_single: bool


def decision_in(request: ViewerRequest) -> DecisionArguments:
    """The decision that was sent; what is not an approval declines."""
    return {
        "is_approved": request.POST.get("decision") == "approve",
        "actor": request.viewer,
        "now": datetime.now(tz=UTC),
        "is_single": settings.SINGLE_OPERATOR,
    }


def say_decided(request: ViewerRequest, *, declined: str = "Declined.", approved: str = "Approved.") -> None:
    """Say on the next page what was decided."""
    outcome = declined
    if request.POST.get("decision") == "approve":
        outcome = approved
    messages.success(request, outcome)


def reason_in(request: ViewerRequest) -> str:
    """The reason that was sent, without what no database keeps."""
    return request.POST.get("reason", "").replace("\x00", "").strip()
