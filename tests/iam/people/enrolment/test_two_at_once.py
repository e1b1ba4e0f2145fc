"""Codes that are tried at the same moment: real threads, each with a connection of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import OperationalError, connection

from iam.changes.errors import RefusedError
from iam.people.enrolment import services
from iam.people.enrolment.models import Enrolment
from iam.people.enrolment.services import EnrolmentSession
from tests.iam.people.enrolment.conftest import Desk

pytestmark = [pytest.mark.on_both, pytest.mark.django_db(transaction=True)]
THREADS = 2


def test_wrong_codes_that_are_tried_at_once_are_all_counted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    enrolment, barrier, seed = desk.begin(), Barrier(THREADS), services._seed

    def together(enrolment: Enrolment, seat: EnrolmentSession) -> str | None:
        """Anyone who reads the row waits for the others, who cannot come as long as it is locked."""
        with suppress(BrokenBarrierError):
            barrier.wait(timeout=0.5)
        return seed(enrolment, seat)

    monkeypatch.setattr(services, "_seed", together)
    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(lambda _: alone(lambda: tried(desk, enrolment)), range(THREADS)))
    assert sorted(answer.rpartition("AWS. ")[2] for answer in answers) == [
        "3 attempts are left.",
        "4 attempts are left.",
    ]
    assert Enrolment.objects.get().failures == THREADS


def tried(desk: Desk, enrolment: Enrolment) -> str:
    try:
        services.submit_codes(enrolment, desk.seat, first="000000", second="111111")
    except RefusedError as refused:
        return refused.message
    return "taken"


def alone(act: Callable[[], str]) -> str:
    """What it says; SQLite in memory refuses two at once instead of letting one wait."""
    while True:
        try:
            return act()
        except OperationalError:
            if connection.vendor != "sqlite":
                raise
            time.sleep(0.01)
        finally:
            if connection.vendor != "sqlite":
                connection.close()
