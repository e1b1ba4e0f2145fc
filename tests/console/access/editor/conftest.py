"""A policy that a group of two people and a role hold, and operators in their browsers."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from iam.changes.operations.policy_version import state_in_mirror
from iam.changes.states import RUN_CHANGE
from iam.directory.models import Role
from iam.mirror.models import Account, EdgeKind, Entity
from tests import factories
from tests.queue import catch

HTMX = {"HX-Request": "true"}
WRITER = "arn:aws:iam::111111111111:role/gatehouse-writer"


def text(*actions: str, effect: str = "Allow", resource: str = "*") -> str:
    """A text of one statement, as people lay it out."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2, ensure_ascii=False)


@dataclass
class Desk:
    """The policy, and who edits it."""

    account: Account
    policy: Entity
    asker: Client
    approver: Client

    @property
    def url(self) -> str:
        """The editor."""
        return reverse("access:policy-edit", args=[self.policy.pk])

    def post(
        self,
        document: str,
        *,
        do: str = "check",
        client: Client | None = None,
        headers: dict[str, str] | None = None,
        **fields: Any,
    ) -> Any:
        """Send the form of the editor."""
        form = {
            "do": do,
            "document": document,
            "base": state_in_mirror(self.policy)["text"],
            "reason": "A release",
        }
        form |= {"key": str(uuid.uuid4()), **fields}
        return (client or self.asker).post(self.url, form, headers=headers or {})


def signed_in(role: Role | None, name: str, **fields: Any) -> Client:
    """A browser of somebody with the role."""
    client = Client()
    client.force_login(factories.operator(role, name=name, **fields))
    return client


@pytest.fixture
def desk(db: None, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """See Desk."""
    catch(monkeypatch, RUN_CHANGE, lambda *_, **__: True)
    account = factories.account(name="prod-core", write_role_arn=WRITER)
    policy = factories.policy(account, "PaymentsDeploy", body=json.loads(text("s3:GetObject")))
    group = factories.group(account, "deployers")
    factories.edge(EdgeKind.ATTACHED, group, policy)
    for name in ("kwame.boateng", "maya.okafor"):
        factories.edge(EdgeKind.MEMBER, factories.user(account, name), group)
    factories.edge(EdgeKind.ATTACHED, factories.role(account, "pay-deploy"), policy)
    return Desk(
        account,
        policy,
        signed_in(Role.ADMINISTRATOR, "Ines Duarte"),
        signed_in(Role.APPROVER, "Hana Sato"),
    )
