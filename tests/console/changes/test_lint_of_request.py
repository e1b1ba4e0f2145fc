"""Every policy text that a request writes is checked, and each finding names its policy where there are
several.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from console.changes import act_text
from console.changes.act_text import lint_of
from iam.changes.operations import CreatePolicy, PutInlinePolicy
from iam.changes.operations.policy_version import CreatePolicyVersion
from iam.changes.operations.principals import ReplaceTrustPolicy
from tests import factories as make

pytestmark = pytest.mark.django_db


def text(action: str) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    )


def rows(context: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row.policy, row.finding.message) for row in context["findings"]]


def test_each_text_of_a_request_is_checked_and_named() -> None:
    account = make.account()
    role, policy = make.role(account, "deploy"), make.policy(account, "ReadLedger")
    trust = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}],
        }
    )
    checked = lint_of(
        [
            PutInlinePolicy.of(role, name="access", text=text("s3:GetNothing")),
            CreatePolicy.of(account, name="Fresh", text=text("sqs:SendNothing")),
            CreatePolicyVersion.of(policy, text=text("ec2:RunNothing")),
            ReplaceTrustPolicy.of(role, document=trust),
        ]
    )
    by_policy: dict[str, str] = {}
    for name, message in rows(checked):
        by_policy[name] = f"{by_policy.get(name, '')} {message}"
    assert set(by_policy) == {
        "Inline policy access of role deploy",
        "Policy Fresh",
        "Policy ReadLedger",
        "Trust policy of role deploy",
    }
    for name, word in (
        ("Inline policy access of role deploy", "s3:GetNothing"),
        ("Policy Fresh", "sqs:SendNothing"),
        ("Policy ReadLedger", "ec2:RunNothing"),
    ):
        assert word in by_policy[name]
    assert checked["text_count"] == 4
    assert not checked["unchecked_texts"]


def test_a_fault_in_any_text_is_a_fault_of_the_request() -> None:
    role = make.role(make.account(), "deploy")
    good, bad = text("s3:GetObject"), json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Alow"}]})
    for texts in ((good, bad), (bad, good)):
        checked = lint_of(
            PutInlinePolicy.of(role, name=f"p{number}", text=document)
            for number, document in enumerate(texts)
        )
        assert checked["is_faulty"]
    assert not lint_of([PutInlinePolicy.of(role, name="p", text=good)])["is_faulty"]


def test_one_text_for_many_is_checked_once_and_one_alone_is_not_named() -> None:
    account = make.account()
    roles = [make.role(account, f"role{number}") for number in range(40)]
    same = [PutInlinePolicy.of(role, name="access", text=text("s3:GetNothing")) for role in roles]
    alone = lint_of(same[:1])
    assert rows(lint_of(same)) == rows(alone)
    assert {name for name, _ in rows(alone)} == {""}
    other = lint_of([*same, PutInlinePolicy.of(roles[0], name="more", text=text("sqs:SendNothing"))])
    assert {name for name, _ in rows(other)} == {
        "Inline policy access of role role0 and 39 others",
        "Inline policy more of role role0",
    }


def test_texts_that_are_not_checked_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(act_text, "MAX_TEXTS", 2)
    role = make.role(make.account(), "deploy")
    checked = lint_of(
        PutInlinePolicy.of(role, name=f"p{n}", text=text(f"s3:GetNothing{n}")) for n in range(5)
    )
    assert (checked["text_count"], checked["unchecked_texts"]) == (5, 3)


def test_nothing_is_said_where_no_text_is_written() -> None:
    assert lint_of([]) == {}
