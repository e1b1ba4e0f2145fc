"""Second factors: enrolled with real codes, asked for, lost, and demanded of those who can do harm."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client

from console import settings as settings_module
from console.operators.models import Operator
from console.operators.services import remove_factors
from iam.directory.models import Role, Team
from iam.directory.rules import DirectoryRuleError
from iam.directory.services import assign_role
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from tests import factories
from tests.console.operators.conftest import is_signed_in, sign_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def enrol(client: Client, *, when: datetime = NOON) -> tuple[pyotp.TOTP, list[str]]:
    """Enrol an authenticator app as a person would; the app and the recovery codes that are shown once."""
    page = client.get("/sign-in/factors/totp/activate/").content.decode()
    seed = re.search(r'id="seed">([A-Z2-7]+)<', page)
    assert seed
    app = pyotp.TOTP(seed[1])
    done = client.post("/sign-in/factors/totp/activate/", {"code": app.at(when)})
    assert done["Location"] == "/sign-in/factors/recovery-codes/"
    shown = client.get("/sign-in/factors/recovery-codes/").content.decode()
    return app, re.findall(r'<span data-n="\d+">(\d{8})</span>', shown)


@pytest.fixture
def app(client: Client, kwame: Operator) -> pyotp.TOTP:
    """Kwame's phone; he is signed out."""
    with time_machine.travel(NOON, tick=False):
        sign_in(client, kwame.email)
        made, _ = enrol(client)
        client.post("/sign-in/out/")
    return made


def test_the_enrolment_page_shows_a_code_to_scan_and_no_inline_style(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    page = client.get("/sign-in/factors/totp/activate/").content.decode()
    assert re.search(r'<svg viewBox="0 0 \d+ \d+"><path ', page)
    assert "style=" not in page


def test_a_wrong_code_enrols_nothing(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    client.get("/sign-in/factors/totp/activate/")
    response = client.post("/sign-in/factors/totp/activate/", {"code": "000000"})
    assert "Wrong code" in response.content.decode()
    assert not Authenticator.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_second_step_asks_for_the_code(client: Client, kwame: Operator, app: pyotp.TOTP) -> None:
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        assert sign_in(client, kwame.email)["Location"] == "/sign-in/factors/authenticate/"
        assert not is_signed_in(client)
        now = datetime.now(tz=UTC)
        assert client.post("/sign-in/factors/authenticate/", {"code": app.at(now)})["Location"] == "/"
        assert is_signed_in(client)
    assert Entry.objects.filter(kind="sign_in.succeeded").latest("id").data == {"by": ["password", "totp"]}
    assert Entry.objects.get(kind="factor.add", data_json__contains="totp").actor_label == "Kwame Boateng"


def test_a_code_works_once(client: Client, kwame: Operator, app: pyotp.TOTP) -> None:
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        code = app.at(datetime.now(tz=UTC))
        for expected in (302, 200):
            browser = Client()
            sign_in(browser, kwame.email)
            assert browser.post("/sign-in/factors/authenticate/", {"code": code}).status_code == expected


def test_wrong_codes_lock_the_second_step_only(client: Client, kwame: Operator, app: pyotp.TOTP) -> None:
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        sign_in(client, kwame.email)
        for _ in range(5):
            page = client.post("/sign-in/factors/authenticate/", {"code": "000000"}).content.decode()
        assert "Too many attempts. Try again after 12:35 UTC" in page
        right = app.at(datetime.now(tz=UTC))
        assert "Too many" in client.post("/sign-in/factors/authenticate/", {"code": right}).content.decode()
    assert Entry.objects.get(kind="sign_in.locked").data["method"] == "code"


def test_a_recovery_code_works_once_and_is_shown_once(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    _, codes = enrol(client, when=datetime.now(tz=UTC))
    assert len(codes) == 10
    again = client.get("/sign-in/factors/recovery-codes/").content.decode()
    assert not any(code in again for code in codes)
    assert client.get("/sign-in/factors/recovery-codes/download/").status_code == 403
    for expected in (302, 200):
        browser = Client()
        sign_in(browser, kwame.email)
        answer = browser.post("/sign-in/factors/authenticate/", {"code": codes[0]})
        assert answer.status_code == expected


def test_seeds_are_sealed_in_the_database(app: pyotp.TOTP) -> None:
    for authenticator in Authenticator.objects.all():
        assert app.secret not in str(authenticator.data)
        assert authenticator.data.get("secret", authenticator.data.get("seed")).startswith("gAAAA")


def test_seeds_open_after_the_key_of_the_installation_was_replaced(
    client: Client, kwame: Operator, app: pyotp.TOTP, settings: Any
) -> None:
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-key-another-key-another-key-another-key-another"
    with time_machine.travel(NOON + timedelta(minutes=5), tick=False):
        sign_in(client, kwame.email)
        client.post("/sign-in/factors/authenticate/", {"code": app.at(datetime.now(tz=UTC))})
        assert is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_the_owner_hears_of_a_new_factor_by_mail(client: Client, kwame: Operator) -> None:
    from allauth.account.models import EmailAddress

    EmailAddress.objects.create(user=kwame, email=kwame.email, verified=True, primary=True)
    sign_in(client, kwame.email)
    app, _ = enrol(client, when=datetime.now(tz=UTC))
    assert mail.outbox[-1].to == [kwame.email]
    assert "Was it not you?" in mail.outbox[-1].body
    assert app.secret not in mail.outbox[-1].body


def test_danger_asks_again_after_a_while(client: Client, kwame: Operator) -> None:
    with time_machine.travel(NOON, tick=False):
        sign_in(client, kwame.email)
        assert client.get("/sign-in/factors/totp/activate/").status_code == 200
    with time_machine.travel(NOON + timedelta(minutes=16), tick=False):
        asked = client.get("/sign-in/factors/totp/activate/")
        assert asked["Location"].startswith("/sign-in/confirm/?next=")
        done = client.post(
            asked["Location"], {"password": "correct horse battery staple", "next": "/profile/"}
        )
        assert done["Location"] == "/profile/"
        assert client.get("/sign-in/factors/totp/activate/").status_code == 200


class TestRequired:
    """Where the second factor is demanded: of every role, and of members by a setting that is on by
    default.
    """

    @pytest.fixture(autouse=True)
    def _required(self, settings: Any) -> None:
        settings.REQUIRE_MFA = True

    def _is_held_up(self, client: Client, operator: Operator) -> bool:
        sign_in(client, operator.email)
        for path in ("/profile/", "/", "/people/"):
            response = client.get(path)
            if not response.headers.get("Location", "").startswith("/sign-in/factors/?next="):
                return False
        return True

    @pytest.mark.parametrize("role", list(Role))
    def test_every_role_is_held_up(self, client: Client, role: Role) -> None:
        team = Team.objects.create(slug="payments", name="Payments") if role is Role.TEAM_LEAD else None
        assert self._is_held_up(client, factories.operator(role, name="Rosa Lind", team=team))
        assert "Your role needs one" in client.get("/sign-in/factors/").content.decode()

    def test_whoever_has_no_role_yet_is_held_up(self, client: Client, kwame: Operator) -> None:
        kwame.person.assignments.all().delete()
        assert self._is_held_up(client, kwame)

    @pytest.mark.parametrize("role", list(Role))
    def test_the_setting_lets_members_alone_in(self, client: Client, role: Role, settings: Any) -> None:
        settings.REQUIRE_MFA_MEMBERS = False
        team = Team.objects.create(slug="payments", name="Payments") if role is Role.TEAM_LEAD else None
        operator = factories.operator(role, name="Rosa Lind", team=team)
        assert self._is_held_up(client, operator) is (role is not Role.MEMBER)

    def test_a_member_with_another_role_is_held_up(
        self, client: Client, kwame: Operator, settings: Any
    ) -> None:
        settings.REQUIRE_MFA_MEMBERS = False
        assign_role(kwame.person, Role.AUDITOR, actor=COMMAND_LINE)
        assert self._is_held_up(client, kwame)

    def test_the_setting_is_on_where_nothing_is_said(self) -> None:
        assert settings_module.REQUIRE_MFA_MEMBERS is True

    def test_with_a_factor_the_way_is_free(self, client: Client, ines: Operator) -> None:
        sign_in(client, ines.email)
        enrol(client, when=datetime.now(tz=UTC))
        assert is_signed_in(client)

    def test_the_last_factor_cannot_be_removed(self, client: Client, ines: Operator) -> None:
        sign_in(client, ines.email)
        enrol(client, when=datetime.now(tz=UTC))
        page = client.get("/sign-in/factors/totp/deactivate/").content.decode()
        assert "Your role needs a second factor" in page
        client.post("/sign-in/factors/totp/deactivate/")
        assert Authenticator.objects.filter(type="totp").exists()

    def test_company_sign_in_counts_only_where_it_is_trusted(
        self, client: Client, ines: Operator, settings: Any
    ) -> None:
        client.force_login(ines)
        session = client.session
        session["account_authentication_methods"] = [{"method": "socialaccount", "at": 1.0}]
        session["account_authentication_methods_user"] = str(ines.pk)
        session.save()
        assert not is_signed_in(client)
        settings.TRUST_SSO_MFA = True
        assert is_signed_in(client)


def test_a_member_may_remove_their_factor(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    enrol(client, when=datetime.now(tz=UTC))
    client.post("/sign-in/factors/totp/deactivate/")
    assert not Authenticator.objects.exists()
    kinds = Entry.objects.filter(kind="factor.remove").values_list("data_json", flat=True)
    assert any("totp" in kind for kind in kinds)


def test_an_administrator_helps_after_a_lost_phone(
    client: Client,
    kwame: Operator,
    ines: Operator,
    app: pyotp.TOTP,
    django_capture_on_commit_callbacks: Any,
) -> None:
    other = Client()
    client.force_login(ines)
    other.force_login(kwame)
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/operators/{kwame.person_id}/factors/remove/", {"proof": "Met in person"})
    assert answer.status_code == 302
    assert not Authenticator.objects.filter(user=kwame).exists()
    assert not is_signed_in(other)
    entry = Entry.objects.get(kind="factor.remove_all")
    assert (entry.subject, entry.data["proof"]) == (kwame.email, "Met in person")
    assert mail.outbox[-1].to == [kwame.email]
    assert "removed all second factors" in mail.outbox[-1].body


@pytest.mark.parametrize("proof", ["", "   ", "\u200b"])
def test_no_factor_is_removed_without_proof_of_who_asks(
    client: Client, kwame: Operator, ines: Operator, app: pyotp.TOTP, proof: str
) -> None:
    """A stranger calls and says that the phone of a colleague is lost."""
    client.force_login(ines)
    answer = client.post(f"/operators/{kwame.person_id}/factors/remove/", {"proof": proof})
    assert answer.status_code == 422
    assert "aria-invalid" in answer.content.decode()
    assert Authenticator.objects.filter(user=kwame).exists()
    assert not Entry.objects.filter(kind="factor.remove_all").exists()


def test_nobody_removes_their_own_factors_that_way(ines: Operator) -> None:
    with pytest.raises(DirectoryRuleError, match="your own"):
        remove_factors(ines, proof="Met", actor=ines.person)
    remove_factors(ines, proof="Met", actor=COMMAND_LINE)
