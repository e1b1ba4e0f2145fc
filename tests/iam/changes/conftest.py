"""A user and a group that exist in the stand-in and in the mirror, and two people who ask and approve."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import ClientError

from iam.aws import writes
from iam.aws.access import AccountAccess
from iam.aws.session import Aws, connect
from iam.changes import services
from iam.changes.models import Change, ChangeState
from iam.changes.runner import run
from iam.changes.states import RUN_CHANGE
from iam.directory.models import Role
from iam.guard import Viewer
from iam.mirror.models import Account, Edge, EdgeKind, Entity, valid_at
from tests import factories
from tests.iam.changes.site import Site, signed_in
from tests.iam.changes.standin import Standin, running
from tests.queue import catch

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def standin_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """One stand-in for all tests of this folder; each test makes its own users and groups in it."""
    with running(Path(tmp_path_factory.mktemp("standin"))) as started:
        yield started


@pytest.fixture
def standin(standin_process: Standin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standin]:
    """The stand-in, with this process's AWS variables pointing at it, and no fault left over."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", standin_process.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    standin_process.control("faults/clear", {})
    yield standin_process
    standin_process.control("faults/clear", {})


@dataclass
class Nudges:
    """What would have been put into the queue: (change, delay in seconds)."""

    sent: list[tuple[UUID, float]] = field(default_factory=list)
    works: bool = True

    def send(self, _: str, change_id: UUID, *, delay: float = 0) -> bool:
        """Stands in for the broker."""
        if self.works:
            self.sent.append((change_id, delay))
        return self.works


@pytest.fixture
def nudges(monkeypatch: pytest.MonkeyPatch) -> Nudges:
    """A broker that only writes down what it is told."""
    made = Nudges()
    catch(monkeypatch, RUN_CHANGE, made.send)
    return made


@dataclass
class Scene:
    """One user and one group, in AWS and in the mirror."""

    aws: Aws
    standin: Standin
    account: Account
    user: Entity
    group: Entity
    requester: Viewer
    approver: Viewer

    def in_aws(self) -> bool:
        """Whether AWS has the user in the group."""
        answer = self.aws.iam.list_groups_for_user(UserName=self.user.name)
        return self.group.name in {group["GroupName"] for group in answer["Groups"]}

    def in_mirror(self) -> bool:
        """Whether the mirror has."""
        return Edge.objects.filter(
            valid_at(None), kind=EdgeKind.MEMBER, source=self.user, target=self.group
        ).exists()

    def by_hand(self, operation: str) -> None:
        """Add or remove in AWS behind Gatehouse's back."""
        writes.call(self.aws, "iam", operation, {"UserName": self.user.name, "GroupName": self.group.name})

    def plan(self, do: str = "add", *, viewer: Viewer | None = None) -> services.ChangePlan:
        """Plan the membership."""
        return services.plan_membership(
            viewer or self.requester,
            user=self.user,
            group=self.group,
            do=do,  # type: ignore[arg-type]
        )

    def ask(self, do: str = "add", *, key: str = "", **fields: Any) -> Change:
        """Ask for the membership."""
        return services.request_change(
            self.plan(do),
            actor=self.requester,
            reason="Covers for Elif this week",
            idempotency_key=key or f"form-{next(_numbers)}",
            **fields,
        )

    def approve(self, change: Change, *, actor: Viewer | None = None) -> Change:
        """Approve what was asked; by a second person too, where the rules ask for two."""
        services.approve(change, actor=actor or self.approver, seen_digest=change.change_set.receipt_digest)
        change.refresh_from_db()
        if actor is None and change.state == ChangeState.AWAITING:
            second = factories.viewer(
                Role.APPROVER, name="Jonas Berg", email=f"jonas-{next(_numbers)}@example.com"
            )
            return self.approve(change, actor=second)
        return change

    def queued(self, do: str = "add") -> Change:
        """A change that was asked for and approved."""
        return self.approve(self.ask(do))

    def queued_for_other_group(self) -> Change:
        """A second change of the same person, about another group."""
        other = make_group(self.aws, self.account, f"on-call-{next(_numbers)}")
        planned = services.plan_membership(self.requester, user=self.user, group=other, do="add")
        change = services.request_change(
            planned, actor=self.requester, reason="On call", idempotency_key=f"form-{next(_numbers)}"
        )
        return self.approve(change)

    def applied(self, do: str = "add") -> Change:
        """A change that was carried out."""
        change = self.queued(do)
        run(change.pk)
        change.refresh_from_db()
        assert change.state == "applied", change.error_message
        return change


def wait_over(change: Change) -> None:
    """Let the waiting time or the lease of a change be over."""
    past = datetime.now(tz=UTC) - timedelta(seconds=1)
    Change.objects.filter(pk=change.pk, due_at__isnull=False).update(due_at=past)
    Change.objects.filter(pk=change.pk, lease_until__isnull=False).update(lease_until=past)


def make_user(aws: Aws, account: Account, name: str) -> Entity:
    """A user in AWS and in the mirror."""
    made = writes.call(aws, "iam", "CreateUser", {"UserName": name}).response["User"]
    entity = factories.user(account, name, arn=made["Arn"])
    entity.aws_id = made["UserId"]
    entity.save(update_fields=["aws_id"])
    return entity


def make_group(aws: Aws, account: Account, name: str) -> Entity:
    """A group in AWS and in the mirror."""
    made = writes.call(aws, "iam", "CreateGroup", {"GroupName": name}).response["Group"]
    entity = factories.group(account, name, arn=made["Arn"])
    entity.aws_id = made["GroupId"]
    entity.save(update_fields=["aws_id"])
    return entity


@pytest.fixture
def scene(db: None, standin: Standin, nudges: Nudges) -> Iterator[Scene]:
    """A user who is not in the group; an administrator who asks, and an approver."""
    number = standin.hub
    aws = connect(AccountAccess(number))
    # What an earlier test left behind, in whatever order they ran, would bind the passwords of this one.
    with suppress(ClientError):
        aws.iam.delete_account_password_policy()
    account = factories.account(number, name="management", source="environment", role_arn="")
    suffix = next(_numbers)
    user = make_user(aws, account, f"kwame.boateng-{suffix}")
    group = make_group(aws, account, f"deployers-{suffix}")
    standin.control("faults/clear", {})
    yield Scene(
        aws=aws,
        standin=standin,
        account=account,
        user=user,
        group=group,
        requester=factories.viewer(Role.ADMINISTRATOR, name="Ines Duarte"),
        approver=factories.viewer(Role.APPROVER, name="Hana Sato"),
    )
    aws.close()


@pytest.fixture
def member_scene(scene: Scene) -> Scene:
    """The same, with the user in the group."""
    scene.by_hand("AddUserToGroup")
    factories.edge(EdgeKind.MEMBER, scene.user, scene.group)
    scene.standin.control("faults/clear", {})
    return scene


@pytest.fixture
def site(db: None, nudges: Nudges) -> Site:
    """See Site."""
    account = factories.account(
        name="prod-core", write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer"
    )
    user = factories.user(account, "kwame.boateng")
    group = factories.group(account, "deployers")
    # What carries no risk needs one approval.
    reads = {"Effect": "Allow", "Action": "ec2:DescribeInstances", "Resource": "*"}
    body = {"Version": "2012-10-17", "Statement": [reads]}
    deploy = factories.policy(account, "PaymentsDeploy", body=body)
    factories.edge(EdgeKind.ATTACHED, group, deploy)
    asks = factories.operator(Role.ADMINISTRATOR, name="Ines Duarte")
    approves = factories.operator(Role.APPROVER, name="Hana Sato")
    return Site(account, user, group, signed_in(asks), signed_in(approves), asks, approves)
