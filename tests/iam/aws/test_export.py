"""An uploaded export: the same records as the live answer, and a sentence with a place for whatever is
wrong.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from iam.aws.export import ExportError, parse_export
from iam.aws.reads.authorization import stream_authorization
from iam.aws.records import RoleRecord
from iam.aws.session import Aws
from tests.iam.aws import stock
from tests.iam.aws.test_authorization import meaning

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
AT = "2024-02-29T10:00:00+00:00"
GROUP_ID, USER_ID, ROLE_ID, POLICY_ID = (
    prefix + "ABCDEFGHIJKLMNOPQ" for prefix in ("AGPA", "AIDA", "AROA", "ANPA")
)


def arn(rest: str) -> str:
    return f"arn:aws:iam::111111111111:{rest}"


def profile(name: str = "web", aws_id: str = "AIPAAAAAAAAAAAAAAAAA") -> dict[str, Any]:
    """An instance profile inside of its role, as the CLI prints it."""
    return {
        "Path": "/",
        "InstanceProfileName": name,
        "InstanceProfileId": aws_id,
        "Arn": arn(f"instance-profile/{name}"),
        "CreateDate": AT,
        "Roles": [],
    }


def small() -> dict[str, Any]:
    """A file with one of each, as the CLI prints it."""
    attached = [{"PolicyName": "p", "PolicyArn": arn("policy/p")}]
    return {
        "UserDetailList": [
            {
                "Path": "/",
                "UserName": "ada",
                "UserId": USER_ID,
                "Arn": arn("user/ada"),
                "CreateDate": AT,
                "GroupList": ["devs"],
                ("AttachedManagedPolicies"): attached,
                "Tags": [{"Key": "k", "Value": "<b>&v"}],
                "UserPolicyList": [{"PolicyName": "own", "PolicyDocument": DOCUMENT}],
                "PermissionsBoundary": {
                    ("PermissionsBoundaryType"): "Policy",
                    "PermissionsBoundaryArn": arn("policy/p"),
                },
            }
        ],
        "GroupDetailList": [
            {
                "Path": "/t/",
                "GroupName": "devs",
                "GroupId": GROUP_ID,
                "Arn": arn("group/t/devs"),
                "CreateDate": AT,
                "GroupPolicyList": [],
                "AttachedManagedPolicies": [],
            }
        ],
        "RoleDetailList": [
            {
                "Path": "/",
                "RoleName": "web",
                "RoleId": ROLE_ID,
                "Arn": arn("role/web"),
                "CreateDate": AT,
                "AssumeRolePolicyDocument": DOCUMENT,
                "InstanceProfileList": [profile()],
                "RolePolicyList": [],
                "AttachedManagedPolicies": [],
                "Tags": [],
                "RoleLastUsed": {"LastUsedDate": "2026-01-01T00:00:00+00:00", "Region": "eu-west-1"},
            }
        ],
        "Policies": [
            {
                "PolicyName": "p",
                "PolicyId": POLICY_ID,
                "Arn": arn("policy/p"),
                "Path": "/",
                "DefaultVersionId": "v2",
                "AttachmentCount": 1,
                "IsAttachable": True,
                "CreateDate": AT,
                "UpdateDate": AT,
                "PolicyVersionList": [
                    {"Document": DOCUMENT, "VersionId": "v2", "IsDefaultVersion": True, "CreateDate": AT},
                    {"Document": DOCUMENT, "VersionId": "v1", "IsDefaultVersion": False, "CreateDate": AT},
                ],
            }
        ],
    }


def parse(data: Any):
    return parse_export(json.dumps(data).encode())


def test_a_file_of_the_cli_gives_the_records_of_the_live_answer(aws: Aws) -> None:
    live = {i.arn: meaning(i.record) for page in stream_authorization(aws) for i in page.items if i.record}
    printed = json.dumps(stock.authorization_details(), indent=4, default=datetime.isoformat)
    export = parse_export(printed.encode())
    assert (export.account_id, export.partition, export.warnings) == ("111111111111", "aws", ())
    assert {item.arn: meaning(item.record) for item in export.items if item.record} == live


def test_encoded_documents_are_as_good_as_objects() -> None:
    data = small()
    text = '{"Version":"2012-10-17",  "Statement":[]}'
    data["RoleDetailList"][0]["AssumeRolePolicyDocument"] = quote(text, safe="")
    data["UserDetailList"][0]["UserPolicyList"][0]["PolicyDocument"] = text
    records = {item.kind: item.record for item in parse(data).items}
    assert records["role"].trust == text
    assert records["user"].inline[0].document == text


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: b"\xff\xfe" + text.encode("utf-16-le"),
        lambda text: text.replace("\n", "\r\n").encode(),
    ],
    ids=["utf-8 with mark", "utf-16", "powershell", "windows lines"],
)
def test_files_of_windows_are_read_too(encode: Callable[[str], bytes]) -> None:
    assert len(parse_export(encode(json.dumps(small(), indent=2))).items) == 4


def test_dates_in_the_forms_of_the_cli_are_read() -> None:
    for written in (
        "2024-02-29T10:00:00Z",
        "2024-02-29T11:00:00+01:00",
        "2024-02-29T10:00:00",
        1709200800,
        1709200800.0,
    ):
        data = small()
        data["UserDetailList"][0]["CreateDate"] = written
        record = parse(data).items[0].record
        assert record is not None
        assert record.created_at == datetime(2024, 2, 29, 10, tzinfo=UTC)


def test_digests_follow_the_facts_and_not_their_use() -> None:
    def digests(data: Any) -> dict[str, bytes]:
        return {item.kind: item.digest for item in parse(data).items}

    first, used, changed = small(), small(), small()
    used["RoleDetailList"][0]["RoleLastUsed"] = {}
    changed["RoleDetailList"][0]["Tags"] = [{"Key": "a", "Value": "b"}]
    assert digests(used) == digests(first)
    assert {kind for kind, digest in digests(changed).items() if digest != digests(first)[kind]} == {"role"}


def test_a_role_keeps_when_it_was_used() -> None:
    role = next(item for item in parse(small()).items if item.kind == "role")
    assert isinstance(role.record, RoleRecord)
    assert role.last_used == (datetime(2026, 1, 1, tzinfo=UTC), "eu-west-1")
    assert role.record.instance_profiles == (arn("instance-profile/web"),)


def test_the_instance_profiles_of_the_roles_are_records_too() -> None:
    (profile,) = parse(small()).profiles
    assert (profile.name, profile.path, profile.arn, profile.roles) == (
        "web",
        "/",
        arn("instance-profile/web"),
        ("web",),
    )
    assert profile.created_at == datetime.fromisoformat(AT)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([{**profile(), "Arn": arn("instance-profile/other")}], "does not belong to it"),
        ([profile(), profile()], "AWS allows one"),
        ([{"Arn": arn("instance-profile/web")}], r"RoleDetailList\[0\].InstanceProfileList\[0\]"),
    ],
)
def test_a_wrong_instance_profile_is_refused_with_its_place(wrong: list[Any], message: str) -> None:
    data = small()
    data["RoleDetailList"][0]["InstanceProfileList"] = wrong
    with pytest.raises(ExportError, match=message):
        parse(data)


def test_an_entity_that_an_export_names_and_lacks_is_a_warning() -> None:
    data = small()
    data["GroupDetailList"] = []
    data["UserDetailList"][0]["AttachedManagedPolicies"][0]["PolicyArn"] = (
        "arn:aws:iam::aws:policy/ReadOnlyAccess"
    )
    groups, policies = parse(data).warnings
    assert "devs" in groups
    assert "ReadOnlyAccess" in policies


def test_text_that_looks_like_markup_stays_text() -> None:
    record = parse(small()).items[0].record
    assert record is not None
    assert record.tags == {"k": "<b>&v"}
