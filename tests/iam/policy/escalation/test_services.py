"""Roles that are handed to a service, and what already has one: each method, and each reason for which it
does not work.
"""

from __future__ import annotations

from typing import Any

import pytest

from iam.policy.escalation.method_types import TARGET, EdgeVerb
from iam.policy.escalation.method_types import WRITTEN as WRITTEN_POLICY
from iam.policy.escalation.methods import METHODS
from iam.policy.escalation.states import Ec2Instance, OutsideFacts
from tests.iam.policy.escalation import cases
from tests.iam.policy.escalation.builders import CONDITIONAL, EVERYTHING, NONE, ONE, SURE, World, allow, deny
from tests.iam.policy.escalation.cases import EC2, ECS, LAMBDA, OTHERS, WRITTEN

PASSED = [*cases.PASSED, *cases.OTHER_PASSED]
NEEDS_SOMETHING = [*cases.NEEDS_SOMETHING, *cases.OTHER_NEEDS_SOMETHING]
CHANGED = [*cases.CHANGED, *cases.OTHER_CHANGED]

Case = tuple[str, tuple[str, ...], str]
ADMIN = f"arn:aws:iam::{ONE}:role/admin"
INSTANCE = Ec2Instance(f"arn:aws:ec2:eu-west-1:{ONE}:instance/i-0a1b2c3d4e5f60718")


def names(case: Case) -> str:
    return case[0]


def passing(service: str, resource: str = ADMIN) -> dict[str, Any]:
    return allow("iam:PassRole", resource, StringEquals={"iam:PassedToService": service})


def world(*statements: dict[str, Any], service: str, **more: Any) -> World:
    world = World()
    world.role("admin", EVERYTHING, trusts={"Service": service})
    world.user("dev", *statements, **{key: value for key, value in more.items() if key == "boundary"})
    return world


@pytest.mark.parametrize("case", PASSED, ids=names)
def test_whoever_passes_a_role_to_what_it_starts_has_the_role(case: Case) -> None:
    method, actions, service = case
    scene = world(passing(service), allow(actions), service=service)
    assert scene.methods("dev")[method] == SURE
    assert scene.becomes_administrator("dev") == SURE
    path = scene.path("dev")
    assert path is not None
    assert path.is_sure
    asked = {ground.action for ground in path.steps[0].all_evidence}
    assert "iam:PassRole" in asked


@pytest.mark.parametrize("case", NEEDS_SOMETHING, ids=names)
def test_a_role_passed_to_what_must_be_there_already_is_conditional(case: Case) -> None:
    method, actions, service = case
    scene = world(passing(service), allow(actions), service=service)
    assert scene.methods("dev")[method] == CONDITIONAL


@pytest.mark.parametrize("case", CHANGED, ids=names)
def test_what_has_a_role_already_is_conditional_and_says_on_what(case: Case) -> None:
    method, actions, service = case
    scene = world(allow(actions), service=service)
    assert scene.methods("dev")[method] == CONDITIONAL
    assert scene.becomes_administrator("dev") == CONDITIONAL
    path = scene.path("dev")
    assert path is not None
    assert any("not synced by Gatehouse" in condition for condition in path.conditions)


@pytest.mark.parametrize("case", [*PASSED, *NEEDS_SOMETHING, *CHANGED], ids=names)
def test_each_action_is_needed(case: Case) -> None:
    method, actions, service = case
    needed = actions if case in CHANGED else (*actions, "iam:PassRole")
    for missing in needed:
        scene = world(
            allow([action for action in (*needed, "s3:GetObject") if action != missing]), service=service
        )
        assert method not in scene.methods("dev"), missing


@pytest.mark.parametrize("case", [*PASSED, *NEEDS_SOMETHING, *CHANGED], ids=names)
def test_a_deny_of_any_action_closes_it(case: Case) -> None:
    method, actions, service = case
    needed = actions if case in CHANGED else (*actions, "iam:PassRole")
    for denied in needed:
        scene = world(allow(list(needed)), deny(denied), service=service)
        assert method not in scene.methods("dev"), denied


@pytest.mark.parametrize("case", [*PASSED, *NEEDS_SOMETHING, *CHANGED], ids=names)
def test_a_role_that_trusts_another_service_is_not_had(case: Case) -> None:
    method, actions, _ = case
    scene = world(allow([*actions, "iam:PassRole"]), service="s3.amazonaws.com")
    assert method not in scene.methods("dev")
    assert scene.becomes_administrator("dev") == NONE


@pytest.mark.parametrize("case", PASSED, ids=names)
def test_a_role_that_may_be_passed_to_another_service_only_is_not_had(case: Case) -> None:
    method, actions, service = case
    scene = world(passing("s3.amazonaws.com"), allow(actions), service=service)
    assert method not in scene.methods("dev")


@pytest.mark.parametrize("case", PASSED, ids=names)
def test_another_role_that_may_be_passed_is_not_the_administrator(case: Case) -> None:
    method, actions, service = case
    scene = world(passing(service, ADMIN + "-not"), allow(actions), service=service)
    assert method not in scene.methods("dev")


@pytest.mark.parametrize("case", [*PASSED, *CHANGED], ids=names)
def test_a_boundary_or_an_scp_without_one_of_the_actions_closes_it(case: Case) -> None:
    method, actions, service = case
    scene = World()
    boundary = scene.policy("Boundary", allow("*"), deny(actions[-1]))
    scene.role("admin", EVERYTHING, trusts={"Service": service})
    scene.user("dev", allow([*actions, "iam:PassRole"]), boundary=boundary)
    assert method not in scene.methods("dev")
    scene = world(allow([*actions, "iam:PassRole"]), service=service)
    scene.stand(deny(actions[0]))
    assert method not in scene.methods("dev")


def test_every_method_of_the_table_has_a_case() -> None:
    written = {case[0] for case in (*PASSED, *NEEDS_SOMETHING, *CHANGED)}
    table = {method.name for method in METHODS if method.sort in (EdgeVerb.PASS, EdgeVerb.EXISTING)}
    without = {name for name in table - written if "cognito" not in name}
    assert without == set()
    assert written <= table
    assert WRITTEN.isdisjoint(method.name for method in OTHERS)


def test_the_actions_of_the_table_are_known_and_take_the_resources_that_it_says() -> None:
    from iam.policy.catalogue import catalogue

    for method in METHODS:
        for need in method.needs:
            action = catalogue().action(need.action)
            assert action is not None, need
            types = {resource_type.name for resource_type in action.resource_types}
            assert need.on in (TARGET, WRITTEN_POLICY) or need.on in types or (not need.on and not types), (
                method.name,
                need,
            )


def test_an_identity_pool_gives_a_role_that_trusts_its_identities() -> None:
    world = World()
    world.role("admin", EVERYTHING, trusts={"Federated": "cognito-identity.amazonaws.com"})
    world.user("dev", allow(["iam:PassRole", "cognito-identity:SetIdentityPoolRoles"]))
    world.user("other", allow(["iam:PassRole"]))
    assert world.methods("dev") == {"pass-role-cognito-identity": SURE}
    assert world.becomes_administrator("other") == NONE


def test_the_function_that_is_made_must_be_the_one_that_is_called() -> None:
    make = allow("lambda:CreateFunction", f"arn:aws:lambda:*:{ONE}:function:pay-*")
    for suffix, expected in (("*-prod", SURE), ("pay-*", SURE), ("web-*", CONDITIONAL)):
        call = allow("lambda:InvokeFunction", f"arn:aws:lambda:eu-west-1:{ONE}:function:{suffix}")
        scene = world(passing(LAMBDA), make, call, service=LAMBDA)
        assert scene.becomes_administrator("dev") == expected, suffix


def test_a_region_that_an_scp_leaves_open_is_chosen() -> None:
    scene = world(passing(EC2), allow("ec2:RunInstances"), service=EC2)
    scene.stand(deny("ec2:*", StringNotEquals={"aws:RequestedRegion": ["eu-west-1", "eu-north-1"]}))
    assert scene.becomes_administrator("dev") == SURE
    path = scene.path("dev")
    assert path is not None
    (run,) = [ground for ground in path.steps[0].all_evidence if ground.action == "ec2:RunInstances"]
    assert run.request.resource.split(":")[3] == "eu-west-1"


def test_mfa_makes_it_conditional() -> None:
    mfa = {"aws:MultiFactorAuthPresent": "true"}
    scene = world(passing(EC2), allow("ec2:RunInstances", "*", Bool=mfa), service=EC2)
    assert scene.becomes_administrator("dev") == CONDITIONAL
    path = scene.path("dev")
    assert path is not None
    assert path.conditions == ("Bool aws:MultiFactorAuthPresent: true",)


def test_a_trust_that_names_another_source_account_is_none() -> None:
    for account, expected in ((ONE, SURE), ("999999999999", NONE)):
        world = World()
        trusts = {
            "Effect": "Allow",
            "Principal": {"Service": LAMBDA},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": account}},
        }
        world.role("admin", EVERYTHING, trusts=trusts)
        world.user("dev", allow(["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]))
        assert world.becomes_administrator("dev") == expected


def test_instances_that_are_known_to_run_with_a_role_make_it_sure() -> None:
    for running, expected in ((True, SURE), (False, CONDITIONAL)):
        scene = world(allow("ssm:SendCommand"), service=EC2)
        _, number = scene.arns["admin"]
        scene.facts = OutsideFacts(running={number: (INSTANCE,)} if running else {})
        assert scene.becomes_administrator("dev") == expected
        path = scene.path("dev")
        assert path is not None
        assert bool(path.conditions) is not running


TAG_KEYS = [
    ("ssm-session", "ssm:StartSession", "ssm:resourceTag/team"),
    ("ssm-session", "ssm:StartSession", "aws:ResourceTag/Team"),
    ("ssm-command", "ssm:SendCommand", "ssm:resourceTag/team"),
    ("ec2-instance-connect", "ec2-instance-connect:SendSSHPublicKey", "ec2:ResourceTag/team"),
]
TAGGED = [
    ([(("team", "dev"),)], SURE),
    ([(("team", "ops"),)], NONE),
    ([(("team", "Dev"),)], NONE),
    ([()], NONE),
    ([(("team", "ops"),), (("owner", "x"), ("team", "dev"))], SURE),
    ([None], CONDITIONAL),
    ([], CONDITIONAL),
]


@pytest.mark.parametrize(("method", "action", "key"), TAG_KEYS)
@pytest.mark.parametrize(("tags", "expected"), TAGGED)
def test_the_tags_of_instances_decide_where_they_were_read(
    method: str, action: str, key: str, tags: list[Any], expected: Any
) -> None:
    scene = world(allow(action, "*", StringEquals={key: "dev"}), service=EC2)
    _, number = scene.arns["admin"]
    running = tuple(Ec2Instance(f"{INSTANCE.arn}{place}", pairs) for place, pairs in enumerate(tags))
    scene.facts = OutsideFacts(running={number: running} if running else {})
    assert scene.becomes_administrator("dev") == expected
    path = scene.path("dev")
    if expected == SURE:
        assert path is not None
        (ground,) = (
            step_evidence for step_evidence in path.steps[0].all_evidence if step_evidence.action == action
        )
        assert ground.request.resource == running[-1].arn
    if expected == NONE:
        assert path is None


def test_a_deny_by_the_tag_of_the_instance_closes_the_path() -> None:
    closed = {"Effect": "Deny", "Action": "ssm:*", "Resource": "*"}
    closed |= {"Condition": {"StringNotEquals": {"ssm:resourceTag/team": "dev"}}}
    for team, expected in (("dev", SURE), ("ops", NONE)):
        scene = world(allow("ssm:StartSession"), closed, service=EC2)
        _, number = scene.arns["admin"]
        scene.facts = OutsideFacts(running={number: (Ec2Instance(INSTANCE.arn, (("team", team),)),)})
        assert scene.becomes_administrator("dev") == expected


def test_the_name_of_the_instance_decides_too() -> None:
    for resource, expected in ((INSTANCE.arn, SURE), (f"{INSTANCE.arn}9", NONE)):
        scene = world(allow("ssm:StartSession", resource), service=EC2)
        _, number = scene.arns["admin"]
        scene.facts = OutsideFacts(running={number: (INSTANCE,)})
        assert scene.becomes_administrator("dev") == expected


def test_a_role_in_no_instance_profile_goes_to_no_instance() -> None:
    scene = world(allow(["iam:PassRole", "ec2:RunInstances"]), service=EC2)
    scene.facts = OutsideFacts(profiled={ONE: frozenset()})
    assert scene.becomes_administrator("dev") == NONE


def test_a_passed_role_with_the_right_tag_only() -> None:
    for team, expected in (("dev", SURE), ("ops", NONE)):
        world = World()
        world.role("admin", EVERYTHING, trusts={"Service": ECS}, tags={"team": team})
        world.user(
            "dev",
            allow("iam:PassRole", "*", StringEquals={"iam:ResourceTag/team": "dev"}),
            allow(["ecs:RegisterTaskDefinition", "ecs:RunTask"]),
        )
        assert world.becomes_administrator("dev") == expected
