"""Things in the stand-in and in the mirror, which somebody changes by hand behind Gatehouse's back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from iam.changes.drift.detection import find
from iam.changes.drift.models import Drift, DriftWatch
from iam.changes.runner import run
from iam.mirror import services as mirror
from iam.mirror.models import Entity, Kind, Section
from iam.mirror.models.accounts import PullState
from iam.mirror.refresh import reread_entity
from iam.notify.models import DELIVER
from tests.iam.changes.conftest import Scene
from tests.queue import catch


@pytest.fixture(autouse=True)
def _unhurried(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account's share of calls is no subject here, nor is the broker."""
    settings.AWS_RATE = 1000
    catch(monkeypatch, DELIVER, lambda *_: True)


@dataclass
class Outside:
    """The account as somebody with other tools changes it."""

    scene: Scene

    @property
    def iam(self) -> Any:
        """boto3's client, which Gatehouse knows nothing of."""
        return self.scene.aws.iam

    def seen(self, entity: Entity) -> None:
        """Gatehouse reads the thing as it is now, and finds no cause."""
        read = reread_entity(
            entity.account,
            self.scene.aws,
            kind=entity.kind,
            name=entity.name,
            arn=entity.arn if entity.kind == Kind.POLICY else "",
            cause_id=None,
        )
        assert read is not None or entity.kind is not None
        find(self.scene.account)

    def watched(self) -> None:
        """The account was read whole just now, and is looked at for drift since."""
        before = datetime.now(tz=UTC)
        for name in ("users", "groups", "roles", "policies", "access_keys"):
            Section.objects.update_or_create(
                account=self.scene.account, name=name, defaults={"state": "complete", "observed_at": before}
            )
        self.scene.account.refresh_from_db()
        DriftWatch.objects.create(
            account=self.scene.account, since=before, revision=self.scene.account.revision
        )

    def drift(self) -> Drift:
        """The only one."""
        return Drift.objects.select_related("account", "entity").get()

    def drift_of(self, entity: Entity) -> Drift:
        """The only one of a thing."""
        return Drift.objects.select_related("account", "entity").get(entity=entity)

    def carry_out(self, changes: list[Any]) -> None:
        """Have what was asked for approved and applied."""
        self.scene.approve(changes[0])
        for change in changes:
            run(change.pk)
            change.refresh_from_db()
            assert change.state == "applied", change.error_message


@pytest.fixture
def outside(scene: Scene) -> Outside:
    """Everything there is was read before, and nothing has changed since."""
    made = Outside(scene)
    for entity in (scene.user, scene.group):
        made.seen(entity)
    made.watched()
    return made


def pull(scene: Scene) -> None:
    """Read the whole account."""
    done = mirror.run_pull(mirror.request_pull(scene.account, trigger="command").pk)
    assert done.state in (PullState.COMPLETE, PullState.PARTIAL), done.message
