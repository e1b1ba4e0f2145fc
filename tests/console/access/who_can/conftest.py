"""A small organization, whose answers can be told by reading it, and people who ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Role, Team
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories as make

LEDGER = "arn:aws:s3:::pay-ledger/*"
ASK = {"action": "s3:GetObject", "resource": LEDGER, "owner": "any", "mfa": "any"}
"""A question that leaves open what would else be assumed: whose the bucket is, and whether MFA is present."""
SignIn = Callable[..., Client]


def say(effect: str, action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """A document of one statement."""
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@dataclass
class World:
    """Two accounts; entities by name."""

    production: Account
    staging: Account
    of: dict[str, Entity]


@pytest.fixture
def world(db: None) -> World:
    """Who can read the ledger: maya and hana by their group, ines by everything, the role pay-settle by an
    inline policy, tomas in staging; priya with MFA only; jonah is stopped by a deny; nobody cannot.
    """
    production, staging = make.account(), make.account("222222222222", name="staging")
    make.synced(production)
    make.synced(staging)
    of = {name: make.user(production, name) for name in ("maya.okafor", "hana.sato", "ines.duarte")}
    of |= {name: make.user(production, name) for name in ("jonah.weiss", "priya.nair", "nobody")}
    of["tomas.lind"] = make.user(staging, "tomas.lind")
    of["pay-settle"] = make.role(production, "pay-settle")
    _group(
        of, production, "platform-oncall", "OncallRead", say("Allow", ["s3:GetObject", "s3:List*"], LEDGER)
    )
    _group(of, production, "iam-admins", "Everything", say("Allow", "*"))
    _group(of, production, "analysts", "AnalystsRead", say("Allow", "s3:Get*"))
    for name, group in (
        ("maya.okafor", "platform-oncall"),
        ("hana.sato", "platform-oncall"),
        ("ines.duarte", "iam-admins"),
        ("jonah.weiss", "analysts"),
    ):
        make.edge(EdgeKind.MEMBER, of[name], of[group])
    make.inline(of["jonah.weiss"], "DenyLedger", body=say("Deny", "s3:*", LEDGER))
    make.inline(of["priya.nair"], "WithMfa", body=say("Allow", "s3:GetObject", Condition=MFA))
    make.inline(of["pay-settle"], "settle", body=say("Allow", "s3:*Object", LEDGER))
    make.inline(of["tomas.lind"], "read", body=say("Allow", "s3:GetObject", LEDGER))
    return World(production, staging, of)


def _group(of: dict[str, Entity], account: Account, name: str, policy: str, body: dict[str, Any]) -> None:
    of[name], of[policy] = make.group(account, name), make.policy(account, policy, body=body)
    make.edge(EdgeKind.ATTACHED, of[name], of[policy])


def crowd(size: int) -> list[Entity]:
    """So many users of one group that may read everything in S3."""
    account = make.account()
    make.synced(account)
    group, policy = make.group(account), make.policy(account)
    make.edge(EdgeKind.ATTACHED, group, policy)
    with make.at_once():
        users = [make.user(account, f"user-{number:03d}") for number in range(size)]
    with make.at_once():
        for user in users:
            make.edge(EdgeKind.MEMBER, user, group)
    return users


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """Sign somebody in with a role, in all accounts or in one."""

    def do(role: Role = Role.AUDITOR, *, account_id: str = "", **fields: Any) -> Client:
        client = Client()
        operator = make.operator(None, **{"name": f"The {role.label}"} | fields)
        team = Team.objects.create(slug="payments", name="Payments") if role is Role.TEAM_LEAD else None
        make.assign(operator.person, role, account_id=account_id, team=team)
        client.force_login(operator)
        return client

    return do


@pytest.fixture
def auditor(sign_in: SignIn) -> Client:
    """Somebody who sees everything and may export it."""
    return sign_in()
