"""A worker that is killed while it changes a policy: nothing is made twice, and what cannot be known is said
to be unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iam.aws import writes
from iam.aws.errors import AwsError, ErrorKind
from iam.changes import services
from iam.changes.models import Change, ChangeState
from iam.changes.operations.policy_version import DefaultText
from iam.changes.runner import attempt, outcomes, run
from tests.iam.changes.conftest import Scene, wait_over
from tests.iam.changes.policies import WRITES, PolicyScene, make_policy, ran
from tests.iam.changes.test_lost_workers import KilledError, dying_after, killed

pytestmark = pytest.mark.on_postgresql

CREATE, DROP = "iam:CreatePolicyVersion", "iam:DeletePolicyVersion"
FULL = ["v2", "v3", "v4", "v5", "v6"]


@pytest.fixture
def full(scene: Scene) -> PolicyScene:
    """A policy that has all five versions, so that two calls are needed."""
    policy = make_policy(scene)
    policy.with_versions(5)
    return policy


def at(operation: str, does: Callable[..., Any]) -> Callable[..., Any]:
    """writes.call, which does something else for one operation."""
    true_call = writes.call

    def call(aws: Any, service: str, name: str, *args: Any, **options: Any) -> Any:
        return (does if name == operation else true_call)(aws, service, name, *args, **options)

    return call


def lose_a_worker(
    change: Change, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, dies: Any
) -> Change:
    """Run until the worker dies, and again after its lease."""
    with monkeypatch.context() as patched:
        patched.setattr(place, name, dies)
        with pytest.raises(KilledError):
            run(change.pk)
    change.refresh_from_db()
    assert change.state in (ChangeState.APPLYING, ChangeState.CONFIRMING)
    wait_over(change)
    return ran(change)


def after_an_answer(keep: Callable[..., Any]) -> Callable[..., Any]:
    """Dies when it has kept the answer to a call."""

    def call(*args: Any, **values: Any) -> Any:
        keep(*args, **values)
        if "request_ids" in values:
            raise KilledError

    return call


STEPS: dict[str, tuple[Any, str, Callable[[], Any]]] = {
    "before it has looked": (DefaultText, "observe", lambda: killed),
    "after it has looked": (DefaultText, "observe", lambda: dying_after(DefaultText.observe)),
    "before the deletion": (writes, "call", lambda: at("DeletePolicyVersion", killed)),
    "after the deletion": (writes, "call", lambda: at("DeletePolicyVersion", dying_after(writes.call))),
    "after it has noted the deletion": (attempt, "keep", lambda: after_an_answer(attempt.keep)),
    "after the creation": (writes, "call", lambda: at("CreatePolicyVersion", dying_after(writes.call))),
    "before it reads back": (attempt, "_confirm", lambda: killed),
    "before the mirror is read": (DefaultText, "read_back", lambda: killed),
    "after the mirror was read": (DefaultText, "read_back", lambda: dying_after(DefaultText.read_back)),
    "before the end is recorded": (outcomes, "_move", lambda: killed),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_worker_killed_at_any_step_leaves_one_new_version(
    full: PolicyScene, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    change = full.queued()
    place, name, dies = STEPS[step]

    lose_a_worker(change, monkeypatch, place, name, dies())

    assert change.state == ChangeState.APPLIED, change.error_message
    assert full.in_aws() == ("v6", WRITES, FULL)
    assert full.in_mirror() == full.in_aws()
    assert (full.scene.standin.calls(CREATE), full.scene.standin.calls(DROP)) == (1, 1)


def test_a_worker_killed_as_it_was_about_to_create_is_not_followed_by_a_blind_second_call(
    full: PolicyScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can know whether the call left: a person looks, and may ask anew."""
    change = full.queued()

    lose_a_worker(change, monkeypatch, writes, "call", at("CreatePolicyVersion", killed))

    assert (change.state, change.error_kind) == (ChangeState.UNKNOWN, "in_doubt")
    assert "never repeats this call without checking" in change.error_message
    assert full.scene.standin.calls(CREATE) == 0

    services.look_again(change, actor=full.scene.approver)
    ran(change)
    assert change.state == ChangeState.CONFIRMING, "AWS does not show it, and is read again later"


def test_a_creation_whose_answer_was_lost_is_found_in_aws(
    full: PolicyScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = full.queued()
    true_call = writes.call

    def lost(*args: Any, **options: Any) -> Any:
        true_call(*args, **options)
        raise AwsError("reset", kind=ErrorKind.UNAVAILABLE, action=CREATE)

    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", at("CreatePolicyVersion", lost))
        ran(change)
    assert change.state == ChangeState.QUEUED

    wait_over(change)
    ran(change)

    assert (change.state, change.already_so) == (ChangeState.APPLIED, False)
    assert full.scene.standin.calls(CREATE) == 1


def test_a_creation_without_an_answer_that_aws_does_not_show_stays_unknown(
    full: PolicyScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = full.queued()

    def unanswered(*_: Any, **__: Any) -> Any:
        raise AwsError("timeout", kind=ErrorKind.TIMEOUT, action=CREATE)

    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", at("CreatePolicyVersion", unanswered))
        ran(change)
    wait_over(change)
    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.UNKNOWN, "in_doubt")
    assert full.scene.standin.calls(CREATE) == 0
