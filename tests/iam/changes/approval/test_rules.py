"""Rules of approval, as tables: which rule a request falls under, what several come to, and which rules can
be none.
"""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from iam.changes.approval.rule_texts import applies_when, differences, sentence
from iam.changes.approval.rules import (
    ADMINISTRATORS,
    APPROVERS,
    LEAD,
    PERSON,
    SHIPPED,
    ApprovalNeed,
    ApprovalRule,
    ApprovalStage,
    ApproverSpec,
    RuleMatter,
    as_json,
    need_of,
    problems_of,
    rule_for,
)

pytestmark = pytest.mark.on_postgresql

ONE, TWO = "111111111111", "222222222222"
REST = ApprovalRule(key="rest", name="Everything else", stages=(ApprovalStage((APPROVERS,)),))
LEADS = ApprovalRule(
    key="leads",
    name="Payments",
    teams=("payments",),
    stages=(ApprovalStage((ApproverSpec(LEAD),)), ApprovalStage((APPROVERS,))),
)
PROD = ApprovalRule(key="prod", name="Production", accounts=(ONE,), stages=(ApprovalStage((APPROVERS,), 2),))
RISKY = ApprovalRule(
    key="risky",
    name="Risky",
    risks=("administrator", "escalation"),
    stages=(ApprovalStage((ADMINISTRATORS,)),),
)
CAREFUL = ApprovalRule(
    key="careful", name="Careful", sensitivity="high", stages=(ApprovalStage((APPROVERS,), 3),)
)


@pytest.mark.parametrize(
    ("matter", "expected"),
    [
        (RuleMatter(TWO), "rest"),
        (RuleMatter(ONE), "prod"),
        (RuleMatter(TWO, teams=frozenset({"payments", "sre"})), "leads"),
        (RuleMatter(TWO, teams=frozenset({"sre"})), "rest"),
        # Of several that hold the first counts, whatever the others ask.
        (RuleMatter(ONE, teams=frozenset({"payments"})), "leads"),
        (RuleMatter(ONE, sensitivity="high"), "careful"),
        (RuleMatter(TWO, risks=frozenset({"escalation"})), "risky"),
        (RuleMatter(ONE, risks=frozenset({"exfiltration"})), "prod"),
    ],
)
def test_a_request_falls_under_the_first_rule_that_holds(matter: RuleMatter, expected: str) -> None:
    assert rule_for((RISKY, CAREFUL, LEADS, PROD, REST), matter).key == expected


def test_where_no_rule_is_left_an_approver_decides() -> None:
    assert rule_for((PROD,), RuleMatter(TWO)).stages == (ApprovalStage((APPROVERS,)),)


def test_a_lax_rule_for_one_account_does_not_lower_what_another_asks() -> None:
    need = need_of((PROD, REST), [RuleMatter(TWO), RuleMatter(ONE)])
    assert need.stages == (ApprovalStage((APPROVERS,), 2),)
    assert need.because == ("Production", "Everything else")


def test_stages_of_other_people_come_one_after_the_other() -> None:
    need = need_of(
        (RISKY, PROD, REST), [RuleMatter(ONE), RuleMatter(TWO, risks=frozenset({"administrator"}))]
    )
    assert need.stages == (ApprovalStage((ADMINISTRATORS,)), ApprovalStage((APPROVERS,), 2))


def test_two_stages_of_the_same_people_in_one_rule_stay_two() -> None:
    twice = replace(REST, stages=(ApprovalStage((APPROVERS,)), ApprovalStage((APPROVERS,))))
    assert need_of((twice,), [RuleMatter(ONE)]).people == 2
    assert need_of((twice, PROD), [RuleMatter(ONE)]).people == 2


def test_of_several_rules_the_shortest_times_count_and_break_glass_is_for_whom_all_allow_it() -> None:
    slow = replace(PROD, wait_hours=48, remind_hours=0, break_glass=(ADMINISTRATORS, APPROVERS))
    fast = replace(REST, wait_hours=12, remind_hours=3, break_glass=(APPROVERS,))
    need = need_of((slow, fast), [RuleMatter(ONE), RuleMatter(TWO)])
    assert (need.wait_hours, need.remind_hours, need.break_glass) == (12, 3, (APPROVERS,))


def test_rules_survive_being_stored() -> None:
    stored = json.loads(json.dumps(as_json((*SHIPPED, LEADS))))
    assert tuple(ApprovalRule.from_json(document) for document in stored) == (*SHIPPED, LEADS)


def test_the_shipped_rules_are_sound_and_two_approvers_are_enough_for_them() -> None:
    assert problems_of(SHIPPED) == []
    assert max(rule.people for rule in SHIPPED) == 2
    for rule in SHIPPED[:-1]:
        assert set(rule.stages[1].who) == {ADMINISTRATORS, APPROVERS}


@pytest.mark.parametrize(
    ("rules", "outcome"),
    [
        ((), "must apply to all requests"),
        ((PROD,), "must apply to all requests"),
        ((REST, PROD), "must apply to all requests"),
        ((REST, replace(REST, key="b", name="Again")), "would never apply"),
        ((replace(REST, name=" "),), "needs a name"),
        ((replace(PROD, name="Same"), replace(REST, name="same")), "Two rules have the name"),
        ((replace(REST, stages=()),), "no stage"),
        ((replace(REST, stages=(ApprovalStage(()),)),), "has no one in stage"),
        ((replace(REST, stages=(ApprovalStage((APPROVERS,), 0),)),), "Enter 1 to 9"),
        ((replace(REST, stages=(ApprovalStage((ApproverSpec(PERSON, "x"),), 2),)),), "only 1 can approve"),
        ((replace(REST, wait_hours=0),), "expires after 0 hours"),
        ((replace(REST, escalate_hours=2),), "but to no one"),
        ((replace(REST, stages=(ApprovalStage((ApproverSpec(LEAD), APPROVERS)),)),), "by team leads alone"),
        ((replace(REST, escalate_hours=2, escalate_to=(ApproverSpec(LEAD),)),), "escalates to team leads"),
        ((replace(REST, remind_hours=24),), "when the request has already expired"),
        ((replace(REST, remind_hours=-1),), "reminds after -1 hours"),
        ((replace(REST, stages=(ApprovalStage((APPROVERS,)),) * 6),), "6 stages"),
    ],
)
def test_what_cannot_be_the_rules_is_said_in_words(rules: tuple[ApprovalRule, ...], outcome: str) -> None:
    assert any(outcome in problem for problem in problems_of(rules)), problems_of(rules)


@pytest.mark.parametrize(
    ("stages", "outcome"),
    [
        ((ApprovalStage((APPROVERS,)),), "Needs one approver"),
        ((ApprovalStage((APPROVERS,), 2),), "Needs two approvers"),
        (
            (ApprovalStage((APPROVERS,)), ApprovalStage((ADMINISTRATORS, APPROVERS))),
            "Needs one approver, then one administrator or approver",
        ),
        ((ApprovalStage((ApproverSpec(LEAD),)),), "Needs the team’s lead"),
        ((ApprovalStage((ApproverSpec("team", "payments"),)),), "Needs a lead of Payments"),
        ((ApprovalStage((ApproverSpec(PERSON, "7"),)),), "Needs Hana Sato"),
        ((ApprovalStage((ApproverSpec(PERSON, "8"),)),), "Needs someone who has left"),
        ((ApprovalStage((ApproverSpec(PERSON, "7"), APPROVERS), 2),), "Needs two of approvers or Hana Sato"),
    ],
)
def test_what_is_needed_is_said_in_words(stages: tuple[ApprovalStage, ...], outcome: str) -> None:
    assert sentence(ApprovalNeed(stages), names={"7": "Hana Sato", "payments": "Payments"}) == outcome


def test_when_a_rule_holds_is_said_in_words() -> None:
    assert applies_when(REST, names={}) == "to all requests"
    assert applies_when(replace(PROD, sensitivity="high"), names={ONE: "prod-core"}) == (
        "when it is sensitive, and it is in prod-core"
    )
    assert applies_when(RISKY, names={}) == (
        "when it makes someone an administrator or allows privilege escalation"
    )


def test_the_difference_of_two_versions_names_what_is_added_changed_moved_and_removed() -> None:
    before = (RISKY, CAREFUL, PROD, REST)
    after = (PROD, replace(RISKY, wait_hours=12), LEADS, REST)
    by_name = {
        difference.name: (difference.sort, difference.lines)
        for difference in differences(before, after, names={})
    }

    assert by_name["Payments"][0] == "added"
    assert by_name["Careful"][0] == "removed"
    assert by_name["Production"] == ("moved", (("Place", "2", "1"),))
    assert by_name["Risky"] == (
        "changed",
        (("Expires", "after 1 day", "after 12 hours"), ("Place", "1", "2")),
    )
    assert "Everything else" not in by_name


def test_the_same_rule_written_in_another_order_is_no_difference() -> None:
    """A form writes choices in the order in which it shows them."""
    names = {
        "1": "Hana Sato",
        "2": "Jonas Berg",
        ONE: "production",
        TWO: "data",
        "sre": "SRE",
        "pay": "Payments",
    }
    people = (
        APPROVERS,
        ADMINISTRATORS,
        ApproverSpec(LEAD),
        ApproverSpec(PERSON, "1"),
        ApproverSpec(PERSON, "2"),
    )
    rule = ApprovalRule(
        key="all",
        name="Everything",
        stages=(ApprovalStage(people), ApprovalStage(people, 2)),
        accounts=(ONE, TWO),
        teams=("sre", "pay"),
        risks=("administrator", "escalation", "exfiltration"),
        escalate_to=people,
        break_glass=people,
    )
    other = replace(
        rule,
        stages=(ApprovalStage(people[::-1]), ApprovalStage(people[::-1], 2)),
        accounts=rule.accounts[::-1],
        teams=rule.teams[::-1],
        risks=rule.risks[::-1],
        escalate_to=people[::-1],
        break_glass=people[::-1],
    )
    assert differences([rule], [other], names=names) == []
    assert differences([rule], [replace(other, accounts=(ONE,))], names=names) != []
