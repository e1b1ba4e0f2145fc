"""A new version of a managed policy against the AWS stand-in: first run, second run, drift, room for a sixth,
inverse.
"""

from __future__ import annotations

from typing import Any

import pytest

from iam.aws import writes
from iam.aws.errors import AwsError, ErrorKind
from iam.changes import services
from iam.changes.errors import RefusedError
from iam.changes.models import ChangeState
from iam.changes.operations import CreatePolicyVersion, restore
from iam.mirror.models import PolicyVersion, Pull
from tests.iam.changes.conftest import Scene, wait_over
from tests.iam.changes.policies import READS, WRITES, PolicyScene, allowing, make_policy, ran

pytestmark = pytest.mark.on_postgresql

CREATE, DROP, SET = "iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"


@pytest.fixture
def policy(scene: Scene) -> PolicyScene:
    """A policy with one version."""
    return make_policy(scene)


def test_an_approved_text_becomes_the_default_version_and_is_read_back(policy: PolicyScene) -> None:
    change = policy.applied()

    assert policy.in_aws() == ("v2", WRITES, ["v1", "v2"])
    assert policy.in_mirror() == policy.in_aws()
    assert policy.scene.standin.calls(CREATE) == 1
    version = PolicyVersion.objects.get(policy=policy.policy, version_id="v2", valid_to=None)
    assert (version.cause_kind, version.cause_id) == ("change", change.pk)
    assert (change.before["default"], change.subject_arn) == ("v1", policy.policy.arn)


def test_a_second_run_changes_nothing(policy: PolicyScene) -> None:
    change = policy.applied()
    events = change.events.count()

    ran(change)

    assert policy.in_aws()[2] == ["v1", "v2"]
    assert change.events.count() == events


def test_what_aws_says_already_in_another_layout_is_applied_without_a_call(policy: PolicyScene) -> None:
    change = policy.queued()
    policy.by_hand(WRITES.replace("\n", " "))
    policy.scene.standin.control("faults/clear", {})

    ran(change)

    assert (change.state, change.already_so) == (ChangeState.APPLIED, True)
    assert policy.scene.standin.calls(CREATE) == 0
    assert policy.in_mirror() == policy.in_aws()


@pytest.mark.parametrize("is_default", [True, False])
def test_a_version_that_somebody_made_meanwhile_is_drift(policy: PolicyScene, is_default: bool) -> None:
    change = policy.queued()
    policy.by_hand(allowing("s3:ListBucket"), is_default=is_default)
    policy.scene.standin.control("faults/clear", {})

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "drift")
    assert "Nothing was changed in AWS" in change.error_message
    assert policy.scene.standin.calls(CREATE) == 0


@pytest.mark.parametrize("is_made_again", [True, False])
def test_a_policy_that_is_not_the_one_that_was_approved_is_drift(
    policy: PolicyScene, is_made_again: bool
) -> None:
    change = policy.queued()
    policy.call("DeletePolicy")
    if is_made_again:
        params = {"PolicyName": policy.policy.name, "PolicyDocument": READS}
        writes.call(policy.scene.aws, "iam", "CreatePolicy", params)

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "drift")
    assert (
        "replaced by another" if is_made_again else "no longer exists under this name in AWS"
    ) in change.error_message


def test_of_five_versions_the_oldest_that_is_not_the_default_makes_room(policy: PolicyScene) -> None:
    policy.with_versions(5)
    policy.call("SetDefaultPolicyVersion", VersionId="v1")
    policy.pull()

    change = policy.ask()
    assert [call["operation"] for call in change.receipt["calls"]] == [
        "DeletePolicyVersion",
        "CreatePolicyVersion",
    ]
    assert change.receipt["calls"][0]["params"]["VersionId"] == "v2"
    assert "Gatehouse keeps its text" in change.receipt["calls"][0]["sentence"]
    assert change.receipt["quota"] == {"what": "Versions afterwards", "used": 5, "after": 5, "limit": 5}
    ran(policy.scene.approve(change))

    assert policy.in_aws() == ("v6", WRITES, ["v1", "v3", "v4", "v5", "v6"])
    assert policy.in_mirror() == policy.in_aws()
    gone = PolicyVersion.objects.get(policy=policy.policy, version_id="v2", valid_to__isnull=False)
    assert (gone.end_cause_id, "s3:" in gone.document.text) == (change.pk, True)


def test_one_that_fails_after_the_oldest_was_deleted_says_what_is_gone(policy: PolicyScene) -> None:
    policy.with_versions(5)
    change = policy.queued()
    policy.scene.standin.control("faults", {"deny": {"*": [CREATE]}})

    ran(change)

    assert (change.state, change.error_kind) == (ChangeState.FAILED, "denied")
    assert "Done before that: Deletes v1, the oldest of 5 versions" in change.error_message
    assert "Nothing was changed" not in change.error_message
    assert policy.in_aws()[2] == ["v2", "v3", "v4", "v5"]
    assert Pull.objects.filter(account=policy.scene.account, trigger="change").exists()


def test_one_that_is_throttled_after_the_oldest_was_deleted_goes_on_from_there(
    policy: PolicyScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.with_versions(5)
    change = policy.queued()
    true_call = writes.call

    def throttled(aws: Any, service: str, operation: str, *args: Any, **options: Any) -> Any:
        if operation == "CreatePolicyVersion":
            raise AwsError("Rate exceeded", kind=ErrorKind.THROTTLED, action=CREATE, code="Throttling")
        return true_call(aws, service, operation, *args, **options)

    with monkeypatch.context() as patched:
        patched.setattr(writes, "call", throttled)
        ran(change)
    assert change.state == ChangeState.QUEUED

    wait_over(change)
    ran(change)
    assert change.state == ChangeState.APPLIED, change.error_message
    assert policy.in_aws()[2] == ["v2", "v3", "v4", "v5", "v6"]
    assert policy.scene.standin.calls(DROP) == 1


def test_creating_is_sent_once_and_deleting_may_be_repeated_by_the_sdk(
    policy: PolicyScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.with_versions(5)
    sent: dict[str, bool] = {}
    true_call = writes.call

    def noting(*args: Any, **options: Any) -> Any:
        sent[args[2]] = options["may_retry"]
        return true_call(*args, **options)

    monkeypatch.setattr(writes, "call", noting)
    ran(policy.queued())

    assert sent == {"DeletePolicyVersion": True, "CreatePolicyVersion": False}


def test_undo_makes_the_former_version_the_default_again(policy: PolicyScene) -> None:
    change = policy.applied()

    undo = policy.undone(change)

    assert (undo.state, undo.operation) == (ChangeState.APPLIED, "policy.set_default_version")
    assert policy.in_aws() == ("v1", READS, ["v1", "v2"])
    assert policy.in_mirror() == policy.in_aws()
    assert policy.scene.standin.calls(CREATE) == 1

    again = policy.undone(undo)
    assert again.state == ChangeState.APPLIED
    assert policy.in_aws()[:2] == ("v2", WRITES)


def test_undo_writes_the_former_text_anew_when_its_version_is_gone(policy: PolicyScene) -> None:
    change = policy.applied()
    policy.call("DeletePolicyVersion", VersionId="v1")
    policy.pull()

    undo = policy.undone(change)

    assert (undo.state, undo.operation) == (ChangeState.APPLIED, "policy.create_version")
    assert policy.in_aws() == ("v3", READS, ["v2", "v3"])


def test_undo_is_refused_when_the_policy_says_something_else_by_now(policy: PolicyScene) -> None:
    change = policy.applied()
    policy.by_hand(allowing("s3:ListBucket"))
    policy.pull()

    assert "changed this in AWS since" in services.why_not_undo(change, viewer=policy.scene.requester)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("{", "isn’t a JSON object"),
        ("[]", "isn’t a JSON object"),
        (allowing(*(f"s3:Get{'x' * 60}{n}" for n in range(90))), "The limit is 6,144"),
        (READS.replace("s3:", "s3:é\u0416"), "PolicyDocument"),
        (READS.replace("\n", ""), "already has this text"),
    ],
)
def test_what_aws_would_refuse_is_not_asked_for(policy: PolicyScene, text: str, why: str) -> None:
    with pytest.raises(RefusedError, match=why):
        policy.ask(text)


def test_a_policy_of_aws_is_not_changed(scene: Scene) -> None:
    managed = make_policy(scene).policy
    managed.arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"

    with pytest.raises(RefusedError, match="managed by AWS"):
        services.plan_policy_text(scene.requester, policy=managed, text=WRITES)


def test_one_change_of_a_policy_is_open_at_a_time(policy: PolicyScene) -> None:
    first = policy.ask()

    with pytest.raises(RefusedError, match="comes first") as refused:
        policy.ask(allowing("s3:ListBucket"))
    assert refused.value.change == first


def test_the_same_form_gives_the_same_change(policy: PolicyScene) -> None:
    assert policy.ask(key="form").pk == policy.ask(key="form").pk


def test_a_row_gives_back_its_operation(policy: PolicyScene) -> None:
    operation = CreatePolicyVersion.of(policy.policy, text=WRITES)
    again = restore(operation.slug, account=operation.account, params=operation.params)
    assert (again.calls(), again.desired_state()) == (operation.calls(), operation.desired_state())
