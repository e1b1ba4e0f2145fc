"""What a leaving comes to before it is asked for: roles that trust the person, the deny where inline policies
leave no room, and what a lead does not see.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.guard import viewer_for
from iam.mirror.models import Account, EdgeKind, Entity
from iam.people.offboarding.open_roles import open_roles
from iam.people.offboarding.removal_plan import TrustChoices, plan_for
from iam.people.offboarding.trusts import trusting
from tests import factories

pytestmark = [pytest.mark.on_postgresql, pytest.mark.django_db]
OTHER = "arn:aws:iam::111111111111:user/somebody.else"
PAGE = "sts:RoleSessionName"


@pytest.fixture
def account() -> Account:
    """One that is written to."""
    return factories.account(write_role_arn="arn:aws:iam::111111111111:role/w")


@pytest.fixture
def user(account: Account) -> Entity:
    """In one group."""
    user = factories.user(account, "maya.okafor")
    factories.edge(EdgeKind.MEMBER, user, factories.group(account, "payments-dev"))
    return user


def statement(*arns: str, **fields: Any) -> dict[str, Any]:
    named = arns[0] if len(arns) == 1 else list(arns)
    return {"Effect": "Allow", "Principal": {"AWS": named}, "Action": "sts:AssumeRole", **fields}


def trust(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_roles_that_name_a_user_are_found_in_all_accounts_with_what_is_left_without_them(
    account: Account, user: Entity
) -> None:
    other = factories.account("222222222222", name="data", write_role_arn="arn:aws:iam::222222222222:role/w")
    own_name = {"StringEquals": {PAGE: "${aws:username}"}}
    factories.role(account, "shared", trust=trust(statement(user.arn, OTHER, Condition=own_name)))
    factories.role(other, "alone", trust=trust(statement(user.arn)))
    factories.role(other, "denied", trust=trust(statement(OTHER), statement(user.arn, Effect="Deny")))
    factories.role(account, "strange", trust=trust(statement(f"{user.arn}2")))

    alone, shared = trusting([user])
    assert (alone.role.name, alone.without, alone.others, alone.demands_name) == ("alone", None, 0, False)
    assert (shared.role.name, shared.others, shared.demands_name) == ("shared", 1, True)
    assert json.loads(shared.without or "")["Statement"][0]["Principal"] == {"AWS": OTHER}

    viewer = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")

    def slugs(choices: TrustChoices | None = None) -> list[str]:
        operations, _ = plan_for([user], viewer=viewer, choices=choices).ordered()
        return sorted(operation.slug for operation in operations if operation.subject_kind == "role")

    assert slugs() == ["role_sessions.revoke", "role_sessions.revoke"]
    chosen = TrustChoices(
        roles=frozenset({alone.role.pk, shared.role.pk}), sessions=frozenset({alone.role.pk})
    )
    assert slugs(chosen) == ["role_sessions.revoke", "role_sessions.revoke", "trust_policy.replace"]


def test_roles_that_trust_the_whole_account_are_found_where_somebody_can_assume_them(
    account: Account, user: Entity
) -> None:
    root = f"arn:aws:iam::{account.account_id}:root"
    open_to = factories.role(account, "deploy", trust=trust(statement(root)))
    factories.role(account, "not-allowed", trust=trust(statement(account.account_id)))
    factories.role(account, "of-others", trust=trust(statement("arn:aws:iam::999999999999:root")))
    may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": open_to.arn}
    factories.inline(user, "assume", body={"Version": "2012-10-17", "Statement": [may]})
    viewer = factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte")

    (open_role,) = open_roles([user], viewer=viewer).found
    assert (open_role.role, open_role.users, open_role.is_sure) == (open_to, (user.name,), True)

    chosen = TrustChoices(sessions=frozenset({open_to.pk}))
    operations, _ = plan_for([user], viewer=viewer, choices=chosen).ordered()
    assert [operation.slug for operation in operations if operation.subject_kind == "role"] == [
        "role_sessions.revoke"
    ]


def test_where_inline_policies_leave_no_room_the_policy_of_aws_denies(user: Entity) -> None:
    factories.policy(user.account, "AWSDenyAll", arn="arn:aws:iam::aws:policy/AWSDenyAll")
    long = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": ["arn:aws:s3:::" + "x" * 1950]}],
    }
    factories.inline(user, "long", body=long)
    plan = plan_for([user], viewer=factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte"))
    first = plan.ordered()[0][0]
    assert (first.slug, first.params["policy_name"]) == ("attachment.attach", "AWSDenyAll")


def test_a_lead_ends_all_memberships_of_their_people_and_learns_of_no_role(
    account: Account, user: Entity
) -> None:
    factories.edge(EdgeKind.MEMBER, user, factories.group(account, "on-call"))
    factories.role(account, "shared", trust=trust(statement(user.arn, OTHER)))
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments-dev")
    lead = factories.person("Elif Kaya")
    factories.assign(lead, Role.TEAM_LEAD, team=team)
    plan = plan_for([user], viewer=viewer_for(lead))
    titles = [operation.title for operation in plan.ordered()[0]]
    assert [title for title in titles if title.startswith("Remove")] == [
        "Remove maya.okafor from on-call",
        "Remove maya.okafor from payments-dev",
    ]
    assert (plan.roles, plan.unseen) == ([], 1)
