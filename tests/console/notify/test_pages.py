"""The outbox, the choices and the links of messages, in the browser."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from iam.directory.models import Role
from iam.notify import outbox
from iam.notify.events import NotifyEvent
from iam.notify.links import link_for
from iam.notify.models import OutgoingMessage
from iam.notify.queries import choices_of
from iam.notify.services import notify
from tests import factories

pytestmark = pytest.mark.django_db
OUTBOX, CHOICES = "/settings/notifications/", "/profile/notifications/"


@pytest.fixture
def ines() -> Any:
    return factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")


@pytest.fixture
def kwame() -> Any:
    return factories.operator(Role.MEMBER, name="Kwame Boateng")


def browser(operator: Any) -> Client:
    client = Client()
    client.force_login(operator)
    return client


def tell(person: Any, *, number: int = 1, subject: str = "CHG-1 waits for you") -> None:
    for key in range(number):
        notify(NotifyEvent.WAITING, people=[person], subject=subject, key=str(key), path="/changes/")


def test_the_outbox_shows_what_went_to_whom_and_where_mails_are(ines: Any, kwame: Any, settings: Any) -> None:
    tell(kwame.person)
    page = browser(ines).get(OUTBOX).content.decode()
    assert "CHG-1 waits for you" in page
    assert "kwame.boateng@example.com" in page
    assert str(settings.EMAIL_FILE_PATH) in page
    assert "/go/" not in page


def test_a_link_that_opens_once_is_said_not_linked(ines: Any, kwame: Any) -> None:
    path = "/link/8f0c6a51-6f3f-4f5c-9d53-1d4c2b8a7e10/"
    notify(NotifyEvent.WAITING, people=[kwame.person], subject="Enrol", key="one", path=path)
    page = browser(ines).get(OUTBOX).content.decode()
    assert "A link that works once, only for its recipient" in page
    assert path not in page


def test_the_addresses_of_rooms_are_on_no_page(ines: Any, settings: Any) -> None:
    settings.SLACK_WEBHOOK = "https://hooks.slack.example/services/T0/B0/very-secret"
    page = browser(ines).get(OUTBOX).content.decode()
    assert "To the room" in page
    assert "very-secret" not in page


def test_the_outbox_is_for_administrators(kwame: Any) -> None:
    tell(kwame.person)
    assert browser(kwame).get(OUTBOX).status_code == 404
    again = reverse("notify:send-again", args=[OutgoingMessage.objects.get().pk])
    assert browser(kwame).post(again).status_code == 404


def test_a_page_of_fifty_asks_as_much_as_a_page_of_one(ines: Any, kwame: Any) -> None:
    client = browser(ines)
    client.get(OUTBOX)
    counts = []
    for number in (1, 60):
        tell(kwame.person, number=number)
        with CaptureQueriesContext(connection) as captured:
            page = client.get(OUTBOX)
        counts.append(len(captured))
    assert counts[0] == counts[1]
    older = page.context["following"]
    assert len(client.get(OUTBOX, {"after": str(older)}).context["rows"]) == 10
    assert client.get(OUTBOX, {"after": "nonsense", "tab": "nonsense"}).status_code == 200


def test_the_part_of_the_page_comes_alone_when_htmx_asks(ines: Any, kwame: Any) -> None:
    tell(kwame.person)
    part = browser(ines).get(OUTBOX, {"tab": "sent"}, headers={"HX-Request": "true"}).content.decode()
    assert part.lstrip().startswith('<div class="stack" id="messages"')
    assert "CHG-1" not in part


def test_what_somebody_typed_is_shown_as_text(ines: Any, kwame: Any) -> None:
    tell(kwame.person, subject="<script>alert(1)</script>")
    page = browser(ines).get(OUTBOX).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert" not in page


def test_a_test_goes_to_the_one_who_asks_for_it(ines: Any, nudged: Any) -> None:
    browser(ines).post(reverse("notify:test"))
    outbox.deliver(OutgoingMessage.objects.get().pk)
    assert mail.outbox[0].to == ["ines.duarte@example.com"]


def test_everybody_chooses_for_themselves(kwame: Any, ines: Any) -> None:
    client = browser(kwame)
    assert client.post(CHOICES, {"email": ["change.applied"], "slack": []}).status_code == 302
    chosen = {choice.spec.event: choice.email for choice in choices_of(kwame.person.id)}
    assert chosen[NotifyEvent.APPLIED] is True
    assert chosen[NotifyEvent.WAITING] is False
    assert chosen[NotifyEvent.BREAK_GLASS] is True
    assert all(choice.email is not choice.spec.is_opt_in for choice in choices_of(ines.person.id))


def test_a_wrong_member_id_comes_back_with_the_reason_and_what_was_ticked(kwame: Any, settings: Any) -> None:
    settings.SLACK_WEBHOOK = "https://hooks.slack.example/x"
    posted = {"email": ["change.applied"], "slack": ["change.waiting"], "slack_member": "<!channel>"}
    answer = browser(kwame).post(CHOICES, posted)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "looks like U024BE7LH" in page
    assert page.count(" checked") == 3
    assert "&lt;!channel&gt;" in page


@pytest.mark.parametrize("events", [["no.such.event"], ["change.applied"] * 1000])
def test_events_that_there_are_not_are_not_kept(kwame: Any, events: list[str]) -> None:
    browser(kwame).post(CHOICES, {"email": events})
    assert {choice.spec.event for choice in choices_of(kwame.person.id) if choice.email} <= {
        NotifyEvent.APPLIED,
        NotifyEvent.BREAK_GLASS,
    }


def test_a_link_opens_for_its_reader_only(ines: Any, kwame: Any, settings: Any) -> None:
    address = link_for(kwame.person.id, path="/changes/").removeprefix(settings.BASE_URL)
    assert browser(kwame).get(address)["Location"] == "/changes/"
    other = browser(ines).get(address)
    assert other.status_code == 403
    assert "sent to someone else" in other.content.decode()
    anonymous = Client().get(address)
    assert anonymous["Location"].startswith("/sign-in/?next=%2Fgo%2F")
    assert browser(kwame).post(address).status_code == 405


def test_a_damaged_link_says_so(kwame: Any) -> None:
    answer = browser(kwame).get("/go/whatever/")
    assert answer.status_code == 410
    assert "incomplete" in answer.content.decode()
