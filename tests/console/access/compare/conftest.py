"""One account in which somebody's permissions change after ten days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories as make
from tests.console.access.simulate.conftest import say
from tests.console.access.who_can.conftest import auditor, sign_in

__all__ = ["auditor", "sign_in"]
NUMBER = "111111111111"
BEFORE = make.FIRST_READ + timedelta(days=5)
LATER = make.FIRST_READ + timedelta(days=10)
BUCKET = "arn:aws:s3:::pay-artifacts/*"
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@dataclass
class World:
    """The account and its entities by name."""

    account: Account
    of: dict[str, Entity]


@pytest.fixture
def world(db: None) -> World:
    """kwame had an inline policy that deletes from one bucket; since LATER he is in deployers instead, who
    may pass a role, change functions, and read any object. tomas reads objects with MFA only.
    """
    account = make.account(NUMBER)
    kwame, tomas = make.user(account, "kwame.boateng"), make.user(account, "tomas.lind")
    deployers = make.group(account, "deployers")
    deploy = make.policy(
        account,
        "Deploy",
        body={
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "iam:PassRole", "Resource": (
                    f"arn:aws:iam::{NUMBER}:role/pay-*"
                )},
                {"Effect": "Allow", "Action": [(
                    "lambda:UpdateFunctionCode"
                ), "lambda:GetFunction"], "Resource": "*"},
                {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"},
            ],
        },
    )  # fmt: skip
    make.edge(EdgeKind.ATTACHED, deployers, deploy)
    tools = make.inline(kwame, "kwame-tools", body=say("Allow", ["s3:DeleteObject", "s3:GetObject"], BUCKET))
    make.ends(tools, at=LATER)
    make.edge(EdgeKind.MEMBER, kwame, deployers, since=LATER)
    make.inline(tomas, "with-mfa", body=say("Allow", "s3:GetObject", Condition=MFA))
    return World(account, {"kwame": kwame, "tomas": tomas, "deployers": deployers, "Deploy": deploy})


def as_text(moment: datetime) -> str:
    """As an address has it."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}"
