"""Mail goes out apart from the request: nobody waits for a mail server, and nobody learns anything from
it.
"""

from __future__ import annotations

import threading
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client

from console.operators.models import Operator
from tests.patience import PATIENCE_S

RESET = "/sign-in/password/reset/"


@pytest.fixture
def known(kwame: Operator) -> str:
    """An address to which a link is sent."""
    EmailAddress.objects.create(user=kwame, email=kwame.email, verified=True, primary=True)
    return kwame.email


class Slow(EmailBackend):
    """A mail server that answers when it is told to."""

    answers = threading.Event()

    def send_messages(self, messages: Any) -> int:
        """Wait, then deliver."""
        assert self.answers.wait(PATIENCE_S)
        return int(super().send_messages(messages))


class Broken(EmailBackend):
    """A mail server that is not there."""

    def send_messages(self, messages: Any) -> int:
        """Refuse."""
        raise ConnectionRefusedError


@pytest.mark.django_db(transaction=True)
def test_the_answer_does_not_wait_for_the_mail_server(client: Client, known: str, settings: Any) -> None:
    settings.MAIL_IN_BACKGROUND, settings.EMAIL_BACKEND = True, f"{__name__}.Slow"
    Slow.answers.clear()
    assert client.post(RESET, {"email": known}).status_code == 302
    assert not mail.outbox
    Slow.answers.set()
    for thread in threading.enumerate():
        if thread.name == "mail":
            thread.join(PATIENCE_S)
    [message] = mail.outbox
    assert "/sign-in/password/reset/key/" in message.body


def test_a_mail_server_that_is_not_there_answers_for_nobody(
    client: Client, known: str, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Broken"
    answers = [client.post(RESET, {"email": address}) for address in (known, "nobody@example.com")]
    assert {(answer.status_code, answer["Location"]) for answer in answers} == {(302, f"{RESET}done/")}
    assert "mail.failed" in caplog.text
    assert known not in caplog.text
