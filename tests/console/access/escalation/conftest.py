"""A small organization in which some can become administrator, and people who ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Role, Team
from iam.mirror.models import Account, Entity
from iam.mirror.pull.sections import INSTANCE_PROFILES
from tests import factories as make

SignIn = Callable[..., Client]
ONE, TWO = "111111111111", "222222222222"
ADMIN = f"arn:aws:iam::{ONE}:role/pay-admin"
LATER = make.FIRST_READ + timedelta(days=10)


def body(*statements: dict[str, Any]) -> dict[str, Any]:
    """A document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(sid: str, action: Any, resource: Any = "*", **conditions: Any) -> dict[str, Any]:
    """A statement."""
    more = {"Condition": conditions} if conditions else {}
    return {"Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource, **more}


def trust(principal: dict[str, Any]) -> dict[str, Any]:
    """A trust policy."""
    return body({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})


@dataclass
class World:
    """Two accounts; entities by name."""

    production: Account
    staging: Account
    of: dict[str, Entity]


@pytest.fixture(autouse=True)
def _what_is_read_is_calculated(prompt_worker: None) -> None:
    """Pages show the mirror as it is; what they show before is in test_calculation.py."""


@pytest.fixture
def world(db: None) -> World:
    """The role pay-admin does everything. dana makes a function with it; kwame gives himself everything, with
    MFA; tomas takes a role from staging; the role deployer takes pay-admin; ines has everything, nobody has
    nothing. dana can since day ten.
    """
    production, staging = make.account(ONE), make.account(TWO, name="staging")
    make.synced(production, but=(INSTANCE_PROFILES,))
    make.synced(staging, but=(INSTANCE_PROFILES,))
    everything = body(allow("All", "*"))
    of = {
        name: make.user(production, name) for name in ("dana.wirth", "kwame.boateng", "ines.duarte", "nobody")
    }
    of["tomas.lind"] = make.user(staging, "tomas.lind")
    of["pay-admin"] = make.role(
        production, "pay-admin", trust=trust({"Service": "lambda.amazonaws.com", "AWS": [ONE, TWO]})
    )
    of["deployer"] = make.role(production, "deployer", trust=trust({"Service": "s3.amazonaws.com"}))
    make.inline(of["pay-admin"], "all", body=everything)
    make.inline(of["ines.duarte"], "all", body=everything)
    make.inline(
        of["dana.wirth"],
        "deploy",
        body=body(
            allow("Pass", "iam:PassRole", ADMIN),
            allow("Publish", ["lambda:CreateFunction", "lambda:InvokeFunction"]),
        ),
        since=LATER,
    )
    mfa = {"aws:MultiFactorAuthPresent": "true"}
    own = f"arn:aws:iam::{ONE}:user/kwame.boateng"
    make.inline(of["kwame.boateng"], "own", body=body(allow("Own", "iam:PutUserPolicy", own, Bool=mfa)))
    make.inline(of["tomas.lind"], "hop", body=body(allow("Hop", "sts:AssumeRole", ADMIN)))
    make.inline(of["deployer"], "hop", body=body(allow("Hop", "sts:AssumeRole", ADMIN)))
    return World(production, staging, of)


def crowd(account: Account, count: int, *, first: int = 0) -> list[Entity]:
    """Users who each give themselves everything."""
    users = [make.user(account, f"user-{number:03d}") for number in range(first, first + count)]
    for user in users:
        make.inline(user, "own", body=body(allow("Own", "iam:PutUserPolicy", user.arn)))
    return users


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """Sign somebody in with a role, in all accounts or in one."""

    def do(role: Role = Role.AUDITOR, *, account_id: str = "") -> Client:
        client = Client()
        operator = make.operator(None, name=f"The {role.label}")
        team = Team.objects.create(slug="payments", name="Payments") if role is Role.TEAM_LEAD else None
        make.assign(operator.person, role, account_id=account_id, team=team)
        client.force_login(operator)
        return client

    return do


@pytest.fixture
def auditor(sign_in: SignIn) -> Client:
    """Somebody who sees everything and may export it."""
    return sign_in()
