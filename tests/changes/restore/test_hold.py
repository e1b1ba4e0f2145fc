"""While a restored backup waits for a decision, pages say so, and nothing else changes for the people who look."""

from __future__ import annotations

import pytest
from django.test import Client

from iam.changes.errors import RefusedError
from iam.changes.restore import services
from iam.changes.restore.models import Hold
from iam.changes.tasks import sweep_changes
from iam.directory.models import Person, Role
from iam.journal.services import COMMAND_LINE
from tests import factories

pytestmark = pytest.mark.django_db


def overview(role: Role) -> str:
    """The overview as a person of this role sees it."""
    client = Client()
    client.force_login(factories.operator(role, name=f"Person {Person.objects.count()}"))
    return client.get("/").content.decode()


def test_pages_say_that_changes_are_on_hold_until_somebody_decides() -> None:
    assert "Changes are on hold" not in overview(Role.ADMINISTRATOR)
    assert services.begin_hold(cause="Tests", actor=COMMAND_LINE)
    assert not services.begin_hold(cause="Tests", actor=COMMAND_LINE)
    assert Hold.objects.count() == 1
    assert "Changes are on hold" in overview(Role.ADMINISTRATOR)
    assert "Changes are on hold" in overview(Role.AUDITOR)
    assert services.end_hold(cancel=[], actor=COMMAND_LINE, label="Tests") == 0
    assert "Changes are on hold" not in overview(Role.ADMINISTRATOR)
    with pytest.raises(RefusedError, match="Nothing is on hold"):
        services.end_hold(cancel=[], actor=COMMAND_LINE, label="Tests")


def test_the_sweep_waits_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    swept: list[bool] = []
    monkeypatch.setattr("iam.changes.runner.sweep", lambda: swept.append(True))
    services.begin_hold(cause="Tests", actor=None)
    sweep_changes()
    assert swept == []
    services.end_hold(cancel=None, actor=COMMAND_LINE, label="Tests")
    sweep_changes()
    assert swept == [True]
