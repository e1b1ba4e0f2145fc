"""A mail as it arrives: text and HTML that say the same; which refusals are final; nothing is kept where no
mail server is.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail

from iam.directory.models import Person
from iam.journal.models import Entry
from iam.notify import outbox
from iam.notify.events import NotifyEvent
from iam.notify.links import target_of
from iam.notify.models import OutgoingMessage
from iam.notify.services import notify
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def hana() -> Person:
    return factories.person("Hana Sato")


def tell(person: Person, **subject_line: str) -> OutgoingMessage:
    words = {"subject": "CHG-1 waits for you", "text": "Asked by Ines: on call"} | subject_line
    notify(NotifyEvent.WAITING, people=[person], key="1", path="/changes/x/", **words)
    return OutgoingMessage.objects.get()


def sent(message: OutgoingMessage) -> tuple[str, str]:
    """Text and HTML of the one mail that went out."""
    outbox.deliver(message.pk)
    [sent_message] = mail.outbox
    [(html, kind)] = sent_message.alternatives  # type: ignore[attr-defined]
    assert kind == "text/html"
    return str(sent_message.body), str(html)


def test_text_and_html_say_the_same_and_lead_to_the_page_and_to_what_one_is_told_of(
    hana: Person, settings: Any
) -> None:
    text, html = sent(tell(hana, text="Asked by Ines: on call\n\nUntil Friday"))
    for part in ("Hello Hana Sato,", "CHG-1 waits for you", "Asked by Ines: on call", "Until Friday"):
        assert part in text
        assert part in html
    for body in (text, html):
        words = re.findall(rf"{re.escape(settings.BASE_URL)}/go/([^/]+)/", body)
        targets = [target_of(word) for word in words]
        assert [target.path for target in targets] == ["/changes/x/", "/profile/notifications/"]
        assert {target.person_id for target in targets} == {hana.id}


def test_nothing_in_a_mail_comes_from_elsewhere_and_what_people_wrote_is_text(
    hana: Person, settings: Any
) -> None:
    _, html = sent(tell(hana, subject="<img src=//evil.example/x>", text='"><script>alert(1)</script>'))
    assert "<img" not in html
    assert "<script" not in html
    assert not re.search(r"(?:src|url\()", html.replace("&lt;img src", ""))
    assert set(re.findall(r'href="(https?://[^/"]+)', html)) == {settings.BASE_URL}


@pytest.mark.parametrize(
    ("code", "state"), [(450, "waiting"), (550, "given_up")], ids=["come-back-later", "no-such-address"]
)
def test_a_server_that_asks_to_come_back_later_is_asked_again(
    hana: Person, monkeypatch: pytest.MonkeyPatch, code: int, state: str
) -> None:
    def refuse(self: Any) -> int:
        raise SMTPRecipientsRefused({"hana.sato@example.com": (code, b"")})

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    message = tell(hana)
    outbox.deliver(message.pk)
    message.refresh_from_db()
    assert message.state == state


def test_an_address_that_would_break_the_headers_is_given_up_at_once(hana: Person) -> None:
    message = tell(hana)
    OutgoingMessage.objects.update(address="hana@example.com\nBcc: eve@example.com")
    outbox.deliver(message.pk)
    message.refresh_from_db()
    assert (message.state, mail.outbox) == ("given_up", [])
    assert "eve@" not in message.error


def test_a_message_that_ends_every_worker_is_given_up(hana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def die(_: Any) -> None:
        raise MemoryError

    monkeypatch.setattr(outbox, "send", die)
    message = tell(hana)
    for _ in range(outbox.MAX_TRIES):
        with pytest.raises(MemoryError):
            outbox.deliver(message.pk)
        OutgoingMessage.objects.update(lease_until=datetime.now(tz=UTC) - timedelta(seconds=1))
    outbox.deliver(message.pk)
    message.refresh_from_db()
    assert message.state == "given_up"
    assert Entry.objects.get(kind="notice.given_up").subject == "Hana Sato"


def test_where_no_mail_server_is_set_up_no_mail_is_written_and_none_given_up(
    hana: Person, settings: Any
) -> None:
    settings.MAIL_IS_CONFIGURED = False
    assert notify(NotifyEvent.WAITING, people=[hana], subject="CHG-1", key="1", path="/x/") == 0
    assert not OutgoingMessage.objects.exists()
