"""Documented paths in the forms in which policies have them: wildcards, groups, chains of roles, other
accounts; and what closes them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from iam.policy.catalogue.pass_role import pass_role_data
from tests.iam.policy.escalation.builders import (
    CONDITIONAL,
    EVERYTHING,
    NONE,
    ONE,
    SURE,
    TWO,
    World,
    allow,
    deny,
)
from tests.iam.policy.escalation.documented import DIRECTORY, ITSELF, PASSED, PATHS, Documented

ADMIN = f"arn:aws:iam::{ONE}:role/admin"
MID = f"arn:aws:iam::{ONE}:role/mid"
SAML, OIDC = f"arn:aws:iam::{ONE}:saml-provider/corp", f"arn:aws:iam::{ONE}:oidc-provider/ci.example.com"
SERVICES = sorted({m.trusted for m in pass_role_data().methods if not m.trusted.startswith("cognito")})
TRUST = {
    "Effect": "Allow",
    "Principal": {"Service": SERVICES, "Federated": ["cognito-identity.amazonaws.com", SAML, OIDC]},
    "Action": ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"],
}
OF_USERS = {"iam:AddUserToGroup"}
"""By these actions only a user gives itself more."""


def world(*, trusts: Any = TRUST, is_management: bool = True, scps: tuple[dict[str, Any], ...] = ()) -> World:
    """An administrator role for each sort of trust."""
    world = World()
    world.role("admin", EVERYTHING, trusts=trusts)
    world.group("admins", EVERYTHING)
    world.stand(*scps, is_management=is_management)
    return world


def wildcards(path: Documented) -> str:
    scene = world()
    scene.user("dev", allow([action[:-1] + "*" for action in path.actions]))
    return scene.becomes_administrator("dev")


def one_by_one(path: Documented) -> str:
    scene = world()
    scene.user("dev", *(allow(action.upper()) for action in path.actions))
    return scene.becomes_administrator("dev")


def by_group(path: Documented) -> str:
    scene = world()
    policy = scene.policy("Allowed", allow(list(path.actions)))
    scene.user("dev", groups=(scene.group("team", attached=(policy,)),))
    return scene.becomes_administrator("dev")


def by_not_action(path: Documented) -> str:
    """Nearly everything is allowed, and a boundary leaves what is needed: more permissions of its own are of
    no use to it.
    """
    scene = world()
    few = scene.policy("Few", allow([*path.actions, "sts:AssumeRole", "s3:GetObject"]))
    every = {"Effect": "Allow", "NotAction": ["ec2:Describe*", "s3:Put*"], "Resource": "*"}
    scene.user("dev", every, boundary=few)
    return scene.becomes_administrator("dev")


def by_role(path: Documented) -> str:
    scene = world()
    scene.role("mid", allow(list(path.actions)), trusts={"AWS": ONE})
    scene.user("dev", allow("sts:AssumeRole", MID))
    return scene.becomes_administrator("dev")


def from_another_account(path: Documented) -> str:
    scene = world()
    scene.role("mid", allow(list(path.actions)), trusts={"AWS": TWO})
    scene.user("dev", allow("sts:AssumeRole", MID), account=TWO)
    scene.stand(account=TWO)
    return scene.becomes_administrator("dev")


def passed_by_pattern(path: Documented) -> str:
    scene = world()
    rest = [action for action in path.actions if action != "iam:PassRole"]
    scene.user("dev", allow(rest), allow("iam:PassRole", "arn:aws:iam::*:role/ad*"))
    return scene.becomes_administrator("dev")


FORMS: tuple[Callable[[Documented], str], ...] = (
    wildcards,
    one_by_one,
    by_group,
    by_not_action,
    by_role,
    from_another_account,
    passed_by_pattern,
)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_documented_path_is_found_in_each_form(form: Callable[[Documented], str]) -> None:
    for path in PATHS[FORMS.index(form) % 2 :: 2]:
        if has_form(path, form):
            assert form(path) != NONE, path.name


def has_form(path: Documented, form: Callable[[Documented], str]) -> bool:
    """Whether AWS gives the path in a form."""
    if form is passed_by_pattern:
        return path.gains == PASSED
    if form is by_not_action:
        return path.gains != ITSELF
    return form not in (by_role, from_another_account) or not OF_USERS & set(path.actions)


UNMET: tuple[dict[str, Any], ...] = (
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2090-01-01T00:00:00Z"}},
    {"StringEquals": {"aws:PrincipalTag/none": "x"}},
)


def with_conditions(path: Documented, **conditions: Any) -> str:
    scene = world()
    scene.user("dev", allow(list(path.actions), "*", **conditions))
    return scene.becomes_administrator("dev")


def in_a_member(path: Documented, *scps: dict[str, Any]) -> str:
    scene = world(is_management=False, scps=scps)
    scene.user("dev", allow(list(path.actions)))
    return scene.becomes_administrator("dev")


def test_a_condition_that_is_not_met_closes_it() -> None:
    for number, path in enumerate(PATHS):
        assert with_conditions(path, **UNMET[number % len(UNMET)]) == NONE, path.name


def test_a_condition_on_the_network_leaves_nothing_confirmed() -> None:
    for path in PATHS:
        reached = with_conditions(path, StringEquals={"aws:SourceVpce": "vpce-0a1b2c3d"})
        assert reached == CONDITIONAL, path.name


def test_an_scp_closes_it_in_a_member_account() -> None:
    for path in PATHS:
        if path.gains != DIRECTORY:
            assert in_a_member(path) != NONE, path.name
        assert in_a_member(path, deny(list(path.actions))) == NONE, path.name


def test_a_trust_that_excludes_the_service_leaves_nothing_confirmed() -> None:
    for path in PATHS:
        if path.gains == PASSED:
            scene = world(trusts={"Service": "s3.amazonaws.com"})
            scene.user("dev", allow(list(path.actions)))
            assert scene.becomes_administrator("dev") == NONE, path.name


def test_another_service_to_which_it_may_be_passed_leaves_nothing_confirmed() -> None:
    other = {"iam:PassedToService": "s3.amazonaws.com"}
    for path in PATHS:
        if path.gains == PASSED:
            scene = world()
            rest = [action for action in path.actions if action != "iam:PassRole"]
            scene.user("dev", allow(rest), allow("iam:PassRole", "*", StringEquals=other))
            assert scene.becomes_administrator("dev") != SURE, path.name
