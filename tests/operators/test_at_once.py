"""Sign-ins at the same moment, over real connections: a code lets one of them in."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection, connections

from console.operators.models import Operator, TotpStep
from console.operators.totp import authenticator_of


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
class TestAtOnce:
    """Real connections, at the same moment."""

    def _race(self, operator: Operator, code: str, runners: int = 8) -> int:
        barrier = Barrier(runners)

        def attempt(_: int) -> bool:
            try:
                barrier.wait(timeout=20)
                return authenticator_of(operator, code) is not None
            finally:
                connections.close_all()

        with ThreadPoolExecutor(runners) as pool:
            return sum(pool.map(attempt, range(runners)))

    def test_of_many_requests_with_one_code_one_wins(self, kwame: Operator) -> None:
        phone = pyotp.TOTP(pyotp.random_base32())
        TOTP.activate(kwame, phone.secret)
        for _ in range(3):
            TotpStep.objects.all().delete()
            assert self._race(kwame, phone.now()) == 1

    def test_of_many_requests_with_one_recovery_code_one_wins(self, kwame: Operator) -> None:
        codes: Any = RecoveryCodes.activate(kwame).get_unused_codes()
        for code in codes[:3]:
            assert self._race(kwame, code) == 1
        left = Authenticator.objects.get(user=kwame).wrap().get_unused_codes()
        assert len(left) == len(codes) - 3
