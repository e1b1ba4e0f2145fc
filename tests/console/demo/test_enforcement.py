"""With enforcement on, a call needs a good signature and a policy that allows it; a role needs trust
always.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.demo.organisation.gatehouse import EXTERNAL_ID
from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, control, hub, member, reader, with_key

ROLE = "arn:aws:iam::447109238816:role/gatehouse-reader"
TRUST = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": '
    '"ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}'
)


@pytest.fixture
def strict(fresh: RunningStandin) -> Iterator[RunningStandin]:
    control(fresh, "enforce", {"on": True})
    yield fresh
    control(fresh, "enforce", {"on": False})


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


def user_with(standin: RunningStandin, *statements: dict[str, Any], boundary: str | None = None) -> Any:
    """A client of a new user in the sandbox with one inline policy; made while nothing is enforced."""
    control(standin, "enforce", {"on": False})
    iam = member(standin, "iam", "sandbox")
    more = {"PermissionsBoundary": boundary} if boundary else {}
    iam.create_user(UserName="probe", **more)
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_user_policy(UserName="probe", PolicyName="probe", PolicyDocument=document)
    key = iam.create_access_key(UserName="probe")["AccessKey"]
    control(standin, "enforce", {"on": True})
    return with_key(standin, "iam", key)


def test_the_reader_reads_and_changes_nothing(strict: RunningStandin) -> None:
    iam = reader(strict, "iam", "production")
    assert all_pages(iam, "list_users", "Users")
    assert refusal(iam.add_user_to_group, UserName="tomas.lind", GroupName="sre") == "AccessDenied"
    names = {u["UserName"] for u in iam.get_group(GroupName="sre")["Users"]}
    assert "tomas.lind" not in names


def test_the_writer_changes_what_gatehouse_changes_and_nothing_else(strict: RunningStandin) -> None:
    iam = member(strict, "iam", "production")
    iam.add_user_to_group(UserName="tomas.lind", GroupName="sre")
    assert refusal(iam.delete_role_policy, RoleName="gatehouse-writer", PolicyName="change") == "AccessDenied"
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert (
        refusal(iam.attach_role_policy, RoleName="gatehouse-writer", PolicyArn=administrator)
        == "AccessDenied"
    )
    assert iam.create_access_key(UserName="tomas.lind")["AccessKey"]["UserName"] == "tomas.lind"
    assert refusal(iam.get_account_authorization_details) == "AccessDenied"


def test_a_wrong_secret_is_refused(strict: RunningStandin) -> None:
    assert refusal(hub(strict, "sts", secret="guessed").get_caller_identity) == "SignatureDoesNotMatch"
    assert hub(strict, "sts").get_caller_identity()["Account"] == "509330017742"


def test_a_key_that_nobody_has_is_refused(strict: RunningStandin) -> None:
    unknown = with_key(strict, "sts", {"AccessKeyId": "AKIAAAAAAAAAAAAAAAAA", "SecretAccessKey": "x"})
    assert refusal(unknown.get_caller_identity) == "InvalidClientTokenId"


def test_an_action_list_that_lacks_one_action_is_not_enough(strict: RunningStandin) -> None:
    iam = user_with(strict, {"Effect": "Allow", "Action": ["iam:ListUsers", "iam:GetUser"], "Resource": "*"})
    assert iam.list_users()["Users"]
    assert refusal(iam.list_roles) == "AccessDenied"


def test_a_resource_bounds_an_action(strict: RunningStandin) -> None:
    mine = "arn:aws:iam::209766310042:user/${aws:username}"
    iam = user_with(strict, {"Effect": "Allow", "Action": "iam:*AccessKey*", "Resource": mine})
    assert iam.list_access_keys(UserName="probe")["AccessKeyMetadata"]
    assert refusal(iam.list_access_keys, UserName="hackathon-bot") == "AccessDenied"


def test_a_boundary_bounds_an_administrator(strict: RunningStandin) -> None:
    boundary = "arn:aws:iam::209766310042:policy/guardrails/TeamBoundary"
    iam = user_with(strict, {"Effect": "Allow", "Action": "*", "Resource": "*"}, boundary=boundary)
    assert iam.list_users()["Users"]
    assert refusal(iam.create_group, GroupName="mine") == "AccessDenied"


def test_an_scp_bounds_an_administrator(strict: RunningStandin) -> None:
    iam = user_with(strict, {"Effect": "Allow", "Action": "*", "Resource": "*"})
    iam.create_role(RoleName="tool", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="tool", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    assert refusal(iam.attach_role_policy, RoleName="tool", PolicyArn=administrator) == "AccessDenied"


def test_a_role_is_given_only_with_the_right_external_id(standin: RunningStandin) -> None:
    sts = hub(standin, "sts")
    asked = {"RoleArn": ROLE, "RoleSessionName": "test"}
    assert refusal(sts.assume_role, **asked) == "AccessDenied"
    assert refusal(sts.assume_role, **asked, ExternalId="gh-other") == "AccessDenied"
    assert sts.assume_role(**asked, ExternalId=EXTERNAL_ID)["Credentials"]


def test_a_role_that_does_not_exist_is_denied_not_missing(standin: RunningStandin) -> None:
    gone = {"RoleArn": ROLE.replace("reader", "ghost"), "RoleSessionName": "test", "ExternalId": EXTERNAL_ID}
    assert refusal(hub(standin, "sts").assume_role, **gone) == "AccessDenied"


def test_another_member_account_is_not_the_hub(standin: RunningStandin) -> None:
    elsewhere = reader(standin, "sts", "staging")
    asked = {"RoleArn": ROLE, "RoleSessionName": "test", "ExternalId": EXTERNAL_ID}
    assert refusal(elsewhere.assume_role, **asked) == "AccessDenied"


def test_a_session_is_named_and_ends_when_it_should(standin: RunningStandin) -> None:
    sts = hub(standin, "sts")
    asked = {"RoleArn": ROLE, "RoleSessionName": "pull-7", "ExternalId": EXTERNAL_ID}
    assert refusal(sts.assume_role, **asked, DurationSeconds=7200) == "ValidationError"
    assert reader(standin, "sts", "data").get_caller_identity()["Arn"] == (
        "arn:aws:sts::612044783021:assumed-role/gatehouse-reader/test"
    )


def test_simulation_answers_for_a_principal(standin: RunningStandin) -> None:
    iam = reader(standin, "iam", "production")
    answer = iam.simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::447109238816:user/people/sofia.marchetti",
        ActionNames=["aws-marketplace:Subscribe", "ec2:RunInstances"],
        ContextEntries=[
            {
                "ContextKeyName": "aws:RequestedRegion",
                "ContextKeyType": "string",
                "ContextKeyValues": ["eu-west-1"],
            }
        ],
    )["EvaluationResults"]
    assert [row["EvalDecision"] for row in answer] == ["allowed", "implicitDeny"]
    assert answer[0]["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": True}


def test_simulation_honours_boundary_and_scp(standin: RunningStandin) -> None:
    bounded = reader(standin, "iam", "production").simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::447109238816:user/people/ruta.balode", ActionNames=["iam:CreateUser"]
    )["EvaluationResults"][0]
    assert bounded["EvalDecision"] == "implicitDeny"
    assert bounded["PermissionsBoundaryDecisionDetail"] == {"AllowedByPermissionsBoundary": False}
    forbidden = reader(standin, "iam", "sandbox").simulate_principal_policy(
        PolicySourceArn="arn:aws:iam::209766310042:group/teams/builders",
        ActionNames=["aws-marketplace:Subscribe"],
    )["EvaluationResults"][0]
    assert forbidden["EvalDecision"] == "explicitDeny"
    assert forbidden["OrganizationsDecisionDetail"] == {"AllowedByOrganizations": False}


def test_sessions_that_are_not_served_are_refused_and_not_invented(standin: RunningStandin) -> None:
    sts = hub(standin, "sts")
    assert refusal(sts.get_session_token) == "InvalidAction"
    assert refusal(sts.get_federation_token, Name="someone") == "InvalidAction"
    token = {"RoleArn": ROLE, "RoleSessionName": "pipeline", "WebIdentityToken": "a.b.c-d"}
    assert refusal(sts.assume_role_with_web_identity, **token) == "InvalidAction"
