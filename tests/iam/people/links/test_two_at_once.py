"""Several who use one link at the same moment: real threads, each with a connection of its own."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import OperationalError, connection

from iam.directory.models import Person
from iam.journal.models import Entry
from iam.people.links import services
from iam.people.links.models import LinkPurpose, OneTimeLink
from iam.people.links.services import LinkRefusedError
from iam.people.links.signed_ids import word_of
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.on_both, pytest.mark.django_db(transaction=True)]
THREADS = 4


def test_of_all_who_use_a_link_at_once_one_browser_gets_in() -> None:
    person = Person.objects.create(name="Kwame Boateng", email="kwame@example.com")
    arn = "arn:aws:iam::111111111111:user/kwame.boateng"
    link = services.make_link(LinkPurpose.MFA, person=person, user_arn=arn, actor=None)
    word, barrier = word_of(link.pk), Barrier(THREADS)

    def enter(_: int) -> str:
        barrier.wait(timeout=PATIENCE_S)
        try:
            return entered(word)
        finally:
            # Every thread has a connection of its own, except where the test database lives in memory.
            if connection.vendor != "sqlite":
                connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(enter, range(THREADS)))

    inside = [answer for answer in answers if not answer.startswith("refused")]
    assert answers.count("refused: used") == THREADS - 1
    assert services.session_of(inside[0]).pk == link.pk
    assert OneTimeLink.objects.get().browser == services.digest_of(inside[0])
    assert Entry.objects.filter(kind="link.use").count() == 1
    assert Entry.objects.filter(kind="link.refused").count() == THREADS - 1


def entered(word: str) -> str:
    """The cookie, or why there is none; SQLite in memory refuses two at once instead of letting one wait."""
    while True:
        try:
            return services.exchange(word).cookie
        except LinkRefusedError as refused:
            return f"refused: {refused.why}"
        except OperationalError:
            if connection.vendor != "sqlite":
                raise
            time.sleep(0.01)
