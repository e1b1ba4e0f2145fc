"""From the management account: the root users of the members, and what permission sets reach."""

from __future__ import annotations

import pytest

from tests.iam.policy.escalation.builders import CONDITIONAL, NONE, ONE, TWO, World, allow, deny

THREE = "333333333333"
EMAIL = ("account:StartPrimaryEmailUpdate", "account:AcceptPrimaryEmailUpdate")


def world(*statements: dict[str, object], is_management: bool = True) -> World:
    """A user of one account with the statements, and another account of the organization."""
    world = World()
    world.user("dev", *statements)
    world.user("other", account=TWO)
    world.stand(is_management=is_management)
    world.stand(account=TWO)
    return world


def test_the_root_user_of_a_member_is_taken_over_by_its_email_address() -> None:
    scene = world(allow(list(EMAIL)))
    assert scene.becomes_administrator("dev") == CONDITIONAL
    path = scene.path("dev")
    assert path is not None
    (step,) = path.steps
    assert step.target.account == TWO
    assert TWO in step.acts[0].title
    assert {ground.action for ground in step.all_evidence} == set(EMAIL)
    assert any("MFA" in condition for condition in path.conditions)


@pytest.mark.parametrize("refused", EMAIL)
def test_each_of_the_calls_is_needed(refused: str) -> None:
    assert world(allow(list(EMAIL)), deny(refused)).becomes_administrator("dev") == NONE


def test_a_member_account_cannot_do_it() -> None:
    assert world(allow(list(EMAIL)), is_management=False).becomes_administrator("dev") == NONE


def test_the_management_account_itself_is_not_taken_over_so() -> None:
    world = World()
    world.user("dev", allow(list(EMAIL)))
    world.stand(is_management=True)
    assert world.becomes_administrator("dev") == NONE


def test_a_permission_set_names_the_account_that_it_reaches() -> None:
    scene = world(allow("sso:DetachManagedPolicyFromPermissionSet"))
    assert {c.to_account for each in scene.graph.crossings.values() for c in each} == {TWO}
    titles = {
        alternative.method.title.format(alternative.subject.name)
        for each in scene.graph.crossings.values()
        for crossing in each
        for part in crossing.parts
        for alternative in part
    }
    assert titles
    assert all(TWO in title and ONE not in title for title in titles)


@pytest.mark.parametrize("order", [(ONE, TWO, THREE), (THREE, TWO, ONE)])
def test_the_order_in_which_accounts_were_entered_does_not_decide_about_the_path(
    order: tuple[str, ...],
) -> None:
    scene = World()
    for account in order:
        if account == ONE:
            scene.user("dev", allow(list(EMAIL)))
        else:
            scene.user("other", account=account)
        scene.stand(account=account, is_management=account == ONE)
    assert list(scene.index.accounts) == list(order)
    path = scene.path("dev")
    assert path is not None
    assert path.steps[0].target.account == TWO


CREATE = ("cloudformation:CreateStackSet", "cloudformation:CreateStackInstances")
CHANGE = ("cloudformation:UpdateStackSet",)


@pytest.mark.parametrize("actions", [CREATE, CHANGE])
def test_a_stack_set_acts_as_administrator_in_a_member_account(actions: tuple[str, ...]) -> None:
    scene = world(allow(list(actions)))
    assert scene.becomes_administrator("dev") == CONDITIONAL
    path = scene.path("dev")
    assert path is not None
    (step,) = path.steps
    assert step.target.account == TWO
    assert any("trusted access" in condition for condition in path.conditions)


@pytest.mark.parametrize("refused", CREATE)
def test_each_of_the_calls_for_a_stack_set_is_needed(refused: str) -> None:
    assert world(allow(list(CREATE)), deny(refused)).becomes_administrator("dev") == NONE


@pytest.mark.parametrize("actions", [CREATE, CHANGE])
def test_a_stack_set_of_a_member_account_reaches_no_other(actions: tuple[str, ...]) -> None:
    assert world(allow(list(actions)), is_management=False).becomes_administrator("dev") == NONE
