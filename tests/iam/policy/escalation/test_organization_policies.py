"""SCPs that block a principal, and who can take them away: the management account, a delegated administrator,
or the account itself by leaving.
"""

from __future__ import annotations

from typing import Any

import pytest

from iam.policy.escalation.organization_policies import WHICH
from iam.policy.index.rows import OrganizationStanding, PolicyRow
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
    trust,
)

WITHOUT_IAM = deny(["iam:*", "sts:*"])
GUARDRAIL = deny(["iam:*", "sts:*", "organizations:*"])
ARN = f"arn:aws:organizations::{ONE}:"
POLICIES = f"{ARN}policy/o-one/service_control_policy/"
ROOT, UNIT, ACCOUNT = f"{ARN}root/o-one/r-1", f"{ARN}ou/o-one/ou-1", f"{ARN}account/o-one/{TWO}"
FULL = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"
Document = tuple[dict[str, Any], ...]
ALL: Document = (EVERYTHING,)


def under(world: World, *levels: tuple[Document, ...], account: str = TWO, **more: Any) -> None:
    """Stand the account under a root, units and itself, each with some SCPs."""
    rows = tuple(
        tuple(
            PolicyRow(world.number(), f"scp-{n}", world.digest(*document)) for n, document in enumerate(level)
        )
        for level in levels
    )
    path = "/".join(("o-one", "r-1", "ou-1")[: len(levels)])
    world.account(account).standing = OrganizationStanding("o-one", (f"{path}/",), scps=rows, **more)


def managed(*statements: dict[str, Any], guarded: tuple[tuple[Document, ...], ...] | None = None) -> World:
    """A user of the management account, who may assume a role of a member that an SCP limits."""
    world = World()
    world.user("dev", allow("sts:AssumeRole", f"arn:aws:iam::{TWO}:role/admin"), *statements)
    world.stand(is_management=True)
    world.role("admin", EVERYTHING, trusts={"AWS": ONE}, account=TWO)
    under(world, *(guarded or ((ALL,), (ALL, (GUARDRAIL,)), (ALL,))))
    return world


def steps(world: World, name: str = "dev") -> list[list[str]]:
    found = world.steps(name)
    assert found is not None
    return found


FROM_MANAGEMENT = (
    ("organizations-detach-policy", allow("organizations:DetachPolicy"), SURE),
    ("organizations-detach-policy", allow("organizations:DetachPolicy", [f"{POLICIES}*", UNIT]), SURE),
    ("organizations-update-policy", allow("organizations:UpdatePolicy", f"{POLICIES}*"), SURE),
    ("organizations-disable-policy-type", allow("organizations:DisablePolicyType", ROOT), SURE),
    ("organizations-move-account", allow("organizations:MoveAccount", [ACCOUNT, UNIT, ROOT]), SURE),
    (
        "organizations-remove-account",
        allow("organizations:RemoveAccountFromOrganization", ACCOUNT),
        CONDITIONAL,
    ),
)


@pytest.mark.parametrize(("method", "statement", "how"), FROM_MANAGEMENT)
def test_the_management_account_takes_an_scp_away_and_then_assumes_the_role(
    method: str, statement: dict[str, Any], how: str
) -> None:
    world = managed(statement)
    assert world.becomes_administrator("dev") == how
    assert steps(world) == [[method, "sts-assume-role"]]
    path = world.path("dev")
    assert path is not None
    (step,) = path.steps
    assert TWO in step.acts[0].title
    (need,) = {ground.action for ground in step.acts[0].grounds}
    assert need == statement["Action"]
    assert {held.policy for held in path.closing} == {"own"}


NOT_ENOUGH = (
    allow("organizations:DetachPolicy", f"{POLICIES}*"),
    allow("organizations:DetachPolicy", [f"{POLICIES}*", ROOT]),
    allow("organizations:UpdatePolicy", UNIT),
    allow("organizations:DisablePolicyType", UNIT),
    allow("organizations:MoveAccount", [ACCOUNT, UNIT]),
    allow("organizations:DeletePolicy"),
    allow("organizations:CloseAccount"),
    allow("organizations:LeaveOrganization"),
    allow("organizations:AttachPolicy"),
)


@pytest.mark.parametrize("statement", NOT_ENOUGH)
def test_less_than_the_call_needs_is_of_no_use(statement: dict[str, Any]) -> None:
    assert managed(statement).becomes_administrator("dev") == NONE


@pytest.mark.parametrize(("method", "statement", "how"), FROM_MANAGEMENT)
def test_a_deny_or_a_missing_way_into_the_account_closes_it(
    method: str, statement: dict[str, Any], how: str
) -> None:
    assert managed(statement, deny(statement["Action"])).becomes_administrator("dev") == NONE
    assert managed(statement, deny("sts:AssumeRole")).becomes_administrator("dev") == NONE


@pytest.mark.parametrize(("method", "statement", "how"), FROM_MANAGEMENT)
def test_an_account_that_is_not_the_management_account_cannot(
    method: str, statement: dict[str, Any], how: str
) -> None:
    world = managed(statement)
    world.stand()
    assert world.becomes_administrator("dev") == NONE


def test_a_condition_makes_it_conditional() -> None:
    mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    assert managed(allow("organizations:DetachPolicy", **mfa)).becomes_administrator("dev") == CONDITIONAL
    kind = {"StringEquals": {"organizations:PolicyType": "TAG_POLICY"}}
    assert managed(allow("organizations:DetachPolicy", **kind)).becomes_administrator("dev") == NONE


def test_a_statement_about_one_scp_may_mean_another() -> None:
    world = managed(allow("organizations:DetachPolicy", [f"{POLICIES}p-guardrail1", UNIT]))
    assert world.becomes_administrator("dev") == CONDITIONAL
    path = world.path("dev")
    assert path is not None
    assert WHICH in path.conditions


def test_the_last_scp_of_a_place_is_replaced_before_it_is_detached() -> None:
    only = ((ALL,), ((EVERYTHING, GUARDRAIL),), (ALL,))
    detach = allow("organizations:DetachPolicy")
    assert managed(detach, guarded=only).becomes_administrator("dev") == NONE
    both = managed(detach, allow("organizations:AttachPolicy", [FULL, UNIT]), guarded=only)
    assert steps(both) == [["organizations-replace-policy", "sts-assume-role"]]


def test_moving_the_account_does_not_help_where_the_root_has_the_scp() -> None:
    at_root = ((ALL, (GUARDRAIL,)), (ALL,), (ALL,))
    assert managed(allow("organizations:MoveAccount"), guarded=at_root).becomes_administrator("dev") == NONE


def test_scps_that_were_not_synced_make_it_conditional() -> None:
    world = managed(allow("organizations:DetachPolicy"))
    under(world, (ALL,), (ALL, (GUARDRAIL,)), (ALL,), is_known=False)
    assert world.becomes_administrator("dev") == CONDITIONAL


def test_a_role_without_permissions_is_not_worth_it() -> None:
    world = managed(allow("organizations:DetachPolicy"))
    world.role("reader", allow("s3:*"), trusts={"AWS": ONE}, account=TWO)
    world.user(
        "other",
        allow(["sts:AssumeRole", "organizations:DetachPolicy"]),
        deny("sts:AssumeRole", f"arn:aws:iam::{TWO}:role/admin"),
    )
    assert world.becomes_administrator("other") == NONE


def member(*statements: dict[str, Any]) -> World:
    """A user of a member account with every permission but those that an SCP takes."""
    world = World()
    world.user("dev", *statements, account=TWO)
    under(world, (ALL,), (ALL, (WITHOUT_IAM,)), (ALL,))
    return world


FROM_INSIDE = (
    ("organizations-leave", "organizations:LeaveOrganization"),
    ("organizations-detach-policy-delegated", "organizations:DetachPolicy"),
    ("organizations-update-policy-delegated", "organizations:UpdatePolicy"),
    ("organizations-disable-policy-type-delegated", "organizations:DisablePolicyType"),
)


@pytest.mark.parametrize(("method", "action"), FROM_INSIDE)
def test_an_account_frees_itself_under_conditions(method: str, action: str) -> None:
    world = member(allow(["iam:*", action]))
    assert world.becomes_administrator("dev") == CONDITIONAL
    assert steps(world) == [[method]]
    path = world.path("dev")
    assert path is not None
    assert path.steps[-1].into.freed
    assert path.conditions
    assert path.closing


@pytest.mark.parametrize(("method", "action"), FROM_INSIDE)
def test_an_scp_that_denies_the_call_closes_it(method: str, action: str) -> None:
    world = member(allow(["iam:*", action]))
    under(world, (ALL,), (ALL, (deny(["iam:*", "sts:*", action]),)), (ALL,))
    assert world.becomes_administrator("dev") == NONE


@pytest.mark.parametrize(
    "action", ["organizations:MoveAccount", "organizations:RemoveAccountFromOrganization"]
)
def test_what_only_the_management_account_can_do_is_of_no_use_to_others(action: str) -> None:
    assert member(allow(["iam:*", action])).becomes_administrator("dev") == NONE


def test_what_is_possible_without_scps_is_done_afterwards() -> None:
    world = member(allow(["iam:PutUserPolicy", "organizations:LeaveOrganization"]))
    assert steps(world) == [["organizations-leave"], ["iam-put-user-policy"]]


def test_someone_else_is_freed_before_one_becomes_it() -> None:
    world = member(
        allow("iam:CreateAccessKey", f"arn:aws:iam::{TWO}:user/admin"),
        allow("organizations:LeaveOrganization"),
    )
    world.user("admin", EVERYTHING, account=TWO)
    blocked = deny(["iam:*", "organizations:*"], StringLike={"aws:PrincipalArn": "*:user/admin"})
    under(world, (ALL,), (ALL, (blocked,)), (ALL,))
    assert world.becomes_administrator("dev") == CONDITIONAL
    assert steps(world) == [["organizations-leave", "iam-create-access-key"]]


def test_scps_that_limit_nothing_are_left_alone() -> None:
    world = member(allow("organizations:LeaveOrganization"))
    under(world, (ALL,), (ALL,), (ALL,))
    assert "organizations-leave" not in world.methods("dev")


def test_a_single_account_has_nothing_to_leave() -> None:
    world = World()
    world.user("dev", allow(["organizations:*", "s3:*"]))
    assert world.becomes_administrator("dev") == NONE


def test_the_trust_of_any_account_is_enough() -> None:
    world = managed(allow("organizations:DetachPolicy"))
    world.role("open", EVERYTHING, trusts=trust("*"), account=TWO)
    world.user(
        "other",
        allow(["sts:AssumeRole", "organizations:DetachPolicy"]),
        deny("sts:AssumeRole", f"arn:aws:iam::{TWO}:role/admin"),
    )
    assert world.becomes_administrator("other") == SURE
