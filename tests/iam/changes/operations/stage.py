"""What the table of operations stands on: things made in the stand-in by hand and read into the mirror, and
changes carried out.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from iam.aws.reads.single_entities import entity_now
from iam.changes import services
from iam.changes.models import Change
from iam.changes.operations import Operation
from iam.changes.runner import run
from iam.changes.services import decisions
from iam.mirror.models import Account, Entity, Kind
from iam.mirror.refresh import reread_entity, reread_profile
from tests.iam.changes.conftest import Scene, wait_over

_numbers = itertools.count(1)
TRUST_EC2 = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
READS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
)


@dataclass
class Stage:
    """One account of the stand-in and of the mirror. What is made here is in both."""

    scene: Scene
    keep: dict[str, Any] = field(default_factory=dict)
    """What a case wants to remember between its steps."""

    @property
    def iam(self) -> Any:
        """boto3's client, by which everything is made and looked at."""
        return self.scene.aws.iam

    @property
    def account(self) -> Account:
        """The account."""
        return self.scene.account

    def name(self, word: str = "thing") -> str:
        """A name that nothing has."""
        return f"{word}-{next(_numbers)}-{id(self) % 10_000}"

    def read(self, kind: Kind, name: str, *, arn: str = "") -> Entity:
        """Have the mirror read it."""
        entity = reread_entity(
            self.account, self.scene.aws, kind=kind.value, name=name, arn=arn, cause_id=None
        )
        assert entity is not None
        return entity

    def user(self, **params: Any) -> Entity:
        """A user."""
        name = self.iam.create_user(**{"UserName": self.name("user")} | params)["User"]["UserName"]
        return self.read(Kind.USER, name)

    def group(self, **params: Any) -> Entity:
        """A group."""
        name = self.iam.create_group(**{"GroupName": self.name("group")} | params)["Group"]["GroupName"]
        return self.read(Kind.GROUP, name)

    def role(self, **params: Any) -> Entity:
        """A role, which EC2 may assume."""
        usual = {"RoleName": self.name("role"), "AssumeRolePolicyDocument": TRUST_EC2}
        return self.read(Kind.ROLE, self.iam.create_role(**usual | params)["Role"]["RoleName"])

    def policy(self, *, text: str = READS, **params: Any) -> Entity:
        """A customer managed policy."""
        usual = {"PolicyName": self.name("policy"), "PolicyDocument": text}
        made = self.iam.create_policy(**usual | params)["Policy"]
        return self.read(Kind.POLICY, made["PolicyName"], arn=made["Arn"])

    def profile(self, *, role: Entity | None = None, **params: Any) -> Entity:
        """An instance profile, with a role or without."""
        name = self.name("profile")
        self.iam.create_instance_profile(**{"InstanceProfileName": name} | params)
        if role is not None:
            self.iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role.name)
        at, kind = datetime.now(tz=UTC), Kind.INSTANCE_PROFILE.value
        now = entity_now(self.scene.aws, kind=kind, name=name)
        reread_profile(self.account, name=name, now=now, at=at, cause_id=None)
        return Entity.objects.get(account=self.account, kind=kind, name=name, gone_at__isnull=True)

    def ask(self, *operations: Operation) -> list[Change]:
        """Ask for operations as one set."""
        planned = services.plan_set(operations, viewer=self.scene.requester)
        return services.request_changes(
            planned,
            actor=self.scene.requester,
            reason="It is needed",
            idempotency_key=f"stage-{next(_numbers)}-{id(self)}",
        )

    def queue(self, *operations: Operation) -> list[Change]:
        """Ask for operations as one set, and have it queued. No call made so far counts any more."""
        changes = [self.agreed(change) for change in self.ask(*operations)]
        self.scene.standin.control("faults/clear", {})
        return changes

    def carry_out(self, *operations: Operation) -> list[Change]:
        """Ask for operations as one set, have it approved and applied."""
        changes = self.queue(*operations)
        for change in changes:
            applied(change)
        return changes

    def ask_undo(self, change: Change) -> Change:
        """The undoing of a change, asked for and queued."""
        key = f"undo-{next(_numbers)}-{id(self)}"
        undoing = services.undo(change, actor=self.scene.requester, reason="Over", idempotency_key=key)
        return self.agreed(undoing)

    def agreed(self, change: Change) -> Change:
        """The change, queued as an approval queues it: who has to agree is tried elsewhere, and costs more
        than the operation.
        """
        decisions.queue(change, actor=self.scene.approver, kind="approved", note="")
        return change

    def undo(self, change: Change) -> Change:
        """The undoing of a change, applied."""
        return applied(self.ask_undo(change))

    def called(self) -> set[str]:
        """The actions that the stand-in was asked for since a set was last queued."""
        return set(self.scene.standin.control("stats")["by_action"])

    def written(self) -> int:
        """How many writing calls the stand-in has had since a set was last queued."""
        counted = self.scene.standin.control("stats")["by_action"]
        return sum(times for action, times in counted.items() if not is_reading(action))


def is_reading(action: str) -> bool:
    """Whether a call only looks."""
    name = action.partition(":")[2]
    return name.startswith(("Get", "List", "Describe", "Simulate", "Generate")) or action.startswith("sts:")


def ran(change: Change) -> Change:
    """The change after a worker was told of it."""
    run(change.pk)
    change.refresh_from_db()
    return change


def applied(change: Change) -> Change:
    """The change after a worker has carried it out, and has looked again where AWS takes its time."""
    if ran(change).state == "confirming":
        wait_over(change)
        ran(change)
    assert change.state == "applied", (change.title, change.error_kind, change.error_message)
    return change


def shown_or_none(read: Callable[..., dict[str, Any]], **params: Any) -> dict[str, Any] | None:
    """What boto3 reads; None when AWS has no such thing."""
    try:
        return read(**params)
    except ClientError as error:
        if error.response["Error"]["Code"].startswith("NoSuchEntity"):
            return None
        raise
