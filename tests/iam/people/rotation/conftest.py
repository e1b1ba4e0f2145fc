"""A person with a user and one access key, in AWS and in the mirror; workers that do what is due; days that
pass.
"""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

import boto3
import pytest

from iam.aws import writes
from iam.changes.models import Change
from iam.changes.runner import run as carry_out
from iam.changes.runner.claims import due
from iam.changes.services import approve
from iam.directory.models import Identity, Person, Role
from iam.guard import Viewer, viewer_for
from iam.mirror.models import Entity, Usage
from iam.mirror.pull.sections import ACCESS_KEYS
from iam.mirror.refresh.credentials import read_credentials, reread_credentials
from iam.people.rotation import reconcile, requests, services
from iam.people.rotation.models import Rotation, RotationStage
from iam.people.rotation.rotation_plan import RotationTerms
from tests import factories
from tests.iam.changes.conftest import Nudges, Scene, nudges, scene, standin, standin_process
from tests.queue import catch

__all__ = ["Nudges", "nudges", "scene", "standin", "standin_process"]
_numbers = itertools.count(1)
REASON = "Older than 90 days"


@dataclass
class Wheel:
    """The person, the key, and anyone who begins, agrees, works."""

    scene: Scene
    committing: Any
    sent: list[tuple[str, Any]]
    mark: str = field(default_factory=lambda: f"{next(_numbers)}{datetime.now(tz=UTC):%H%M%S%f}")

    @cached_property
    def old_secret(self) -> tuple[str, str]:
        """The key that goes: id and secret."""
        return self.make_key()

    @cached_property
    def old(self) -> Entity:
        """Its row."""
        key_id, _ = self.old_secret
        self.pull()
        return self.entity(key_id)

    @cached_property
    def person(self) -> Person:
        """Whose it is; a member of Gatehouse."""
        person = factories.person("Kwame Boateng", email=f"kwame-{self.mark}@example.com")
        Identity.objects.create(person=person, user_arn=self.scene.user.arn)
        factories.assign(person, Role.MEMBER)
        return person

    @property
    def owner(self) -> Viewer:
        """The person as they are signed in."""
        return viewer_for(self.person)

    def make_key(self) -> tuple[str, str]:
        """A key behind Gatehouse's back."""
        made = self.aws("CreateAccessKey")["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]

    def pull(self) -> None:
        """The keys of the user into the mirror."""
        read = read_credentials(self.scene.aws, user_name=self.scene.user.name, section=ACCESS_KEYS)
        reread_credentials(self.scene.account, self.scene.user, read, cause_id=None)

    def entity(self, key_id: str) -> Entity:
        """A key of the mirror."""
        return Entity.objects.select_related("account", "owner__account").get(
            account=self.scene.account, aws_id=key_id
        )

    def begin(self, *, actor: Viewer | None = None, first: Entity | None = None, **terms: Any) -> Rotation:
        """Asked for."""
        self.person  # noqa: B018
        with self.committing(execute=True):
            return requests.begin(
                actor or self.scene.requester,
                self.old,
                RotationTerms(**{"reason": REASON} | terms),
                first=first,
            )

    def agree(self, change: Change | None) -> None:
        """As many agree as the rules ask for."""
        assert change is not None
        with self.done():
            for number in itertools.islice(_numbers, 3):
                change.refresh_from_db()
                if change.state != "awaiting_approval":
                    return
                email = f"hana-{self.mark}-{number}@example.com"
                name = f"Hana {number}"
                actor = factories.viewer(Role.APPROVER, name=name, email=email)
                approve(change, actor=actor, seen_digest=change.change_set.receipt_digest)

    def work(self) -> None:
        """Workers do all that is due, and what they are told of rotations."""
        for _ in range(30):
            due_ids = list(due(datetime.now(tz=UTC)).values_list("pk", flat=True))
            sending, self.sent[:] = list(dict.fromkeys(self.sent)), []
            if not due_ids and not sending:
                return
            for pk in due_ids:
                with self.done():
                    carry_out(pk)
            for task, pk in sending:
                with self.done():
                    (reconcile.check_usage if task == "check_usage" else requests.ROTATION.request_by_id)(pk)

    def work_alone(self) -> None:
        """Workers do what is due of the changes, and nobody is told of an end: that process is lost."""
        for pk in due(datetime.now(tz=UTC)).values_list("pk", flat=True):
            carry_out(pk)

    def reconcile(self) -> None:
        """The beat, and what follows from it."""
        with self.done():
            requests.ROTATION.resume(older_than=timedelta())
            reconcile.reconcile_open()
        self.work()

    def done(self) -> AbstractContextManager[Any]:
        """What is to happen after a commit happens."""
        return self.committing(execute=True)

    def made(self, **more: Any) -> Rotation:
        """Asked for, agreed to, and the new key is there."""
        rotation = self.begin(**more)
        self.agree(rotation.change)
        self.work()
        return self.now(rotation)

    def using(self, **more: Any) -> tuple[Rotation, services.IssuedKey]:
        """And its secret was fetched."""
        rotation = self.made(**more)
        with self.done():
            fetched = services.fetch(rotation, person=self.owner)
        return self.now(rotation), fetched

    def inactive(self, **more: Any) -> Rotation:
        """And used, and the old one was quiet for long enough."""
        rotation, fetched = self.using(**more)
        self.use(fetched.key_id, fetched.secret)
        self.pass_days(rotation, rotation.quiet_days)
        self.reconcile()
        return self.now(rotation)

    def use(self, key_id: str, secret: str) -> None:
        """Somebody calls AWS with it."""
        boto3.client(
            "sts",
            region_name="eu-west-1",
            endpoint_url=self.scene.standin.url,
            aws_access_key_id=key_id,
            aws_secret_access_key=secret,
        ).get_caller_identity()

    def pass_days(self, rotation: Rotation, days: int) -> None:
        """All that has happened to it lies so much further back."""
        back = timedelta(days=days, minutes=1)
        now = self.now(rotation)
        for name in ("stage_at", "read_at", "quiet_from", "inactive_at", "fetched_at", "told_at", "retry_at"):
            if getattr(now, name):
                setattr(now, name, getattr(now, name) - back)
        now.save()

    def now(self, rotation: Rotation) -> Rotation:
        """As it stands."""
        return Rotation.objects.select_related("change", "old", "user__account", "person", "discarding").get(
            pk=rotation.pk
        )

    def stage(self, rotation: Rotation) -> RotationStage:
        """Where it stands."""
        return RotationStage(self.now(rotation).stage)

    def in_aws(self) -> dict[str, str]:
        """The keys of the user as AWS has them: id → status."""
        return {key["AccessKeyId"]: key["Status"] for key in self.aws("ListAccessKeys")["AccessKeyMetadata"]}

    def used(self, key_id: str) -> Usage:
        """What the mirror says of its use."""
        return Usage.objects.get(entity__aws_id=key_id)

    def aws(self, operation: str, **params: Any) -> dict[str, Any]:
        """What AWS itself says of the user."""
        return dict(
            writes.call(
                self.scene.aws, "iam", operation, {"UserName": self.scene.user.name, **params}
            ).response
        )


@pytest.fixture
def wheel(scene: Scene, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    """See Wheel; what would be put into the queue is written down."""
    sent: list[tuple[str, Any]] = []
    catch(monkeypatch, "iam.people.rotation.tasks", lambda task, pk, **_: sent.append((task, pk)))
    return Wheel(scene, django_capture_on_commit_callbacks, sent)
