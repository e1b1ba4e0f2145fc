"""Determines the first page after the sign-in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from iam.directory.models import Role
from iam.directory.rules import enough_approvers


def is_unsettled() -> bool:
    """Return whether approvers are still missing: two people, or the explicit setting for a single
    operator.
    """
    return not settings.SINGLE_OPERATOR and not enough_approvers()


def landing(request: HttpRequest) -> str:
    """Return the overview; the setup page for an administrator of a new installation, or the profile for
    people without a role.
    """
    person = getattr(request.user, "person", None)
    roles = set(person.assignments.values_list("role", flat=True)) if person else set()
    if Role.ADMINISTRATOR in roles and is_unsettled():
        return reverse("set-up")
    page = "dashboard:overview" if roles else "profile"
    return reverse(page)
