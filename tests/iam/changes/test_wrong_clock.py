"""A worker whose clock turns wrong while it runs leaves changes and syncs to others."""

from __future__ import annotations

import pytest

from iam.changes.models import Change
from iam.changes.runner import claims
from iam.journal import clock
from iam.mirror.models import Pull
from iam.mirror.pull import progress
from iam.mirror.services import request_pull
from tests.iam.changes.conftest import Scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _look_anew() -> object:
    clock.forget()
    yield
    clock.forget()


@pytest.mark.parametrize("seconds", [1200.0, 31.0, -31.0, -1200.0])
def test_nothing_is_taken_over_by_a_wrong_clock(
    scene: Scene, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    pull = request_pull(change.account, trigger="demand")
    monkeypatch.setattr(clock, "seconds_ahead", lambda: seconds)
    assert claims.claim(change.pk) is None
    assert not progress.claim(pull.pk, now=clock.now())
    assert Change.objects.get(pk=change.pk).state == "queued"
    assert Pull.objects.get(pk=pull.pk).state == "queued"


def test_the_work_goes_on_when_the_clock_is_right_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = scene.queued()
    monkeypatch.setattr(clock, "seconds_ahead", lambda: 1200.0)
    assert claims.claim(change.pk) is None
    monkeypatch.setattr(clock, "seconds_ahead", lambda: 1.0)
    assert claims.claim(change.pk) is None, "believed for half a minute"
    clock.forget()
    assert claims.claim(change.pk) is not None
