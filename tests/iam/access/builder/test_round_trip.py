"""What is chosen, built, read back and built again says the same; and documents that do not fit are told
apart.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.builder import BuilderCondition, ServicePart, build, parts_from, parts_json, read_back
from iam.access.builder.parts import level_actions, ordered
from iam.policy.catalogue import AccessLevel, catalogue
from iam.policy.lines import answer
from iam.policy.lint import LintKind, LintSeverity, lint

BUCKET, OBJECTS = "arn:aws:s3:::docs", "arn:aws:s3:::docs/a/*"
ARNS = {
    "s3": (BUCKET, OBJECTS, "arn:aws:s3:::logs", "arn:aws:s3:::logs/*"),
    "sqs": ("arn:aws:sqs:eu-west-1:111122223333:jobs", "arn:aws:sqs:*:111122223333:pay-*"),
    "ec2": (
        "arn:aws:ec2:eu-west-1:111122223333:instance/*",
        "arn:aws:ec2:eu-west-1:111122223333:volume/vol-1",
    ),
    "iam": ("arn:aws:iam::111122223333:role/pay-*", "arn:aws:iam::111122223333:user/${aws:username}"),
}
WHENS = (
    BuilderCondition("Bool", "aws:MultiFactorAuthPresent", ("true",)),
    BuilderCondition("IpAddress", "aws:SourceIp", ("192.0.2.0/24", "198.51.100.7/32")),
    BuilderCondition("StringEquals", "aws:ResourceTag/team", ("payments",), where_known=True),
    BuilderCondition("StringEquals", "aws:RequestedRegion", ("eu-west-1",)),
    BuilderCondition("DateLessThan", "aws:CurrentTime", ("2027-01-01T00:00:00Z",)),
)


@st.composite
def chosen(draw: st.DrawFn) -> ServicePart:
    """A part in which nothing is without effect."""
    service = draw(st.sampled_from(sorted(ARNS)))
    names = set(draw(st.lists(st.sampled_from(catalogue().expand(f"{service}:*")), min_size=1, max_size=8)))
    for level in draw(st.lists(st.sampled_from(AccessLevel), max_size=2)):
        names |= set(level_actions(service, level))
    arns = draw(st.lists(st.sampled_from(ARNS[service]), unique=True, min_size=1))
    whens = draw(st.lists(st.sampled_from(WHENS), unique=True, max_size=3))
    return ServicePart(
        service, ordered(sorted(names), service=service), draw(st.booleans()), tuple(arns), tuple(whens)
    )


def _said(document: dict[str, Any]) -> set[tuple[str, str, str]]:
    """Every action × resource × conditions that a document allows, by the words alone, wherever the two
    belong together.
    """
    known_resources = set()
    for statement in document["Statement"]:
        actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
        arns = [statement["Resource"]] if isinstance(statement["Resource"], str) else statement["Resource"]
        when = json.dumps(statement.get("Condition", {}), sort_keys=True)
        known_resources |= {
            (name, arn, when) for a in actions for name in catalogue().expand(a) for arn in arns
        }
    return known_resources


@settings(max_examples=40)
@given(st.lists(chosen(), min_size=1, max_size=3))
def test_what_is_built_is_read_back_and_built_again_alike(parts: list[ServicePart]) -> None:
    built = build(parts)
    if not built.statements:
        return
    reading = read_back(built.text)
    assert reading.is_complete, reading.reasons
    again = build(reading.parts)
    assert _said(again.document) == _said(built.document)
    assert build(read_back(again.text).parts).text == again.text
    assert [
        finding
        for finding in lint(built.text, kind=LintKind.IDENTITY, quota=None)
        if finding.severity is LintSeverity.ERROR
    ] == []


@settings(max_examples=20)
@given(chosen())
def test_parts_survive_a_hidden_field(part: ServicePart) -> None:
    assert parts_from(json.loads(json.dumps(parts_json([part])))) == (part,)


def test_actions_stand_beside_the_resources_that_they_work_on_only() -> None:
    part = ServicePart("s3", ("s3:GetObject", "s3:ListAllMyBuckets", "s3:ListBucket"), arns=(BUCKET, OBJECTS))
    assert [(statement["Action"], statement["Resource"]) for statement in build([part]).statements] == [
        ("s3:GetObject", OBJECTS),
        ("s3:ListBucket", BUCKET),
        ("s3:ListAllMyBuckets", "*"),
    ]
    assert build([part]).unlimited == ((0, ("s3:ListAllMyBuckets",)),)


def test_an_action_without_a_fitting_resource_is_left_out_and_told() -> None:
    built = build([ServicePart("s3", ("s3:GetObject", "s3:ListBucket"), arns=(OBJECTS,))])
    assert "ListBucket" not in built.text
    assert [(lack.actions, lack.key) for lack in built.lacks] == [(("s3:ListBucket",), "")]


def test_a_resource_that_nothing_works_on_is_told() -> None:
    built = build(
        [ServicePart("s3", ("s3:GetObject",), arns=(OBJECTS, "arn:aws:sqs:eu-west-1:111122223333:jobs"))]
    )
    assert built.unused == ((0, "arn:aws:sqs:eu-west-1:111122223333:jobs"),)


def test_a_tag_of_the_resource_keeps_off_those_who_do_not_know_it() -> None:
    tag = BuilderCondition("StringEquals", "aws:ResourceTag/team", ("payments",))
    names = ("ec2:DescribeInstances", "ec2:StartInstances")
    strict = ServicePart("ec2", names, everywhere=True, whens=(tag,))
    (lack,) = build([strict]).lacks
    assert (lack.actions, lack.key) == (("ec2:DescribeInstances",), "aws:ResourceTag/team")
    split = ServicePart(
        "ec2",
        names,
        everywhere=True,
        whens=(BuilderCondition(tag.operator, tag.key, tag.values, where_known=True),),
    )
    built = build([split])
    assert built.lacks == ()
    assert {(statement["Action"], "Condition" in statement) for statement in built.statements} == {
        ("ec2:DescribeInstances", False),
        ("ec2:StartInstances", True),
    }


def test_a_whole_level_is_written_as_patterns_that_mean_nothing_else() -> None:
    every = level_actions("ec2", AccessLevel.LIST)
    (statement,) = build([ServicePart("ec2", every, everywhere=True)]).statements
    assert any("*" in action for action in statement["Action"])
    names = {name for action in statement["Action"] for name in catalogue().expand(action)}
    assert names == set(every)


def test_what_is_read_of_two_parts_is_built_the_same_ever_after() -> None:
    """A condition that only some know came first in one text and last in the next."""
    whens = tuple(WHENS[place] for place in (0, 2, 3))
    parts = [
        ServicePart("iam", ("iam:GetRole", "iam:ListUsers"), everywhere=True, whens=whens),
        ServicePart("iam", ("iam:AcceptDelegationRequest",), everywhere=True, whens=whens),
    ]
    once = build(read_back(build(parts).text).parts).text
    assert build(read_back(once).parts).text == once


def test_two_actions_alike_stay_names() -> None:
    (statement,) = build(
        [ServicePart("s3", ("s3:GetObject", "s3:GetObjectTagging"), arns=(OBJECTS,))]
    ).statements
    assert statement["Action"] == ["s3:GetObject", "s3:GetObjectTagging"]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ({"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}, "it is a deny"),
        ({"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "*"}, "NotAction"),
        ({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "*"}, "NotResource"),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, "all services"),
        ({"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"}, "an AWS action"),
        ({"Effect": "Allow", "Action": "s3:GetObject"}, "no Resource"),
        ({"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}, "Principal"),
    ],
)
def test_what_the_builder_has_no_place_for_is_said(statement: dict[str, Any], why: str) -> None:
    reading = read_back({"Version": "2012-10-17", "Statement": [statement]})
    assert not reading.is_complete
    assert why in " ".join(reading.reasons)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"Statement": []}', '{"Statement": [3]}', "\x00"])
def test_no_text_breaks_the_reading(text: str) -> None:
    assert not read_back(text).is_complete


@pytest.mark.parametrize(
    "value",
    [None, 3, {}, [3], [{"service": 3}], [{"service": "nowhere"}], [{"service": "s3", "actions": [["x"]]}]],
)
def test_no_hidden_field_breaks_the_builder(value: Any) -> None:
    assert all(part.actions == () for part in parts_from(value))


def test_what_has_no_effect_is_left_out_and_noted() -> None:
    reading = read_back(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": OBJECTS},
            ],
        }
    )
    assert [part.actions for part in reading.parts] == [("s3:GetObject",)]
    assert "s3:ListBucket doesn’t work" in reading.notes[0]


def test_the_engine_decides_what_was_built_as_it_was_meant() -> None:
    part = ServicePart("s3", ("s3:GetObject", "s3:ListBucket"), arns=(BUCKET, OBJECTS))
    document = build([part]).document

    def decided(action: str, resource: str) -> str:
        line = {
            "id": "1",
            "action": action,
            "resource": resource,
            "principal": {"arn": "arn:aws:iam::111122223333:user/ana"},
            "policies": {"identity": [document]},
        }
        return str(answer(json.dumps(line), strict=True)["decision"])

    assert decided("s3:GetObject", f"{BUCKET}/a/1") == "allowed"
    assert decided("s3:GetObject", f"{BUCKET}/b/1") == "implicitly_denied"
    assert decided("s3:ListBucket", BUCKET) == "allowed"
    assert decided("s3:PutObject", f"{BUCKET}/a/1") == "implicitly_denied"
