"""The runner against the AWS stand-in: first run, second run, drift, lost workers, late visibility, refusals."""

from __future__ import annotations

import pytest

from iam.changes.models import ChangeState
from iam.changes.runner import run
from iam.mirror.models import Edge
from tests.changes.conftest import Scene

ADD = "iam:AddUserToGroup"


def test_an_approved_change_is_applied_and_read_back(scene: Scene) -> None:
    change = scene.queued()

    run(change.pk)

    change.refresh_from_db()
    assert change.state == ChangeState.APPLIED, change.error_message
    assert scene.in_aws()
    assert scene.in_mirror()
    assert scene.standin.calls(ADD) == 1
    assert len(change.request_ids) == 1
    edge = Edge.objects.get(source=scene.user, target=scene.group)
    assert (edge.cause_kind, edge.cause_id) == ("change", change.pk)
