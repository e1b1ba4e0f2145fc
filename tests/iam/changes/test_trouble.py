"""AWS denies, throttles, loses answers, or is away: what the runner makes of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iam.aws import writes
from iam.aws.errors import AwsError, ErrorKind
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations.group_membership import Membership
from iam.changes.runner import attempt, run
from iam.directory.models import Role
from iam.mirror.models import Edge, Pull
from tests import factories
from tests.iam.changes.conftest import Nudges, Scene, wait_over

pytestmark = pytest.mark.on_postgresql

ADD, REMOVE = "iam:AddUserToGroup", "iam:RemoveUserFromGroup"


def ran(change: Change) -> Change:
    """The change after a worker was told of it."""
    run(change.pk)
    change.refresh_from_db()
    return change


def failing(error: Exception) -> Callable[..., Any]:
    """Something that always raises."""

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    return fail


def after_the_call(monkeypatch: pytest.MonkeyPatch, scene: Scene, then: Callable[[], None]) -> None:
    """Have something happen as soon as AWS has taken the write."""
    true_call = writes.call

    def call(*args: Any, **options: Any) -> Any:
        result = true_call(*args, **options)
        then()
        return result

    monkeypatch.setattr(writes, "call", call)


def test_a_denied_write_fails_with_the_missing_permission_and_what_to_do(scene: Scene) -> None:
    change = scene.queued()
    scene.standin.control("faults", {"deny": {"*": [ADD]}})

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "denied")
    assert "iam:AddUserToGroup" in change.error_message
    assert "Nothing was changed in AWS" in change.error_message
    assert "Add the permission" in change.error_message
    assert len(change.request_ids) == 1
    assert change.sent_at is None


def test_a_denied_reading_beforehand_fails_without_a_call(scene: Scene) -> None:
    change = scene.queued()
    scene.standin.control("faults", {"deny": {"*": ["iam:ListGroupsForUser"]}})

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "denied")
    assert scene.standin.calls(ADD) == 0


def test_a_denied_reading_afterwards_leaves_it_unknown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    change = scene.queued()
    fails = failing(AwsError("no", kind=ErrorKind.DENIED, action="iam:ListGroupsForUser"))
    after_the_call(monkeypatch, scene, lambda: monkeypatch.setattr(Membership, "observe", fails))

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.UNKNOWN, "denied")
    assert "AWS accepted the call" in change.error_message


@pytest.mark.parametrize("at", ["observe", "call"])
def test_throttling_is_waited_for_and_then_applied(
    scene: Scene,
    nudges: Nudges,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    django_capture_on_commit_callbacks: Any,
) -> None:
    change = scene.queued()
    throttled = AwsError("Rate exceeded", kind=ErrorKind.THROTTLED, action=ADD, code="Throttling")
    with monkeypatch.context() as patched:
        if at == "observe":
            patched.setattr(Membership, "observe", failing(throttled))
        else:
            patched.setattr(writes, "call", failing(throttled))
        with django_capture_on_commit_callbacks(execute=True):
            ran(change)

    assert change.state == ChangeState.QUEUED
    assert change.error_kind == "throttled"
    assert nudges.sent[-1] == (change.pk, 2.0)
    assert change.sent_at is None

    ran(change)
    assert change.state == ChangeState.QUEUED, "the time to wait is not over"

    wait_over(change)
    ran(change)
    assert change.state == ChangeState.APPLIED
    assert change.error_kind == ""
    assert change.attempts == 2


def test_endless_throttling_fails_and_says_that_nothing_changed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    throttled = AwsError("Rate exceeded", kind=ErrorKind.THROTTLED, action=ADD, code="Throttling")
    monkeypatch.setattr(writes, "call", failing(throttled))

    for _ in range(attempt.MAX_RUNS):
        wait_over(change)
        ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "throttled")
    assert f"Tried {attempt.MAX_RUNS} times" in change.error_message
    assert "Nothing was changed in AWS" in change.error_message


def test_a_call_whose_answer_was_lost_is_observed_and_not_repeated(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    true_call = writes.call

    def lost(*args: Any, **options: Any) -> Any:
        true_call(*args, **options)
        raise AwsError("reset", kind=ErrorKind.UNAVAILABLE, action=ADD)

    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", lost)
        ran(change)
    assert change.state == ChangeState.QUEUED
    assert change.sent_at is not None

    wait_over(change)
    ran(change)

    assert change.state == ChangeState.APPLIED
    assert not change.already_so
    assert scene.standin.calls(ADD) == 1
    assert Edge.objects.get(source=scene.user, target=scene.group).cause_id == change.pk


def test_lost_answers_without_end_leave_it_unknown(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    change = scene.queued()
    lost = AwsError("reset", kind=ErrorKind.UNAVAILABLE, action=ADD)
    monkeypatch.setattr(writes, "call", failing(lost))

    for _ in range(attempt.MAX_RUNS):
        wait_over(change)
        ran(change)

    assert change.state == ChangeState.UNKNOWN
    assert "unknown whether" in change.error_message


def test_a_late_not_found_is_looked_into_before_anything_is_said(
    member_scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The SDK repeats a lost RemoveUserFromGroup by itself; the second answer is NoSuchEntity although the
    first worked.
    """
    scene = member_scene
    change = scene.queued("remove")
    true_call = writes.call

    def twice(*args: Any, **options: Any) -> Any:
        true_call(*args, **options)
        raise AwsError("not in group", kind=ErrorKind.NOT_FOUND, action=REMOVE, code="NoSuchEntity")

    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", twice)
        ran(change)
    assert change.state == ChangeState.QUEUED

    wait_over(change)
    ran(change)
    assert change.state == ChangeState.APPLIED
    assert scene.standin.calls(REMOVE) == 1


def test_an_operation_that_is_not_idempotent_is_never_called_twice(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Membership, "may_repeat", lambda operation, call: False)
    change = scene.queued()
    lost = AwsError("timeout", kind=ErrorKind.TIMEOUT, action=ADD)
    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", failing(lost))
        ran(change)
    assert change.state == ChangeState.QUEUED

    wait_over(change)
    ran(change)

    assert change.state == ChangeState.UNKNOWN
    assert "never repeats this call without checking" in change.error_message
    assert scene.standin.calls(ADD) == 0


def test_a_mirror_that_cannot_be_read_back_does_not_unmake_the_change(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    monkeypatch.setattr(
        Membership,
        "read_back",
        failing(AwsError("later", kind=ErrorKind.THROTTLED, action="iam:ListGroupsForUser")),
    )

    ran(change)

    assert change.state == ChangeState.APPLIED
    assert "Gatehouse shows it after the next sync" in change.events.last().note
    assert Pull.objects.filter(account=scene.account, trigger="change").exists()


def test_a_defect_of_ours_before_the_call_ends_as_failed(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    monkeypatch.setattr(Membership, "observe", failing(RuntimeError("a defect")))

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "internal")


def test_a_defect_of_ours_after_the_call_ends_as_unknown(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    fails = failing(RuntimeError("a defect"))
    after_the_call(monkeypatch, scene, lambda: monkeypatch.setattr(Membership, "observe", fails))

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.UNKNOWN, "internal")


def test_an_account_that_lost_its_write_role_fails_in_words(scene: Scene) -> None:
    change = scene.queued()
    scene.account.source = "role"
    scene.account.save(update_fields=["source"])

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "credentials")
    assert "Nothing was changed in AWS" in change.error_message


def test_an_unknown_change_is_not_looked_at_while_another_of_the_same_person_is_under_way(
    scene: Scene,
) -> None:
    change, other = scene.queued(), scene.queued_for_other_group()
    Change.objects.filter(pk=change.pk).update(state=ChangeState.UNKNOWN)
    Change.objects.filter(pk=other.pk).update(state=ChangeState.CONFIRMING)
    change.refresh_from_db()

    with pytest.raises(RefusedError, match="in progress"):
        services.look_again(change, actor=scene.approver)


def test_who_only_looks_cannot_have_it_looked_at_again(scene: Scene) -> None:
    change = scene.queued()
    Change.objects.filter(pk=change.pk).update(state=ChangeState.UNKNOWN)
    change.refresh_from_db()

    with pytest.raises(RefusedError, match="You can view this change"):
        services.look_again(change, actor=factories.viewer(Role.AUDITOR, name="Noor Haddad"))


def test_what_is_known_is_not_looked_at_again(scene: Scene) -> None:
    with pytest.raises(RefusedError, match="already known"):
        services.look_again(scene.applied(), actor=scene.approver)
