"""Where people arrive after signing in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from iam.directory.models import Role
from iam.directory.rules import enough_approvers


def is_unsettled() -> bool:
    """Whether the installation still has to say who approves: two people, or nobody by an explicit
    setting.
    """
    return not settings.SINGLE_OPERATOR and not enough_approvers()


def landing(request: HttpRequest) -> str:
    """The overview; an administrator of a new installation first appoints those who approve, and anyone who
    has no role yet has only a profile.
    """
    person = getattr(request.user, "person", None)
    roles = set(person.assignments.values_list("role", flat=True)) if person else set()
    if Role.ADMINISTRATOR in roles and is_unsettled():
        return reverse("set-up")
    page = "dashboard:overview" if roles else "profile"
    return reverse(page)
