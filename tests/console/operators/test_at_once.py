"""Sign-ins at the same moment, over real connections: a code lets one of them in."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from allauth.account.models import EmailAddress
from allauth.core.context import request_context
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings
from django.db import connections
from django.test import Client, RequestFactory

from console.operators.backends import OperatorBackend
from console.operators.models import Operator, TotpStep
from console.operators.single_sign_on import bindings
from console.operators.single_sign_on.failures import SignInFailedError
from console.operators.totp import authenticator_of
from iam.journal.models import Entry
from tests.console.operators.conftest import sign_in
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.on_both


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
class TestAtOnce:
    """Real connections, at the same moment."""

    def _race(self, operator: Operator, code: str, runners: int = 8) -> int:
        barrier = Barrier(runners)

        def attempt(_: int) -> bool:
            try:
                barrier.wait(timeout=PATIENCE_S)
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


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
class TestLock:
    """Attempts are counted before anything is compared: forty at once are no more than five one after the
    other.
    """

    ATTEMPTS = 40

    @pytest.fixture(autouse=True)
    def _only_our_lock(self, settings: Any) -> None:
        settings.ACCOUNT_RATE_LIMITS = {"login": False, "login_failed": False}

    def _all_at_once(self, attempt: Any) -> None:
        barrier = Barrier(self.ATTEMPTS)

        def run(number: int) -> None:
            try:
                barrier.wait(timeout=60)
                attempt(number)
            finally:
                connections.close_all()

        with ThreadPoolExecutor(self.ATTEMPTS) as pool:
            list(pool.map(run, range(self.ATTEMPTS)))

    def test_no_more_passwords_are_checked_than_the_limit(
        self, kwame: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        checked: list[str] = []

        def slow(self: Any, user: Any, password: str) -> None:
            checked.append(password)
            time.sleep(0.05)

        monkeypatch.setattr(OperatorBackend, "_check_password", slow)
        logins = (kwame.email, kwame.username, kwame.email.upper(), f" {kwame.username} ")
        self._all_at_once(lambda number: sign_in(Client(), logins[number % len(logins)], f"guess-{number}"))
        assert 0 < len(checked) <= settings.LOCK_FAILURES
        locked = Entry.objects.filter(kind="sign_in.locked", subject=kwame.email)
        assert locked.count() == 1

    def test_no_more_codes_are_compared_than_the_limit(
        self, kwame: Operator, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        TOTP.activate(kwame, pyotp.random_base32())
        compared: list[str] = []

        def slow(secret: str, code: str) -> None:
            compared.append(code)
            time.sleep(0.05)

        monkeypatch.setattr("console.operators.totp.step_of", slow)
        browsers = []
        for _ in range(self.ATTEMPTS):
            browser = Client()
            sign_in(browser, kwame.email)
            browsers.append(browser)
        path = "/sign-in/factors/authenticate/"
        self._all_at_once(lambda number: browsers[number].post(path, {"code": f"{number:06}"}))
        assert 0 < len(compared) <= settings.LOCK_FAILURES


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgresql
class TestFirstSignOn:
    """First single sign-ons of one person at the same moment bind one identity."""

    def _admit_at_once(self, operator: Operator, subjects: list[str]) -> list[str]:
        barrier = Barrier(len(subjects))

        def admit(subject: str) -> str:
            account = SocialAccount(provider="https://a.example", uid=subject)
            account._provider = SimpleNamespace(name="Northline")
            address = EmailAddress(email=operator.email, verified=True)
            login = SocialLogin(user=Operator(), account=account, email_addresses=[address])
            request = RequestFactory().get("/")
            try:
                barrier.wait(timeout=PATIENCE_S)
                with request_context(request):
                    bindings.admit(request, login)
            except SignInFailedError as failure:
                return failure.reason
            finally:
                connections.close_all()
            return "in"

        with ThreadPoolExecutor(len(subjects)) as pool:
            return list(pool.map(admit, subjects))

    def test_of_two_subjects_one_is_bound(self, kwame: Operator) -> None:
        outcomes = self._admit_at_once(kwame, [f"s-{number}" for number in range(6)])
        assert sorted(outcomes) == ["in", *["other_identity"] * 5]
        assert SocialAccount.objects.count() == 1

    def test_two_tabs_of_one_person_both_come_in(self, kwame: Operator) -> None:
        assert self._admit_at_once(kwame, ["s-1"] * 4) == ["in"] * 4
        assert SocialAccount.objects.count() == 1
