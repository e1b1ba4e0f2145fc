"""Codes of authenticator apps; each is accepted once, over all processes and for its whole validity.

https://datatracker.ietf.org/doc/html/rfc6238#section-5.2
"""

from __future__ import annotations

from typing import Any

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.totp.views import ActivateTOTPView
from allauth.mfa.utils import decrypt
from django.db import transaction
from django.http import HttpResponse

from console.operators.models import Operator, TotpStep


@transaction.atomic
def authenticator_of(user: Operator, code: str) -> Authenticator | None:
    """Return the authenticator app or recovery codes to which the code belongs, and use the code up; None if
    it fits none.

    The rows are locked, so that only one of two simultaneous requests is accepted. allauth remembers an app's
    code for half a minute although it is valid for a minute and a half, and reads recovery codes without a
    lock.
    """
    types = (Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES)
    rows = Authenticator.objects.select_for_update().filter(user=user, type__in=types).order_by("pk")
    for authenticator in sorted(rows, key=lambda row: types.index(row.type)):
        if _fits(authenticator, code):
            authenticator.user = user
            return authenticator
    return None


def _fits(authenticator: Authenticator, code: str) -> bool:
    if authenticator.type == Authenticator.Type.TOTP:
        step = step_of(decrypt(authenticator.data["secret"]), code)
        return step is not None and accept(authenticator, step)
    return bool(authenticator.wrap().validate_code(code))


def step_of(secret: str, code: str) -> int | None:
    """Return the newest time step with this code, within settings.MFA_TOTP_TOLERANCE; None if there is
    none.
    """
    steps: list[int] = sorted(yield_hotp_counters_from_time(), reverse=True)
    for step in steps:
        if compare_user_code(actual=code, expected=format_hotp_value(hotp_value(secret, step))):
            return step
    return None


def accept(authenticator: Authenticator, step: int) -> bool:
    """Use up the step; return False if it or a later one was used before.

    Of two simultaneous requests, the database accepts one.
    """
    TotpStep.objects.get_or_create(authenticator=authenticator)
    won = TotpStep.objects.filter(authenticator=authenticator, step__lt=step).update(step=step)
    return bool(won)


class ActivateView(ActivateTOTPView):  # type: ignore[misc]
    """Enrolls an app; the code that proved it is used up in the same transaction."""

    @transaction.atomic
    def form_valid(self, form: Any) -> HttpResponse:
        """Save the app and the step of its first code."""
        response: HttpResponse = super().form_valid(form)
        app = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        TotpStep.objects.create(authenticator=app, step=form.step)
        return response


activate = ActivateView.as_view()
