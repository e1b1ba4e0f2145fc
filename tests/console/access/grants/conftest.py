"""An account that can be changed, people in it, and browsers of those who ask, approve, lead, look, and are
asked about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.states import RUN_CHANGE
from iam.directory.models import Role, RuleKind, Team, TeamRule
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories as make
from tests.iam.changes.site import signed_in
from tests.queue import catch

NUMBER = "111111111111"
WRITER = f"arn:aws:iam::{NUMBER}:role/gatehouse-writer"
LEDGER = "arn:aws:s3:::pay-ledger/2026.csv"
HTMX = {"HX-Request": "true"}
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


@dataclass
class Office:
    """The account, its entities by name, and browsers by role."""

    account: Account
    of: dict[str, Entity]
    asker: Client
    approver: Client
    auditor: Client
    lead: Client
    member: Client
    people: dict[str, Any]

    def draft(self, **body: Any) -> UUID:
        """A draft of the one who asks."""
        from iam.access.drafts.models import GrantDraft

        return GrantDraft.objects.create(person_id=self.people["asker"].person_id, body=body).pk

    def arn(self, name: str) -> str:
        """Of somebody by name."""
        return self.of[name].arn


@pytest.fixture
def office(db: None, monkeypatch: pytest.MonkeyPatch) -> Office:
    """maya is in payments, which the lead leads; tomas and kwame are in no team. The member is maya."""
    catch(monkeypatch, RUN_CHANGE, lambda *_, **__: True)
    account = make.account(NUMBER, name="production", write_role_arn=WRITER)
    of = {name: make.user(account, name) for name in ("maya.okafor", "tomas.lind", "kwame.boateng")}
    of["payments"] = make.group(account, "payments")
    of["app"] = make.role(account, "app")
    of["Ledger"] = make.policy(account, "Ledger")
    make.edge(EdgeKind.MEMBER, of["maya.okafor"], of["payments"])
    team = Team.objects.create(slug="payments", name="Payments")
    TeamRule.objects.create(team=team, kind=RuleKind.GROUP, value="payments")
    people = {
        "asker": make.operator(Role.ADMINISTRATOR, name="Ines Duarte"),
        "approver": make.operator(Role.APPROVER, name="Hana Sato"),
        "auditor": make.operator(Role.AUDITOR, name="Amara Diallo"),
        "lead": make.operator(Role.TEAM_LEAD, name="Elif Kaya", team=team),
        "member": make.operator(Role.MEMBER, name="Maya Okafor", arns=(of["maya.okafor"].arn,)),
    }
    clients = {name: signed_in(person) for name, person in people.items()}
    return Office(account, of, people=people, **clients)


def at(step: str, pk: UUID | None = None) -> str:
    """The address of a step of a draft; without one, of a new draft."""
    return reverse(f"access:grant-{step}", args=[pk or uuid4()])
