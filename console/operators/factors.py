"""Checks who needs a second factor, and who has one."""

from __future__ import annotations

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from iam.directory.models import Person, Role
from iam.guard import Viewer

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_required_of(person: Person | None) -> bool:
    """Return whether a person's roles require a second factor."""
    if person is None:
        return False
    return _is_demanded(set(person.assignments.values_list("role", flat=True)))


def is_missing(request: HttpRequest, viewer: Viewer) -> bool:
    """Return whether this viewer must enroll a second factor before anything else."""
    if not _is_demanded(set(viewer.roles)):
        return False
    if settings.TRUST_SSO_MFA and _came_by_single_sign_on(request):
        return False
    return not Authenticator.objects.filter(user_id=request.user.pk, type__in=FACTORS).exists()


def _is_demanded(roles: set[str]) -> bool:
    """Return whether the roles require it: all do with settings.REQUIRE_MFA, except members and people
    without a role if settings.REQUIRE_MFA_MEMBERS is off.
    """
    if not settings.REQUIRE_MFA:
        return False
    return bool(roles - {Role.MEMBER.value}) or bool(settings.REQUIRE_MFA_MEMBERS)


def _came_by_single_sign_on(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "socialaccount" for record in records)
