"""A code that was seen once, over a shoulder or by a proxy, opens nothing: of an app, or of its
enrollment.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client

from console.operators.models import Operator, TotpStep
from tests.console.operators.conftest import is_signed_in, sign_in
from tests.console.operators.test_factors import NOON, app, enrol

__all__ = ["app"]
STEP = 30


def _second_step(operator: Operator, code: str) -> bool:
    """Whether a new browser gets in with the password and this code. The cache forgot everything, as after a
    restart.
    """
    cache.clear()
    browser = Client()
    sign_in(browser, operator.email)
    browser.post("/sign-in/factors/authenticate/", {"code": code})
    return is_signed_in(browser)


@pytest.mark.django_db
class TestApp:
    """Codes of an authenticator app."""

    @pytest.mark.parametrize("later", [0, 20, 33, 59])
    def test_a_used_code_never_works_again(self, kwame: Operator, app: pyotp.TOTP, later: int) -> None:
        with time_machine.travel(NOON + timedelta(minutes=5), tick=False) as clock:
            code = app.at(datetime.now(tz=UTC))
            assert _second_step(kwame, code)
            clock.shift(later)
            assert not _second_step(kwame, code)

    def test_an_older_code_does_not_work_after_a_newer_one(self, kwame: Operator, app: pyotp.TOTP) -> None:
        with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
            now = datetime.now(tz=UTC)
            older, code, newer = (app.at(now + timedelta(seconds=STEP * count)) for count in (-1, 0, 1))
            assert _second_step(kwame, code)
            assert not _second_step(kwame, older)
            assert _second_step(kwame, newer)

    @pytest.mark.parametrize(("tolerance", "steps"), [(0, [0]), (1, [-1, 0, 1])])
    def test_a_code_works_in_its_own_half_minute_and_in_those_that_the_setting_adds(
        self, kwame: Operator, app: pyotp.TOTP, settings: Any, tolerance: int, steps: list[int]
    ) -> None:
        settings.MFA_TOTP_TOLERANCE = tolerance
        with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
            now = datetime.now(tz=UTC)
            codes = {step: app.at(now + timedelta(seconds=STEP * step)) for step in range(-2, 3)}
            assert [step for step, code in codes.items() if _second_step(kwame, code)] == steps

    def test_the_code_that_enrolled_it_does_not_sign_in(self, client: Client, kwame: Operator) -> None:
        with time_machine.travel(NOON, tick=False) as clock:
            sign_in(client, kwame.email)
            phone, _ = enrol(client)
            code = phone.at(NOON)
            assert not _second_step(kwame, code)
            clock.shift(STEP)
            assert not _second_step(kwame, code)
            assert _second_step(kwame, phone.at(datetime.now(tz=UTC)))

    def test_a_code_that_signed_in_does_not_confirm(
        self, client: Client, kwame: Operator, app: pyotp.TOTP
    ) -> None:
        with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
            code = app.at(datetime.now(tz=UTC))
            sign_in(client, kwame.email)
            client.post("/sign-in/factors/authenticate/", {"code": code})
            cache.clear()
            confirmed = client.post("/sign-in/factors/reauthenticate/", {"code": code})
            assert confirmed.status_code == 200
            assert "Wrong code" in confirmed.content.decode()

    def test_the_step_goes_with_the_app(self, client: Client, kwame: Operator) -> None:
        with time_machine.travel(NOON, tick=False):
            sign_in(client, kwame.email)
            enrol(client)
            client.post("/sign-in/factors/totp/deactivate/")
            assert not TotpStep.objects.exists()
            enrol(client)
            assert TotpStep.objects.count() == 1

    def test_every_form_that_takes_a_code_is_ours(self) -> None:
        ours = {name: path.rpartition(".")[0] for name, path in django_settings.MFA_FORMS.items()}
        for name in ("authenticate", "reauthenticate", "activate_totp"):
            assert ours[name] == "console.operators.forms"
