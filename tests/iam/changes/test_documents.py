"""The marks of a policy document: read literally, however its patterns are written."""

from __future__ import annotations

import json
import re

import pytest

from iam.changes.documents import flags
from iam.policy.catalogue import catalogue
from iam.policy.sentences import sentences_of


def marks(**statement: object) -> tuple[str, ...]:
    """The marks of a document of one statement that allows."""
    return flags(json.dumps({"Statement": {"Effect": "Allow", "Resource": "*"} | statement}))


@pytest.mark.parametrize("pattern", ["*", "*:*", "**", "?*", "*:**"])
def test_every_way_to_write_all_actions_is_everything(pattern: str) -> None:
    assert marks(Action=pattern) == ("everything",)


@pytest.mark.parametrize(
    "pattern",
    [
        "iam:*",
        "IAM:PutUserPolicy",
        "i*:*",
        "?am:Create*",
        "*:PutRolePolicy",
        "iam:*Policy",
        "iam:PassRole",
        "iam:NotYetKnown",
    ],
)
def test_a_pattern_that_means_a_write_of_iam_is_marked(pattern: str) -> None:
    assert marks(Action=["s3:GetObject", pattern]) == ("iam",)


@pytest.mark.parametrize(
    "pattern",
    ["iam:Get*", "iam:List*", "iam:GetNotYetKnown", "i*:Describe*", "s3:*", "inspector2:*", "iamx:Put"],
)
def test_what_only_reads_iam_or_is_another_service_is_not(pattern: str) -> None:
    assert marks(Action=pattern) == ()


@pytest.mark.parametrize(
    ("spared", "expected"),
    [
        ("iam:*", ()),
        ("i*:*", ()),
        ("*", ()),
        ("s3:*", ("iam",)),
        ("iam:Get*", ("iam",)),
        ("nothing:AtAll", ("everything",)),
    ],
)
def test_what_is_left_beside_not_action_is_weighed(spared: str, expected: tuple[str, ...]) -> None:
    assert marks(NotAction=spared) == expected


def test_a_deny_is_a_mark_and_what_cannot_be_read_has_none() -> None:
    assert flags('{"Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}') == ("denies",)
    assert flags("{") == flags("[]") == flags('{"Statement": 7}') == ()


def test_to_change_ones_own_password_is_not_to_change_iam() -> None:
    assert marks(Action=["iam:ChangePassword", "iam:GetAccountPasswordPolicy"]) == ()
    assert marks(Action="iam:Change*") == ()
    assert marks(Action=["iam:ChangePassword", "iam:UpdateLoginProfile"]) == ("iam",)


BUCKET = "arn:aws:s3:::pay-ledger/*"
ROLE = "arn:aws:iam::123456789012:role/app"


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("iam:*", BUCKET, ()),
        ("iam:PassRole", [BUCKET, "arn:aws:sqs:*:*:jobs"], ()),
        ("iam:NotYetKnown", BUCKET, ()),
        ("*", BUCKET, ()),
        ("*", "arn:aws:s*:*:*:*", ()),
        # A role has no access keys, and the password policy of an account is no resource.
        ("iam:CreateAccessKey", ROLE, ()),
        ("iam:UpdateAccountPasswordPolicy", "arn:aws:iam::*:*", ()),
        ("iam:PassRole", ROLE, ("iam",)),
        ("iam:PassRole", [BUCKET, ROLE], ("iam",)),
        ("iam:NotYetKnown", ROLE, ("iam",)),
        ("iam:*", "arn:aws:iam::*:user/${aws:username}", ("iam",)),
        ("iam:*", "arn:aws:iam", ("iam",)),
        ("iam:*", "arn:*:role/app", ("iam",)),
        ("iam:UpdateAccountPasswordPolicy", "**", ("iam",)),
        ("*", ROLE, ("iam",)),
        ("*", [BUCKET, "*"], ("everything",)),
        ("*", "arn:aws:*:*:*:*", ("everything",)),
    ],
)
def test_an_action_counts_only_on_a_resource_that_it_works_on(
    action: str, resource: object, expected: tuple[str, ...]
) -> None:
    assert marks(Action=action, Resource=resource) == expected


def test_an_exception_leaves_what_it_does_not_name() -> None:
    def of(resource: str) -> tuple[str, ...]:
        return flags(
            json.dumps({"Statement": {"Effect": "Allow", "Action": "iam:*", "NotResource": resource}})
        )

    assert of(BUCKET) == ("iam",)
    assert of("*") == ()


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("iam:*", BUCKET, ()),
        ("s3:GetObject", BUCKET, ("denies",)),
        ("new:Action", BUCKET, ("denies",)),
        ("*", BUCKET, ("denies",)),
        ("s3:ListAllMyBuckets", BUCKET, ()),
        ("s3:ListAllMyBuckets", "*", ("denies",)),
    ],
)
def test_a_deny_without_effect_is_no_mark(action: str, resource: str, expected: tuple[str, ...]) -> None:
    assert marks(Effect="Deny", Action=action, Resource=resource) == expected


@pytest.mark.parametrize("service", ["s3", "sqs", "kms", "dynamodb"])
def test_marks_and_descriptions_agree_that_nothing_is_allowed(service: str) -> None:
    known = catalogue().service(service)
    assert known is not None
    for kind in known.resource_types.values():
        resource = re.sub(r"\$\{[^}]*\}", "made", kind.arn)
        statement = {"Effect": "Allow", "Action": ["iam:*"], "Resource": resource}
        text = json.dumps({"Version": "2012-10-17", "Statement": statement})
        assert flags(text) == ()
        assert [sentence.warning for sentence in sentences_of(text)] == [""]
        everything = text.replace("iam:*", "*")
        assert flags(everything) == ()
        assert all("IAM" not in sentence.warning for sentence in sentences_of(everything))
