"""What differs between two sides, and because of which statements. The expected differences are read off the
policies.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from iam.access.compare import AccessComparison, ComparedSide, DifferenceSort, compare
from iam.access.effective import AccessGrade
from iam.access.principals import find_principal
from iam.mirror.models import EdgeKind, Entity
from iam.mirror.snapshot import forget
from iam.policy.catalogue import catalogue
from tests import factories as make
from tests.console.access.compare.conftest import BEFORE, BUCKET, LATER, NUMBER, World
from tests.console.access.simulate.conftest import say

pytestmark = pytest.mark.django_db


def against(
    entity: Entity, two: Entity, *, left: datetime | None = None, right: datetime | None = None
) -> AccessComparison:
    forget()  # rows that a test adds by hand have no revision
    sides = [
        ComparedSide(find_principal(entity.arn, accounts=None, at=None), at)
        for entity, at in ((entity, left), (two, right))
    ]
    return compare(*sides)


def names(comparison: AccessComparison, sort: DifferenceSort) -> set[str]:
    return {*catalogue().names(comparison.masks[sort]), *comparison.unlisted.get(sort, ())}


def causes(comparison: AccessComparison, prefix: str) -> list[tuple[str, bool, bool]]:
    return [
        (cause.applicable.held.policy.name, cause.applicable.statement.allows, cause.is_right)
        for cause in comparison.causes_of(prefix)
    ]


def test_what_came_and_what_went_between_two_moments(world: World) -> None:
    kwame = world.of["kwame"]
    comparison = against(kwame, kwame, left=BEFORE)
    assert names(comparison, DifferenceSort.ONLY_RIGHT) == {
        "iam:PassRole",
        "lambda:UpdateFunctionCode",
        "lambda:GetFunction",
    }
    assert names(comparison, DifferenceSort.ONLY_LEFT) == {"s3:DeleteObject"}
    assert names(comparison, DifferenceSort.WIDER) == {"s3:GetObject"}
    assert names(comparison, DifferenceSort.NARROWER) == names(comparison, DifferenceSort.ALTERED) == set()
    assert (comparison.in_both, comparison.risks) == (1, (0, 1))


def test_the_other_way_round_is_the_opposite(world: World) -> None:
    kwame = world.of["kwame"]
    comparison = against(kwame, kwame, right=BEFORE)
    assert names(comparison, DifferenceSort.ONLY_LEFT) == {
        "iam:PassRole",
        "lambda:UpdateFunctionCode",
        "lambda:GetFunction",
    }
    assert names(comparison, DifferenceSort.ONLY_RIGHT) == {"s3:DeleteObject"}
    assert names(comparison, DifferenceSort.NARROWER) == {"s3:GetObject"}


def test_the_statements_because_of_which_it_differs_are_named_with_their_group(world: World) -> None:
    kwame = world.of["kwame"]
    comparison = against(kwame, kwame, left=BEFORE)
    assert causes(comparison, "iam") == [("Deploy", True, True)]
    assert comparison.causes_of("iam")[0].applicable.held.group is not None
    assert causes(comparison, "s3") == [("kwame-tools", True, False), ("Deploy", True, True)]


def test_actions_that_differ_alike_stand_together_and_risky_ones_are_marked(world: World) -> None:
    kwame = world.of["kwame"]
    comparison = against(kwame, kwame, left=BEFORE)
    (passing,) = comparison.groups("iam")
    assert (passing.names, passing.sort, passing.left, passing.right, passing.is_risky) == (
        ("iam:PassRole",), DifferenceSort.ONLY_RIGHT, None, AccessGrade.LIMITED, True,
    )  # fmt: skip
    levels = [(group.level, group.names, group.is_risky) for group in comparison.groups("lambda")]
    assert levels == [
        ("Read", ("lambda:GetFunction",), False),
        ("Write", ("lambda:UpdateFunctionCode",), False),
    ]


def test_under_conditions_is_narrower_than_everywhere(world: World) -> None:
    comparison = against(world.of["kwame"], world.of["tomas"])
    assert names(comparison, DifferenceSort.NARROWER) == {"s3:GetObject"}
    (group,) = comparison.groups("s3")
    assert (group.left, group.right) == (AccessGrade.EVERYWHERE, AccessGrade.CONDITIONAL)


def test_nothing_differs_from_itself_and_for_those_who_hold_the_same(world: World) -> None:
    kwame = world.of["kwame"]
    assert against(kwame, kwame).is_same
    other = make.user(world.account, "other")
    make.edge(EdgeKind.MEMBER, other, world.of["deployers"])
    assert against(kwame, other).is_same


def test_other_resources_of_the_same_extent_are_told_as_altered(world: World) -> None:
    entity, two = make.user(world.account, "one"), make.user(world.account, "two")
    make.inline(entity, "a", body=say("Allow", "s3:PutObject", BUCKET))
    make.inline(two, "b", body=say("Allow", "s3:PutObject", "arn:aws:s3:::other/*"))
    comparison = against(entity, two)
    assert names(comparison, DifferenceSort.ALTERED) == {"s3:PutObject"}
    assert causes(comparison, "s3") == [("a", True, False), ("b", True, True)]


def test_a_variable_that_stands_for_each_ones_own_is_told_as_altered_between_two(world: World) -> None:
    own = say("Allow", "s3:PutObject", "arn:aws:s3:::homes/${aws:username}/*")
    entity, two = make.user(world.account, "one"), make.user(world.account, "two")
    for user in (entity, two):
        make.inline(user, "home", body=own)
    comparison = against(entity, two)
    assert names(comparison, DifferenceSort.ALTERED) == {"s3:PutObject"}
    assert comparison.causes_of("s3") == ()
    assert against(entity, entity, left=BEFORE).is_same


def test_a_boundary_takes_away_what_the_same_policies_gave(world: World) -> None:
    kwame = world.of["kwame"]
    bound = make.policy(world.account, "Bound", body=say("Allow", ["s3:*", "iam:*"]))
    make.edge(EdgeKind.BOUNDARY, kwame, bound, since=LATER)
    comparison = against(kwame, kwame, left=BEFORE)
    assert names(comparison, DifferenceSort.ONLY_RIGHT) == {"iam:PassRole"}
    twin = make.user(world.account, "twin")
    make.edge(EdgeKind.MEMBER, twin, world.of["deployers"])
    beside = against(twin, kwame)
    assert names(beside, DifferenceSort.ONLY_LEFT) == {"lambda:UpdateFunctionCode", "lambda:GetFunction"}
    assert beside.causes_of("lambda") == ()


def test_a_deny_is_the_cause_of_what_it_takes_away(world: World) -> None:
    kwame = world.of["kwame"]
    deny = make.inline(kwame, "no-code", body=say("Deny", "lambda:Update*"), since=LATER)
    assert deny.pk
    twin = make.user(world.account, "twin")
    make.edge(EdgeKind.MEMBER, twin, world.of["deployers"])
    comparison = against(twin, kwame)
    assert names(comparison, DifferenceSort.ONLY_LEFT) == {"lambda:UpdateFunctionCode"}
    assert causes(comparison, "lambda") == [("no-code", False, True)]


def test_names_that_aws_does_not_list_are_compared_too(world: World) -> None:
    entity, two = make.user(world.account, "one"), make.user(world.account, "two")
    make.inline(two, "b", body=say("Allow", "s3:FetchTheMoon"))
    comparison = against(entity, two)
    assert names(comparison, DifferenceSort.ONLY_RIGHT) == {"s3:FetchTheMoon"}
    (service,) = [service for service in comparison.services if service.differs]
    assert (service.prefix, service.unlisted[DifferenceSort.ONLY_RIGHT]) == ("s3", 1)
    assert not any(service.numbers.values()), "numbers of actions count those that AWS lists"
    (group,) = comparison.groups("s3")
    assert (group.level, group.names) == (None, ("s3:FetchTheMoon",))


def test_who_was_not_there_could_do_nothing(world: World) -> None:
    late = make.user(world.account, "late", since=LATER)
    make.inline(late, "read", body=say("Allow", "s3:GetObject"), since=LATER)
    comparison = against(late, late, left=BEFORE)
    assert comparison.left.access is None
    assert names(comparison, DifferenceSort.ONLY_RIGHT) == {"s3:GetObject"}
    assert (comparison.in_both, comparison.risks) == (0, (0, 0))


def test_the_numbers_of_services_add_up_to_all(world: World) -> None:
    everything = make.user(world.account, "ines")
    make.inline(everything, "all", body=say("Allow", "*"))
    comparison = against(world.of["kwame"], everything)
    for sort in DifferenceSort:
        assert sum(service.numbers[sort] for service in comparison.services) == comparison.number(sort)
    grouped: dict[Any, int] = {}
    for service in comparison.services:
        for group in comparison.groups(service.prefix):
            grouped[group.sort] = grouped.get(group.sort, 0) + len(group.names)
    assert grouped == {sort: comparison.number(sort) for sort in DifferenceSort if comparison.number(sort)}
    assert comparison.number(DifferenceSort.ONLY_RIGHT) > 20_000


def test_what_could_not_be_understood_is_told(world: World) -> None:
    make.inline(world.of["tomas"], "broken", body="{")  # type: ignore[arg-type]
    comparison = against(world.of["tomas"], world.of["tomas"], left=BEFORE)
    assert [policy for policy, _ in comparison.undecided] == ["inline policy broken"]
    assert NUMBER not in str(comparison.undecided)


@pytest.mark.parametrize("pair", [("kwame", "kwame"), ("kwame", "tomas"), ("tomas", "kwame")])
def test_every_line_has_a_request_that_only_one_side_is_allowed(world: World, pair: tuple[str, str]) -> None:
    left, right = (world.of[name] for name in pair)
    comparison = against(left, right, left=BEFORE if left == right else None)
    lines = [
        group
        for service in comparison.services
        if service.differs
        for group in comparison.groups(service.prefix)
    ]
    assert lines
    for group in lines:
        for name in group.names:
            witnesses = comparison.witnesses(name)
            assert witnesses, (group.sort, name)
            assert {witness.action for witness in witnesses} == {name}
            assert all(witness.before != witness.after for witness in witnesses)
        newly = {witness.after for witness in comparison.witnesses(group.names[0])}
        expected = {
            DifferenceSort.ONLY_RIGHT: {"allowed"},
            DifferenceSort.WIDER: {"allowed"},
            DifferenceSort.ONLY_LEFT: {"denied"},
            DifferenceSort.NARROWER: {"denied"},
            DifferenceSort.ALTERED: {"allowed", "denied"},
        }
        assert newly == expected[group.sort]


def test_an_action_that_aws_does_not_list_has_a_request_too(world: World) -> None:
    entity, two = make.user(world.account, "one"), make.user(world.account, "two")
    make.inline(two, "b", body=say("Allow", "s3:FrobnicateObject", BUCKET))
    comparison = against(entity, two)
    assert comparison.unlisted[DifferenceSort.ONLY_RIGHT] == ("s3:FrobnicateObject",)
    assert [witness.after for witness in comparison.witnesses("s3:FrobnicateObject")] == ["allowed"]
