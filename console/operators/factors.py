"""Who needs a second factor, and who has one."""

from __future__ import annotations

from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.http import HttpRequest

from console.operators.sessions import PRIVILEGED
from iam.directory.models import Person
from iam.guard import Viewer

FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def is_required_of(person: Person | None) -> bool:
    """Whether the roles of a person demand a second factor (settings.REQUIRE_MFA)."""
    return bool(settings.REQUIRE_MFA and person and person.assignments.filter(role__in=PRIVILEGED).exists())


def is_missing(request: HttpRequest, viewer: Viewer) -> bool:
    """Whether this viewer must enrol a second factor before anything else."""
    if not settings.REQUIRE_MFA or not PRIVILEGED & set(viewer.roles):
        return False
    if settings.TRUST_SSO_MFA and _came_by_single_sign_on(request):
        return False
    return not Authenticator.objects.filter(user_id=request.user.pk, type__in=FACTORS).exists()


def _came_by_single_sign_on(request: HttpRequest) -> bool:
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "socialaccount" for record in records)
