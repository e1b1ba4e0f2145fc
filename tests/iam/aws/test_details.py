"""What is read per entity: credentials, tags, and whole entities as the bulk answer has them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import details
from iam.aws.reads.authorization import stream_authorization
from iam.aws.session import Aws
from tests.bench.fakeaws.world import World
from tests.iam.aws.scripted import answer, error

Scripted = Callable[..., Aws]


def bulk(aws: Aws, kind: str) -> dict[str, Any]:
    return {i.name: i.record for page in stream_authorization(aws) for i in page.items if i.kind == kind}


def test_access_keys_and_their_last_use(aws: Aws, world: World) -> None:
    uses = set()
    for user in world.account.users:
        keys = details.access_keys(aws, user_name=user["name"])
        assert [(k.key_id, k.status, k.user_name) for k in keys] == [
            (k["id"], k["status"], user["name"]) for k in user["keys"]
        ]
        for key, fact in zip(keys, user["keys"], strict=True):
            use = details.access_key_last_used(aws, key_id=key.key_id)
            assert use.at == (datetime.fromisoformat(fact["used"]) if fact["used"] else None)
            uses.add((use.service, use.region))
    assert uses == {("s3", "eu-west-1"), (None, None)}


def test_devices_of_a_user_include_those_that_are_not_virtual(aws: Aws, world: World) -> None:
    user = world.account.users[0]
    before = user["mfa"], user["security_key"]
    user["mfa"], user["security_key"] = "2024-01-01T00:00:00Z", "2025-01-01T00:00:00Z"
    world.iam.cache.clear()
    try:
        devices = details.mfa_devices(aws, user_name=user["name"])
    finally:
        user["mfa"], user["security_key"] = before
        world.iam.cache.clear()
    assert [":mfa/" in device.serial_number for device in devices] == [True, False]


def test_ssh_keys_and_certificates_of_users_that_have_them(aws: Aws, world: World) -> None:
    for read, fact in ((details.ssh_keys, "ssh"), (details.signing_certificates, "certificates")):
        owner = next(user for user in world.account.users if user[fact])
        nobody = next(user for user in world.account.users if not user[fact])
        assert [credential.user_name for credential in read(aws, user_name=owner["name"])] == [owner["name"]]
        assert read(aws, user_name=nobody["name"]) == ()


def test_a_user_has_a_login_profile_or_none(aws: Aws, world: World) -> None:
    for user in world.account.users[:20]:
        profile = details.login_profile(aws, user_name=user["name"])
        assert (profile is None) == (user["login"] is None)


def test_a_denied_login_profile_is_not_taken_for_none(scripted: Scripted) -> None:
    with pytest.raises(AwsError) as caught:
        details.login_profile(scripted(error("AccessDenied", status=403)), user_name="ada")
    assert caught.value.permission == "iam:GetLoginProfile"


def test_tags_of_what_the_bulk_answer_leaves_out(aws: Aws, world: World) -> None:
    for policy in world.account.policies[:10]:
        assert details.policy_tags(aws, policy_arn=policy["arn"]) == policy["tags"]
    assert details.instance_profile_tags(aws, name="web") == {"Fleet": "web"}
    assert details.saml_provider_tags(aws, arn=world.account.saml[0]) == {"Owner": "identity & access"}
    assert details.oidc_provider_tags(aws, arn=world.account.oidc[0]) == {}
    assert details.mfa_device_tags(aws, serial_number="arn:aws:iam::111111111111:mfa/x") == {}
    assert details.server_certificate_tags(aws, name="legacy-www") == {}


def test_every_user_reads_alone_as_in_bulk(aws: Aws) -> None:
    for name, record in bulk(aws, "user").items():
        assert details.get_user(aws, name=name) == record
        assert details.groups_for_user(aws, name=name) == record.groups


def test_every_group_role_and_policy_reads_alone_as_in_bulk(aws: Aws, world: World) -> None:
    for name, record in bulk(aws, "group").items():
        assert details.get_group(aws, name=name) == record
    for name, record in bulk(aws, "role").items():
        alone = details.get_role(aws, name=name)
        assert alone.max_session_duration == 3600
        assert replace(alone, max_session_duration=None, description=None) == record
    for record in bulk(aws, "policy").values():
        alone = details.get_policy(aws, arn=record.arn)
        assert alone.tags == world.account.policy[record.arn]["tags"]
        assert replace(alone, tags=None) == record


def test_the_members_of_a_group_are_those_that_name_it(aws: Aws) -> None:
    users = bulk(aws, "user").values()
    for name in bulk(aws, "group"):
        expected = tuple(sorted(user.name for user in users if name in user.groups))
        assert details.group_members(aws, name=name) == expected


def test_who_is_gone_is_not_found(aws: Aws) -> None:
    with pytest.raises(AwsError) as caught:
        details.get_user(aws, name="nobody")
    assert (caught.value.kind, caught.value.action) == (ErrorKind.NOT_FOUND, "iam:GetUser")


def test_a_policy_that_goes_while_its_user_is_read_does_not_make_the_user_look_gone(
    scripted: Scripted,
) -> None:
    head = (
        "<Path>/</Path><UserName>ada</UserName><UserId>AIDA</UserId>"
        "<Arn>a</Arn><CreateDate>2024-01-01T00:00:00Z</CreateDate>"
    )
    names = (
        "<PolicyNames><member>gone</member><member>here</member></PolicyNames>"
        "<IsTruncated>false</IsTruncated>"
    )
    aws = scripted(
        answer("GetUser", f"<User>{head}</User>"),
        answer("ListGroupsForUser", "<Groups/>"),
        answer("ListUserPolicies", names),
        error("NoSuchEntity", status=404),
        answer("GetUserPolicy", "<PolicyDocument>%7B%7D</PolicyDocument>"),
        answer("ListAttachedUserPolicies", "<AttachedPolicies/>"),
    )
    assert details.get_user(aws, name="ada").inline == (("here", "{}"),)


@pytest.mark.parametrize("missing", ["UserId", "Arn", "CreateDate"])
def test_an_entity_that_lacks_what_aws_always_sends_is_an_error(scripted: Scripted, missing: str) -> None:
    fields = {
        "Path": "/",
        "UserName": "ada",
        "UserId": "AIDA",
        "Arn": "a",
        "CreateDate": "2024-01-01T00:00:00Z",
    }
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in fields.items() if name != missing)
    rest = [answer("ListGroupsForUser", "<Groups/>"), answer("ListUserPolicies", "<PolicyNames/>")]
    rest.append(answer("ListAttachedUserPolicies", "<AttachedPolicies/>"))
    with pytest.raises(AwsError, match=missing):
        details.get_user(scripted(answer("GetUser", f"<User>{inner}</User>"), *rest), name="ada")
