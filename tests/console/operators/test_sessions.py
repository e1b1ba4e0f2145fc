"""How long a session lasts, and what ends it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from console.operators.models import Operator, OperatorSession
from console.operators.session_store import SessionStore, digest
from console.operators.sessions import POLL_HEADER, SHORT_IDLE
from console.operators.tasks import delete_old_sign_ins
from iam.directory.models import Role
from iam.directory.services import deactivate_person, remove_role
from iam.journal.models import Entry
from iam.journal.services import COMMAND_LINE
from tests import factories
from tests.console.operators.conftest import PASSWORD, is_signed_in, sign_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def _at(minutes: float) -> Any:
    return time_machine.travel(NOON + timedelta(minutes=minutes), tick=False)


@pytest.mark.parametrize(
    ("role", "minutes"),
    [(Role.ADMINISTRATOR, 15), (Role.APPROVER, 15), (Role.AUDITOR, 15), (Role.MEMBER, 60), (None, 60)],
)
def test_a_session_ends_after_idling(client: Client, role: Role | None, minutes: int) -> None:
    operator = factories.operator(role)
    with _at(0):
        sign_in(client, operator.email)
    with _at(minutes):
        assert is_signed_in(client)
    with _at(2 * minutes + 0.1):
        response = client.get("/profile/?x=1")
        assert response["Location"] == "/sign-in/?next=%2Fprofile%2F%3Fx%3D1&ended=idle"
    with _at(2 * minutes + 0.2):
        assert not is_signed_in(client)
    assert Entry.objects.get(kind="session.ended").data == {"why": "idle"}


def test_the_guide_promises_what_holds() -> None:
    """`docs/operate.md` names who has the short limit, and from whom a second factor is required."""
    guide = (Path(settings.BASE_DIR) / "docs" / "operate.md").read_text(encoding="utf-8")
    assert "after which administrators, approvers and auditors sign in again" in guide
    assert {"administrator", "approver", "auditor"} == SHORT_IDLE
    assert "people of every role without a second factor can only set one up" in guide


def test_the_sign_in_page_says_why(client: Client) -> None:
    assert "because of inactivity" in client.get("/sign-in/?ended=idle").content.decode()
    assert "session has ended" in client.get("/sign-in/?ended=expired").content.decode()
    assert "<script>alert" not in client.get("/sign-in/?ended=<script>alert").content.decode()


def test_activity_keeps_a_session(client: Client, ines: Operator) -> None:
    with _at(0):
        sign_in(client, ines.email)
    for minutes in range(10, 120, 10):
        with _at(minutes):
            assert is_signed_in(client)


def test_a_page_that_asks_by_itself_is_no_activity(client: Client, ines: Operator) -> None:
    with _at(0):
        sign_in(client, ines.email)
    for minutes in (5, 10, 14.9):
        with _at(minutes):
            assert client.get("/profile/", headers={POLL_HEADER: "1"}).status_code == 200
    with _at(15.1):
        assert not is_signed_in(client)


def test_after_half_a_day_everybody_signs_in_again(client: Client, kwame: Operator) -> None:
    with _at(0):
        sign_in(client, kwame.email)
    for minutes in range(30, 721, 30):
        with _at(minutes):
            assert is_signed_in(client)
    with _at(720.1):
        assert client.get("/profile/")["Location"].endswith("&ended=expired")


def test_a_session_that_was_not_begun_by_us_does_not_count(client: Client, kwame: Operator) -> None:
    client.force_login(kwame)
    session = client.session
    del session["gatehouse_signed_in"]
    session.save()
    assert not is_signed_in(client)


def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(client: Client, ines: Operator) -> None:
    response = client.get(
        "/operators/?q=x",
        headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/operators/?role=member"},
    )
    assert response.status_code == 200
    assert response["HX-Redirect"] == "/sign-in/?next=%2Foperators%2F%3Frole%3Dmember"
    assert response.content == b""


def test_after_a_form_one_comes_back_to_the_page_of_the_form(client: Client) -> None:
    response = client.post("/operators/new/", {}, headers={"referer": "http://testserver/operators/new/"})
    assert response["Location"] == "/sign-in/?next=%2Foperators%2Fnew%2F"
    response = client.post("/operators/new/", {}, headers={"referer": "https://evil.example/x"})
    assert response["Location"] == "/sign-in/?next=%2F"


def test_taking_a_role_signs_out_everywhere(client: Client, kwame: Operator) -> None:
    other = Client()
    for browser in (client, other):
        sign_in(browser, kwame.email)
    assert kwame.person is not None
    remove_role(kwame.person.assignments.get(), actor=COMMAND_LINE)
    assert not is_signed_in(client)
    assert not is_signed_in(other)
    assert not OperatorSession.objects.exists()
    assert Entry.objects.filter(kind="session.end_all", subject=kwame.email).exists()


def test_deactivating_signs_out_everywhere(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    assert kwame.person is not None
    deactivate_person(kwame.person, actor=COMMAND_LINE)
    assert not is_signed_in(client)


def test_signing_out_elsewhere_leaves_this_browser(client: Client, kwame: Operator) -> None:
    other = Client(headers={"user-agent": "The Other Browser"})
    for browser in (client, other):
        sign_in(browser, kwame.email)
    page = client.get("/profile/").content.decode()
    assert "The Other Browser" in page
    assert "This browser" in page
    assert client.post("/profile/sessions/")["Location"] == "/profile/"
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert "The Other Browser" not in client.get("/profile/").content.decode()


def test_ended_sessions_are_tidied_away(client: Client, kwame: Operator) -> None:
    with _at(0):
        sign_in(client, kwame.email)
    with _at(24 * 60):
        delete_old_sign_ins()
    assert not OperatorSession.objects.exists()


def test_a_session_left_open_gets_no_password(client: Client, kwame: Operator) -> None:
    """Who came by the company's sign-in has none, and need not show one to choose it."""
    kwame.set_unusable_password()
    kwame.save()
    form = {"password1": "a wholly new password", "password2": "a wholly new password"}
    with time_machine.travel(NOON, tick=False):
        client.force_login(kwame)
    with time_machine.travel(NOON + timedelta(minutes=20), tick=False):
        assert client.post("/sign-in/password/set/", form)["Location"].startswith("/sign-in/?next=")
        kwame.refresh_from_db()
        assert not kwame.has_usable_password()
        client.force_login(kwame)
        assert client.post("/sign-in/password/set/", form).status_code == 302
        kwame.refresh_from_db()
        assert kwame.has_usable_password()


def test_confirming_who_one_is_gives_a_new_key(client: Client, ines: Operator) -> None:
    """A copy of the old one doesn't become fresh with it."""
    with _at(0):
        sign_in(client, ines.email)
    stolen = Client()
    stolen.cookies = client.cookies.copy()
    with _at(14):
        assert is_signed_in(stolen)
    with _at(16):
        answer = client.get("/operators/new/")
        assert answer["Location"].startswith("/sign-in/confirm/")
        client.post("/sign-in/confirm/", {"password": PASSWORD})
        assert client.get("/operators/new/").status_code == 200
        assert not is_signed_in(stolen)
        assert OperatorSession.objects.filter(operator=ines).count() == 1


def test_one_session_is_ended_after_confirming(client: Client, kwame: Operator) -> None:
    lost, third = Client(), Client()
    with _at(0):
        for browser in (lost, third, client):
            sign_in(browser, kwame.email)
    with _at(16):
        address = f"/profile/sessions/{digest(lost.session.session_key)}/end/"
        assert address in client.get("/profile/").content.decode()
        assert client.post(address)["Location"].startswith("/sign-in/confirm/")
        assert is_signed_in(lost)
        client.post("/sign-in/confirm/", {"password": PASSWORD})
        assert client.post(address)["Location"] == "/profile/"
        assert not is_signed_in(lost)
        assert is_signed_in(third)
        assert is_signed_in(client)
        assert client.post("/profile/sessions/")["Location"] == "/profile/"
        assert not is_signed_in(third)
    assert Entry.objects.filter(kind="session.end", subject=kwame.email).count() == 1


def test_ending_all_others_needs_a_recent_sign_in_too(client: Client, kwame: Operator) -> None:
    """Who finds a browser open signs its person out nowhere."""
    other = Client()
    with _at(0):
        for browser in (other, client):
            sign_in(browser, kwame.email)
    with _at(16):
        assert client.post("/profile/sessions/")["Location"].startswith("/sign-in/confirm/")
        assert is_signed_in(other)


def test_nobody_ends_the_session_of_somebody_else(client: Client, kwame: Operator, ines: Operator) -> None:
    other = Client()
    sign_in(other, ines.email)
    sign_in(client, kwame.email)
    key = digest(other.session.session_key)
    assert client.post(f"/profile/sessions/{key}/end/").status_code == 404
    assert client.post(f"/operators/{ines.person_id}/sessions/end/").status_code == 404
    assert client.post("/operators/sessions/").status_code == 404
    assert is_signed_in(other)


def test_an_administrator_ends_the_sessions_of_one_person(
    client: Client, kwame: Operator, ines: Operator
) -> None:
    first, second = Client(), Client()
    for browser in (first, second):
        sign_in(browser, kwame.email)
    sign_in(client, ines.email)
    address = f"/operators/{kwame.person_id}/sessions/end/"
    assert address in client.get(f"/operators/{kwame.person_id}/").content.decode()
    assert client.post(address).status_code == 302
    assert not is_signed_in(first)
    assert not is_signed_in(second)
    assert is_signed_in(client)
    assert Entry.objects.get(kind="session.end_all").actor_id == ines.person_id
    assert sign_in(first, kwame.email)["Location"] == "/"


def test_an_administrator_signs_everyone_out(client: Client, kwame: Operator, ines: Operator) -> None:
    """Sessions were stolen, and nobody knows whose."""
    other = Client()
    sign_in(other, kwame.email)
    sign_in(client, ines.email)
    assert "2 sessions of 2 people" in " ".join(client.get("/operators/sessions/").content.decode().split())
    assert client.post("/operators/sessions/")["Location"] == "/sign-in/?ended=expired"
    assert not is_signed_in(other)
    assert not is_signed_in(client)
    assert Entry.objects.get(kind="session.end_everyone").data == {"sessions": 2}
    sign_in(client, ines.email)
    assert is_signed_in(client)


def test_an_administrator_of_one_account_signs_nobody_out(client: Client, kwame: Operator) -> None:
    other = Client()
    sign_in(other, kwame.email)
    operator = factories.operator(Role.ADMINISTRATOR)
    operator.person.assignments.update(account_id="111122223333")
    client.force_login(operator)
    client.post("/operators/sessions/")
    client.post(f"/operators/{kwame.person_id}/sessions/end/")
    assert is_signed_in(other)


def test_a_session_that_is_ended_meanwhile_is_no_error(client: Client, kwame: Operator) -> None:
    sign_in(client, kwame.email)
    save = SessionStore.save

    def ended_first(self: SessionStore, must_create: bool = False) -> None:
        OperatorSession.objects.all().delete()
        save(self, must_create)

    with (
        pytest.MonkeyPatch.context() as patch,
        time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=1)),
    ):
        patch.setattr(SessionStore, "save", ended_first)
        assert client.get("/profile/").status_code == 200
    assert client.get("/profile/")["Location"].startswith("/sign-in/")


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR, Role.MEMBER, None])
@pytest.mark.parametrize("address", ["/", "/profile/", "/changes/", "/sign-in/factors/"])
def test_every_page_has_a_button_that_signs_out(role: Role | None, address: str) -> None:
    browser = Client()
    browser.force_login(factories.operator(role))
    answer = browser.get(address)
    if answer.status_code == 200:
        assert 'aria-label="Sign out"' in answer.content.decode()
    else:
        assert role is None
