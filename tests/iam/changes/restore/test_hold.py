"""While a restored backup waits for a decision, pages say so, and nothing else changes for the people who
look.
"""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.test import Client

from iam.changes.errors import RefusedError
from iam.changes.restore import services
from iam.changes.restore.models import RestoreHold
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
    assert RestoreHold.objects.count() == 1
    assert "Changes are on hold" in overview(Role.ADMINISTRATOR)
    assert "Changes are on hold" in overview(Role.AUDITOR)
    assert services.end_hold(cancel=[], actor=COMMAND_LINE, label="Tests") == services.ReleaseResult(0, 0, 0)
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


@pytest.mark.parametrize(
    ("released", "reason"),
    [
        (services.ReleaseResult(0, 0, 0), "No change was on hold."),
        (services.ReleaseResult(1, 0, 0), "1 change was cancelled."),
        (
            services.ReleaseResult(2, 1, 1),
            (
                "2 changes were cancelled; 1 running change has an unknown outcome: check in AWS; 1 change "
                "goes "
                "on."
            ),
        ),
        (
            services.ReleaseResult(0, 2, 3),
            "2 running changes have an unknown outcome: check in AWS; 3 changes go on.",
        ),
    ],
)
def test_the_command_tells_what_became_of_each_change(
    monkeypatch: pytest.MonkeyPatch, released: services.ReleaseResult, reason: str
) -> None:
    """What was running is not cancelled: nobody knows whether AWS has it."""
    monkeypatch.setattr(services, "end_hold", lambda **_: released)
    string_io = StringIO()
    call_command("after_restore", "--release", stdout=string_io)
    assert string_io.getvalue() == f"The hold is over. {reason}\n"


def test_the_command_goes_from_the_hold_to_its_end() -> None:
    string_io = StringIO()
    call_command("after_restore", stdout=string_io)
    assert "Ended 0 sessions and 0 one-time links, destroyed 0 one-time secrets." in string_io.getvalue()
    assert "Run --release to end the hold." in string_io.getvalue()
    assert "Compare each" not in string_io.getvalue()
    call_command("after_restore", "--release", stdout=string_io)
    call_command("after_restore", "--status", stdout=string_io)
    assert string_io.getvalue().endswith("The hold is over. No change was on hold.\nNothing is on hold.\n")
