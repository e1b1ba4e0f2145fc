"""How findings are told: their places, their order, what a name was meant to be, quotas and limits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import botocore
import pytest

from iam.policy.catalogue import catalogue
from iam.policy.catalogue.regions import NO_PLACE, REGIONS
from iam.policy.lint import (
    SCP,
    USER_INLINE,
    CharacterQuota,
    LintFinding,
    LintKind,
    LintSeverity,
    less_standing,
    lint,
)
from iam.policy.lint.actions import FORM
from iam.policy.lint.overlaps import can_mean
from iam.policy.newer_names import accept_newer
from tests.iam.policy.lint.builders import ACCOUNT, BUCKET, PLAIN, ROLE, allow, deny, policy, trust, when

TEXT = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:GetObjekt", "s3:GetObject"],
      "Resource": "arn:aws:s3:::example/*",
      "Condition": {
        "StringEqual": {"aws:username": "x"}
      }
    }
  ]
}
"""


def _only(text: str, code: str, kind: str = "identity") -> LintFinding:
    findings = [finding for finding in lint(text, kind=kind) if finding.code == code]
    assert len(findings) == 1
    return findings[0]


def test_a_good_policy_has_no_finding() -> None:
    assert lint(PLAIN, kind="identity") == []
    assert (
        lint(policy(allow("s3:*", [BUCKET, f"{BUCKET}/*"]), deny("s3:DeleteBucket", BUCKET)), kind="scp")
        == []
    )
    assert lint(trust({"Service": "ec2.amazonaws.com"}), kind="trust") == []


def test_findings_know_statement_line_and_column_and_come_in_order() -> None:
    findings = lint(TEXT, kind="identity")
    assert [(finding.code, finding.statement, finding.line, finding.column) for finding in findings] == [
        ("INVALID_ACTION", 0, 6, 18),
        ("INVALID_CONDITION_OPERATOR", 0, 9, 9),
    ]
    assert [finding.remedy for finding in findings] == [
        "Did you mean s3:GetObject?",
        "Did you mean StringEquals?",
    ]
    assert all(
        (finding.line, finding.column) <= (two.line, two.column) for finding, two in pairwise(findings)
    )


MEANT = [
    (policy(allow(Actions="x")), "INVALID_POLICY_ELEMENT", "Did you mean Action?"),
    (policy(allow("ecc2:RunInstances", "*")), "INVALID_SERVICE_IN_ACTION", "Did you mean ec2:RunInstances?"),
    (policy(allow("iam:PassRoles", ROLE)), "INVALID_ACTION", "Did you mean iam:PassRole?"),
    (
        when("StringEquals", "aws:PrincipalOrgIds", "x"),
        "INVALID_GLOBAL_CONDITION_KEY",
        "Did you mean aws:PrincipalOrgID?",
    ),
    (
        when("StringEquals", "s3:x-amz-acls", "x"),
        "INVALID_SERVICE_CONDITION_KEY",
        "Did you mean s3:x-amz-acl?",
    ),
    (
        policy(allow(resource=f"{BUCKET}/${{aws:usrname}}/*")),
        "UNKNOWN_VARIABLE",
        "Did you mean ${aws:username}?",
    ),
    (
        policy(allow("dynamodb:GetItem", "arn:aws:dynamdb:*:*:table/a")),
        "INVALID_SERVICE",
        "Did you mean dynamodb?",
    ),
]


@pytest.mark.parametrize(("text", "code", "remedy"), MEANT, ids=[code for _, code, _ in MEANT])
def test_what_was_meant_is_proposed(text: str, code: str, remedy: str) -> None:
    assert _only(text, code).remedy == remedy


UNKNOWN = [
    (policy(allow("s3:GetObjekt")), "INVALID_ACTION", "s3:GetObjekt"),
    (policy(allow("glou:GetTable")), "INVALID_SERVICE_IN_ACTION", "glou"),
    (policy(allow("glou:GetTable")), "INVALID_SERVICE_IN_ACTION", "GLOU:get*"),
    (policy(allow(resource="arn:aws:sthree:::x")), "INVALID_SERVICE", "sthree"),
    (policy(allow(resource="arn:aws:s3:::")), "INVALID_ARN_RESOURCE", "arn:aws:s3:::"),
    (when("StringEquals", "s3:prefixx", "x"), "INVALID_SERVICE_CONDITION_KEY", "s3:Prefixx"),
    (when("StringEquals", "aws:PrincipalOrgIds", "x"), "INVALID_GLOBAL_CONDITION_KEY", "aws:*"),
    (when("StringEquals", "aws:RequestedRegion", "eu-west-9"), "INVALID_REGION", "eu-west-9"),
    (
        policy(allow("ec2:StopInstances", f"arn:aws:ec2:eu-west-9:{ACCOUNT}:instance/*")),
        "INVALID_ARN_REGION",
        "eu-*",
    ),
]


@pytest.mark.parametrize(("text", "code", "name"), UNKNOWN, ids=[name for *_, name in UNKNOWN])
def test_an_unknown_name_is_an_error_until_it_is_accepted_as_a_newer_one(
    text: str, code: str, name: str, accepting: Callable[[str], None]
) -> None:
    finding = _only(text, code)
    assert finding.severity is LintSeverity.ERROR
    assert finding.is_by_catalogue
    assert not finding.is_refused
    accepting("another:Name")
    assert _only(text, code) == finding
    accepting(name)
    assert _only(text, code).severity is LintSeverity.WARNING


@pytest.fixture
def accepting() -> Iterator[Callable[[str], None]]:
    yield lambda name: accept_newer([name])
    accept_newer([])


def test_a_key_of_a_service_without_actions_is_a_warning() -> None:
    """AWS has such services: `catalog:ChangeType` of AWS Marketplace."""
    finding = _only(when("StringEquals", "catalog:ChangeType", "x"), "INVALID_SERVICE_CONDITION_KEY")
    assert finding.severity is LintSeverity.WARNING


def test_what_aws_refuses_is_no_matter_of_the_catalogue() -> None:
    for text in (policy(allow("GetObject")), policy(allow(resource="bucket"))):
        assert [finding.is_refused for finding in lint(text, kind="identity")] == [True]


def test_what_a_text_said_before_is_a_warning_in_the_next_one() -> None:
    former, text = policy(allow("s3:GetOld")), policy(allow(["s3:GetOld", "s3:GetNew"], "*"))
    findings = less_standing(lint(text, kind="identity"), former=lambda: former, kind=LintKind.IDENTITY)
    severities = {finding.message.split("“")[1][:9]: finding.severity for finding in findings}
    assert severities == {"s3:GetOld": LintSeverity.WARNING, "s3:GetNew": LintSeverity.ERROR}


def test_every_region_of_the_sdk_is_known() -> None:
    partitions = json.loads((Path(botocore.__file__).parent / "data" / "partitions.json").read_bytes())
    known = {name for partition in partitions["partitions"] for name in partition["regions"]}
    assert known - REGIONS - NO_PLACE == set()


def test_an_account_beside_its_users_is_what_a_not_principal_needs() -> None:
    both = [f"arn:aws:iam::{ACCOUNT}:root", f"arn:aws:iam::{ACCOUNT}:user/ada"]
    text = policy(deny(Principal=None, NotPrincipal={"AWS": both}))
    assert "REDUNDANT_PRINCIPAL" not in [finding.code for finding in lint(text, kind="resource")]


def test_a_private_address_beside_a_public_one_is_a_suggestion() -> None:
    finding = _only(when("IpAddress", "aws:SourceIp", "10.0.0.0/8", "203.0.113.0/24"), "PRIVATE_IP_ADDRESS")
    assert finding.severity is LintSeverity.SUGGESTION


def test_a_comma_too_many_hides_no_other_finding() -> None:
    text = TEXT.replace('"s3:GetObject"]', '"s3:GetObject",]')
    assert [finding.code for finding in lint(text, kind="identity")] == [
        "INVALID_ACTION",
        "JSON_SYNTAX_ERROR",
        "INVALID_CONDITION_OPERATOR",
    ]


def test_white_space_counts_for_organizations_and_not_for_iam() -> None:
    text = PLAIN + " " * 7_000
    assert lint(text, kind="identity") == []
    assert [finding.code for finding in lint(text, kind="scp")] == ["POLICY_SIZE_EXCEEDS_SCP_QUOTA"]
    assert lint(text, kind="scp", quota=None) == []
    assert SCP.size(" {} ") == 4


def test_the_limit_itself_is_allowed_and_what_others_use_counts() -> None:
    size = USER_INLINE.size(PLAIN)
    assert lint(PLAIN, kind="identity", quota=CharacterQuota("it", size)) == []
    assert [
        finding.code for finding in lint(PLAIN, kind="identity", quota=CharacterQuota("it", size - 1))
    ] == ["POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA"]
    findings = lint(PLAIN, kind="identity", quota=CharacterQuota("it", size + 9, used=10))
    assert "the others have 10" in findings[0].message


def test_what_only_limits_is_not_blamed_for_width() -> None:
    wide = policy(allow("*", "*"))
    assert "ALLOW_WITH_STAR_IN_ACTION_AND_RESOURCE" in [
        finding.code for finding in lint(wide, kind="identity")
    ]
    for kind in ("boundary", "scp", "session"):
        assert lint(wide, kind=kind) == []


def test_a_role_to_pass_on_to_one_service_is_a_suggestion() -> None:
    limited = when(
        "StringEquals", "iam:PassedToService", "ec2.amazonaws.com", action="iam:PassRole", resource="*"
    )
    assert _only(limited, "PASS_ROLE_WITH_STAR_IN_RESOURCE").severity is LintSeverity.SUGGESTION
    assert (
        _only(policy(allow("iam:PassRole", "*")), "PASS_ROLE_WITH_STAR_IN_RESOURCE").severity
        is LintSeverity.SECURITY
    )


def test_every_known_action_has_the_form_of_one() -> None:
    assert all(FORM.fullmatch(name) for name in catalogue().actions)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="group"):
        lint(PLAIN, kind="group")


OVERLAPS = [
    ("arn:aws:s3:::example/*", "arn:${Partition}:s3:::${BucketName}/${ObjectName}", True),
    ("arn:aws:s3:::example/*", "arn:${Partition}:s3:::${BucketName}", False),
    ("arn:aws:s3:::*", "arn:${Partition}:s3:::${BucketName}", True),
    ("arn:aws:s3:::ex?mple", "arn:${Partition}:s3:::${BucketName}", True),
    ("arn:aws:s3:*", "arn:${Partition}:s3:::${BucketName}", True),
    ("*", "arn:${Partition}:s3:::${BucketName}", True),
    ("arn:aws:iam::*:role/a", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", True),
    ("arn:aws:iam::*:role/", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", True),
    (f"arn:aws:iam::{ACCOUNT}:user/a", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", False),
    (f"arn:aws:iam::{ACCOUNT}:ro*", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", True),
    ("arn:aws:iam:::role/a", "arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}", False),
    ("arn:aws:sqs:*:*:${aws:username}", "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}", True),
    ("arn:aws:sqs:*:*:a/b", "arn:${Partition}:sqs:${Region}:${Account}:${QueueName}", False),
    (
        "arn:aws:logs:*:*:log-group:/a/b:*",
        "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}",
        True,
    ),
    ("", "arn:${Partition}:s3:::${BucketName}", False),
]


@pytest.mark.parametrize(("pattern", "arn", "answer"), OVERLAPS)
def test_a_pattern_means_a_resource_type_when_some_arn_fits_both(
    pattern: str, arn: str, answer: bool
) -> None:
    assert can_mean(pattern, arn, has_variables=True) is answer
