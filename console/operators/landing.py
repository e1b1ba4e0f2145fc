"""Where people arrive after signing in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from iam.directory.models import Role
from iam.directory.rules import enough_approvers


def is_unsettled() -> bool:
    """Whether the installation still has to say who approves: two people, or nobody by an explicit setting."""
    return not settings.SINGLE_OPERATOR and not enough_approvers()


def landing(request: HttpRequest) -> str:
    """The overview; an administrator of a new installation first appoints those who approve."""
    person = getattr(request.user, "person", None)
    if person and person.assignments.filter(role=Role.ADMINISTRATOR).exists() and is_unsettled():
        return reverse("set-up")
    return reverse("dashboard:overview")
