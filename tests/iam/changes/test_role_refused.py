"""A write role that can't be assumed: no statement in its policy would help, so nobody is told to add one."""

from __future__ import annotations

import pytest

from iam.aws.errors import AwsError, ErrorKind
from iam.changes.runner import outcome_texts
from iam.mirror.accounts.discover import sentence

REFUSED = AwsError(
    "User: arn:aws:iam::111111111111:user/hub is not authorized to perform: sts:AssumeRole on resource: x",
    kind=ErrorKind.DENIED,
    action="sts:AssumeRole",
    code="AccessDenied",
    permission="sts:AssumeRole",
    request_id="4be1",
)


@pytest.mark.parametrize(
    "sentence",
    [
        outcome_texts.failed(REFUSED),
        outcome_texts.in_doubt(REFUSED),
        outcome_texts.retried(REFUSED, seconds=5),
        sentence(REFUSED),
    ],
)
def test_it_says_that_the_role_could_not_be_assumed(sentence: str) -> None:
    assert "assume" in sentence
    assert "AWS denied sts:AssumeRole" not in sentence
    assert "Add the permission" not in sentence
    assert "AWS says: User: arn:aws:iam::111111111111:user/hub" in sentence


def test_any_other_denial_names_what_to_add() -> None:
    denied = AwsError("no", kind=ErrorKind.DENIED, action="iam:CreateUser", permission="iam:CreateUser")
    assert "Add the permission" in outcome_texts.failed(denied)
    assert "AWS denied iam:CreateUser" in sentence(denied)
