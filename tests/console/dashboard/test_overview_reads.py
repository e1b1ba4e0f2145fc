"""The overview asks for everything that it has sent for, whoever looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.test import Client

from iam import compiled_queries
from iam.access.escalation_calculation.tasks import calculate_escalation
from iam.directory.models import Role
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.on_postgresql]
NUMBER = "111111111111"
LEAST = {Role.ADMINISTRATOR: 12, Role.AUDITOR: 14, Role.APPROVER: 12}


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, dict[int, Any]]]:
    """The number of rows sent for at once, and those that nobody took until now."""
    read: list[tuple[int, dict[int, Any]]] = []
    rows_ahead = compiled_queries._rows_ahead

    def remember(database: Any, reads: Any) -> Mapping[int, Any]:
        rows = rows_ahead(database, reads)
        read.append((len(rows), rows))
        return rows

    monkeypatch.setattr(compiled_queries, "_rows_ahead", remember)
    return read


@pytest.mark.parametrize("address", ["/", f"/?account={NUMBER}"])
@pytest.mark.parametrize("role", LEAST)
def test_nothing_is_read_ahead_for_nobody(
    role: Role, address: str, read: list[tuple[int, dict[int, Any]]]
) -> None:
    factories.synced(factories.account(NUMBER))
    calculate_escalation()
    client = Client()
    client.force_login(factories.operator(role, name="Ines Duarte"))
    client.get(address)
    read.clear()
    assert client.get(address).status_code == 200
    assert [rows for _, rows in read if rows] == []
    assert max(number for number, _ in read) >= LEAST[role] - ("account" in address)
