"""What was changed yesterday is still there after a restart; no secret is written down."""

from __future__ import annotations

import stat
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from console.demo.standin import totp
from console.demo.standin.server import RunningStandin
from console.demo.standin.startup import start
from tests.console.demo.clients import authorization_details, control, hub, member, reader, with_key

PASSWORD = "Correct-horse-battery-7"
DOCUMENT = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": '
    '"*"}]}'
)


def started(state: Path) -> RunningStandin:
    return start(host="127.0.0.1", port=0, state=state)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A stand-in that was changed, stopped and started again on the same folder."""
    state = tmp_path_factory.mktemp("standin")
    first = started(state)
    iam = member(first, "iam", "production")
    iam.add_user_to_group(UserName="tomas.lind", GroupName="deployers")
    iam.create_user(UserName="yuki.tanaka", Path="/people/", Tags=[{"Key": "Team", "Value": "data-platform"}])
    iam.create_login_profile(UserName="yuki.tanaka", Password=PASSWORD, PasswordResetRequired=True)
    key = iam.create_access_key(UserName="yuki.tanaka")["AccessKey"]
    made = iam.create_virtual_mfa_device(VirtualMFADeviceName="yuki.tanaka")["VirtualMFADevice"]
    seed, now = made["Base32StringSeed"].decode(), time.time()
    iam.enable_mfa_device(
        UserName="yuki.tanaka",
        SerialNumber=made["SerialNumber"],
        AuthenticationCode1=totp.code(seed, at=now - 30),
        AuthenticationCode2=totp.code(seed, at=now),
    )
    iam.create_policy(PolicyName="Fresh", PolicyDocument=DOCUMENT, Path="/jobs/")
    iam.create_role(
        RoleName="fresh",
        AssumeRolePolicyDocument=DOCUMENT.replace(
            '"Resource": "*"', '"Principal": {"Service": "ec2.amazonaws.com"}'
        ).replace("s3:ListBucket", "sts:AssumeRole"),
    )
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.delete_user(UserName="nobody")
    before = authorization_details(iam)
    before_keys = iam.list_access_keys(UserName="yuki.tanaka")["AccessKeyMetadata"]
    first.stop()
    second = started(state)
    return {
        "state": state,
        "second": second,
        "client": iam,
        "before": before,
        "before_keys": before_keys,
        "key": key,
        "seed": seed,
        "serial": made["SerialNumber"],
    }


def test_everything_is_as_it_was_with_the_same_ids(story: dict[str, Any]) -> None:
    iam = reader(story["second"], "iam", "production")
    after = authorization_details(iam)
    for lists in (after, story["before"]):
        for role in lists["RoleDetailList"]:
            role.pop("RoleLastUsed", None)
    assert after == story["before"]
    assert iam.list_access_keys(UserName="yuki.tanaka")["AccessKeyMetadata"] == story["before_keys"]
    assert [d["SerialNumber"] for d in iam.list_mfa_devices(UserName="yuki.tanaka")["MFADevices"]] == [
        story["serial"]
    ]
    assert iam.get_login_profile(UserName="yuki.tanaka")["LoginProfile"]["PasswordResetRequired"] is True


def test_an_enrolled_device_still_shows_codes_that_are_accepted(story: dict[str, Any]) -> None:
    iam, now = member(story["second"], "iam", "production"), time.time()
    iam.resync_mfa_device(
        UserName="yuki.tanaka",
        SerialNumber=story["serial"],
        AuthenticationCode1=totp.code(story["seed"], at=now - 30),
        AuthenticationCode2=totp.code(story["seed"], at=now),
    )


def test_credentials_that_were_given_out_before_the_restart_still_work(story: dict[str, Any]) -> None:
    old, port = story["client"], story["second"].server.server_address[1]
    credentials = old._request_signer._credentials
    again = hub(story["second"], "sts")
    again._request_signer._credentials = credentials
    assert again.get_caller_identity()["Arn"].endswith(":assumed-role/gatehouse-writer/test")
    assert port


def test_no_secret_is_in_the_journal(story: dict[str, Any]) -> None:
    text = (story["state"] / "writes.jsonl").read_text()
    assert "CreateLoginProfile" in text
    for secret in (PASSWORD, story["key"]["SecretAccessKey"], story["seed"]):
        assert secret not in text
    assert "Password=hmac-sha256" in text
    assert "AuthenticationCode1=replaced" in text
    assert "nobody" not in text, "a refused write changes nothing"
    for name in ("writes.jsonl", "standin.key"):
        assert stat.S_IMODE((story["state"] / name).stat().st_mode) == 0o600


def test_a_changed_password_is_known_after_a_restart(story: dict[str, Any], tmp_path: Path) -> None:
    first = started(tmp_path)
    iam = member(first, "iam", "staging")
    iam.create_user(UserName="omar.farouk")
    iam.create_login_profile(UserName="omar.farouk", Password=PASSWORD)
    key = iam.create_access_key(UserName="omar.farouk")["AccessKey"]
    first.stop()
    second = started(tmp_path)
    own = with_key(second, "iam", key)
    with pytest.raises(own.exceptions.ClientError):
        own.change_password(OldPassword="not-the-password-1", NewPassword="Another-good-one-22")
    own.change_password(OldPassword=PASSWORD, NewPassword="Another-good-one-22")
    second.stop()


def test_a_torn_last_line_loses_that_line_only(tmp_path: Path) -> None:
    first = started(tmp_path)
    member(first, "iam", "data").create_group(GroupName="kept")
    first.stop()
    journal = tmp_path / "writes.jsonl"
    with journal.open("a") as file:
        file.write('{"at": "2026-01-01T00:00:00", "serv')
    second = started(tmp_path)
    iam = member(second, "iam", "data")
    assert iam.get_group(GroupName="kept")
    iam.create_group(GroupName="after")
    second.stop()
    third = started(tmp_path)
    assert member(third, "iam", "data").get_group(GroupName="after")
    third.stop()


def test_creation_dates_stay_when_the_day_changes(tmp_path: Path) -> None:
    def of(day: int) -> tuple[Any, Any]:
        handle = start(host="127.0.0.1", port=0, state=tmp_path, now=datetime(2026, 6, day, 12))
        user = reader(handle, "iam", "data").get_user(UserName="priya.raman")["User"]
        handle.stop()
        return user["CreateDate"], user["PasswordLastUsed"]

    (made, used), (made_later, used_later) = of(1), of(20)
    assert made_later == made
    assert (used_later - used).days == 19


def test_instances_and_the_organisation_are_kept_too(tmp_path: Path) -> None:
    first = started(tmp_path)
    ec2 = member(first, "ec2", "data", region="eu-west-1")
    reservations = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["etl-node-1"]}])[
        "Reservations"
    ]
    node = reservations[0]["Instances"][0]["InstanceId"]
    ec2.modify_instance_metadata_options(InstanceId=node, HttpTokens="required")
    organizations = hub(first, "organizations")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="Mergers")["OrganizationalUnit"]["Id"]
    first.stop()
    second = started(tmp_path)
    again = member(second, "ec2", "data", region="eu-west-1").describe_instances(InstanceIds=[node])[
        "Reservations"
    ]
    assert again[0]["Instances"][0]["MetadataOptions"]["HttpTokens"] == "required"
    kept = hub(second, "organizations").describe_organizational_unit(OrganizationalUnitId=unit)
    assert kept["OrganizationalUnit"]["Name"] == "Mergers"
    second.stop()


def test_a_reset_forgets_the_writes(tmp_path: Path) -> None:
    handle = started(tmp_path)
    member(handle, "iam", "sandbox").create_group(GroupName="gone")
    control(handle, "reset", {})
    iam = member(handle, "iam", "sandbox")
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_group(GroupName="gone")
    assert not (tmp_path / "writes.jsonl").exists()
    handle.stop()
