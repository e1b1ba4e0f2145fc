"""The marks of a policy document: read literally, however its patterns are written."""

from __future__ import annotations

import json

import pytest

from iam.changes.documents import flags


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
