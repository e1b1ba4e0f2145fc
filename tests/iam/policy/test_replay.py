"""Replay of one call: a table, and a comparison with the plain decision on random policies."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from iam.policy.compiled import PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.evaluate import EvaluationDecision, RequestPolicies, decide
from iam.policy.replay import PolicyChange, ReplayOutcome, replay
from iam.policy.request import Principal, Request

WHO = Principal("arn:aws:iam::111122223333:user/ana", tags={})
LEDGER = "arn:aws:s3:::pay-ledger/x"
MFA_KEY = "aws:MultiFactorAuthPresent"
MFA = {"Bool": {MFA_KEY: "true"}}


def _policy(effect: str, action: str, resource: str = "*", **condition: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource}
    return {"Version": "2012-10-17", "Statement": [statement | condition]}


def _set(*documents: dict[str, Any]) -> Any:
    named = [(f"policy {number}", read(json.dumps(each))) for number, each in enumerate(documents)]
    return compile_set(named, kind=PolicyKind.IDENTITY)


def _change(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> PolicyChange:
    changed = [each for each in before if each not in after] + [each for each in after if each not in before]
    return PolicyChange(
        RequestPolicies(identity=_set(*before)), RequestPolicies(identity=_set(*after)), (_set(*changed),)
    )


READ, WRITE = _policy("Allow", "s3:GetObject"), _policy("Allow", "s3:PutObject")
NO_S3, WITH_MFA = _policy("Deny", "s3:*"), _policy("Allow", "s3:GetObject", Condition=MFA)
MINE = _policy("Allow", "s3:GetObject", "arn:aws:s3:::${aws:username}/*")
CASES = {
    "the only policy goes": ([READ], [], False, "denied"),
    "another policy allows it too": ([READ, READ | {"Id": "second"}], [READ], False, "same"),
    "a policy about something else goes": ([READ, WRITE], [READ], False, "same"),
    "a deny comes": ([READ], [READ, NO_S3], False, "denied"),
    "a deny goes": ([READ, NO_S3], [READ], True, "allowed"),
    "what was denied is allowed": ([], [READ], True, "allowed"),
    "what was denied stays denied": ([WRITE], [], True, "same"),
    "it was allowed, and today's policies deny it already": ([WRITE], [], False, "same"),
    "a condition that the event does not tell": ([READ], [WITH_MFA], False, "undecided"),
    "the same condition before and after": ([WITH_MFA, WRITE], [WITH_MFA], False, "same"),
    "a policy that names its user": ([MINE], [], False, "same"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_becomes_of_a_call(name: str) -> None:
    before, after, was_denied, outcome = CASES[name]
    request = Request("s3:GetObject", LEDGER, WHO)
    assert replay(request, _change(before, after), was_denied=was_denied) == outcome


def _random_policy(chance: random.Random) -> dict[str, Any]:
    condition: dict[str, Any] = {}
    if chance.random() < 0.3:
        condition = {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": chance.choice(["true", "false"])}}}
    return _policy(
        chance.choice(["Allow", "Allow", "Deny"]),
        chance.choice(["s3:GetObject", "s3:Get*", "s3:*", "*", "s3:PutObject"]),
        chance.choice(["*", "arn:aws:s3:::pay-ledger/*", LEDGER, "arn:aws:s3:::other/*"]),
        **condition,
    )


DENIALS = (EvaluationDecision.EXPLICITLY_DENIED, EvaluationDecision.IMPLICITLY_DENIED)


@pytest.mark.parametrize("seed", range(300))
def test_a_call_of_which_everything_is_known_is_decided_as_the_engine_does(seed: int) -> None:
    chance = random.Random(seed)
    every = [_random_policy(chance) for _ in range(chance.randrange(1, 5))]
    after = [each for each in every if chance.random() < 0.6] + [_random_policy(chance)] * chance.randrange(2)
    request = Request(
        chance.choice(["s3:GetObject", "s3:PutObject"]),
        chance.choice([LEDGER, "arn:aws:s3:::other/y"]),
        WHO,
        context={MFA_KEY: chance.choice(["true", "false"])},
        strict=True,
    )
    change = _change(every, after)
    was_denied = decide(request, change.before) in DENIALS
    will_be_denied = decide(request, change.after) in DENIALS
    expected = ReplayOutcome.SAME
    if was_denied != will_be_denied:
        expected = ReplayOutcome.DENIED if will_be_denied else ReplayOutcome.ALLOWED
    assert replay(request, change, was_denied=was_denied) is expected


@pytest.mark.parametrize("seed", range(300))
def test_what_an_event_does_not_tell_never_makes_a_wrong_answer(seed: int) -> None:
    """An answer other than undecided holds whatever the unknown MFA state was."""
    chance = random.Random(seed)
    before = [_random_policy(chance) for _ in range(chance.randrange(1, 5))]
    change = _change(before, before[1:])
    answers = []
    for mfa in ("true", "false"):
        whole = Request("s3:GetObject", LEDGER, WHO, context={MFA_KEY: mfa}, strict=True)
        was_denied = decide(whole, change.before) in DENIALS
        answers.append((was_denied, replay(whole, change, was_denied=was_denied)))
    for was_denied, whole_answer in answers:
        told = replay(Request("s3:GetObject", LEDGER, WHO), change, was_denied=was_denied)
        assert told in (ReplayOutcome.UNDECIDED, whole_answer)
