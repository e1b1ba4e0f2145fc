"""What the lint proposes for a name that nobody knows, put in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.apps import apps

from iam.access.fixes import fixed, key_of
from iam.mirror.models import PolicyVersion
from iam.policy.lint import lint
from tests import factories
from tests.console.access.editor.conftest import Desk, text

BODY = '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": %s, "Resource": "*"%s}]}'


@pytest.mark.parametrize(
    ("document", "mended"),
    [
        (BODY % ('"s3:GetObjekt"', ""), BODY % ('"s3:GetObject"', "")),
        (BODY % ('["s3:ListBucket", "lamda:Invoke"]', ""), BODY % ('["s3:ListBucket", "lambda:Invoke"]', "")),
        (
            BODY % ('"s3:*"', ', "Condition": {"ForAnyValue:StringLkie": {"aws:username": "x"}}'),
            BODY % ('"s3:*"', ', "Condition": {"ForAnyValue:StringLike": {"aws:username": "x"}}'),
        ),
        (
            BODY % ('"s3:*"', ', "Condition": {"StringLike": {"aws:usernam": "x"}}'),
            BODY % ('"s3:*"', ', "Condition": {"StringLike": {"aws:username": "x"}}'),
        ),
        (BODY.replace("Effect", "Efect") % ('"s3:*"', ""), BODY % ('"s3:*"', "")),
    ],
)
def test_a_proposal_is_put_in_the_place_of_the_name(document: str, mended: str) -> None:
    proposed = [finding for finding in lint(document, kind="identity") if key_of(finding)]
    assert [fixed(document, finding=finding) for finding in proposed] == [mended]


@pytest.mark.parametrize(
    "document",
    [
        BODY % ('"s3:GetZebra"', ""),
        BODY % ('"s3:*"', ', "Condition": {"StringLike": {"aws:username": "${aws:usernam}"}}'),
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*"',
    ],
)
def test_where_nothing_is_proposed_for_the_whole_name_nothing_can_be_put_there(document: str) -> None:
    findings = lint(document, kind="identity")
    assert findings
    assert {key_of(finding) for finding in findings} == {""}
    assert {fixed(document, finding=finding) for finding in findings} == {document}


def test_the_button_mends_its_own_place_and_leaves_the_rest(desk: Desk) -> None:
    document = text("s3:GetObjekt", "s3:PutObjekt")
    shown = desk.post(document).content.decode()
    assert 'name="fix" value="8:9:INVALID_ACTION"' in shown

    answer = desk.post(document, do="", fix="8:9:INVALID_ACTION").content.decode()

    assert "&quot;s3:PutObject&quot;" in answer
    assert "&quot;s3:GetObjekt&quot;" in answer
    assert 'value="8:9' not in answer


def test_a_place_that_is_no_longer_there_changes_nothing(desk: Desk) -> None:
    document = text("s3:PutObject")
    for key in ("8:9:INVALID_ACTION", "999:1:X", "x", "7:9:INVALID_ACTION; drop"):
        answer = desk.post(document, do="", fix=key)
        assert "&quot;s3:PutObject&quot;" in answer.content.decode()
    assert json.loads(document)


def test_an_unknown_name_stops_a_request_unless_the_policy_has_it_already(desk: Desk) -> None:
    fresh = desk.post(text("s3:GetOld"))
    assert "no known action “s3:GetOld”" in fresh.content.decode()
    assert fresh.status_code == 422

    PolicyVersion.objects.filter(policy=desk.policy, is_default=True).update(
        document=factories.document(text("s3:GetOld"))
    )
    again = desk.post(text("s3:GetOld", "s3:GetObject"))
    assert again.status_code == 200
    assert "no known action “s3:GetOld”" in again.content.decode()


def test_names_that_the_settings_allow_are_warnings(desk: Desk, settings: Any) -> None:
    settings.NEWER_NAMES = ["s3:GetBrand*"]
    apps.get_app_config("console").ready()
    try:
        answer = desk.post(text("s3:GetBrandNew"))
    finally:
        settings.NEWER_NAMES = []
        apps.get_app_config("console").ready()
    assert answer.status_code == 200
    assert "no known action “s3:GetBrandNew”" in answer.content.decode()
    assert desk.post(text("s3:GetBrandNew")).status_code == 422
