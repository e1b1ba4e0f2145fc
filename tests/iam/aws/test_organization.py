"""The organization as a tree, instances by region, and clear errors where there is none."""

from __future__ import annotations

import json

import pytest

from iam.aws.errors import AwsError, ErrorKind
from iam.aws.reads import instances, organization
from iam.aws.session import Aws
from tests.bench.fakeaws.world import World
from tests.iam.aws.scripted import Script, answer, error


def test_accounts_are_discovered_page_by_page(aws: Aws, world: World) -> None:
    member_accounts = organization.discover_accounts(aws)
    assert [account.account_id for account in member_accounts] == [
        str(111111111111 + number) for number in range(world.count)
    ]
    assert aws.calls == {"organizations:ListAccounts": 2}
    assert {(account.status, account.parent_id) for account in member_accounts} == {("ACTIVE", None)}


def test_the_tree_has_every_account_under_its_unit(aws: Aws, world: World) -> None:
    tree = organization.read_organization(aws)
    assert tree.organization.management_account_id == "111111111111"
    assert {(unit.name, unit.parent_id) for unit in tree.units} == {
        ("Root", None), ("Workloads", "r-root"), ("Security", "r-root"), ("Sandbox", "r-root"),
    }  # fmt: skip
    assert len(tree.accounts) == world.count
    parents = {account.account_id: account.parent_id for account in tree.accounts}
    assert parents["111111111111"] == "r-root"
    assert parents["111111111112"] == "ou-root-security"


def test_control_policies_come_with_documents_and_targets(aws: Aws) -> None:
    policies = {policy.name: policy for policy in organization.read_organization(aws).policies}
    stay = policies["StayInOrganization"]
    assert json.loads(stay.document)["Statement"][0]["Effect"] == "Deny"
    assert (stay.kind, stay.is_aws_managed, stay.targets) == (organization.SCP, False, ("r-root",))
    assert policies["FullAWSAccess"].is_aws_managed
    assert len(policies["FullAWSAccess"].targets) == 4


def test_types_that_are_not_enabled_are_not_asked_for(aws: Aws) -> None:
    organization.read_organization(aws)
    assert aws.calls["organizations:ListPolicies"] == 1


def test_an_account_in_no_organization_says_so(aws: Aws, world: World) -> None:
    world.control("/_config", {"organization": "0"})
    for read in (organization.organization, organization.read_organization, organization.discover_accounts):
        with pytest.raises(AwsError) as caught:
            read(aws)
        assert caught.value.kind is ErrorKind.NOT_FOUND
        assert organization.is_outside_of_organization(caught.value)


def test_an_organization_that_may_not_be_read_is_another_matter(aws: Aws, world: World) -> None:
    world.control("/_config", {"deny": "organizations:DescribeOrganization"})
    with pytest.raises(AwsError) as caught:
        organization.organization(aws)
    assert (caught.value.kind, caught.value.permission) == (
        ErrorKind.DENIED,
        "organizations:DescribeOrganization",
    )
    assert not organization.is_outside_of_organization(caught.value)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"Accounts": null}', b"<html/>", b'{"Accounts": [{"Name": "x"}]}']
)
def test_what_is_no_answer_is_never_read_as_an_empty_organization(scripted, body: bytes) -> None:
    aws = scripted()
    Script([body] * 5).install(aws.organizations)
    with pytest.raises(AwsError) as caught:
        organization.discover_accounts(aws)
    assert caught.value.kind is ErrorKind.UNEXPECTED


@pytest.mark.parametrize(
    ("reply", "features"),
    [
        (
            answer(
                "ListOrganizationsFeatures",
                "<OrganizationId>o-1</OrganizationId><EnabledFeatures><member>RootSessions</member>"
                "<member>RootCredentialsManagement</member></EnabledFeatures>",
            ),
            ("RootCredentialsManagement", "RootSessions"),
        ),
        (
            answer("ListOrganizationsFeatures", "<OrganizationId>o-1</OrganizationId><EnabledFeatures/>"),
            (),
        ),
        (error("ServiceAccessNotEnabledException"), ()),
        (error("OrganizationNotInAllFeaturesModeException"), ()),
        (error("AccountNotManagementOrDelegatedAdministratorException"), None),
        (error("OrganizationNotFoundException"), None),
    ],
)
def test_features_of_central_root_access(scripted, reply: object, features: object) -> None:
    assert organization.root_access_features(scripted(reply)) == features


@pytest.mark.parametrize(
    "reply", [error("AccessDenied", status=403), answer("ListOrganizationsFeatures", "")]
)
def test_what_is_no_answer_about_root_access_is_an_error(scripted, reply: object) -> None:
    with pytest.raises(AwsError):
        organization.root_access_features(scripted(*[reply] * 5))


def test_a_token_that_does_not_move_on_is_an_error(scripted) -> None:
    aws = scripted()
    Script([b'{"Accounts": [], "NextToken": "t"}'] * 2).install(aws.organizations)
    with pytest.raises(AwsError, match="same token"):
        organization.discover_accounts(aws)


def test_instances_come_with_profile_association_and_imds(aws: Aws, world: World) -> None:
    instance_records = instances.list_instances(aws, regions=["us-east-1", "eu-west-1"])
    profiles = [profile for role in world.account.roles for profile in role["profiles"]]
    assert [instance.profile_id for instance in instance_records] == [profile[1] for profile in profiles[:50]]
    assert {instance.region for instance in instance_records} == {"us-east-1"}
    first, second = instance_records[:2]
    assert (first.requires_imds_v2, second.requires_imds_v2) == (False, True)
    assert (first.name, first.state, first.imds_enabled) == ("web-000", "running", True)
    assert first.association_id is not None
    assert first.association_id.startswith("iip-assoc-")


def test_a_region_that_is_denied_fails_the_whole_list(aws: Aws, world: World) -> None:
    world.control("/_config", {"deny": "ec2:DescribeInstances"})
    with pytest.raises(AwsError) as caught:
        instances.list_instances(aws, regions=["us-east-1"])
    assert caught.value.permission == "ec2:DescribeInstances"


def test_the_regions_of_an_account_are_known(aws: Aws) -> None:
    assert instances.enabled_regions(aws) == ("eu-west-1", "us-east-1")


def test_terminated_instances_are_left_out(scripted) -> None:
    aws = scripted()
    item = "<item><instanceId>{}</instanceId><instanceState><name>{}</name></instanceState></item>"
    inner = item.format("i-1", "terminated") + item.format("i-2", "stopped")
    reservations = f"<reservationSet><item><instancesSet>{inner}</instancesSet></item></reservationSet>"
    Script(
        [
            b"<R><iamInstanceProfileAssociationSet/></R>",
            f"<DescribeInstancesResponse>{reservations}</DescribeInstancesResponse>".encode(),
        ]
    ).install(aws.ec2("us-east-1"))
    (instance_record,) = instances.list_instances(aws, regions=["us-east-1"])
    assert (
        instance_record.instance_id,
        instance_record.profile_arn,
        instance_record.association_id,
        instance_record.tags,
    ) == ("i-2", None, None, {})
