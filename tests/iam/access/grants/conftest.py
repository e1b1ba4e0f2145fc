"""Users, groups and policies in the stand-in and in the mirror, people who ask and approve, and workers that
carry it out.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pytest

from console.demo.organisation.gatehouse import EXTERNAL_ID, WRITER_ROLE
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.hub import HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
from iam.access.grants import services
from iam.access.grants.models import Grant, LedgerEntry
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.aws import writes
from iam.aws.access import AccountAccess
from iam.aws.session import connect
from iam.changes.models import Change
from iam.changes.runner import run
from iam.changes.runner.claims import due
from iam.changes.services import approve
from iam.directory.models import Role
from iam.guard import Viewer
from iam.mirror.models import Entity, Kind
from iam.mirror.refresh import reread_entity
from tests import factories
from tests.iam.changes.conftest import (
    Nudges,
    Scene,
    make_group,
    make_user,
    nudges,
    scene,
    standin,
    standin_process,
)

__all__ = ["Nudges", "nudges", "scene", "standin", "standin_process"]

_numbers = itertools.count(1)


def allowing(*actions: str, resource: str = "*") -> str:
    """A policy of one statement."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


READS = allowing("s3:GetObject", resource="arn:aws:s3:::ledger/*")


@dataclass
class Office:
    """Everything that a grant needs, and what people do with it."""

    scene: Scene
    suffix: str = field(default_factory=lambda: f"{next(_numbers)}-{datetime.now(tz=UTC):%H%M%S%f}")

    @property
    def asks(self) -> Viewer:
        """An administrator."""
        return self.scene.requester

    @property
    def number(self) -> str:
        """The account."""
        return self.scene.account.account_id

    def user(self, name: str) -> Entity:
        """A user in AWS and in the mirror."""
        return make_user(self.scene.aws, self.scene.account, f"{name}-{self.suffix}")

    def group(self, name: str, *policies: Entity) -> Entity:
        """A group in AWS and in the mirror that holds these policies."""
        made = make_group(self.scene.aws, self.scene.account, f"{name}-{self.suffix}")
        for policy in policies:
            self.call("AttachGroupPolicy", GroupName=made.name, PolicyArn=policy.arn)
        self.read(made)
        return made

    def policy(self, name: str, text: str = READS) -> Entity:
        """A customer managed policy in AWS and in the mirror."""
        made = self.call("CreatePolicy", PolicyName=f"{name}-{self.suffix}", PolicyDocument=text)["Policy"]
        entity = reread_entity(
            self.scene.account,
            self.scene.aws,
            kind=Kind.POLICY,
            name=made["PolicyName"],
            arn=made["Arn"],
            cause_id=None,
        )
        assert entity is not None
        return entity

    def call(self, operation: str, **params: Any) -> dict[str, Any]:
        """Anything behind Gatehouse's back."""
        return dict(writes.call(self.scene.aws, "iam", operation, params).response)

    def read(self, entity: Entity) -> None:
        """Have the mirror read it."""
        reread_entity(
            self.scene.account,
            self.scene.aws,
            kind=entity.kind,
            name=entity.name,
            arn=entity.arn,
            cause_id=None,
        )

    def terms(self, what: GrantContent, *users: Entity, **fields: Any) -> GrantTerms:
        """For users of the account."""
        who = WhoTerms(WhoKind.USERS, arns=tuple(user.arn for user in users or (self.scene.user,)))
        return GrantTerms(
            **{"who": who, "what": what, "accounts": (self.number,), "why": "Settles the quarter"} | fields
        )

    def ask(self, terms: GrantTerms, *, actor: Viewer | None = None, key: str = "") -> Grant:
        """Ask for it."""
        return services.request_grant(
            terms, actor=actor or self.asks, idempotency_key=key or f"g{next(_numbers)}"
        )

    def approve(self, grant: Grant, *, actor: Viewer | None = None) -> Grant:
        """The approver agrees, and another one where two are asked for."""
        group = grant.parts.order_by("lane")[0].change_set
        for person in [actor] if actor else [self.scene.approver, self.other_approver]:
            first = group.changes.order_by("position")[0]
            if first.state == "awaiting_approval":
                approve(first, actor=person, seen_digest=group.receipt_digest)
        return services.settle(grant)

    @cached_property
    def other_approver(self) -> Viewer:
        """A second one."""
        return factories.viewer(Role.APPROVER, name="Jonas Berg")

    def granted(self, terms: GrantTerms, **fields: Any) -> Grant:
        """Asked for, approved and carried out."""
        return self.work(self.approve(self.ask(terms, **fields)))

    def work(self, grant: Grant) -> Grant:
        """Workers do all that is due, of whatever grant."""
        for _ in range(60):
            due_ids = list(due(datetime.now(tz=UTC)).values_list("pk", flat=True))
            if not due_ids:
                break
            for pk in due_ids:
                run(pk)
        return services.settle(grant)

    def ended(self, grant: Grant, *, actor: Viewer | None = None) -> Grant:
        """Ended early, and carried out."""
        return self.work(services.end_grant(grant, actor=actor or self.asks, reason="No longer needed"))

    def changes(self, grant: Grant) -> list[Change]:
        """The changes that give, in order."""
        part = grant.parts.order_by("lane").first()
        assert part is not None
        return list(part.change_set.changes.order_by("position"))

    def holds(self, user: Entity | None = None) -> tuple[set[str], set[str], set[str]]:
        """What AWS itself shows of a user: names of groups, of attached policies, of inline policies."""
        name, iam = (user or self.scene.user).name, self.scene.aws.iam
        return (
            {group["GroupName"] for group in iam.list_groups_for_user(UserName=name)["Groups"]},
            {
                attached_policy["PolicyName"]
                for attached_policy in iam.list_attached_user_policies(UserName=name)["AttachedPolicies"]
            },
            set(iam.list_user_policies(UserName=name)["PolicyNames"]),
        )

    def entries(self, grant: Grant) -> list[LedgerEntry]:
        """The ledger of a grant."""
        return list(LedgerEntry.objects.filter(part__grant=grant).order_by("pk"))


@pytest.fixture
def office(scene: Scene) -> Office:
    """See Office."""
    return Office(scene)


@pytest.fixture
def there(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """The same in another account, written to through its write role."""
    number = ACCOUNT_IDS["production"]
    role = f"arn:aws:iam::{number}:role/{WRITER_ROLE}"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB_ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HUB_SECRET_ACCESS_KEY)
    account = factories.account(number, role_arn=f"{role}-none", write_role_arn=role, external_id=EXTERNAL_ID)
    aws = connect(AccountAccess(number, mode="role", role_arn=role, external_id=EXTERNAL_ID))
    yield Office(replace(office.scene, aws=aws, account=account))
    aws.close()


def statements(text: str = READS) -> GrantContent:
    """Built statements."""
    return GrantContent(WhatKind.STATEMENTS, documents=(text,))
