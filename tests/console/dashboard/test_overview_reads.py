"""The overview asks for everything that it has sent for, whoever looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from iam import planned_reads
from iam.access.escalation_calculation.tasks import calculate_escalation
from iam.directory.models import Role
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgresql]
NUMBER = "111111111111"
LEAST = {Role.ADMINISTRATOR: 11, Role.AUDITOR: 13, Role.APPROVER: 11}


@dataclass(slots=True)
class WatchedReads:
    """How many queries were sent at once each time, and those whose rows nobody took."""

    numbers: list[int] = field(default_factory=list)
    left: set[int] = field(default_factory=set)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> WatchedReads:
    watched = WatchedReads()
    rows_ahead, taken = planned_reads._rows_ahead, planned_reads._taken

    def send(database: Any, reads: Any) -> Mapping[int, Any]:
        rows = rows_ahead(database, reads)
        watched.numbers.append(len(rows))
        watched.left.update(rows)
        return rows

    def take(query: Any, values: Any) -> Any:
        rows = taken(query, values)
        if rows is not None:
            watched.left.discard(id(query))
        return rows

    monkeypatch.setattr(planned_reads, "_rows_ahead", send)
    monkeypatch.setattr(planned_reads, "_taken", take)
    return watched


@pytest.mark.parametrize("address", ["/", f"/?account={NUMBER}"])
@pytest.mark.parametrize("role", LEAST)
def test_nothing_is_read_ahead_for_nobody(role: Role, address: str, watched: WatchedReads) -> None:
    factories.synced(factories.account(NUMBER))
    calculate_escalation()
    client = Client()
    client.force_login(factories.operator(role, name="Ines Duarte"))
    assert client.get(address).status_code == 200
    assert watched.left == set()
    assert max(watched.numbers) >= LEAST[role] - ("account" in address)


@pytest.mark.parametrize("role", LEAST)
def test_the_frame_is_read_ahead_for_whole_pages_only(role: Role, watched: WatchedReads) -> None:
    factories.synced(factories.account(NUMBER))
    client = Client()
    client.force_login(factories.operator(role, name="Ines Duarte"))
    for address in ("/people/", "/roles/?sort=-name", "/access/who-can/", "/changes/", "/mfa/", "/profile/"):
        assert client.get(address).status_code == 200
        assert watched.left == set(), address
    sent = len(watched.numbers)
    client.get("/people/", headers={"HX-Request": "true"})
    client.post("/people/")
    # Only the two of the viewer.
    assert watched.numbers[sent:] == [2, 2]
