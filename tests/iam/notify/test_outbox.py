"""The outbox: who is told once, what is tried again, what is given up aloud."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.db import transaction

from iam.directory.models import Person
from iam.journal.models import Entry
from iam.notify import outbox
from iam.notify.events import NotifyEvent
from iam.notify.links import LinkError, link_for, target_of
from iam.notify.models import MessageChannel, OutgoingMessage
from iam.notify.services import NotifyError, notify, save_preferences, send_again
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def hana() -> Person:
    return factories.person("Hana Sato")


def tell(*people: Person, event: NotifyEvent = NotifyEvent.WAITING, key: str = "1", **more: Any) -> int:
    return notify(event, people=people, subject="CHG-1 waits for you", key=key, path="/changes/x/", **more)


def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """No mail server answers."""

    def refuse(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)


def over(message: OutgoingMessage) -> None:
    """Let its pause be over."""
    OutgoingMessage.objects.filter(pk=message.pk).update(due_at=datetime.now(tz=UTC) - timedelta(seconds=1))


def test_a_message_goes_out_with_the_link_of_its_reader(hana: Person, settings: Any) -> None:
    tell(hana, text="Asked by Ines: on call")
    message = OutgoingMessage.objects.get()
    outbox.deliver(message.pk)
    sent = mail.outbox[0]
    assert sent.to == ["hana.sato@example.com"]
    assert sent.subject == "[Gatehouse] CHG-1 waits for you"
    assert "Asked by Ines: on call" in sent.body
    link = next(line for line in sent.body.splitlines() if line.startswith(settings.BASE_URL))
    target = target_of(link.removeprefix(f"{settings.BASE_URL}/go/").rstrip("/"))
    assert (target.person_id, target.path) == (hana.id, "/changes/x/")
    message.refresh_from_db()
    assert (message.state, message.attempts) == ("sent", 1)


def test_a_person_is_told_of_one_thing_once(hana: Person, nudged: list[UUID]) -> None:
    jonas = factories.person("Jonas Berg")
    assert tell(hana) == 1
    assert tell(hana, jonas) == 1
    assert tell(hana, key="2") == 1
    assert OutgoingMessage.objects.count() == 3
    outbox.deliver(OutgoingMessage.objects.filter(key="change.waiting:1").first().pk)  # type: ignore[union-attr]
    assert tell(hana, jonas) == 0


def test_who_does_not_want_to_be_told_is_not_but_of_an_emergency(hana: Person) -> None:
    save_preferences(
        hana.id, wanted={MessageChannel.EMAIL: [NotifyEvent.APPLIED]}, slack_member="", actor=hana
    )
    assert tell(hana) == 0
    assert tell(hana, event=NotifyEvent.APPLIED) == 1
    assert tell(hana, event=NotifyEvent.BREAK_GLASS) == 1


def test_a_transaction_that_is_rolled_back_tells_nobody(
    hana: Person, nudged: list[UUID], django_capture_on_commit_callbacks: Any
) -> None:
    with transaction.atomic():
        tell(hana)
        transaction.set_rollback(True)
    assert not OutgoingMessage.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        tell(hana)
    assert nudged == [OutgoingMessage.objects.get().pk]


def test_what_cannot_be_sent_is_tried_again_later_and_given_up_aloud(
    hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(hana)
    message = OutgoingMessage.objects.get()
    broken(monkeypatch)
    pauses = []
    for _ in range(7):
        over(message)
        began = datetime.now(tz=UTC)
        outbox.deliver(message.pk)
        message.refresh_from_db()
        if message.due_at:
            pauses.append(round((message.due_at - began).total_seconds()))
    assert pauses == [5, 30, 120, 600, 3600, 14400]
    assert (message.state, message.attempts) == ("given_up", 7)
    assert message.error == "The mail server didn’t accept it (ConnectionRefusedError)."
    entry = Entry.objects.get(kind="notice.given_up")
    assert (entry.subject, entry.data["tries"]) == ("Hana Sato", 7)
    outbox.deliver(message.pk)
    assert Entry.objects.filter(kind="notice.given_up").count() == 1


def test_what_was_given_up_is_sent_when_somebody_asks_for_it(
    hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(hana)
    message = OutgoingMessage.objects.get()
    with monkeypatch.context() as patch:
        broken(patch)
        for _ in range(7):
            over(message)
            outbox.deliver(message.pk)
    send_again(message, actor=hana)
    with pytest.raises(NotifyError, match="on its way"):
        send_again(message, actor=hana)
    outbox.deliver(message.pk)
    assert len(mail.outbox) == 1


def test_a_message_that_a_lost_worker_left_is_sent_by_another(hana: Person, nudged: list[UUID]) -> None:
    tell(hana)
    message = OutgoingMessage.objects.get()
    soon = datetime.now(tz=UTC) + timedelta(minutes=1)
    OutgoingMessage.objects.update(state="sending", attempts=1, lease_until=soon)
    outbox.deliver(message.pk)
    assert mail.outbox == []
    OutgoingMessage.objects.update(lease_until=datetime.now(tz=UTC) - timedelta(seconds=1))
    nudged.clear()
    assert outbox.sweep() == 1
    assert nudged == [message.pk]
    outbox.deliver(message.pk)
    assert len(mail.outbox) == 1


def test_of_two_workers_who_found_the_same_message_one_sends_it(
    hana: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(hana)
    found_by_both = OutgoingMessage.objects.get()

    class Found:
        def filter(self, **_: Any) -> Found:
            return self

        def first(self) -> OutgoingMessage:
            return copy(found_by_both)

    monkeypatch.setattr(outbox, "due", lambda now: Found())
    outbox.deliver(found_by_both.pk)
    outbox.deliver(found_by_both.pk)
    assert len(mail.outbox) == 1
    assert OutgoingMessage.objects.get().attempts == 1


def test_messages_that_were_sent_are_forgotten_after_a_month(hana: Person) -> None:
    tell(hana)
    tell(hana, key="2")
    old = datetime.now(tz=UTC) - timedelta(days=31)
    OutgoingMessage.objects.filter(key__endswith=":1").update(state="sent", ended_at=old, due_at=None)
    outbox.sweep()
    assert OutgoingMessage.objects.get().key == "change.waiting:2"


def test_a_link_is_good_for_a_week_and_for_one_page(hana: Person, settings: Any, time_machine: Any) -> None:
    word = link_for(hana.id, path="/changes/approvals/").removeprefix(f"{settings.BASE_URL}/go/")[:-1]
    assert target_of(word).path == "/changes/approvals/"
    with pytest.raises(LinkError, match="incomplete"):
        target_of(word[:-1] + ("A" if word[-1] != "A" else "B"))
    time_machine.move_to(datetime.now(tz=UTC) + timedelta(days=8))
    with pytest.raises(LinkError, match="older than 7 days"):
        target_of(word)


def test_only_pages_of_ours_are_linked_to(hana: Person) -> None:
    for path in ("https://evil.example/", "//evil.example/", "evil"):
        with pytest.raises(ValueError, match="isn’t an address of Gatehouse"):
            notify(NotifyEvent.WAITING, people=[hana], subject="x", key="1", path=path)


def test_a_line_break_in_a_subject_breaks_no_mail(hana: Person) -> None:
    notify(NotifyEvent.WAITING, people=[hana], subject="One\nBcc: all@example.com", key="1")
    outbox.deliver(OutgoingMessage.objects.get().pk)
    assert mail.outbox[0].subject == "[Gatehouse] One Bcc: all@example.com"
    assert mail.outbox[0].recipients() == ["hana.sato@example.com"]
