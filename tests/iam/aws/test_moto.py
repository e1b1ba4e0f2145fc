"""The same reads against bare moto, whose XML has another order and leaves things out.

moto's bulk answer has no ids of policies; policies are compared against our own stand-in.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from moto import mock_aws

from iam.aws.access import AccountAccess
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import details, entities, lists
from iam.aws.reads.authorization import stream_authorization
from iam.aws.session import Aws, connect
from iam.aws.writes import call
from tests.iam.aws import stock
from tests.iam.aws.test_authorization import meaning

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    },
    indent=2,
)
ALLOW = (
    '{ "Version":"2012-10-17",\n "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*", '
    '"Sid": "a+b c%d"}]}'
)
ACCOUNT = "123456789012"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/edge"


@pytest.fixture
def moto_aws() -> Iterator[Aws]:
    with mock_aws():
        iam = stock.client()
        furnish(iam)
        aws = connect(AccountAccess(ACCOUNT))
        yield aws
        aws.close()


def furnish(iam: Any) -> None:
    for name, path in (("data", "/"), ("edge", "/"), ("ops", "/teams/")):
        iam.create_policy(
            PolicyName=name,
            Path=path,
            PolicyDocument=ALLOW,
            Description="R&D <all>",
            Tags=[{"Key": "k", "Value": "v & w"}],
        )
    iam.create_policy_version(
        PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/data",
        PolicyDocument=ALLOW.replace("s3:*", "s3:Get*"),
        SetAsDefault=True,
    )
    iam.create_group(GroupName="devs", Path="/eng/")
    iam.put_group_policy(GroupName="devs", PolicyName="inline", PolicyDocument=ALLOW)
    iam.attach_group_policy(GroupName="devs", PolicyArn=BOUNDARY)
    for number in range(7):
        iam.create_user(
            UserName=f"user{number}",
            Path="/eng/",
            Tags=[{"Key": "Team", "Value": f"ä{number}"}],
            PermissionsBoundary=BOUNDARY,
        )
        iam.add_user_to_group(GroupName="devs", UserName=f"user{number}")
        iam.put_user_policy(UserName=f"user{number}", PolicyName="own", PolicyDocument=ALLOW)
    iam.create_role(
        RoleName="web",
        AssumeRolePolicyDocument=TRUST,
        Description="Web & co",
        MaxSessionDuration=7200,
        Tags=[{"Key": "a", "Value": "b"}],
    )
    iam.attach_role_policy(RoleName="web", PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/data")
    iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument=ALLOW)
    iam.create_instance_profile(InstanceProfileName="web")
    iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="web")


def without_policies(details: dict[str, Any]) -> dict[str, Any]:
    return {**details, "Policies": []}


def bulk(aws: Aws) -> dict[str, Any]:
    aws.iam.meta.events.register(
        "before-parameter-build.iam.GetAccountAuthorizationDetails",
        lambda params, **_: params.update(Filter=["User", "Group", "Role"]),
    )
    return {item.arn: item.record for page in stream_authorization(aws) for item in page.items}


def test_the_records_are_those_that_botocore_parses(moto_aws: Aws) -> None:
    ours = {arn: meaning(record) for arn, record in bulk(moto_aws).items()}
    details = without_policies(stock.authorization_details())
    theirs = {record.arn: record for _, record in stock.records(details)}
    assert len(ours) == 7 + 1 + 1
    assert ours == theirs


def test_a_single_entity_reads_as_it_does_in_bulk(moto_aws: Aws) -> None:
    details = bulk(moto_aws)
    user = entities.get_user(moto_aws, name="user3")
    assert user == details[user.arn]
    assert user.inline[0].document == ALLOW
    group = entities.get_group(moto_aws, name="devs")
    assert group == details[group.arn]
    role = entities.get_role(moto_aws, name="web")
    assert (role.description, role.max_session_duration) == ("Web & co", 7200)
    assert replace(role, description=None, max_session_duration=None) == details[role.arn]
    policy = entities.get_policy(moto_aws, arn=f"arn:aws:iam::{ACCOUNT}:policy/data")
    assert (policy.tags, len(policy.versions)) == ({"k": "v & w"}, 2)


def test_lists_and_details_are_read(moto_aws: Aws) -> None:
    assert [user.name for user in lists.list_users(moto_aws)] == [f"user{number}" for number in range(7)]
    (role,) = lists.list_roles(moto_aws)
    assert (role.max_session_duration, role.description) == (7200, "Web & co")
    (profile,) = lists.list_instance_profiles(moto_aws)
    assert profile.roles == ("web",)
    assert lists.password_policy(moto_aws) is None
    assert details.login_profile(moto_aws, user_name="user1") is None
    assert entities.group_members(moto_aws, name="devs") == tuple(f"user{number}" for number in range(7))
    assert details.policy_tags(moto_aws, policy_arn=BOUNDARY) == {"k": "v & w"}


def test_a_write_is_seen_by_the_read_after_it(moto_aws: Aws) -> None:
    result = call(moto_aws, "iam", "RemoveUserFromGroup", {"GroupName": "devs", "UserName": "user1"})
    assert result.request_id
    assert entities.groups_for_user(moto_aws, name="user1") == ()
    with pytest.raises(AwsError) as caught:
        call(moto_aws, "iam", "AddUserToGroup", {"GroupName": "nobody", "UserName": "user1"})
    assert (caught.value.kind, caught.value.action) == (ErrorKind.NOT_FOUND, "iam:AddUserToGroup")
