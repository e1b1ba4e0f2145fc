"""Which policies an attacker attaches or changes: one that a statement allows is tried among any number."""

from __future__ import annotations

from iam.policy.escalation.attachable import MAX_POLICIES
from tests.iam.policy.escalation.builders import EVERYTHING, NONE, ONE, SURE, World, allow

ITSELF = f"arn:aws:iam::{ONE}:user/dev"
POLICY = f"arn:aws:iam::{ONE}:policy/"


def attaching(pattern: str) -> dict[str, object]:
    return allow("iam:AttachUserPolicy", ITSELF, ArnLike={"iam:PolicyARN": POLICY + pattern})


def with_many_policies(*statements: dict[str, object], content: dict[str, object] = EVERYTHING) -> World:
    """A user with the statements, and more policies with the content than are tried without a reason."""
    world = World()
    for number in range(MAX_POLICIES + 4):
        world.policy(f"P{number}", content)
    world.user("dev", *statements)
    world.stand()
    return world


def test_the_only_policy_that_can_be_attached_is_tried() -> None:
    scene = with_many_policies(attaching(f"P{MAX_POLICIES + 3}"))
    assert scene.becomes_administrator("dev") == SURE


def test_each_of_several_users_is_found_with_the_policy_of_their_own() -> None:
    scene = World()
    names = [f"P{number}" for number in range(MAX_POLICIES + 4)]
    for name in names:
        scene.policy(name, EVERYTHING)
        user = f"arn:aws:iam::{ONE}:user/{name}"
        only = {"iam:PolicyARN": POLICY + name}
        scene.user(name, allow("iam:AttachUserPolicy", user, ArnEquals=only))
    scene.stand()
    assert {scene.becomes_administrator(name) for name in names} == {SURE}


def test_a_policy_that_allows_little_is_of_no_use() -> None:
    scene = with_many_policies(attaching("P*"), content=allow("s3:GetObject"))
    assert scene.becomes_administrator("dev") == NONE


def test_the_only_policy_that_can_be_changed_is_tried() -> None:
    name = f"P{MAX_POLICIES + 3}"
    rewrite = allow("iam:CreatePolicyVersion", POLICY + name)
    scene = with_many_policies(attaching("P*"), rewrite, content=allow("s3:GetObject"))
    assert scene.becomes_administrator("dev") == SURE


def test_a_policy_that_can_be_changed_but_not_attached_is_of_no_use() -> None:
    rewrite = allow("iam:CreatePolicyVersion", f"{POLICY}P1")
    scene = with_many_policies(attaching("P2"), rewrite, content=allow("s3:GetObject"))
    assert scene.becomes_administrator("dev") == NONE
