"""What nobody would write: the builder says what is wrong with it, or reads it; it never breaks."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.access.builder import BuilderCondition, ServicePart, build, parts_from, read_back
from iam.access.builder.conditions import form_conditions, written
from iam.access.builder.sentences import sentences_of_part
from iam.policy.sentences import sentences_of

GET = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


@pytest.mark.parametrize(
    ("form", "kind", "says"),
    [
        ({"time": "on", "time-from": "0001-01-01T00:00+14:00"}, "time", "isn’t a date and time"),
        ({"time": "on", "time-until": "9999-12-31T23:59-14:00"}, "time", "isn’t a date and time"),
        ({"time": "on", "time-from": "0999-01-01"}, "time", "before 1970"),
        ({"ip": "on", "ip-nets": "fe80::1%eth0"}, "ip", "address zones"),
        ({"mfa": "on", "mfa-age": "000"}, "mfa", "how recent"),
        ({"mfa": "on", "mfa-age": "٣٦٠٠"}, "mfa", "how recent"),
    ],
)
def test_a_condition_that_aws_would_not_understand_is_refused_at_its_field(
    form: dict[str, str], kind: str, says: str
) -> None:
    whens, wrong = form_conditions(form)
    assert whens == ()
    assert says in wrong[kind]


def test_a_field_whose_number_is_too_long_is_none() -> None:
    huge = {
        "other": "on",
        "o" + "9" * 5000 + "-key": "aws:SourceIp",
        "o1-key": "aws:SourceIp",
        "o1-values": "x",
    }
    whens, wrong = form_conditions(huge)
    assert [when.key for when in whens] == ["aws:SourceIp"]
    assert not wrong


def test_a_region_of_every_partition_is_one() -> None:
    (when,), wrong = form_conditions(
        {"region": "on", "region-names": "eu-west-1 us-gov-east-1 eusc-de-east-1"}
    )
    assert when.values == ("eu-west-1", "us-gov-east-1", "eusc-de-east-1")
    assert not wrong


@pytest.mark.parametrize(
    "block",
    [
        {"NumericLessThan": {"aws:MultiFactorAuthAge": []}},
        {"DateLessThan": {"aws:CurrentTime": []}},
        {"DateLessThan": {"aws:CurrentTime": ["soon"]}},
        {"IpAddress": {"aws:SourceIp": []}},
        {"Bool": {"aws:MultiFactorAuthPresent": []}},
        {"StringEquals": {"aws:ResourceTag/": ["x"]}},
    ],
)
def test_conditions_without_a_value_or_with_another_are_read_shown_and_said(block: dict[str, Any]) -> None:
    document = {"Version": "2012-10-17", "Statement": [GET | {"Condition": block}]}
    reading = read_back(document)
    assert reading.is_complete
    (part,) = reading.parts
    assert written(part.whens)
    assert sentences_of(document)[0].claims
    (statement,) = build(reading.parts).statements
    assert read_back({"Version": "2012-10-17", "Statement": [statement]}).parts == reading.parts


def test_any_resource_is_warned_of_however_it_is_written() -> None:
    for part in (
        ServicePart("s3", ("s3:PutObject",), everywhere=True),
        ServicePart("s3", ("s3:PutObject",), arns=("*",)),
        ServicePart("s3", ("s3:PutObject",), arns=("arn:aws:s3:::docs/*", "*")),
    ):
        assert any(line.warning for line in sentences_of_part(part)), part


@pytest.mark.parametrize(
    "value",
    [
        None,
        [[]],
        [{"service": "s3", "actions": {"a": 1}, "arns": 5, "whens": "x"}],
        [
            {
                "service": "s3",
                "actions": ["GetObject"],
                "whens": [["StringEquals", "aws:x", [], True], [1, 2, 3, 4]],
            }
        ],
        [{"service": "\ud800", "actions": ["*"]}],
        json.loads("[" * 50 + "]" * 50),
    ],
)
def test_stored_parts_of_any_shape_are_read(value: Any) -> None:
    for part in parts_from(value):
        assert part.service == "s3"
        assert all(isinstance(when, BuilderCondition) for when in part.whens)
    build(parts_from(value))
