"""What the builder says of a choice is what the statements say that are built of it."""

from __future__ import annotations

from iam.access.builder import BuilderCondition, ServicePart
from iam.access.builder.sentences import quarters_of, sentences_of_part

TAG = BuilderCondition("StringEquals", "aws:ResourceTag/team", ("payments",), where_known=True)


def texts(part: ServicePart) -> list[str]:
    """The sentences of a part."""
    return [line.text for line in sentences_of_part(part)]


def test_a_condition_that_only_some_actions_know_is_said_of_these_only() -> None:
    part = ServicePart("ec2", ("ec2:DescribeInstances", "ec2:StartInstances"), everywhere=True, whens=(TAG,))
    assert texts(part) == [
        "Start all EC2 instances, only if tagged team=payments",
        "See EC2 instances and their status",
    ]


def test_writing_one_file_is_not_said_to_be_writing_the_bucket() -> None:
    arns = ("arn:aws:s3:::docs", "arn:aws:s3:::docs/report.csv")
    part = ServicePart("s3", ("s3:ListBucket", "s3:PutObject"), arns=arns)
    assert texts(part) == ["Write the object s3://docs/report.csv", "List objects in s3://docs"]


def test_a_part_without_effect_says_nothing() -> None:
    assert texts(ServicePart("s3", ("s3:PutObject",), arns=("arn:aws:s3:::docs",))) == []


def test_the_bar_of_a_document_that_the_builder_cannot_hold_is_not_empty() -> None:
    deny = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    assert quarters_of({"Version": "2012-10-17", "Statement": [allow, deny]}) == "4 4 4 4 4"
