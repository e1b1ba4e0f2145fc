"""Two people at the same moment, with connections of their own: both count, once, and nothing is queued twice."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import OperationalError, connection

from iam.changes import services
from iam.changes.approval.models import Ballot
from iam.changes.approval.rules import APPROVERS, Rule, Stage
from iam.changes.errors import RefusedError
from iam.changes.models import Approval, Change, ChangeState
from iam.guard import Viewer
from tests.changes.approval.conftest import Desk, in_force

THREE = Rule(key="three", name="Three", stages=(Stage((APPROVERS,), 2),))


@pytest.mark.django_db(transaction=True)
def test_four_forms_of_two_people_at_once_are_two_approvals(desk: Desk) -> None:
    in_force(THREE)
    change = desk.ask()
    seen = change.change_set.receipt_digest
    viewers = [desk.again(name) for name in ("Hana Sato", "Jonas Berg") * 2]
    together = Barrier(len(viewers))

    def approve(place: int) -> str:
        together.wait(timeout=20)
        try:
            return approved(change, viewers[place], seen)
        finally:
            # Every thread has a connection of its own, except where the test database lives in memory.
            if connection.vendor != "sqlite":
                connection.close()

    with ThreadPoolExecutor(len(viewers)) as pool:
        said = list(pool.map(approve, range(len(viewers))))

    change.refresh_from_db()
    assert change.state == ChangeState.QUEUED
    assert said.count("") == 2, said
    assert Approval.objects.values("approver_id").distinct().count() == Approval.objects.count() == 2
    assert change.events.filter(kind="approved").count() == 1
    assert not Ballot.objects.exists()


def approved(change: Change, actor: Viewer, seen: str) -> str:
    """Why it was refused, or ""; SQLite in memory refuses two writers at once instead of letting one wait."""
    while True:
        try:
            services.approve(Change.objects.get(pk=change.pk), actor=actor, seen_digest=seen)
        except RefusedError as refused:
            return refused.message
        except OperationalError:
            if connection.vendor != "sqlite":
                raise
            time.sleep(0.01)
        else:
            return ""
