"""A form that is sent after the session has ended is kept for the person who filled it in, and for nobody
else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client

from console.operators.kept_form import KEPT
from console.operators.models import Operator
from console.operators.pages.resume import entered
from iam.directory.models import Role, Team
from tests import factories
from tests.console.operators.conftest import PASSWORD, sign_in

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TEAMS = "/operators/teams/"
ENCODED = "application/x-www-form-urlencoded"
FORM = {"name": "Fares", "description": "Prices & <rules>"}


def _encoded(fields: dict[str, str]) -> str:
    return urlencode(fields)


def _at(minutes: float) -> Any:
    return time_machine.travel(NOON + timedelta(minutes=minutes), tick=False)


def test_the_form_of_an_ended_session_is_offered_again_after_signing_in(
    client: Client, ines: Operator
) -> None:
    with _at(0):
        sign_in(client, ines.email)
    with _at(20):
        sent = client.post(TEAMS, _encoded(FORM), content_type=ENCODED)
        assert sent["Location"] == "/sign-in/?next=%2Fprofile%2Fcontinue%2F&ended=idle"
        assert "What you entered is kept" in client.get(sent["Location"]).content.decode()
        assert not Team.objects.exists()
        credentials = {"login": ines.email, "password": PASSWORD, "next": "/profile/continue/"}
        page = client.post("/sign-in/", credentials, follow=True).content.decode()
        assert 'value="Fares"' in page
        assert 'value="Prices &amp; &lt;rules&gt;"' in page
        assert not Team.objects.exists(), "nothing is sent before the person says so"


def test_another_person_in_the_same_browser_never_sees_it(client: Client, ines: Operator) -> None:
    other = factories.operator(Role.ADMINISTRATOR, name="Other Person")
    with _at(0):
        sign_in(client, ines.email)
    with _at(20):
        client.post(TEAMS, _encoded(FORM), content_type=ENCODED)
        assert "Fares" not in client.get("/sign-in/?ended=idle").content.decode()
        client.force_login(other)
        assert client.get("/profile/continue/")["Location"] == "/"
        assert KEPT not in client.session


def test_the_form_of_an_ended_session_is_forgotten_after_a_quarter_of_an_hour(
    client: Client, ines: Operator
) -> None:
    with _at(0):
        sign_in(client, ines.email)
    with _at(20):
        client.post(TEAMS, _encoded(FORM), content_type=ENCODED)
    with _at(36):
        sign_in(client, ines.email)
        assert client.get("/profile/continue/")["Location"] == "/"


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        (FORM | {"new_password": "x"}, {}),
        ({"name": "x" * 70_000}, {}),
        ({"name": "x" * 600_000}, {}),
        ({"name": "Fares"}, {"format": "multipart"}),
    ],
)
def test_secrets_files_and_large_forms_are_not_kept(
    client: Client, ines: Operator, fields: dict[str, str], options: dict[str, str]
) -> None:
    with _at(0):
        sign_in(client, ines.email)
    with _at(20):
        if not options:
            sent = client.post(TEAMS, _encoded(fields), content_type=ENCODED)
        else:
            sent = client.post(TEAMS, fields)
        assert "continue" not in sent["Location"]
        assert KEPT not in client.session


def test_a_form_of_another_site_is_not_kept(ines: Operator) -> None:
    """It would wait for the person to send it themselves."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ines)
    with time_machine.travel(datetime.now(tz=UTC) + timedelta(minutes=20), tick=False):
        sent = client.post(TEAMS, _encoded(FORM), content_type=ENCODED)
    assert sent.status_code == 302
    assert "continue" not in sent["Location"]
    assert KEPT not in client.session


def test_whoever_was_deactivated_leaves_nothing_behind(client: Client, ines: Operator) -> None:
    with _at(0):
        sign_in(client, ines.email)
        person = ines.person
        assert person is not None
        person.is_active = False
        person.save()
        client.post(TEAMS, _encoded(FORM), content_type=ENCODED)
    assert KEPT not in client.session


def test_what_was_typed_is_shown_before_it_is_submitted_without_the_keys_of_the_form() -> None:
    fields = [
        ("user_arn", "arn:aws:iam::111111111111:user/maya"),
        ("reason", "On call\nuntil Monday"),
        ("key", "1a527b53-a8cf-42f3-8cf1-5fef9c751c12"),
        ("digest", "9f86d081884c7d659a2feaa0c55ad015"),
        ("sensitive", "on"),
        ("position", "3"),
        ("account", ""),
        ("do", "take_over"),
        ("typed", "H4X2"),
    ]
    assert entered(fields) == [
        ("User ARN", "arn:aws:iam::111111111111:user/maya"),
        ("Reason", "On call\nuntil Monday"),
        ("Action", "Take over"),
        ("Typed", "H4X2"),
    ]
