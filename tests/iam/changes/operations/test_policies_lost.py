"""A worker that is lost between the calls of a policy that is deleted, or made again with its versions: none
is made twice, none left out.
"""

from __future__ import annotations

from typing import Any

import pytest

from iam.aws import writes
from iam.changes import services
from iam.changes.models import Change, ChangeState
from iam.changes.operations.managed_policy import DeletePolicy
from iam.mirror.models import Kind
from tests.iam.changes.conftest import wait_over
from tests.iam.changes.operations.cases_policies import make_doomed_policy, policy_shown
from tests.iam.changes.operations.stage import Stage, ran
from tests.iam.changes.test_lost_workers import KilledError


def lost_at(change: Change, monkeypatch: pytest.MonkeyPatch, *, call: int, is_sent: bool) -> Change:
    """Run until the worker dies at a call (counted from 1), after AWS has carried it out or before; then
    again after its lease.
    """
    true_call, made = writes.call, 0

    def dying(*args: Any, **options: Any) -> Any:
        nonlocal made
        made += 1
        if made == call and not is_sent:
            raise KilledError
        answer = true_call(*args, **options)
        if made == call:
            raise KilledError
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", dying)
        with pytest.raises(KilledError):
            ran(change)
    change.refresh_from_db()
    wait_over(change)
    return ran(change)


@pytest.mark.parametrize(("call", "is_sent"), [(1, False), (2, True), (3, False)])
def test_a_deletion_goes_on_where_it_was_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, call: int, is_sent: bool
) -> None:
    (change,) = stage.queue(make_doomed_policy(stage))

    lost_at(change, monkeypatch, call=call, is_sent=is_sent)

    assert (change.state, change.error_message) == (ChangeState.APPLIED, "")
    assert (policy_shown(stage), stage.written()) == (None, 3)


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_policy_that_is_made_again_gets_each_version_once(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    operation = make_doomed_policy(stage)
    before = policy_shown(stage)
    (gone,) = stage.carry_out(operation)
    undo = services.undo(gone, actor=stage.scene.requester, reason="Over", idempotency_key=stage.name("undo"))
    stage.scene.approve(undo)
    stage.scene.standin.control("faults/clear", {})

    lost_at(undo, monkeypatch, call=call, is_sent=True)

    assert (undo.state, undo.error_message) == (ChangeState.APPLIED, "")
    assert (policy_shown(stage), stage.written()) == (before, 3)


def test_a_version_of_which_nobody_knows_is_not_made_blindly(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    (gone,) = stage.carry_out(make_doomed_policy(stage))
    undo = services.undo(gone, actor=stage.scene.requester, reason="Over", idempotency_key=stage.name("undo"))
    stage.scene.approve(undo)

    lost_at(undo, monkeypatch, call=2, is_sent=False)

    assert (undo.state, undo.error_kind) == (ChangeState.UNKNOWN, "in_doubt")
    assert len(policy_shown(stage)["versions"]) == 1


def test_a_policy_that_somebody_got_meanwhile_is_not_deleted(stage: Stage) -> None:
    operation, user = make_doomed_policy(stage), stage.user()
    assert isinstance(operation, DeletePolicy)
    (change,) = stage.queue(operation)
    stage.iam.attach_user_policy(UserName=user.name, PolicyArn=stage.keep["arn"])
    stage.scene.standin.control("faults/clear", {})

    ran(change)

    assert (change.state, change.error_kind, stage.written()) == (ChangeState.FAILED, "drift", 0)
    assert "1 user, group or role has it. Detach it first." in change.error_message
    stage.iam.detach_user_policy(UserName=user.name, PolicyArn=stage.keep["arn"])
    assert stage.read(Kind.POLICY, operation.inputs.name, arn=stage.keep["arn"])
