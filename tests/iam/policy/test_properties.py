"""What holds for every request and every set of policies."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings

from iam.policy.compiled import REMEMBERED, PolicyKind, compile_set
from iam.policy.document import read
from iam.policy.evaluate import EvaluationDecision, decide
from iam.policy.explain import ReasonOutcome, explain
from iam.policy.lines import answer, question
from tests.iam.policy import naive
from tests.iam.policy.cases.notation import allow, policy
from tests.iam.policy.naive_matching import listed
from tests.iam.policy.worlds import Line, World, worlds

RANKS = {"explicitly_denied": 0, "implicitly_denied": 0, "conditional": 1, "allowed": 2}
WANTED = {
    EvaluationDecision.ALLOWED: {ReasonOutcome.ALLOWS, ReasonOutcome.RULE},
    EvaluationDecision.EXPLICITLY_DENIED: {ReasonOutcome.DENIES},
    EvaluationDecision.IMPLICITLY_DENIED: {ReasonOutcome.MISSING, ReasonOutcome.RULE},
    EvaluationDecision.CONDITIONAL: {ReasonOutcome.DEPENDS},
}
"""Reasons of which an explanation must have one."""
MANY, SOME = 600, 150


def _repeatable(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
    )


def _decide(line: Line, *, strict: bool) -> str:
    return str(decide(*question(line, strict=strict)))


def _all_documents(line: Line) -> list[tuple[str, Any]]:
    """(kind, document) of every policy of a request."""
    all_documents: list[tuple[str, Any]] = []
    for kind, value in line["policies"].items():
        if kind == "resource":
            all_documents += [(kind, value)] if value else []
        elif kind in {"scps", "rcps"}:
            all_documents += [(kind, document) for level in value for document in level]
        else:
            all_documents += [(kind, document) for document in value]
    return all_documents


def _all_statements(line: Line) -> list[Any]:
    return [statement for _, document in _all_documents(line) for statement in document["Statement"]]


def _both(line: Line) -> list[str]:
    return [_decide(line, strict=strict) for strict in (True, False)]


@_repeatable(MANY)
@given(worlds())
def test_the_engine_decides_as_the_plain_engine_does(world: World) -> None:
    line = world.line()
    assert _decide(line, strict=True) == naive.decide(line)


@_repeatable(SOME)
@given(worlds())
def test_an_explanation_decides_as_the_decision_does(world: World) -> None:
    line = world.line()
    for strict in (True, False):
        request, policies = question(line, strict=strict)
        explanation = explain(request, policies)
        assert explanation.decision == decide(request, policies)
        assert answer(json.dumps(line), strict=strict)["decision"] == explanation.decision
        assert {reason.outcome for reason in explanation.reasons} & WANTED[explanation.decision]


@_repeatable(SOME)
@given(worlds())
def test_what_is_decided_while_keys_are_open_holds_whatever_they_are(world: World) -> None:
    line = world.line()
    decide = _decide(line, strict=False)
    if decide == "conditional":
        return
    for rest in ({}, world.context(), world.context()):
        completed = line | {"context": rest | line["context"]}
        decided = _decide(completed, strict=True)
        assert decided == naive.decide(completed)
        # A deny that is open makes no difference to what nothing allows, except that it may become explicit.
        assert decided == decide or (decided, decide) == ("explicitly_denied", "implicitly_denied")


@_repeatable(SOME)
@given(worlds())
def test_one_more_deny_never_allows_more(world: World) -> None:
    line = world.line()
    documents = _all_documents(line)
    if not documents:
        return
    kind, document = world.chance.choice(documents)
    before = _both(line)
    document["Statement"].append(world.statement(kind=kind, effect="Deny"))
    assert all(RANKS[new] <= RANKS[old] for old, new in zip(before, _both(line), strict=True))


@_repeatable(SOME)
@given(worlds())
def test_the_order_of_statements_policies_and_values_never_matters(world: World) -> None:
    line = world.line()
    before = _both(line)
    for kind, value in line["policies"].items():
        for level in value if kind in {"scps", "rcps"} else ():
            world.chance.shuffle(level)
        if isinstance(value, list):
            world.chance.shuffle(value)
    for _, document in _all_documents(line):
        world.chance.shuffle(document["Statement"])
        for statement in document["Statement"]:
            for value in statement.values():
                if isinstance(value, list):
                    world.chance.shuffle(value)
    assert _both(line) == before


def _wider(pattern: str, place: int) -> str:
    """A pattern that fits at least what the given one fits."""
    at = place % (len(pattern) + 1)
    letter = pattern[at : at + 1]
    if place % 2 and letter and letter not in "*:":
        return f"{pattern[:at]}?{pattern[at + 1 :]}"
    return f"{pattern[:at]}*"


@_repeatable(SOME)
@given(worlds())
def test_a_wider_pattern_never_allows_less(world: World) -> None:
    line = world.line()
    places = [
        (statement, element)
        for kind, document in _all_documents(line)
        for statement in document["Statement"]
        for element in ("Action", "Resource")
        # In a session policy a pattern cut short may be an incomplete ARN, which has no place there.
        if statement["Effect"] == "Allow" and element in statement and kind != "session"
    ]
    if not places:
        return
    before = _both(line)
    statement, element = world.chance.choice(places)
    statement[element] = [
        item if "$" in item else _wider(item, world.chance.randint(0, 99))
        for item in listed(statement[element])
    ]
    assert all(RANKS[new] >= RANKS[old] for old, new in zip(before, _both(line), strict=True))


@_repeatable(SOME)
@given(worlds())
def test_a_statement_taken_apart_says_the_same(world: World) -> None:
    line = world.line()
    before = _both(line)
    for _, document in _all_documents(line):
        parts_of = []
        for statement in document["Statement"]:
            element = world.one(("Action", "Resource"))
            parts = [statement | {element: item} for item in listed(statement.get(element, []))]
            parts_of += parts or [statement]
        document["Statement"] = parts_of
    assert _both(line) == before


def test_statements_remember_a_bounded_number_of_actions() -> None:
    policy_set = compile_set([("x", read(policy(allow("s3:*", sid="x"))))], kind=PolicyKind.IDENTITY)
    for number in range(REMEMBERED + 2):
        assert len(policy_set.speaking_of(f"s3:get{number}")) == 1
        assert policy_set.speaking_of(f"ec2:get{number}") == ()
    assert len(policy_set._by_action) <= REMEMBERED


@_repeatable(SOME)
@given(worlds())
def test_upper_and_lower_case_of_actions_and_keys_never_matters(world: World) -> None:
    line = world.line()
    before = _both(line)
    line["action"] = line["action"].swapcase()
    line["context"] = {key.swapcase(): value for key, value in line["context"].items()}
    for statement in _all_statements(line):
        for element in {"Action", "NotAction"} & statement.keys():
            statement[element] = [item.swapcase() for item in listed(statement[element])]
    assert _both(line) == before
