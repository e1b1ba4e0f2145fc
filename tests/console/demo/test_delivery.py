"""The stand-in writes a trail of what happens in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.demo.standin.delivery import TrailDelivery
from console.demo.standin.server import RunningStandin
from iam.activity.folder import read_folder
from iam.activity.models import TrailEvent
from iam.activity.queries import callers_named
from tests.console.demo.clients import control, member, reader

pytestmark = pytest.mark.django_db


def _delivered(standin: RunningStandin, folder: Path) -> Any:
    delivery = TrailDelivery(folder)
    standin.world.delivery = delivery
    return delivery


def test_writes_and_refusals_are_delivered_and_read(fresh: RunningStandin, tmp_path: Path) -> None:
    delivery = _delivered(fresh, tmp_path)
    iam = member(fresh, "iam", "production")
    iam.create_user(UserName="ben.carter")
    control(fresh, "faults", {"deny": {"*": ["iam:DeleteUser"]}})
    with pytest.raises(ClientError):
        iam.delete_user(UserName="ben.carter")
    # One file for the account, and one for the account in which the role was assumed.
    assert delivery.deliver() == 2
    assert delivery.deliver() == 0
    assert read_folder(tmp_path).quarantined == []
    calls = {event.action: event for event in TrailEvent.objects.select_related("caller")}
    assert calls["CreateUser"].resource.endswith(":user/ben.carter")
    assert calls["CreateUser"].is_read_only is False
    assert calls["DeleteUser"].is_denied
    (writer,) = callers_named("gatehouse-writer")
    assert calls["CreateUser"].caller == writer


def test_reads_of_gatehouse_itself_are_left_out(fresh: RunningStandin, tmp_path: Path) -> None:
    delivery = _delivered(fresh, tmp_path)
    reader(fresh, "iam", "production").list_users()
    assert "ListUsers" not in [event["eventName"] for event in delivery.waiting]
    member(fresh, "iam", "production").list_users()
    assert "ListUsers" in [event["eventName"] for event in delivery.waiting]
