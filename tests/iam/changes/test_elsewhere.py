"""What Terraform or CloudFormation manage is recognised, and the receipt offers their own words for the
change.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from iam.changes.iac import managed_by, patch_of
from iam.changes.iac.recognise import CLOUDFORMATION, TERRAFORM
from iam.mirror.models import TagSet
from tests.iam.changes.site import Site

RECOGNISED: list[tuple[str, str, dict[str, str], str | None]] = [
    ("deployers", "/", {"ManagedBy": "terraform"}, TERRAFORM),
    ("deployers", "/", {"managed-by": "Terraform Cloud"}, TERRAFORM),
    ("deployers", "/", {"Terraform": "true"}, TERRAFORM),
    ("deployers", "/", {"Terraform": "false"}, None),
    ("deployers", "/", {"ManagedBy": "platform team"}, None),
    ("deployers", "/", {"ManagedBy": "cdk"}, CLOUDFORMATION),
    ("deployers", "/", {"aws:cloudformation:stack-name": "payments"}, CLOUDFORMATION),
    ("deployers", "/terraform/payments/", {}, TERRAFORM),
    ("payments-DeployRole-1A2B3C4D5E6F7", "/", {}, CLOUDFORMATION),
    ("payments-deploy-role", "/", {}, None),
    ("samuel", "/samuel/", {}, None),
]


@pytest.mark.parametrize(("name", "path", "tags", "tool"), RECOGNISED)
def test_what_manages_something_is_told_by_tags_paths_and_names(
    name: str, path: str, tags: dict[str, str], tool: str | None
) -> None:
    managed = managed_by(name=name, path=path, tags=tags)
    assert (managed.tool if managed else None) == tool


def call(operation: str, **params: Any) -> dict[str, Any]:
    return {"service": "iam", "operation": operation, "params": params}


DOCUMENT = json.dumps({"Version": "2012-10-17", "Statement": {"Resource": "arn:aws:s3:::b/${aws:username}"}})
DEPLOY = "arn:aws:iam::111111111111:policy/team/Deploy"


def test_terraform_gets_a_resource_for_what_is_attached_and_loses_one_for_what_is_detached() -> None:
    patch = patch_of(
        [
            call("AttachUserPolicy", UserName="kwame", PolicyArn=DEPLOY),
            call("DetachGroupPolicy", GroupName="ops", PolicyArn=DEPLOY),
        ],
        tool=TERRAFORM,
    )
    assert patch.text == (
        '+ resource "aws_iam_user_policy_attachment" "kwame_Deploy" {\n'
        '+   user       = "kwame"\n'
        f'+   policy_arn = "{DEPLOY}"\n'
        "+ }\n\n"
        '- resource "aws_iam_group_policy_attachment" "ops_Deploy" {\n'
        '-   group      = "ops"\n'
        f'-   policy_arn = "{DEPLOY}"\n'
        "- }"
    )
    assert patch.unsaid == ()


def test_a_variable_of_a_policy_is_not_taken_for_one_of_terraform() -> None:
    patch = patch_of([call("CreatePolicyVersion", PolicyArn=DEPLOY, PolicyDocument=DOCUMENT)], tool=TERRAFORM)
    assert 'name = "Deploy"' in patch.text
    assert "b/$${aws:username}" in patch.text
    assert patch.text.count("jsonencode(") == 1


def test_cloudformation_gets_properties() -> None:
    patch = patch_of(
        [call("PutRolePermissionsBoundary", RoleName="deploy", PermissionsBoundary=DEPLOY)],
        tool=CLOUDFORMATION,
    )
    assert patch.text == (
        "  Deploy:\n"
        "    Type: AWS::IAM::Role\n"
        "    Properties:\n"
        '      RoleName: "deploy"\n'
        f'+     PermissionsBoundary: "{DEPLOY}"'
    )


def test_what_is_renamed_loses_its_name_before_it_gets_another() -> None:
    calls = [call("UpdateUser", UserName="1ada", NewUserName="ada", NewPath="/")]
    assert patch_of(calls, tool=TERRAFORM).text == (
        '  resource "aws_iam_user" "_1ada" {\n-   name = "1ada"\n+   name = "ada"\n+   path = "/"\n  }'
    )
    text = patch_of(calls, tool=CLOUDFORMATION).text
    assert '-     UserName: "1ada"\n+     UserName: "ada"' in text


def test_lines_of_a_document_stand_further_in_than_their_property() -> None:
    """YAML takes no closing brace that stands where the property begins."""
    calls = [call("CreatePolicyVersion", PolicyArn=DEPLOY, PolicyDocument=DOCUMENT)]
    lines = patch_of(calls, tool=CLOUDFORMATION).text.splitlines()
    first = next(number for number, line in enumerate(lines) if "PolicyDocument:" in line)
    assert all(line.startswith("+       ") for line in lines[first + 1 :])


@pytest.mark.parametrize(
    ("made", "resource"),
    [
        (call("TagPolicy", PolicyArn=DEPLOY, Tags=[{"Key": "a", "Value": "b"}]), "aws_iam_policy"),
        (
            call("AddClientIDToOpenIDConnectProvider", OpenIDConnectProviderArn=f"{DEPLOY}/x", ClientID="c"),
            "aws_iam_openid_connect_provider",
        ),
        (call("UpdateAccountPasswordPolicy", MinimumPasswordLength=16), "aws_iam_account_password_policy"),
        (
            call("CreateServiceLinkedRole", AWSServiceName="autoscaling.amazonaws.com"),
            "aws_iam_service_linked_role",
        ),
    ],
)
def test_terraform_has_words_for_tags_audiences_password_rules_and_roles_of_services(
    made: dict[str, Any], resource: str
) -> None:
    patch = patch_of([made], tool=TERRAFORM)
    assert f'resource "{resource}"' in patch.text
    assert patch.unsaid == ()


def test_what_a_program_has_no_words_for_is_said() -> None:
    calls = [call("UpdateAccessKey", AccessKeyId="AKIA", Status="Inactive"), call("DeleteUser", UserName="k")]
    patch = patch_of(calls, tool=TERRAFORM)
    assert patch.unsaid == ("iam:UpdateAccessKey",)
    assert 'resource "aws_iam_user" "k"' in patch.text


def test_the_preview_says_who_manages_the_group_and_offers_the_patch(site: Site) -> None:
    now = datetime.now(tz=UTC)
    TagSet.objects.create(
        account=site.account,
        entity=site.group,
        tags={"ManagedBy": "terraform"},
        valid_from=now,
        observed_at=now,
    )

    page = site.asker.get(site.address()).content.decode()

    assert "Terraform manages this" in page
    assert "its tag ManagedBy says terraform" in page
    assert "aws_iam_user_group_membership" in page
    assert site.asked().receipt["managed"]["arn"] == site.group.arn
