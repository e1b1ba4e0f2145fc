"""Changes of one set that need not wait for each other: lanes, and branches within them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from iam.changes import services
from iam.changes.models import LAST_BRANCH, Change, ChangeState
from iam.changes.runner import run
from iam.changes.runner.claims import due
from iam.changes.services import SetLane
from iam.mirror.models import Entity
from tests.iam.changes.conftest import Nudges, Scene, make_group

pytestmark = pytest.mark.on_postgresql


def _asked(scene: Scene, lanes: list[SetLane]) -> tuple[list[Change], list[Entity]]:
    """As many memberships of the scene's user, approved together."""
    groups = [
        make_group(scene.aws, scene.account, f"{scene.group.name}-{place}") for place in range(len(lanes))
    ]
    plans = [
        services.plan_membership(scene.requester, user=scene.user, group=group, do="add") for group in groups
    ]
    changes = services.request_changes(
        plans, actor=scene.requester, reason="All at once", idempotency_key=scene.group.name, lanes=lanes
    )
    scene.approve(changes[0])
    return changes, groups


def _states(changes: list[Change]) -> list[str]:
    return [Change.objects.get(pk=change.pk).state for change in changes]


def _due(changes: list[Change]) -> list[int]:
    due_ids = set(due(datetime.now(tz=UTC)).values_list("pk", flat=True))
    return [place for place, change in enumerate(changes) if change.pk in due_ids]


def test_without_lanes_each_change_waits_for_all_before_it(scene: Scene) -> None:
    changes, _ = _asked(scene, [SetLane(), SetLane(), SetLane()])
    assert _due(changes) == [0]


def test_lanes_do_not_wait_for_each_other_and_branches_wait_for_the_trunk(scene: Scene) -> None:
    changes, _ = _asked(scene, [SetLane(0, 0), SetLane(0, 1), SetLane(0, 2), SetLane(0, 2), SetLane(1, 0)])
    assert _due(changes) == [0, 4]
    run(changes[0].pk)
    assert _due(changes) == [1, 2, 4]


def test_the_end_of_the_trunk_tells_a_worker_of_each_branch(
    scene: Scene, nudges: Nudges, django_capture_on_commit_callbacks: Any
) -> None:
    changes, _ = _asked(scene, [SetLane(0, 0), SetLane(0, 1), SetLane(0, 2), SetLane(1, 0)])
    _about_another(changes[2])
    nudges.sent.clear()
    with django_capture_on_commit_callbacks(execute=True):
        run(changes[0].pk)
    assert {change for change, _ in nudges.sent} >= {changes[1].pk, changes[2].pk}


def _about_another(change: Change) -> None:
    Change.objects.filter(pk=change.pk).update(subject_id=f"{change.subject_id}-2")


def test_of_branches_about_one_subject_one_is_told_and_its_end_tells_the_next(
    scene: Scene, nudges: Nudges, django_capture_on_commit_callbacks: Any
) -> None:
    changes, _ = _asked(scene, [SetLane(0, 0), SetLane(0, 2), SetLane(0, 1), SetLane(0, 3)])
    _about_another(changes[3])
    told_ids = []
    for number in (0, 1):
        nudges.sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            run(changes[number].pk)
        told_ids.append({change for change, _ in nudges.sent})
    assert told_ids == [{changes[1].pk, changes[3].pk}, {changes[2].pk}]


def test_a_failed_branch_ends_without_the_others_and_a_failed_trunk_ends_its_lane(scene: Scene) -> None:
    lanes = [SetLane(0, 0), SetLane(0, 1), SetLane(0, 1), SetLane(0, 2), SetLane(1, 0), SetLane(1, 1)]
    changes, groups = _asked(scene, lanes)
    for gone in (groups[1], groups[4]):
        scene.aws.iam.delete_group(GroupName=gone.name)
    for change in changes:
        run(change.pk)
    done, lost, left = ChangeState.APPLIED, ChangeState.FAILED, ChangeState.CANCELLED
    assert _states(changes) == [done, lost, left, done, lost, left]


def test_the_last_branch_waits_for_all_others_and_ends_without_one_of_them(scene: Scene) -> None:
    lanes = [
        SetLane(0, 1),
        SetLane(0, 2),
        SetLane(0, LAST_BRANCH),
        SetLane(1, 1),
        SetLane(1, 2),
        SetLane(1, LAST_BRANCH),
    ]
    changes, groups = _asked(scene, lanes)
    assert _due(changes) == [0, 1, 3, 4]
    scene.aws.iam.delete_group(GroupName=groups[4].name)
    run(changes[0].pk)
    assert _due(changes) == [1, 3, 4]
    for change in changes[1:]:
        run(change.pk)
    done = ChangeState.APPLIED
    assert _states(changes) == [done, done, done, done, ChangeState.FAILED, ChangeState.CANCELLED]
