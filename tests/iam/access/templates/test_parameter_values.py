"""Filling templates in: a value stays within its string, whatever somebody types."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iam.access.templates.body import TemplateBody, TemplateError, texts_in
from iam.access.templates.parameters import FORMS, ParameterKind, TemplateParameter


def body(
    *parameters: dict[str, Any], statements: list[dict[str, Any]] | None = None, **changes: Any
) -> dict[str, Any]:
    """A template of one bucket, or of the parameters that are given."""
    return {
        "title": "Read one bucket",
        "description": "See the files of a bucket.",
        "category": "storage",
        "risk": "low",
        "hours": 8,
        "parameters": list(parameters) or [{"name": "bucket", "kind": "bucket", "label": "Bucket"}],
        "statements": statements
        or [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::{{bucket}}/*"}],
        **changes,
    }


HOSTILE = [
    "",
    "*",
    "pay-*",
    "pay?",
    'x","Resource":"*',
    'x"',
    "x\\",
    "${aws:username}",
    "x/*",
    "x:y",
    "x\n",
    "x\x00y",
    "{{account}}",
    "\u202ebucket",
    "bücket",
    "x" * 64,
    "ＡＢＣ",
]


@pytest.mark.parametrize("value", HOSTILE)
def test_no_value_of_a_bucket_is_anything_but_a_bucket(value: str) -> None:
    with pytest.raises(TemplateError) as refused:
        TemplateBody.from_json(body()).render({"bucket": value})
    assert list(refused.value.fields) == ["bucket"]


@settings(max_examples=80)
@given(
    kind=st.sampled_from(ParameterKind), value=st.text(max_size=40), wild=st.booleans(), many=st.booleans()
)
def test_what_is_taken_stays_within_its_string(
    kind: ParameterKind, value: str, wild: bool, many: bool
) -> None:
    """Of whatever is typed, the document keeps its shape, and holds no variable and no wildcard that was not
    allowed.
    """
    parameter = TemplateParameter("p", kind, "P", wildcard=wild, many=many)
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["<{{p}}>"]}
    made = TemplateBody.from_json(body(parameter.body, statements=[statement]))
    try:
        document = made.render({"p": value})
    except TemplateError:
        return
    again = json.loads(json.dumps(document))
    assert set(again["Statement"][0]) == {"Effect", "Action", "Resource"}
    for resource in again["Statement"][0]["Resource"]:
        inner = resource[1:-1]
        assert resource == f"<{inner}>"
        assert not set(inner) & set('"\\${}\n\r\t\x00')
        assert wild or not set(inner) & set("*?")


@pytest.mark.parametrize("kind", ParameterKind)
def test_the_example_of_each_kind_is_taken(kind: ParameterKind) -> None:
    TemplateParameter("p", kind, "P").check(FORMS[kind].example)


def test_several_values_stand_beside_each_other() -> None:
    many = {"name": "bucket", "kind": "bucket", "label": "Buckets", "many": True}
    document = TemplateBody.from_json(body(many)).render({"bucket": "one-a, two-b\nthree-c, one-a"})
    assert document["Statement"][0]["Resource"] == [
        "arn:aws:s3:::one-a/*",
        "arn:aws:s3:::two-b/*",
        "arn:aws:s3:::three-c/*",
    ]


def test_account_and_partition_are_those_of_the_account() -> None:
    statement = {
        "Effect": "Allow",
        "Action": "sqs:SendMessage",
        "Resource": "arn:{{partition}}:sqs:*:{{account}}:x",
    }
    made = TemplateBody.from_json(body(statements=[statement]) | {"parameters": []})
    document = made.render({}, account_id="222233334444", partition="aws-cn")
    assert document["Statement"][0]["Resource"] == "arn:aws-cn:sqs:*:222233334444:x"


def test_a_placeholder_stands_in_the_name_of_a_condition_key() -> None:
    tag = {"name": "key", "kind": "tag_key", "label": "Tag"}
    statement = {
        "Effect": "Allow",
        "Action": "ec2:StartInstances",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:ResourceTag/{{key}}": "x"}},
    }
    document = TemplateBody.from_json(body(tag, statements=[statement])).render({"key": "team"})
    assert document["Statement"][0]["Condition"] == {"StringEquals": {"aws:ResourceTag/team": "x"}}


def test_every_wrong_value_is_said_at_once() -> None:
    two = [{"name": "bucket", "kind": "bucket"}, {"name": "region", "kind": "region"}]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "{{bucket}}{{region}}"}
    with pytest.raises(TemplateError) as refused:
        TemplateBody.from_json(body(*two, statements=[statement])).values({"bucket": "A", "region": "Mars"})
    assert set(refused.value.fields) == {"bucket", "region"}


def test_a_parameter_that_is_not_there_is_refused() -> None:
    with pytest.raises(TemplateError, match="no parameter other"):
        TemplateBody.from_json(body()).values({"bucket": "docs", "other": "x"})


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"title": ""}, "title"),
        ({"description": ""}, "description"),
        ({"category": "x"}, "category"),
        ({"risk": "none"}, "risk"),
        ({"hours": -1}, "hours"),
        ({"hours": "8"}, "hours"),
        ({"hours": True}, "hours"),
        ({"statements": []}, "at least one"),
        ({"statements": ["x"]}, "objects"),
        ({"parameters": []}, "No parameter is named"),
        ({"parameters": [{"name": "bucket", "kind": "bucket"}] * 2}, "needs its own name"),
        ({"parameters": [{"name": "account", "kind": "account"}]}, "needs its own name"),
        ({"parameters": [{"name": "bucket", "kind": "shoe"}]}, "no kind"),
        ({"parameters": [{"name": "Bu", "kind": "bucket"}]}, "lowercase letters"),
        ({"parameters": [{"name": "bucket", "kind": "bucket", "default": "*"}]}, "Wildcards"),
        ({"parameters": [{"name": "bucket", "kind": "bucket", "evil": 1}]}, "means nothing"),
        ({"statements": [{"Resource": "{{bucket}"}]}, "written"),
        ({"statements": [{"Resource": "x"}]}, "don’t use the parameter"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused_in_words(change: dict[str, Any], why: str) -> None:
    with pytest.raises(TemplateError, match=why):
        TemplateBody.from_json(body() | change)


def test_nothing_of_the_statements_is_left_to_be_filled_in() -> None:
    document = TemplateBody.from_json(body()).render({"bucket": "docs"})
    assert all("{{" not in text for text, _ in texts_in(document))
