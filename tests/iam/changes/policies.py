"""A managed policy that exists in the stand-in and in the mirror, held by a group, and what is done to it."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from iam.aws import writes
from iam.changes import services
from iam.changes.models import Change
from iam.changes.runner import run
from iam.mirror.models import EdgeKind, Entity, Kind, PolicyVersion, valid_at
from iam.mirror.refresh import reread_entity
from tests import factories
from tests.iam.changes.conftest import Scene

_numbers = itertools.count(1)


def allowing(*actions: str, resource: str = "*", effect: str = "Allow") -> str:
    """A policy of one statement, laid out as people write it."""
    statement = {"Effect": effect, "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


READS, WRITES = allowing("s3:GetObject"), allowing("s3:GetObject", "s3:PutObject")


@dataclass
class PolicyScene:
    """One policy, attached to the scene's group, with the scene's user in it."""

    scene: Scene
    policy: Entity

    @property
    def arn(self) -> dict[str, str]:
        """As calls name it."""
        return {"PolicyArn": self.policy.arn}

    def in_aws(self) -> tuple[str, str, list[str]]:
        """The default version, its text, and all versions, as AWS has them."""
        versions = self.scene.aws.iam.list_policy_versions(**self.arn)["Versions"]
        default = next(device["VersionId"] for device in versions if device["IsDefaultVersion"])
        version = self.scene.aws.iam.get_policy_version(**self.arn, VersionId=default)["PolicyVersion"]
        return default, version["Document"], sorted(device["VersionId"] for device in versions)

    def in_mirror(self) -> tuple[str, str, list[str]]:
        """The same, as the mirror has it."""
        policy_versions = list(PolicyVersion.objects.filter(valid_at(None), policy=self.policy))
        default = next(policy_version for policy_version in policy_versions if policy_version.is_default)
        return (
            default.version_id,
            default.document.text,
            sorted(policy_version.version_id for policy_version in policy_versions),
        )

    def by_hand(self, text: str, *, is_default: bool = True) -> None:
        """Make a version behind Gatehouse's back."""
        params = {**self.arn, "PolicyDocument": text, "SetAsDefault": is_default}
        writes.call(self.scene.aws, "iam", "CreatePolicyVersion", params)

    def call(self, operation: str, **params: Any) -> None:
        """Anything else behind Gatehouse's back."""
        writes.call(self.scene.aws, "iam", operation, {**self.arn, **params})

    def pull(self) -> None:
        """Have the mirror read the policy."""
        reread_entity(
            self.scene.account,
            self.scene.aws,
            kind=Kind.POLICY.value,
            name=self.policy.name,
            arn=self.policy.arn,
            cause_id=None,
        )

    def with_versions(self, number: int) -> None:
        """Let it have so many versions, v1 the oldest, the newest as the default."""
        for count in range(2, number + 1):
            self.by_hand(allowing(f"s3:GetObject{'Tagging' * (count % 2)}", "s3:ListBucket"))
        self.pull()
        self.scene.standin.control("faults/clear", {})

    def ask(self, text: str = WRITES, *, key: str = "") -> Change:
        """Ask for the text."""
        return services.request_policy_text(
            self.scene.requester,
            policy=self.policy,
            text=text,
            reason="The release needs it",
            idempotency_key=key or f"edit-{next(_numbers)}",
        )

    def queued(self, text: str = WRITES) -> Change:
        """Asked for and approved."""
        return self.scene.approve(self.ask(text))

    def applied(self, text: str = WRITES) -> Change:
        """Carried out."""
        change = ran(self.queued(text))
        assert change.state == "applied", change.error_message
        return change

    def undone(self, change: Change) -> Change:
        """The undoing of a change, carried out."""
        undo = services.undo(
            change, actor=self.scene.requester, reason="Over", idempotency_key=f"u{next(_numbers)}"
        )
        return ran(self.scene.approve(undo))


def ran(change: Change) -> Change:
    """The change after a worker was told of it."""
    run(change.pk)
    change.refresh_from_db()
    return change


def make_policy(scene: Scene, *, text: str = READS) -> PolicyScene:
    """A policy in AWS and in the mirror, attached to the group."""
    name = f"PaymentsDeploy-{next(_numbers)}-{datetime.now(tz=UTC):%H%M%S%f}"
    made = writes.call(scene.aws, "iam", "CreatePolicy", {"PolicyName": name, "PolicyDocument": text})
    arn = made.response["Policy"]["Arn"]
    policy = reread_entity(
        scene.account, scene.aws, kind=Kind.POLICY.value, name=name, arn=arn, cause_id=None
    )
    assert policy is not None
    factories.edge(EdgeKind.ATTACHED, scene.group, policy)
    factories.edge(EdgeKind.MEMBER, scene.user, scene.group)
    scene.standin.control("faults/clear", {})
    return PolicyScene(scene, policy)
