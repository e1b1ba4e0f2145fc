"""The smallest policy that allows what was used: never more than before, and all that was used."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.least_privilege import (
    PolicyText,
    ReducedPolicy,
    generalized,
    reduce_policies,
    without_services,
)
from iam.policy.request import Principal, Request

MAYA = Principal("arn:aws:iam::111111111111:user/maya", tags={})
BUCKET = "arn:aws:s3:::pay-ledger"
RECORDED = frozenset({"s3", "dynamodb", "lambda", "sqs", "sns"})
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def _text(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def _allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def _call(action: str, resource: str = "*", **context: Any) -> Request:
    return Request(action, resource, MAYA, context=context, is_any_time=True)


def _reduced(text: str, *calls: Request, recorded: frozenset[str] = RECORDED) -> list[dict[str, Any]]:
    reduced = reduce_policies([PolicyText("P", text)], calls, recorded_services=recorded)
    return list(json.loads(reduced.text)["Statement"]) if reduced.text else []


def test_only_used_actions_and_resources_stay_and_conditions_are_kept() -> None:
    text = _text(_allow("s3:*", Sid="Files", Condition=MFA), _allow("ec2:*"))
    (statement,) = _reduced(text, _call("s3:GetObject", f"{BUCKET}/2026/a.csv"))
    assert statement == {
        "Effect": "Allow",
        "Action": ["s3:GetObject"],
        "Resource": [f"{BUCKET}/*"],
        "Sid": "Files",
        "Condition": MFA,
    }


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("*", [f"{BUCKET}/*"]),
        (f"{BUCKET}/*", f"{BUCKET}/*"),
        (f"{BUCKET}/2026/*", f"{BUCKET}/2026/*"),
        ("arn:aws:s3:::pay-*", [f"{BUCKET}/*"]),
        ("arn:aws:s3:::*ledger/*.csv", "arn:aws:s3:::*ledger/*.csv"),
        ([f"{BUCKET}/2026/*", "arn:aws:s3:::other/*"], [f"{BUCKET}/2026/*"]),
        ("arn:aws:s3:::pay-ledger/${aws:username}/*", "arn:aws:s3:::pay-ledger/${aws:username}/*"),
    ],
)
def test_a_generalized_resource_never_leaves_what_the_statement_names(patterns: Any, expected: Any) -> None:
    name = "maya" if "${" in str(patterns) else "2026"
    (statement,) = _reduced(
        _text(_allow("s3:Get*", patterns)), _call("s3:GetObject", f"{BUCKET}/{name}/a.csv")
    )
    assert statement["Resource"] == expected


def test_a_resource_that_is_not_recorded_keeps_those_of_the_statement() -> None:
    resources = ["arn:aws:iam::111111111111:user/a", "arn:aws:iam::111111111111:user/b"]
    (statement,) = _reduced(_text(_allow("iam:*", resources)), _call("iam:ListAccessKeys"))
    assert statement["Action"] == ["iam:ListAccessKeys", "iam:PassRole"]
    assert statement["Resource"] == resources


def test_actions_about_several_resources_keep_those_of_the_statement() -> None:
    (statement,) = _reduced(
        _text(_allow("ec2:*")), _call("ec2:RunInstances", "arn:aws:ec2:eu-west-1:111111111111:instance/i-1")
    )
    assert (statement["Action"], statement["Resource"]) == (["ec2:RunInstances"], "*")


def test_denies_stay_as_they_are() -> None:
    deny = {"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"}
    assert _reduced(_text(_allow("s3:*"), deny)) == [deny]


def test_what_no_event_would_tell_is_kept() -> None:
    text = _text(_allow("s3:*"))
    kept = _reduced(text, _call("s3:ListAllMyBuckets"), recorded=frozenset())
    actions = [action for statement in kept for action in statement["Action"]]
    assert {"s3:GetObject*", "s3:PutObject*", "s3:ListAllMyBuckets"} <= set(actions)
    # Where the trail records them, their absence says that they were not used.
    assert _reduced(text, _call("s3:ListAllMyBuckets"))[0]["Action"] == ["s3:ListAllMyBuckets"]
    assert _reduced(_text(_allow(["iam:PassRole", "iam:CreateUser"])))[0]["Action"] == ["iam:PassRole"]


def test_an_allow_of_all_but_some_becomes_what_was_used() -> None:
    text = _text({"Effect": "Allow", "NotAction": ["iam:*", "s3:*"], "Resource": "*"})
    statements = _reduced(text, _call("ec2:DescribeInstances"))
    assert [
        action for statement in statements for action in statement["Action"] if action.startswith("ec2:")
    ] == ["ec2:DescribeInstances"]
    assert all("NotAction" not in statement for statement in statements)


def test_a_call_that_a_fixed_policy_allows_needs_no_other() -> None:
    group = PolicyText("Group", _text(_allow("s3:GetObject")), is_fixed=True)
    own = PolicyText("Own", _text(_allow("s3:*")))
    call = _call("s3:GetObject", f"{BUCKET}/a")
    reduced = reduce_policies([own, group], [call], recorded_services=RECORDED)
    assert reduced.text == ""
    assert [part.is_removed for part in reduced.statements] == [True]


def test_a_document_that_is_older_than_variables_is_refused() -> None:
    with pytest.raises(ValueError, match="can’t be reduced"):
        _reduced(_text(_allow("s3:*"), version="2008-10-17"))


def test_an_event_that_names_no_permission_keeps_what_is_said_of_its_service() -> None:
    (statement,) = _reduced(_text(_allow(["sqs:Send*", "sqs:*Queue"])), _call("sqs:SendSomethingNew"))
    assert statement["Action"] == ["sqs:*Queue", "sqs:Send*"]
    assert _reduced(_text(_allow("*")), _call("sqs:SendSomethingNew"))[-1]["Action"]


def test_an_object_stands_for_its_bucket_and_a_stream_for_its_group() -> None:
    assert generalized(f"{BUCKET}/a/b") == f"{BUCKET}/*"
    assert generalized(BUCKET) == BUCKET
    group = "arn:aws:logs:eu-west-1:111111111111:log-group:/app"
    assert generalized(f"{group}:log-stream:x/y") == f"{group}:*"


ACTIONS = ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "iam:ListUsers", "iam:GetUser", "iam:PassRole",
           "sqs:SendMessage", "ec2:DescribeInstances", "ec2:RunInstances", "kms:Decrypt", "logs:StartQuery",
           "sqs:Nonsense")  # fmt: skip
PATTERNS = (
    "*",
    "s3:*",
    "s3:Get*",
    "s3:?etObject",
    "iam:*",
    "iam:List*",
    "sqs:*",
    "ec2:*",
    "*:Get*",
    *ACTIONS,
)
RESOURCES = ("*", f"{BUCKET}/a.csv", f"{BUCKET}/2026/b.csv", "arn:aws:s3:::other/c", BUCKET,
             "arn:aws:iam::111111111111:user/maya", "arn:aws:iam::111111111111:user/people/tomas",
             "arn:aws:sqs:eu-west-1:111111111111:orders", "arn:aws:s3:::maya/c")  # fmt: skip
WIDE = (
    "*",
    f"{BUCKET}/*",
    f"{BUCKET}*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::*/c",
    "arn:aws:s3:::${aws:username}/*",
    "arn:aws:iam::*:user/*",
    "arn:aws:iam::111111111111:user/people/?omas",
    "arn:aws:sqs:*:*:ord*",
    *RESOURCES,
)
CONTEXTS = ({}, {"aws:MultiFactorAuthPresent": "true"}, {"aws:MultiFactorAuthPresent": "false"},
            {"aws:RequestedRegion": "eu-west-1"})  # fmt: skip
CONDITIONS = (
    {},
    {},
    {"Condition": MFA},
    {"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}},
)


def _random_statement(chance: random.Random, number: int) -> dict[str, Any]:
    action = "NotAction" if chance.random() < 0.1 else "Action"
    resource = "NotResource" if chance.random() < 0.1 else "Resource"
    statement = {
        "Effect": "Deny" if chance.random() < 0.15 else "Allow",
        action: chance.sample(PATTERNS, chance.randint(1, 3)),
        resource: chance.sample(WIDE, chance.randint(1, 3)),
    }
    if chance.random() < 0.5:
        statement["Sid"] = f"S{number}"
    return statement | chance.choice(CONDITIONS)


def _compiled(texts: list[str]) -> RequestPolicies:
    documents = [(str(number), read(text)) for number, text in enumerate(texts) if text]
    return RequestPolicies(compile_set(documents, kind=PolicyKind.IDENTITY))


@pytest.mark.parametrize("seed", range(100))
def test_nothing_is_allowed_that_was_not_and_all_that_was_used_still_is(seed: int) -> None:
    chance = random.Random(seed)
    texts = []
    for _ in range(chance.randint(1, 3)):
        statements = [_random_statement(chance, number) for number in range(chance.randint(1, 4))]
        texts.append(_text(*statements))
    asked = [
        Request(action, resource, MAYA, context=context, strict=strict, is_any_time=True)
        for action in ACTIONS
        for resource in RESOURCES
        for context in CONTEXTS
        for strict in (True, False)
    ]
    policies_before = _compiled(texts)
    before = [decide(request, policies_before) for request in asked]
    allowed = [place for place, decision in enumerate(before) if decision is EvaluationDecision.ALLOWED]
    used = [asked[place] for place in chance.sample(allowed, min(len(allowed), chance.randint(0, 12)))]
    recorded = RECORDED if chance.random() < 0.5 else frozenset[str]()
    is_fixed = len(texts) > 1 and chance.random() < 0.3
    policies = [PolicyText(str(n), text, is_fixed=is_fixed and n == 0) for n, text in enumerate(texts)]
    reduced: ReducedPolicy = reduce_policies(policies, used, recorded_services=recorded)
    after = _compiled([reduced.text, *texts[:1]] if is_fixed else [reduced.text])
    grants = (EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL)
    for request, was in zip(asked, before, strict=True):
        becomes = decide(request, after)
        if becomes is EvaluationDecision.ALLOWED:
            assert was is EvaluationDecision.ALLOWED, (request, reduced.text)
        if becomes is EvaluationDecision.CONDITIONAL:
            assert was in grants, (request, reduced.text)
    for request in used:
        assert decide(request, after) is EvaluationDecision.ALLOWED, (request, texts, reduced.text)


@pytest.mark.parametrize(
    ("action", "kept"),
    [
        (["s3:Get*", "sqs:SendMessage"], ["s3:Get*"]),
        (["S3:GetObject"], ["S3:GetObject"]),
        (["sqs:*"], []),
        (["s*:Get*"], ["s*:Get*"]),
        (["*"], ["*"]),
        (["iam:ListUsers", "iam:PassRole"], ["iam:PassRole"]),
        (["other:Act"], ["other:Act"]),
    ],
)
def test_services_that_were_not_used_are_left_out(action: list[str], kept: list[str]) -> None:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    reduced = without_services([PolicyText("P", text)], frozenset({"sqs", "iam"}))
    statements = json.loads(reduced.text)["Statement"] if reduced.text else []
    assert [each["Action"] for each in statements] == [kept] * bool(kept)
    assert reduced.statements[0].is_removed == (not kept)


def test_denies_and_not_action_stay_without_services() -> None:
    deny = {"Effect": "Deny", "Action": "sqs:*", "Resource": "*"}
    others = {"Effect": "Allow", "NotAction": "sqs:*", "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [deny, others]})
    reduced = without_services([PolicyText("P", text)], frozenset({"sqs"}))
    assert json.loads(reduced.text)["Statement"] == [deny, others]
