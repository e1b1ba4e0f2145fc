"""An account whose people and roles hold what the tests say, and a browser for each sort of viewer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.console.identities.details.conftest import SignIn, sign_in

__all__ = ["SignIn", "sign_in"]


def allow(*actions: str, on: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """A document of one statement that allows."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


BUCKET = "arn:aws:s3:::ledger/*"
DEPLOY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Sid": "ReadLedger", "Effect": "Allow", "Action": "s3:GetObject", "Resource": BUCKET},
        {
            "Sid": "PassDeployRole",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": "arn:aws:iam::111111111111:role/pay-deploy",
            "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        },
    ],
}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@dataclass(slots=True)
class Place:
    """Maya is in the group payments, which has PaymentsDeploy; her own inline policy lets her do things by
    SQS. Tomas holds nothing.
    """

    account: Account
    maya: Entity
    tomas: Entity
    payments: Entity
    deploy: Entity
    role: Entity


@pytest.fixture
def place(db: None) -> Place:
    """The account."""
    account = factories.account()
    made = Place(
        account=account,
        maya=factories.user(account, "maya.okafor"),
        tomas=factories.user(account, "tomas.lind"),
        payments=factories.group(account, "payments"),
        deploy=factories.policy(account, "PaymentsDeploy", body=DEPLOY),
        role=factories.role(account, "pay-deploy"),
    )
    factories.edge(EdgeKind.MEMBER, made.maya, made.payments)
    factories.edge(EdgeKind.ATTACHED, made.payments, made.deploy)
    factories.inline(made.maya, "queues", body=allow("sqs:SendMessage", "sqs:DeleteQueue", Condition=MFA))
    factories.inline(made.role, "tables", body=allow("dynamodb:GetItem"))
    return made


@pytest.fixture
def lead(sign_in: SignIn, place: Place) -> Client:
    """The lead of the team whose people are in the group payments."""
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    return sign_in(Role.TEAM_LEAD, name="Elif Kaya", team=team)


@pytest.fixture
def auditor(sign_in: SignIn, place: Place) -> Client:
    """An auditor, who sees everything and changes nothing."""
    return sign_in(Role.AUDITOR, name="Otto Audit")


@pytest.fixture
def member(sign_in: SignIn, place: Place) -> Client:
    """Maya herself, who has no other role."""
    return sign_in(Role.MEMBER, name="Maya Okafor", arns=(place.maya.arn,))
