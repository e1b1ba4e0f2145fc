"""The doctor against the stand-in: clean with exactly our policies, and right about each thing that is
wrong.
"""

from __future__ import annotations

from typing import Any

import pytest

from console.demo.broker import free_port
from console.demo.organisation.gatehouse import READER_ROLE, WRITER_ROLE
from iam.aws import writes
from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.permissions import OBSERVE, READ, WRITE, read_policy, trust_policy, write_policy
from iam.aws.session import connect
from iam.journal.services import COMMAND_LINE
from iam.mirror.accounts.connect import AccountConnection, connect_account
from iam.mirror.doctor.checks import ExaminationCheck
from iam.mirror.doctor.examine import examine
from iam.mirror.doctor.probes import probes
from iam.mirror.doctor.reads import try_actions
from iam.mirror.doctor.run import run_examination
from iam.mirror.doctor.services import request_examination
from iam.mirror.models import Account, Pull, Section
from iam.mirror.models.accounts import AccountSource, PullState
from iam.mirror.services import request_pull, run_pull
from tests.iam.mirror.accounts.aws import HUB, ID_OF_SPOKES, PRODUCTION, SANDBOX, Cloud, arn_of, spoke

pytestmark = pytest.mark.django_db
MEMBER_READS = {section: actions for section, actions in READ.items() if section != "organization"}
EXACT_READ = read_policy()


def sandbox(**fields: Any) -> Account:
    return connect_account(spoke(**fields), actor=COMMAND_LINE)


def by_key(checks: list[ExaminationCheck]) -> dict[str, ExaminationCheck]:
    return {check.key: check for check in checks}


ONE_TEXT = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}'
)


def bad(checks: list[ExaminationCheck]) -> dict[str, tuple[str, ...]]:
    return {check.key: check.missing for check in checks if check.verdict in {"denied", "failed"}}


def replace_policies(cloud: Cloud, role: str, body: dict[str, Any]) -> None:
    """Leave the role with exactly this one policy."""
    for name in cloud.call(SANDBOX, "ListRolePolicies", RoleName=role)["PolicyNames"]:
        cloud.call(SANDBOX, "DeleteRolePolicy", RoleName=role, PolicyName=name)
    cloud.put_policy(SANDBOX, role, "exact", body)


@pytest.fixture
def exact(cloud: Cloud) -> Cloud:
    """The sandbox's roles have exactly the policies that Gatehouse shows, and the stand-in enforces them."""
    replace_policies(cloud, READER_ROLE, EXACT_READ)
    replace_policies(cloud, WRITER_ROLE, write_policy(account_id=SANDBOX))
    cloud.enforce()
    return cloud


def test_exactly_our_policies_examine_clean(exact: Cloud) -> None:
    checks = examine(sandbox(writes_too=True))
    assert bad(checks) == {}
    verdicts = {key: check.verdict for key, check in by_key(checks).items()}
    assert {verdicts.pop(section) for section in ("organization", "root-access")} == {"skipped"}
    # Neither role may ask the simulator, and trying would write.
    assert verdicts.pop("read-only") == "untested"
    assert {verdicts.pop(family) for family in WRITE} == {"untested"}
    assert set(verdicts.values()) == {"ok"}
    assert set(READ) < set(by_key(checks))


def test_exactly_our_read_policy_pulls_every_section(exact: Cloud) -> None:
    account = sandbox()
    pull = run_pull(request_pull(account, trigger="command").pk)
    states = dict(Section.objects.filter(account=account).values_list("name", "state"))
    assert (pull.state, set(states.values())) == (PullState.COMPLETE, {"complete"})


def test_exactly_our_write_policy_adds_and_removes_and_spares_gatehouse_itself(exact: Cloud) -> None:
    role = arn_of(SANDBOX, WRITER_ROLE)
    aws = connect(AccountAccess(SANDBOX, mode="role", role_arn=role, external_id=ID_OF_SPOKES), attempts=1)
    pair = {"UserName": "jonas.berg", "GroupName": "power-users"}
    exact.enforce(False)
    reader = connect(AccountAccess(SANDBOX, mode="role", role_arn=arn_of(SANDBOX), external_id=ID_OF_SPOKES))
    pair["GroupName"] = reader.iam.list_groups(MaxItems=1)["Groups"][0]["GroupName"]
    pair["UserName"] = reader.iam.list_users(MaxItems=1)["Users"][0]["UserName"]
    exact.enforce()
    for operation in ("AddUserToGroup", "RemoveUserFromGroup"):
        assert writes.call(aws, "iam", operation, pair).request_id
    for operation, params in (
        ("DeleteRole", {"RoleName": READER_ROLE}),
        ("UpdateAssumeRolePolicy", {"RoleName": WRITER_ROLE, "PolicyDocument": ONE_TEXT}),
        ("PutRolePolicy", {"RoleName": WRITER_ROLE, "PolicyName": "more", "PolicyDocument": ONE_TEXT}),
    ):
        with pytest.raises(AwsError) as caught:
            writes.call(aws, "iam", operation, params)
        assert caught.value.kind is ErrorKind.DENIED
    aws.close()
    reader.close()


def test_exactly_our_write_policy_changes_policies_and_no_other_way_of_giving(exact: Cloud) -> None:
    role = arn_of(SANDBOX, WRITER_ROLE)
    exact.enforce(False)
    made = exact.call(SANDBOX, "CreatePolicy", PolicyName="doctors-test", PolicyDocument=ONE_TEXT)
    policy = {"PolicyArn": made["Policy"]["Arn"]}
    exact.enforce()
    aws = connect(AccountAccess(SANDBOX, mode="role", role_arn=role, external_id=ID_OF_SPOKES), attempts=1)
    other = {**policy, "PolicyDocument": ONE_TEXT.replace("GetObject", "PutObject"), "SetAsDefault": True}
    assert writes.call(aws, "iam", "CreatePolicyVersion", other).request_id
    assert writes.call(aws, "iam", "SetDefaultPolicyVersion", {**policy, "VersionId": "v1"}).request_id
    assert writes.call(aws, "iam", "DeletePolicyVersion", {**policy, "VersionId": "v2"}).request_id
    managed = {**other, "PolicyArn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}
    for operation, params in (
        ("CreatePolicyVersion", managed),
        ("AttachRolePolicy", {**policy, "RoleName": WRITER_ROLE}),
    ):
        with pytest.raises(AwsError) as caught:
            writes.call(aws, "iam", operation, params)
        assert caught.value.kind is ErrorKind.DENIED
    aws.close()


@pytest.mark.parametrize("section", MEMBER_READS)
def test_each_single_action_that_is_denied_is_named(section: str, cloud: Cloud) -> None:
    account = sandbox()
    aws = connect(
        AccountAccess(SANDBOX, mode="role", role_arn=account.role_arn, external_id=account.external_id),
        attempts=1,
    )
    key = aws.iam.list_access_keys(UserName=first_user_with_key(aws))["AccessKeyMetadata"][0]["AccessKeyId"]
    table = probes(account_id=SANDBOX, partition="aws", access_key_id=key)
    for action in READ[section]:
        cloud.deny(action)
        check = try_actions(aws, READ[section], table=table, key=section, title=section)
        cloud.standin.control("faults", {"allow": {SANDBOX: [action]}})
        assert (check.verdict, check.missing, check.is_explicit) == ("denied", (action,), False)
        assert check.request_id
    assert try_actions(aws, READ[section], table=table, key=section, title=section).verdict == "ok"
    aws.close()


def first_user_with_key(aws: Any) -> str:
    for user in aws.iam.list_users()["Users"]:
        if aws.iam.list_access_keys(UserName=user["UserName"])["AccessKeyMetadata"]:
            return str(user["UserName"])
    raise AssertionError("nobody has a key")


def test_several_denied_actions_of_several_sections_are_all_named(cloud: Cloud) -> None:
    cloud.deny(
        "iam:GetAccessKeyLastUsed", "iam:ListPolicyTags", "iam:ListMFADeviceTags", "ec2:DescribeInstances"
    )
    assert bad(examine(sandbox())) == {
        "access-keys": ("iam:GetAccessKeyLastUsed",),
        "tags": ("iam:ListPolicyTags", "iam:ListMFADeviceTags"),
        "instances": ("ec2:DescribeInstances",),
    }


def test_a_missing_statement_is_found_where_the_policy_lacks_it(cloud: Cloud) -> None:
    lacking = read_policy(sections=[s for s in READ if s not in {"credential-report", "ssh-keys"}])
    replace_policies(cloud, READER_ROLE, lacking)
    cloud.enforce()
    checks = examine(sandbox())
    assert bad(checks) == {
        "credential-report": READ["credential-report"],
        "ssh-keys": READ["ssh-keys"],
    }
    assert "no policy of the role allows it" in by_key(checks)["ssh-keys"].detail


def test_an_explicit_denial_is_said_to_be_one(cloud: Cloud) -> None:
    replace_policies(cloud, READER_ROLE, EXACT_READ)
    cloud.put_policy(
        SANDBOX,
        READER_ROLE,
        "deny",
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "iam:ListUsers", "Resource": "*"}],
        },
    )
    cloud.enforce()
    check = by_key(examine(sandbox()))["users"]
    assert (check.verdict, check.is_explicit) == ("denied", True)
    assert "an identity-based policy denies it" in check.detail


def test_the_organization_is_read_where_it_can_be(cloud: Cloud) -> None:
    cloud.enforce()
    account = connect_account(AccountConnection(HUB, "hub", AccountSource.ENVIRONMENT), actor=COMMAND_LINE)
    check = by_key(examine(account))["organization"]
    assert (check.verdict, check.detail) == ("ok", "8 actions work")


def test_the_environments_own_credentials_are_examined_for_writing_too(cloud: Cloud) -> None:
    account = connect_account(AccountConnection(HUB, "hub", AccountSource.ENVIRONMENT), actor=COMMAND_LINE)
    checks = by_key(examine(account))
    assert checks["worker"].detail == f"arn:aws:iam::{HUB}:user/machines/gatehouse"
    assert checks["account"].verdict == "ok"
    assert checks["group-membership-observe"].verdict == "ok"
    # The hub's own user may not write; that is no defect, the account is read only then.
    assert checks["group-membership"].verdict == "warning"
    assert "this account is read-only" in checks["group-membership"].detail


def test_a_role_that_is_not_there_bars_the_way_and_all_reasons_are_said(cloud: Cloud) -> None:
    checks = examine(sandbox(role_arn=arn_of(SANDBOX, "no-such-role")))
    assert [check.key for check in checks] == ["worker", "clock", "assume"]
    assert checks[-1].verdict == "denied"
    for words in (
        "the role doesn’t exist",
        "trust policy does not name",
        "a different external ID",
        "sts:AssumeRole",
    ):
        assert words in checks[-1].detail


def test_a_wrong_external_id_bars_the_way(cloud: Cloud) -> None:
    checks = examine(sandbox(external_id="gh-not-this-one"))
    assert (checks[-1].key, checks[-1].verdict) == ("assume", "denied")


def test_a_missing_external_id_is_named_as_such(cloud: Cloud) -> None:
    checks = examine(sandbox(source=AccountSource.ORGANIZATION, external_id=""))
    assert "requires an external ID, and Gatehouse has none" in checks[-1].detail


def test_a_trust_without_the_condition_is_warned_about(cloud: Cloud) -> None:
    import json

    body = trust_policy(hub_role_arn=f"arn:aws:iam::{HUB}:user/machines/gatehouse", external_id="x")
    del body["Statement"][0]["Condition"]
    cloud.call(SANDBOX, "UpdateAssumeRolePolicy", RoleName=READER_ROLE, PolicyDocument=json.dumps(body))
    check = by_key(examine(sandbox()))["no-external-id"]
    assert check.verdict == "warning"
    assert "no condition on sts:ExternalId" in check.detail


def test_credentials_of_another_account_are_noticed(cloud: Cloud) -> None:
    account = connect_account(
        AccountConnection(PRODUCTION, "prod", AccountSource.ENVIRONMENT), actor=COMMAND_LINE
    )
    checks = examine(account)
    assert checks[-1].verdict == "failed"
    assert f"belong to account {HUB}, not to {PRODUCTION}" in checks[-1].detail


def test_another_partition_than_kept_is_noticed(cloud: Cloud) -> None:
    from iam.mirror.doctor.connection_checks import AwsCaller, belongs

    account = sandbox()
    check = belongs(
        account, AwsCaller(SANDBOX, f"arn:aws-cn:sts::{SANDBOX}:assumed-role/r/s", 0), key="account"
    )
    assert check.verdict == "failed"
    assert "aws-cn" in check.detail


def test_without_credentials_nothing_behind_is_tried() -> None:
    checks = examine(sandbox())
    assert [(check.key, check.verdict) for check in checks] == [("worker", "failed")]
    assert "has no credentials" in checks[0].detail


def test_an_endpoint_that_is_not_there_is_said(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    account = sandbox()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free_port()}")
    checks = examine(account)
    assert [check.verdict for check in checks] == ["failed"]
    assert "can’t reach AWS" in checks[0].detail


def test_unknown_credentials_are_refused_by_aws(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud.enforce()
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    checks = examine(sandbox())
    assert checks[0].verdict == "failed"
    assert "rejected the worker’s credentials" in checks[0].detail
    assert checks[0].code == "SignatureDoesNotMatch"


def test_an_aws_that_breaks_off_ends_the_examination_soon(cloud: Cloud) -> None:
    account = sandbox()
    cloud.standin.control("faults", {"rate": 1.0, "kinds": ["500"]})
    checks = examine(account)
    assert checks[-1].verdict == "failed"
    assert len(checks) < 5


def test_a_writing_role_that_cannot_be_assumed_is_named(cloud: Cloud) -> None:
    account = sandbox(write_role_arn=arn_of(SANDBOX, "no-such-writer"))
    checks = by_key(examine(account))
    assert (checks["assume-write"].group, checks["assume-write"].verdict) == ("write", "denied")
    assert checks["authorization"].verdict == "ok"


def test_the_simulator_is_asked_where_it_may_be(exact: Cloud) -> None:
    ask = {"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": "*"}
    exact.enforce(False)
    observing = {"Effect": "Allow", "Action": list(OBSERVE["group-membership"]), "Resource": "*"}
    exact.put_policy(SANDBOX, READER_ROLE, "ask", {"Version": "2012-10-17", "Statement": [ask]})
    replace_policies(exact, WRITER_ROLE, {"Version": "2012-10-17", "Statement": [ask, observing]})
    exact.enforce()
    checks = by_key(examine(sandbox(writes_too=True)))
    assert checks["read-only"].verdict == "ok"
    assert (checks["group-membership"].verdict, checks["group-membership"].missing) == (
        "denied",
        WRITE["group-membership"],
    )


def test_a_reading_role_that_may_write_is_warned_about(cloud: Cloud) -> None:
    cloud.put_policy(
        SANDBOX,
        READER_ROLE,
        "too-much",
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]},
    )
    check = by_key(examine(sandbox()))["read-only"]
    assert check.verdict == "warning"
    assert "iam:AddUserToGroup" in check.detail


def test_an_examination_changes_nothing_in_aws(cloud: Cloud) -> None:
    examine(sandbox(writes_too=True))
    asked = cloud.standin.control("stats")["by_action"]
    reading = {"Get", "List", "Describe", "Generate", "Lookup", "Simulate", "Assume"}
    assert [a for a in asked if not any(a.partition(":")[2].startswith(verb) for verb in reading)] == []


def test_a_run_is_stored_with_its_time_and_asks_for_the_first_reading(cloud: Cloud) -> None:
    account = sandbox()
    run = request_examination(account, actor=COMMAND_LINE, pull_after=True)
    done = run_examination(run.pk)
    assert done is not None
    assert (done.state, done.done) == ("done", len(done.checks))
    assert done.ended_at is not None
    assert {check["key"] for check in done.checks} >= set(READ)
    assert Pull.objects.get().state == PullState.QUEUED
    assert run_examination(run.pk) is None


def test_an_account_that_is_not_reached_is_not_read(cloud: Cloud) -> None:
    account = sandbox(external_id="gh-not-this-one")
    run_examination(request_examination(account, actor=COMMAND_LINE, pull_after=True).pk)
    assert not Pull.objects.exists()


def test_a_changed_trust_is_seen_at_once(cloud: Cloud) -> None:
    account = sandbox(external_id="gh-not-this-one")
    assert by_key(examine(account))["assume"].verdict == "denied"
    Account.objects.update(external_id=ID_OF_SPOKES)
    account.refresh_from_db()
    assert by_key(examine(account))["assume"].verdict == "ok"
