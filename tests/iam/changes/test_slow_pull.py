"""A pull that began before a change was applied, and comes to its end afterwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from iam.changes.models import Change
from iam.changes.runner import run
from iam.mirror import services as mirror
from iam.mirror.models import Edge, EdgeKind, Entity
from iam.mirror.models.accounts import PullState
from iam.mirror.pull import fast_lane
from tests.iam.changes.conftest import Scene

pytestmark = pytest.mark.on_postgresql


@pytest.fixture(autouse=True)
def _unhurried(settings: Any) -> None:
    """The account's share of calls is no subject here."""
    settings.AWS_RATE = 1000


def pull(scene: Scene) -> None:
    """Read the whole account."""
    done = mirror.run_pull(mirror.request_pull(scene.account, trigger="command").pk)
    assert done.state in (PullState.COMPLETE, PullState.PARTIAL), done.message


@pytest.mark.parametrize("do", ["add", "remove"])
def test_a_slow_pull_that_began_before_does_not_undo_the_change(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    scene: Scene = request.getfixturevalue("scene" if do == "add" else "member_scene")
    pull(scene)
    change = scene.queued(do)
    true_apply = fast_lane.apply_principals

    def late(*args: Any) -> None:
        """Everything has been read; before it is applied, the change goes through."""
        run(change.pk)
        true_apply(*args)

    with monkeypatch.context() as patched:
        patched.setattr(fast_lane, "apply_principals", late)
        pull(scene)

    change.refresh_from_db()
    assert change.state == "applied", change.error_message
    assert scene.in_mirror() == (do == "add")

    pull(scene)
    assert scene.in_mirror() == (do == "add")
    assert the_cause(scene, change, do)


def test_the_next_pull_sees_what_somebody_did_by_hand_after_a_change(scene: Scene) -> None:
    """Back to the very bytes of before: the digest that the mirror remembers must not hide it."""
    pull(scene)
    change = scene.queued()
    run(change.pk)
    assert scene.in_mirror()
    scene.by_hand("RemoveUserFromGroup")
    forget_that_it_was_just_read(scene)

    pull(scene)

    assert not scene.in_mirror()


def the_cause(scene: Scene, change: Change, do: str) -> bool:
    """Whether the mirror still knows that it was this change."""
    edge = Edge.objects.get(kind=EdgeKind.MEMBER, source=scene.user, target=scene.group)
    return (edge.cause_id if do == "add" else edge.end_cause_id) == change.pk


def forget_that_it_was_just_read(scene: Scene) -> None:
    """A pull trusts a re-read over its own reading for a while; let that while be over."""
    an_hour_ago = datetime.now(tz=UTC) - timedelta(hours=1)
    Entity.objects.filter(pk=scene.user.pk).update(reread_at=an_hour_ago)
    Edge.objects.filter(source=scene.user).update(observed_at=an_hour_ago)
