"""What an answer says beside the decisions: what it cannot know, why, and in which order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import WITH_ROOT, AccessQuestion
from iam.policy.index.rows import AccountRows, OrganizationStanding, PolicyHoldings, PrincipalRow
from tests.iam.policy.index.organisations import Organisation

ONE, TWO = "111111111111", "222222222222"
KEY = f"arn:aws:kms:eu-west-1:{ONE}:key/1"


def index(
    *text_or_body: dict[str, Any] | str, number: str = ONE, into: Organisation | None = None
) -> PolicyIndex:
    """An account in which each user holds one statement, or a document as text."""
    organisation = into or Organisation()
    people = []
    for place, row in enumerate(text_or_body):
        text = row if isinstance(row, str) else json.dumps({"Version": "2012-10-17", "Statement": [row]})
        grants = PolicyHoldings((("own", organisation.digest(text)),))
        people.append(
            PrincipalRow(int(number[:1]) * 100 + place, f"arn:aws:iam::{number}:user/u{place}", "", grants)
        )
    organisation.accounts.append(AccountRows(people, (), (), (), number, "aws", OrganizationStanding()))
    return organisation.index()


def say(effect: str, action: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": action, "Resource": resource, **more}


def kinds(index: PolicyIndex, question: AccessQuestion) -> list[str]:
    return [limit.kind for limit in index.who_can(question).limitations]


def test_a_key_whose_policy_is_not_known_makes_everybody_conditional() -> None:
    built_index = index(say("Allow", "kms:Decrypt"), say("Allow", "s3:*"))
    answer = built_index.who_can(AccessQuestion("kms:Decrypt", KEY))
    assert [(m.name, str(each.decision)) for each in answer.groups_of() for m in each.members] == [
        ("u0", "conditional")
    ]
    assert kinds(built_index, AccessQuestion("kms:Decrypt", KEY)) == [
        "resource-policy",
        "other-accounts",
        "kms-grants",
    ]


def test_a_key_policy_that_is_given_decides() -> None:
    built_index = index(say("Allow", "kms:Decrypt"))
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": ONE}, "Action": "kms:*", "Resource": "*"}],
    }
    answer = built_index.who_can(AccessQuestion("kms:Decrypt", KEY, resource_policy=policy))
    assert answer.count(EvaluationDecision.ALLOWED) == 1
    assert [limit.kind for limit in answer.limitations] == ["kms-grants"]


def test_grants_of_keys_are_told_of_only_where_one_could_allow_it() -> None:
    built_index = index(say("Allow", "kms:*"))
    assert "kms-grants" in kinds(built_index, AccessQuestion("kms:GenerateDataKey", KEY))
    assert "kms-grants" not in kinds(built_index, AccessQuestion("kms:PutKeyPolicy", KEY))


def test_principals_of_other_accounts_are_left_out_and_that_is_told() -> None:
    organisation = Organisation()
    index(say("Allow", "sqs:*"), into=organisation)
    built_index = index(say("Allow", "sqs:*"), number=TWO, into=organisation)
    question = AccessQuestion("sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{ONE}:queue")
    assert {member.account for member in built_index.who_can(question).members()} == {ONE}
    assert kinds(built_index, question) == ["other-accounts"]


def test_a_bucket_is_taken_to_be_in_each_principals_own_account_unless_one_is_named() -> None:
    organisation = Organisation()
    index(say("Allow", "s3:*"), into=organisation)
    built_index = index(say("Allow", "s3:*"), number=TWO, into=organisation)
    question = AccessQuestion("s3:GetObject", "arn:aws:s3:::data/x")
    assert {member.account for member in built_index.who_can(question).members()} == {ONE, TWO}
    assert kinds(built_index, question) == ["own-account"]
    named = AccessQuestion("s3:GetObject", "arn:aws:s3:::data/x", resource_account=TWO)
    assert {member.account for member in built_index.who_can(named).members()} == {TWO}


def test_a_document_that_cannot_be_read_is_told_of_and_the_rest_answers() -> None:
    built_index = index("{", say("Allow", "s3:*"))
    question = AccessQuestion("s3:GetObject", "arn:aws:s3:::data/x")
    answer = built_index.who_can(question)
    assert [member.name for member in answer.members()] == ["u1"]
    assert answer.limitations[-1].kind == "unreadable"
    assert answer.limitations[-1].accounts == (ONE,)


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        ("arn:aws:s3:::prod-data/*", "allowed"),
        ("arn:aws:s3:::prod-*", "allowed"),
        ("arn:aws:s3:::pro*", "conditional"),
        ("arn:aws:s3:::test-*", "none"),
    ],
)
def test_a_pattern_is_allowed_when_all_of_it_is_and_conditional_when_some_is(
    resource: str, expected: str
) -> None:
    built_index = index(say("Allow", "s3:*", "arn:aws:s3:::prod-*"))
    decisions = [
        str(each.decision)
        for each in built_index.who_can(AccessQuestion("s3:GetObject", resource)).groups_of()
    ]
    assert decisions == ([expected] if expected != "none" else [])


def test_what_a_conditional_answer_depends_on_is_told() -> None:
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    built_index = index(say("Allow", "s3:*", "arn:aws:s3:::prod-*", Condition=mfa))
    question = AccessQuestion("s3:GetObject", "arn:aws:s3:::pro*")
    (member,) = built_index.who_can(question).members(EvaluationDecision.CONDITIONAL)
    explanation = built_index.explain(member, question)
    assert explanation.decision is EvaluationDecision.CONDITIONAL
    assert explanation.open_conditions == (
        "Bool aws:MultiFactorAuthPresent: true",
        "Resource: arn:aws:s3:::prod-*",
    )
    assert explanation.reasons[0].policy == "inline policy own"
    assert built_index.decide(member, question) is EvaluationDecision.CONDITIONAL


def test_root_users_are_found_when_they_are_asked_for() -> None:
    built_index = index(say("Allow", "ec2:*"))
    question = AccessQuestion("s3:GetObject", "arn:aws:s3:::data/x")
    assert built_index.who_can(question).names() == []
    with_root = AccessQuestion("s3:GetObject", "arn:aws:s3:::data/x", kinds=WITH_ROOT)
    assert built_index.who_can(with_root).names() == [f"arn:aws:iam::{ONE}:root"]


def test_pages_are_sorted_and_follow_each_other() -> None:
    organisation = Organisation()
    index(*(say("Allow", "s3:*") for _ in range(5)), number=TWO, into=organisation)
    built_index = index(*(say("Allow", "s3:*") for _ in range(4)), into=organisation)
    answer = built_index.who_can(AccessQuestion("s3:GetObject", "arn:aws:s3:::data/x"))
    seen: list[str] = []
    after = ("", "")
    while page := answer.page(size=4, after=after):
        seen += [member.arn for member, _ in page]
        after = (page[-1][0].account, page[-1][0].arn)
    assert seen == sorted(seen)
    assert len(seen) == answer.count(EvaluationDecision.ALLOWED) == 9


def test_everything_is_one_resource_for_an_action_that_takes_none() -> None:
    assert AccessQuestion("s3:GetObject", "*").asks_for_pattern
    assert not AccessQuestion("s3:ListAllMyBuckets", "*").asks_for_pattern
    built_index = index(say("Allow", "s3:*", "arn:aws:s3:::prod-*"))
    assert built_index.who_can(AccessQuestion("s3:ListAllMyBuckets", "*")).names() == []
    assert built_index.who_can(AccessQuestion("s3:GetObject", "*")).count(EvaluationDecision.CONDITIONAL) == 1
