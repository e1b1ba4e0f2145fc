"""A condition on the time is decided: the engine knows when it is asked, or about which moment, on every path
to an answer.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Final

import pytest

from iam.policy.evaluate import EvaluationDecision, decide
from iam.policy.explain import ReasonOutcome, explain
from iam.policy.index.dates import REFRESH_SECONDS
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion
from iam.policy.index.rows import AccountRows, PolicyHoldings, PrincipalRow, RowChanges
from iam.policy.index.scenario import ScenarioEdits, what_if
from iam.policy.lines import question
from iam.policy.operators import moment_of
from iam.policy.request import Principal, Request, time_text
from tests.iam.policy import naive
from tests.iam.policy.cases.notation import OBJECT, USER, allow, deny, policy
from tests.iam.policy.escalation.builders import EVERYTHING, NONE, SURE, World
from tests.iam.policy.index.organisations import ACCOUNTS, Organisation

NOW: Final = datetime.now(tz=UTC).replace(microsecond=0)
PASSED, TO_COME = "2001-02-03T04:05:06Z", "2999-02-03T04:05:06Z"
OPERATORS = ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals")
KEYS = ("aws:CurrentTime", "aws:EpochTime", "AWS:currenttime")


def _line(*statements: dict[str, Any], context: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "action": "s3:GetObject",
        "resource": OBJECT,
        "principal": USER,
        "context": context or {},
        "policies": {"identity": [policy(*statements)]},
    }


def _decide(line: dict[str, Any]) -> str:
    """What both engines say, and the quick one with and without keys that are open."""
    answers = {str(decide(*question(line, strict=strict))) for strict in (True, False)} | {naive.decide(line)}
    assert len(answers) == 1, (line, answers)
    return answers.pop()


def _epoch(date: str) -> str:
    return str(moment_of(date))


@pytest.mark.parametrize("if_exists", ["", "IfExists"])
@pytest.mark.parametrize(("operator", "key"), [*product(OPERATORS, KEYS)])
def test_what_has_passed_and_what_has_not_begun_is_decided(operator: str, key: str, if_exists: str) -> None:
    for date in (PASSED, TO_COME):
        is_past = date == PASSED
        expected = {
            "Equals": False,
            "NotEquals": True,
            "LessThan": not is_past,
            "LessThanEquals": not is_past,
            "GreaterThan": is_past,
            "GreaterThanEquals": is_past,
        }[operator]
        families = ["Date", "Numeric"] if key == "aws:EpochTime" else ["Date"]
        for family in families:
            when = {f"{family}{operator}{if_exists}": {key: _epoch(date) if family == "Numeric" else date}}
            assert (_decide(_line(allow(when=when))) == "allowed") is expected, when
            refused = _decide(_line(allow(), deny(when=when))) == "explicitly_denied"
            assert refused is expected, when


@pytest.mark.parametrize(
    ("when", "is_met"),
    [
        (
            {"DateGreaterThan": {"aws:CurrentTime": PASSED}, "DateLessThan": {"aws:CurrentTime": TO_COME}},
            True,
        ),
        (
            {"DateGreaterThan": {"aws:CurrentTime": TO_COME}, "DateLessThan": {"aws:CurrentTime": PASSED}},
            False,
        ),
        ({"DateGreaterThan": {"aws:CurrentTime": PASSED}, "DateLessThan": {"aws:EpochTime": PASSED}}, False),
        ({"DateEquals": {"aws:CurrentTime": [PASSED, TO_COME]}}, False),
        ({"DateLessThan": {"aws:CurrentTime": [PASSED, TO_COME]}}, True),
        ({"DateNotEquals": {"aws:CurrentTime": [PASSED, TO_COME]}}, True),
        ({"DateLessThan": {"aws:EpochTime": "4102444800"}}, True),
        ({"DateLessThan": {"aws:EpochTime": "981173106"}}, False),
        ({"NumericGreaterThan": {"aws:EpochTime": "981173106"}}, True),
        ({"Null": {"aws:CurrentTime": "true"}}, False),
        ({"Null": {"aws:CurrentTime": "false"}}, True),
        ({"Null": {"aws:EpochTime": ["true"]}}, False),
        ({"ForAnyValue:DateLessThan": {"aws:CurrentTime": PASSED}}, False),
        ({"ForAllValues:DateGreaterThan": {"aws:CurrentTime": PASSED}}, True),
        ({"DateLessThan": {"aws:CurrentTime": "soon"}}, False),
    ],
)
def test_ranges_lists_and_null(when: dict[str, Any], is_met: bool) -> None:
    assert (_decide(_line(allow(when=when))) == "allowed") is is_met
    assert (_decide(_line(allow(), deny(when=when))) == "explicitly_denied") is is_met


def test_another_condition_stays_open_beside_one_that_is_met_and_not_beside_one_that_has_passed() -> None:
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    until = {date: {"DateLessThan": {"aws:CurrentTime": date}} for date in (PASSED, TO_COME)}
    answers = [
        str(decide(*question(_line(allow(when=mfa | until[date])), strict=False)))
        for date in (PASSED, TO_COME)
    ]
    assert answers == ["implicitly_denied", "conditional"]


def test_a_time_in_the_context_goes_before_now_and_says_the_other_key() -> None:
    early = {"aws:CurrentTime": "2000-01-01T00:00:00Z"}
    assert _decide(_line(allow(when={"DateLessThan": {"aws:EpochTime": PASSED}}), context=early)) == "allowed"
    early = {"aws:EpochTime": "946684800"}
    assert (
        _decide(_line(allow(when={"DateLessThan": {"aws:CurrentTime": PASSED}}), context=early)) == "allowed"
    )
    assert _decide(_line(allow(when={"DateLessThan": {"aws:EpochTime": TO_COME}}))) == "allowed"


def test_a_moment_and_an_open_time() -> None:
    then = datetime(2000, 1, 1, tzinfo=UTC)
    asked = Request("s3:GetObject", OBJECT, Principal(USER), moment=then)
    assert asked.values("aws:currenttime") == ("2000-01-01T00:00:00Z",)
    assert asked.values("aws:epochtime") == ("946684800",)
    asked = Request("s3:GetObject", OBJECT, Principal(USER), is_any_time=True)
    assert asked.values("aws:currenttime") is None
    assert asked.values("aws:epochtime") is None


def test_an_explanation_names_the_date_that_closes_it() -> None:
    line = _line(allow(when={"DateLessThan": {"aws:CurrentTime": PASSED}}))
    explanation = explain(*question(line, strict=False))
    assert explanation.decision is EvaluationDecision.IMPLICITLY_DENIED
    (would,) = [reason for reason in explanation.reasons if reason.outcome is ReasonOutcome.WOULD]
    assert would.conditions == (f"DateLessThan aws:CurrentTime: {PASSED}",)


def _index(*statements: dict[str, Any], moment: datetime | None = None) -> PolicyIndex:
    made = Organisation()
    digest = made.digest(json.dumps(policy(*statements)))
    arn = f"arn:aws:iam::{ACCOUNTS[0]}:user/ana"
    row = PrincipalRow(1, arn, "AIDAANA", PolicyHoldings(inline=(("own", digest),)), tags={})
    made.accounts.append(AccountRows([row], [], [], (), ACCOUNTS[0], "aws"))
    documents = made.held()
    index = PolicyIndex(made.store, moment=moment)
    for rows in made.accounts:
        index.enter_account(rows)
    del documents
    return index


def _answers(index: PolicyIndex, **more: Any) -> set[str]:
    """What who-can, decide, explain and the effective actions say."""
    asked = AccessQuestion("s3:GetObject", OBJECT, **more)
    (member,) = (member for member in index.members if member.name == "ana")
    answers = {str(each.decision) for each in index.who_can(asked).groups_of()} or {"nobody"}
    answers.add(
        {"implicitly_denied": "nobody"}.get(
            str(index.decide(member, asked)), str(index.decide(member, asked))
        )
    )
    assert index.explain(member, asked).decision == index.decide(member, asked)
    effective = index.effective().for_member(member)
    bit = 1 << (index.documents.space.actions.index_of("s3:GetObject") or 0)
    if not more:
        answers.add(
            "conditional"
            if effective.conditional & bit
            else "allowed"
            if effective.allowed_mask & bit
            else "nobody"
        )
    return answers


@pytest.mark.parametrize(("date", "answer"), [(PASSED, "nobody"), (TO_COME, "allowed")])
@pytest.mark.parametrize("operator", ["DateLessThan", "DateLessThanEqualsIfExists"])
def test_every_way_of_asking_the_index_decides_an_end(operator: str, date: str, answer: str) -> None:
    assert _answers(_index(allow(when={operator: {"aws:CurrentTime": date}}))) == {answer}


def test_a_statement_that_has_not_begun_gives_nothing_yet() -> None:
    assert _answers(_index(allow(when={"DateGreaterThan": {"aws:CurrentTime": TO_COME}}))) == {"nobody"}
    begun = _index(allow(when={"DateGreaterThan": {"aws:EpochTime": "981173106"}}))
    assert _answers(begun) == {"allowed"}


def test_an_index_of_a_past_moment_answers_for_that_moment() -> None:
    ended = allow(when={"DateLessThan": {"aws:CurrentTime": PASSED}})
    then = datetime(2000, 1, 1, tzinfo=UTC)
    assert _answers(_index(ended, moment=then)) == {"allowed"}
    assert _answers(_index(ended)) == {"nobody"}
    begins = allow(when={"DateGreaterThan": {"aws:CurrentTime": PASSED}})
    assert _answers(_index(begins, moment=then)) == {"nobody"}


def test_who_asks_for_any_time_is_told_what_it_depends_on() -> None:
    index = _index(allow(when={"DateLessThan": {"aws:CurrentTime": TO_COME}}))
    assert _answers(index, is_any_time=True) == {"conditional"}


def test_what_is_kept_of_effective_actions_ends_when_a_date_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    soon = datetime.now(tz=UTC).replace(microsecond=0) + timedelta(hours=1)
    index = _index(allow(when={"DateLessThan": {"aws:CurrentTime": time_text("aws:currenttime", soon)}}))
    version = index.version
    assert _answers(index) == {"allowed"}
    assert index.version == version
    monkeypatch.setattr(time, "time", lambda: soon.timestamp())
    index.keep_time()
    assert index.version == version + 1
    index.keep_time()
    assert index.version == version + 1


def test_a_statement_that_reads_the_time_as_a_text_is_looked_at_again_after_minutes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = SharedDocuments()
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0)
    assert store.passed() == 0
    document = store.add("a", json.dumps(policy(allow(when={"StringLike": {"aws:CurrentTime": "2026-*"}}))))
    before = store.passed()
    monkeypatch.setattr(time, "time", lambda: 1_000_000.0 + REFRESH_SECONDS)
    assert store.passed() == before + 1
    del document
    assert store.passed() == 0


@pytest.mark.parametrize("key", ["aws:CurrentTime", "aws:EpochTime"])
def test_a_change_gives_nothing_by_a_statement_that_has_ended(key: str) -> None:
    for operator, date, gains in (
        ("DateLessThan", PASSED, False),
        ("DateGreaterThan", TO_COME, True),
        ("NumericLessThan", _epoch(PASSED), False),
        ("NumericGreaterThan", _epoch(TO_COME), key == "aws:EpochTime"),
    ):
        index = _index(deny("sqs:*"))
        text = json.dumps(policy(allow(when={operator: {key: date}})))
        digest = "new" + operator + key
        (member,) = (member for member in index.members if member.name == "ana")
        row = PrincipalRow(1, member.arn, "AIDAANA", PolicyHoldings(inline=(("own", digest),)), tags={})
        difference = what_if(
            index, {ACCOUNTS[0]: ScenarioEdits(RowChanges([row], [], [], ()))}, texts={digest: text}, now=NOW
        )
        assert bool(list(difference.proved)) is gains, (operator, date)


def test_a_range_over_both_keys_is_one_moment() -> None:
    index = _index(deny("sqs:*"))
    when = {"DateGreaterThan": {"aws:CurrentTime": TO_COME}, "DateLessThan": {"aws:EpochTime": PASSED}}
    text = json.dumps(policy(allow(when=when)))
    row = PrincipalRow(
        1,
        f"arn:aws:iam::{ACCOUNTS[0]}:user/ana",
        "AIDAANA",
        PolicyHoldings(inline=(("own", "new"),)),
        tags={},
    )
    difference = what_if(
        index, {ACCOUNTS[0]: ScenarioEdits(RowChanges([row], [], [], ()))}, texts={"new": text}, now=NOW
    )
    assert not list(difference.proved)


def test_a_path_that_has_ended_or_not_begun_is_none() -> None:
    for operator, date, expected in (
        ("DateLessThan", PASSED, NONE),
        ("DateLessThan", TO_COME, SURE),
        ("DateGreaterThan", TO_COME, NONE),
        ("DateGreaterThan", PASSED, SURE),
    ):
        world = World()
        world.role("admin", EVERYTHING)
        when = {operator: {"aws:CurrentTime": date}}
        world.user(
            "dev", {"Effect": "Allow", "Action": "iam:PutUserPolicy", "Resource": "*", "Condition": when}
        )
        assert world.becomes_administrator("dev") == expected, when
