"""Lists come in pages as AWS gives them."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from console.demo.standin.server import RunningStandin
from tests.console.demo.clients import all_pages, authorization_details, reader

NAMES = {
    "UserDetailList": "UserName",
    "GroupDetailList": "GroupName",
    "RoleDetailList": "RoleName",
    "Policies": "Arn",
}


@pytest.fixture(scope="module")
def production(standin: RunningStandin) -> Any:
    return reader(standin, "iam", "production")


@pytest.mark.parametrize("size", [1000, 100, 37])
def test_small_pages_together_are_the_one_big_page(production: Any, size: int) -> None:
    whole = authorization_details(production, PaginationConfig={"PageSize": 1000})
    assert authorization_details(production, PaginationConfig={"PageSize": size}) == whole
    for kind, items in whole.items():
        names = [item[NAMES[kind]] for item in items]
        assert len(set(names)) == len(names)


def test_a_page_holds_as_many_items_of_all_kinds_as_were_asked_for(production: Any) -> None:
    page = production.get_account_authorization_details(MaxItems=120)
    assert page["IsTruncated"] is True
    assert sum(len(page[name]) for name in NAMES) == 120
    assert page["GroupDetailList"], "groups follow users on the same page"


def test_a_page_holds_a_hundred_items_unless_told_otherwise(production: Any) -> None:
    page = production.get_account_authorization_details()
    assert sum(len(page[name]) for name in NAMES) == 100


@pytest.mark.parametrize(
    ("filters", "filled"),
    [
        (["User"], {"UserDetailList"}),
        (["Role", "Group"], {"RoleDetailList", "GroupDetailList"}),
        (["LocalManagedPolicy"], {"Policies"}),
        (["AWSManagedPolicy"], {"Policies"}),
    ],
)
def test_a_filter_leaves_the_other_lists_empty(production: Any, filters: list[str], filled: set[str]) -> None:
    details = authorization_details(production, Filter=filters)
    assert {name for name, items in details.items() if items} == filled


def test_only_aws_managed_policies_that_somebody_has_are_answered(production: Any) -> None:
    policies = authorization_details(production, Filter=["AWSManagedPolicy"])["Policies"]
    arns = {policy["Arn"] for policy in policies}
    assert "arn:aws:iam::aws:policy/SecurityAudit" in arns
    assert "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess" not in arns
    assert all(policy["AttachmentCount"] + policy["PermissionsBoundaryUsageCount"] > 0 for policy in policies)
    assert all(policy["PolicyVersionList"][0]["Document"]["Statement"] for policy in policies)


def test_details_have_the_shape_that_aws_gives(production: Any) -> None:
    details = authorization_details(production)
    users = {user["UserName"]: user for user in details["UserDetailList"]}
    maya = users["maya.okafor"]
    assert maya["GroupList"] == ["deployers", "everyone", "platform-oncall"]
    assert maya["AttachedManagedPolicies"][0]["PolicyName"] == "AdministratorAccess"
    assert {"Key": "DisplayName", "Value": "Maya Okafor"} in maya["Tags"]
    assert "PasswordLastUsed" not in maya
    assert users["kwame.boateng"]["UserPolicyList"][0]["PolicyDocument"]["Statement"]
    assert users["ruta.balode"]["PermissionsBoundary"] == {
        "PermissionsBoundaryType": "Policy",
        "PermissionsBoundaryArn": "arn:aws:iam::447109238816:policy/guardrails/TeamBoundary",
    }
    roles = {role["RoleName"]: role for role in details["RoleDetailList"]}
    node = roles["eks-node-instance"]
    assert node["InstanceProfileList"][0]["Roles"][0]["RoleId"] == node["RoleId"]
    assert node["RoleLastUsed"]["Region"] == "eu-west-1"
    assert roles["pay-settle"]["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith("/WorkloadBoundary")
    versions = next(p for p in details["Policies"] if p["PolicyName"] == "OncallRead")["PolicyVersionList"]
    assert [v["VersionId"] for v in versions] == ["v7", "v6", "v5", "v4", "v3"]
    assert [v["IsDefaultVersion"] for v in versions] == [True, False, False, False, False]


@pytest.mark.parametrize(
    ("operation", "key"),
    [
        ("list_users", "Users"),
        ("list_groups", "Groups"),
        ("list_roles", "Roles"),
        ("list_instance_profiles", "InstanceProfiles"),
        ("list_virtual_mfa_devices", "VirtualMFADevices"),
    ],
)
def test_every_list_gives_the_same_in_pages_of_seven(production: Any, operation: str, key: str) -> None:
    whole = all_pages(production, operation, key, PaginationConfig={"PageSize": 1000})
    assert all_pages(production, operation, key, PaginationConfig={"PageSize": 7}) == whole
    assert whole


def test_all_aws_managed_policies_can_be_listed_and_read(production: Any) -> None:
    listed = all_pages(
        production, "list_policies", "Policies", Scope="AWS", PaginationConfig={"PageSize": 1000}
    )
    assert len(listed) > 1500
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    version = next(p["DefaultVersionId"] for p in listed if p["Arn"] == arn)
    document = production.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert document["Statement"]


def test_credentials_of_all_users_come_in_pages(standin: RunningStandin) -> None:
    data = reader(standin, "iam", "data")
    first = data.list_service_specific_credentials(AllUsers=True, MaxItems=2)
    assert first["IsTruncated"] is True
    rest = data.list_service_specific_credentials(AllUsers=True, Marker=first["Marker"])
    both = first["ServiceSpecificCredentials"] + rest["ServiceSpecificCredentials"]
    assert {c["UserName"] for c in both} == {"keyspaces-app", "nikhil.deshpande", "wei.zhang"}
    assert len(both) == 4


def test_a_marker_that_was_not_given_out_is_refused(production: Any) -> None:
    with pytest.raises(ClientError) as refused:
        production.list_users(Marker="bm90LWEtbWFya2Vy")
    assert refused.value.response["Error"]["Code"] == "ValidationError"
