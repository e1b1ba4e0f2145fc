"""Changes have the effects, and meet the refusals, that AWS has for them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, authorization_details, member

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
BOUNDARY = "arn:aws:iam::447109238816:policy/guardrails/TeamBoundary"


@pytest.fixture
def iam(fresh: RunningStandin) -> Any:
    return member(fresh, "iam", "production")


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


def user_detail(iam: Any, name: str) -> dict[str, Any]:
    user_detail_list = authorization_details(iam, Filter=["User"])["UserDetailList"]
    return next(user for user in user_detail_list if user["UserName"] == name)


def test_a_membership_comes_and_goes(iam: Any) -> None:
    iam.add_user_to_group(UserName="tomas.lind", GroupName="deployers")
    iam.add_user_to_group(UserName="tomas.lind", GroupName="deployers")
    assert user_detail(iam, "tomas.lind")["GroupList"] == ["deployers", "everyone", "payments-dev"]
    iam.remove_user_from_group(UserName="tomas.lind", GroupName="deployers")
    assert user_detail(iam, "tomas.lind")["GroupList"] == ["everyone", "payments-dev"]
    gone = {"UserName": "tomas.lind", "GroupName": "deployers"}
    assert refusal(iam.remove_user_from_group, **gone) == "NoSuchEntity"


def test_an_eleventh_group_is_one_too_many(iam: Any) -> None:
    for number in range(8):
        iam.create_group(GroupName=f"extra-{number}")
        iam.add_user_to_group(UserName="tomas.lind", GroupName=f"extra-{number}")
    assert refusal(iam.add_user_to_group, UserName="tomas.lind", GroupName="sre") == "LimitExceeded"


def test_new_users_have_ids_in_aws_shape_with_boundary_and_tags(iam: Any) -> None:
    made = iam.create_user(
        UserName="leila.haddad",
        Path="/people/",
        PermissionsBoundary=BOUNDARY,
        Tags=[{"Key": "Team", "Value": "payments"}],
    )["User"]
    assert made["UserId"].startswith("AIDA")
    assert len(made["UserId"]) == 21
    assert (
        iam.get_user(UserName="leila.haddad")["User"]["PermissionsBoundary"]["PermissionsBoundaryArn"]
        == BOUNDARY
    )
    assert user_detail(iam, "leila.haddad")["Tags"] == [{"Key": "Team", "Value": "payments"}]
    assert refusal(iam.create_user, UserName="Leila.Haddad") == "EntityAlreadyExists"


def test_a_renamed_user_keeps_what_it_had(iam: Any) -> None:
    before = user_detail(iam, "hana.sato")
    iam.update_user(UserName="hana.sato", NewUserName="hana.mori", NewPath="/leads/")
    after = user_detail(iam, "hana.mori")
    assert after["Arn"] == "arn:aws:iam::447109238816:user/leads/hana.mori"
    for field in ("UserId", "GroupList", "Tags", "CreateDate"):
        assert after[field] == before[field]
    assert iam.list_mfa_devices(UserName="hana.mori")["MFADevices"]
    key = iam.list_access_keys(UserName="hana.mori")["AccessKeyMetadata"][0]["AccessKeyId"]
    assert iam.get_access_key_last_used(AccessKeyId=key)["UserName"] == "hana.mori"
    assert refusal(iam.get_user, UserName="hana.sato") == "NoSuchEntity"


def test_a_user_is_deleted_only_when_nothing_is_left(iam: Any) -> None:
    name = "kwame.boateng"
    assert refusal(iam.delete_user, UserName=name) == "DeleteConflict"
    for group in ("everyone", "payments-dev", "deployers"):
        iam.remove_user_from_group(UserName=name, GroupName=group)
    iam.delete_user_policy(UserName=name, PolicyName="kwame-tools")
    key = iam.list_access_keys(UserName=name)["AccessKeyMetadata"][0]["AccessKeyId"]
    iam.delete_access_key(UserName=name, AccessKeyId=key)
    assert refusal(iam.delete_user, UserName=name) == "DeleteConflict"
    iam.delete_login_profile(UserName=name)
    iam.delete_user(UserName=name)
    assert refusal(iam.get_user, UserName=name) == "NoSuchEntity"


def test_a_user_of_the_same_name_is_another_user(iam: Any) -> None:
    first = iam.create_user(UserName="twice")["User"]["UserId"]
    iam.delete_user(UserName="twice")
    assert iam.create_user(UserName="twice")["User"]["UserId"] != first


def test_a_boundary_is_put_and_taken_away(iam: Any) -> None:
    iam.put_user_permissions_boundary(UserName="tomas.lind", PermissionsBoundary=BOUNDARY)
    assert user_detail(iam, "tomas.lind")["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
    iam.delete_user_permissions_boundary(UserName="tomas.lind")
    assert "PermissionsBoundary" not in user_detail(iam, "tomas.lind")
    assert refusal(iam.delete_user_permissions_boundary, UserName="tomas.lind") == "NoSuchEntity"


def test_attaching_twice_counts_once(iam: Any) -> None:
    before = iam.get_policy(PolicyArn=BOUNDARY)["Policy"]
    for _ in range(2):
        iam.attach_user_policy(UserName="tomas.lind", PolicyArn=BOUNDARY)
    after = iam.get_policy(PolicyArn=BOUNDARY)["Policy"]
    assert after["AttachmentCount"] == before["AttachmentCount"] + 1
    assert after["PermissionsBoundaryUsageCount"] == before["PermissionsBoundaryUsageCount"] > 0


def test_an_attached_policy_cannot_be_deleted(iam: Any) -> None:
    arn = "arn:aws:iam::447109238816:policy/jobs/LedgerRead"
    assert refusal(iam.delete_policy, PolicyArn=arn) == "DeleteConflict"
    iam.detach_group_policy(GroupName="payments-dev", PolicyArn=arn)
    iam.delete_policy(PolicyArn=arn)
    assert refusal(iam.get_policy, PolicyArn=arn) == "NoSuchEntity"


def test_a_sixth_version_is_one_too_many(iam: Any) -> None:
    arn = "arn:aws:iam::447109238816:policy/jobs/OncallRead"
    document = (
        '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}}'
    )
    assert refusal(iam.create_policy_version, PolicyArn=arn, PolicyDocument=document) == "LimitExceeded"
    assert refusal(iam.delete_policy_version, PolicyArn=arn, VersionId="v7") == "DeleteConflict"
    iam.delete_policy_version(PolicyArn=arn, VersionId="v3")
    made = iam.create_policy_version(PolicyArn=arn, PolicyDocument=document, SetAsDefault=True)[
        "PolicyVersion"
    ]
    assert made["VersionId"] == "v8"
    assert iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"] == "v8"
    iam.set_default_policy_version(PolicyArn=arn, VersionId="v6")
    versions = iam.list_policy_versions(PolicyArn=arn)["Versions"]
    assert {v["VersionId"]: v["IsDefaultVersion"] for v in versions} == {
        "v8": False, "v7": False, "v6": True, "v5": False, "v4": False,
    }  # fmt: skip


def test_a_malformed_document_is_refused(iam: Any) -> None:
    bad = {"UserName": "tomas.lind", "PolicyName": "bad", "PolicyDocument": '{"Version": "2012-10-17"}'}
    assert refusal(iam.put_user_policy, **bad) == "MalformedPolicyDocument"


def test_inline_policies_share_one_quota(iam: Any) -> None:
    long = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "%s"}]}'
    document = long % ("arn:aws:s3:::" + "b" * 1200)
    iam.put_user_policy(UserName="tomas.lind", PolicyName="one", PolicyDocument=document)
    iam.put_user_policy(UserName="tomas.lind", PolicyName="one", PolicyDocument=document)
    two = {"UserName": "tomas.lind", "PolicyName": "two", "PolicyDocument": document}
    assert refusal(iam.put_user_policy, **two) == "LimitExceeded"


def test_a_temporary_password_must_be_changed(iam: Any) -> None:
    iam.create_user(UserName="marco.silva")
    short = {"UserName": "marco.silva", "Password": "short-1A"}
    assert refusal(iam.create_login_profile, **short) == "PasswordPolicyViolation"
    iam.create_login_profile(
        UserName="marco.silva", Password="Long-enough-for-Northline-1", PasswordResetRequired=True
    )
    profile = iam.get_login_profile(UserName="marco.silva")["LoginProfile"]
    assert profile["PasswordResetRequired"] is True
    again = {"UserName": "marco.silva", "Password": "Long-enough-for-Northline-2"}
    assert refusal(iam.create_login_profile, **again) == "EntityAlreadyExists"
    iam.update_login_profile(UserName="marco.silva", PasswordResetRequired=False)
    assert iam.get_login_profile(UserName="marco.silva")["LoginProfile"]["PasswordResetRequired"] is False


def test_a_service_linked_role_is_left_alone(iam: Any) -> None:
    name = "AWSServiceRoleForSupport"
    assert refusal(iam.attach_role_policy, RoleName=name, PolicyArn=ADMINISTRATOR) == "UnmodifiableEntity"
    assert refusal(iam.delete_role, RoleName=name) == "UnmodifiableEntity"


def test_a_role_keeps_its_description_when_only_the_session_length_changes(iam: Any) -> None:
    iam.update_role(RoleName="pay-admin", MaxSessionDuration=7200)
    role = iam.get_role(RoleName="pay-admin")["Role"]
    assert (role["MaxSessionDuration"], role["Description"][:14]) == (7200, "Manual payment")


def test_tags_of_every_kind_of_entity_change(iam: Any) -> None:
    account = "447109238816"
    tags = [{"Key": "Reviewed", "Value": "2026"}]
    kinds: list[tuple[str, dict[str, str]]] = [
        ("user", {"UserName": "maya.okafor"}),
        ("role", {"RoleName": "pay-admin"}),
        ("policy", {"PolicyArn": BOUNDARY}),
        ("instance_profile", {"InstanceProfileName": "eks-node-instance"}),
        ("saml_provider", {"SAMLProviderArn": f"arn:aws:iam::{account}:saml-provider/Okta"}),
        ("server_certificate", {"ServerCertificateName": "depots.northline.example"}),
        (
            "open_id_connect_provider",
            {
                "OpenIDConnectProviderArn": (
                    f"arn:aws:iam::{account}:oidc-provider/token.actions.githubusercontent.com"
                )
            },
        ),
    ]
    for kind, named in kinds:
        getattr(iam, f"tag_{kind}")(Tags=tags, **named)
        listed = getattr(iam, f"list_{kind}_tags")(**named)["Tags"]
        assert tags[0] in listed, kind
        getattr(iam, f"untag_{kind}")(TagKeys=["Reviewed"], **named)
        assert tags[0] not in getattr(iam, f"list_{kind}_tags")(**named)["Tags"], kind


def test_the_summary_counts_what_there_is(iam: Any) -> None:
    before = iam.get_account_summary()["SummaryMap"]
    iam.create_group(GroupName="one-more")
    after = iam.get_account_summary()["SummaryMap"]
    assert after["Groups"] == before["Groups"] + 1
    assert after["Users"] == len(all_pages(iam, "list_users", "Users"))
    assert after["AccountMFAEnabled"] == 1


def test_a_user_who_comes_between_two_pages_shifts_nobody(iam: Any) -> None:
    before = {u["UserName"] for u in all_pages(iam, "list_users", "Users")}
    first = iam.list_users(MaxItems=50)
    iam.create_user(UserName="aaa.first")
    seen = [u["UserName"] for u in first["Users"]]
    marker = first["Marker"]
    while marker:
        page = iam.list_users(MaxItems=50, Marker=marker)
        seen += [u["UserName"] for u in page["Users"]]
        marker = page.get("Marker")
    assert len(seen) == len(set(seen))
    assert set(seen) == before
