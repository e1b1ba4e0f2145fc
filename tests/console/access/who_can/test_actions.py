"""Which actions the words of a question mean, by AWS's Service Authorization Reference."""

from __future__ import annotations

import re

import pytest

from iam.access.actions import ActionsError, action_names, select_actions


@pytest.mark.parametrize(
    ("text", "level", "resource", "names_some", "none"),
    [
        ("s3:getobject", "", "*", {"s3:GetObject"}, {"s3:GetObjectAcl"}),
        ("s3", "write", "*", {"s3:PutObject", "s3:DeleteBucket"}, {"s3:GetObject", "s3:PutBucketPolicy"}),
        ("s3:", "list", "*", {"s3:ListBucket"}, {"s3:GetObject"}),
        ("s3:*", "permissions", "*", {"s3:PutBucketPolicy"}, {"s3:PutObject"}),
        ("S3", "write", "arn:aws:s3:::docs/x", {"s3:PutObject"}, {"s3:DeleteBucket"}),
        ("s3:Get*", "", "arn:aws:s3:::docs/x", {"s3:GetObject", "s3:GetObjectAcl"}, {"s3:GetBucketPolicy"}),
        ("iam:*AccessKey", "write", "*", {"iam:CreateAccessKey"}, {"iam:ListAccessKeys"}),
    ],
)
def test_names_patterns_and_levels_mean_actions(
    text: str, level: str, resource: str, names_some: set[str], none: set[str]
) -> None:
    actions = set(select_actions(text, level=level, resource=resource).actions)
    assert names_some <= actions
    assert not none & actions


def test_one_action_is_written_as_aws_writes_it_and_several_are_told_in_words() -> None:
    assert select_actions("S3:GETOBJECT").words == "s3:GetObject"
    assert select_actions("s3", level="write").words == "write in Amazon S3"
    assert select_actions("s3").words == "anything in Amazon S3"
    assert select_actions("s3:Get*", level="read").words == "s3:Get*, read only"


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("s3:GetObjct", "Did you mean s3:GetObject?"),
        ("se:GetObject", "no service with the prefix se"),
        ("s3:Frobnicate", "Amazon S3 has no action Frobnicate."),
    ],
)
def test_a_name_that_aws_does_not_publish_is_kept_with_a_warning(text: str, warning: str) -> None:
    meaning = select_actions(text)
    assert meaning.actions == (text,)
    assert warning in meaning.warning


def test_a_resource_that_the_action_does_not_work_on_is_a_warning() -> None:
    assert select_actions("s3:GetObject", resource="arn:aws:s3:::docs/x").warning == ""
    assert "works on arn:aws:s3:::${BucketName}/${ObjectName} and others" in (
        select_actions("s3:GetObject", resource="arn:aws:iam::111111111111:role/x").warning
    )
    assert "doesn’t work on specific resources" in (
        select_actions("s3:ListAllMyBuckets", resource="arn:aws:s3:::docs").warning
    )


@pytest.mark.parametrize(
    ("text", "level", "resource", "message"),
    [
        ("", "", "*", "Enter an action"),
        ("s3:GetObject", "admin", "*", "isn’t an access level"),
        ("two words", "", "*", "An action has a service"),
        ("*", "", "*", "An action has a service"),
        ("*:GetObject", "", "*", "An action has a service"),
        ("s" * 200, "", "*", "at most 128 characters"),
        ("zz9", "write", "*", "no service with the prefix zz9"),
        ("dynamdb", "write", "*", "Did you mean dynamodb?"),
        ("s3:Frob*", "", "*", "no action that matches s3:Frob*"),
        ("s3:GetObject", "write", "*", "no write action that matches"),
        ("s3", "write", "arn:aws:iam::111111111111:role/x", "works on this resource"),
        ("s3:Get\x00", "", "*", "An action has a service"),
    ],
)
def test_what_means_nothing_is_refused_with_the_reason(
    text: str, level: str, resource: str, message: str
) -> None:
    with pytest.raises(ActionsError, match=re.escape(message)):
        select_actions(text, level=level, resource=resource)


def test_offers_begin_with_what_was_typed() -> None:
    assert action_names("s3:getob", size=3)[0] == "s3:GetObject"
    assert action_names("dynamo", size=5)[0] == "dynamodb"
    assert "iam:CreateAccessKey" in action_names("createaccess", size=20)
    assert action_names("", size=5) == []
    assert action_names("zz9:", size=5) == []
