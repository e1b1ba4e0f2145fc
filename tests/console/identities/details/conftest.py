"""One small account, and a browser's client for each sort of viewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account, EdgeKind, Entity, Kind
from tests import factories

WRITER = "arn:aws:iam::111111111111:role/gatehouse-writer"


@dataclass(slots=True)
class Small:
    """An account with one of everything; maya is in the team's group `payments`, tomas is not."""

    account: Account
    maya: Entity
    tomas: Entity
    payments: Entity
    deployers: Entity
    policy: Entity
    role: Entity
    profile: Entity
    saml: Entity

    def addresses(self) -> dict[str, str]:
        """The first page of each, by what it is."""
        return {
            "person": f"/people/{self.maya.pk}/",
            "credentials": f"/people/{self.maya.pk}/credentials/",
            "person history": f"/people/{self.maya.pk}/history/",
            "group": f"/groups/{self.payments.pk}/",
            "group history": f"/groups/{self.payments.pk}/history/",
            "role": f"/roles/{self.role.pk}/",
            "role history": f"/roles/{self.role.pk}/history/",
            "policy": f"/policies/{self.policy.pk}/",
            "versions": f"/policies/{self.policy.pk}/versions/",
            "holders": f"/policies/{self.policy.pk}/holders/",
            "policy history": f"/policies/{self.policy.pk}/history/",
            "profile": f"/instance-profiles/{self.profile.pk}/",
            "profile history": f"/instance-profiles/{self.profile.pk}/history/",
            "provider": f"/providers/{self.saml.pk}/",
            "provider history": f"/providers/{self.saml.pk}/history/",
        }


@pytest.fixture
def small(db: None) -> Small:
    """The small account, which can be written to."""
    account = factories.account(write_role_arn=WRITER)
    made = Small(
        account=account,
        maya=factories.user(account, "maya.okafor"),
        tomas=factories.user(account, "tomas.lind"),
        payments=factories.group(account, "payments"),
        deployers=factories.group(account, "deployers"),
        policy=factories.policy(account, "DeployPayments"),
        role=factories.role(account, "app"),
        profile=factories.entity(account, Kind.INSTANCE_PROFILE, "node"),
        saml=factories.entity(account, Kind.SAML_PROVIDER, "Okta"),
    )
    factories.edge(EdgeKind.MEMBER, made.maya, made.payments)
    factories.edge(EdgeKind.MEMBER, made.maya, made.deployers)
    factories.edge(EdgeKind.MEMBER, made.tomas, made.deployers)
    for principal in (made.maya, made.payments, made.role):
        factories.edge(EdgeKind.ATTACHED, principal, made.policy)
    factories.edge(EdgeKind.PROFILE_ROLE, made.profile, made.role)
    return made


SignIn = Callable[..., Client]


@pytest.fixture
def sign_in(db: None) -> SignIn:
    """A client that is signed in as somebody with the role."""

    def signed_in(role: Role, *, name: str = "Ines Duarte", **fields: Any) -> Client:
        client = Client()
        client.force_login(factories.operator(role, name=name, **fields))
        return client

    return signed_in


@pytest.fixture
def lead(sign_in: SignIn, small: Small) -> Client:
    """The lead of the team whose people are in the group `payments`."""
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    return sign_in(Role.TEAM_LEAD, name="Elif Kaya", team=team)
