"""Whatever stops a run, no event is lost and none is counted twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.db.models import Sum
from django.utils import timezone

from iam.activity.models import CallerAction, CallerAddress, CallerDay, TrailEvent
from iam.activity.sources.models import SourceFile, SourcePlace, TrailSource
from iam.activity.sources.run import due_sources, run_source
from tests.iam.activity.sources.aws import TODAY, events, put, source

pytestmark = [pytest.mark.on_both, pytest.mark.django_db]
STEPS = (
    "iam.activity.sources.bucket.list_page",
    "iam.activity.sources.bucket.read_object",
    "iam.activity.sources.bucket.ingest",
    "iam.activity.sources.bucket._note_files",
    "iam.activity.sources.bucket._advance",
    "iam.activity.sources.bucket.note_read",
    "iam.activity.storage._write_rows",
    "iam.activity.storage._insert_files",
)
FAULTS = (SystemExit("killed"), OperationalError("terminating connection"))


class Breaking:
    """Lets some calls of a step through, and breaks off one before or after it has done its work."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.left = 0
        self.broken = 0

    def around(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The step, which breaks when its time has come."""

        def broken(*arguments: Any, **fields: Any) -> Any:
            self.left -= 1
            if self.left:
                return step(*arguments, **fields)
            self.broken += 1
            if self.chance.random() < 0.5:
                step(*arguments, **fields)
            raise self.chance.choice(FAULTS)

        return broken


@pytest.mark.parametrize("seed", range(2))
def test_no_event_is_lost_or_counted_twice(s3: Any, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr("iam.activity.sources.bucket.FILES_AT_ONCE", 2)
    for number in range(12):
        region = ("eu-west-1", "us-east-1")[number % 2]
        put(s3, events(5), at=TODAY - timedelta(hours=30 - number), region=region)
    row = source()
    breaking = Breaking(random.Random(seed))
    with monkeypatch.context() as patched:
        for name in STEPS:
            module, _, function = name.rpartition(".")
            step = getattr(__import__(module, fromlist=[function]), function)
            patched.setattr(name, breaking.around(step))
        for _ in range(25):
            breaking.left = breaking.chance.randrange(1, 15)
            try:
                run_source(row.pk)
            except (SystemExit, OperationalError):
                # The worker is gone: its lease runs out, and the sweep finds the source again.
                assert due_sources(timezone.now()) == []
                TrailSource.objects.update(lease_until=timezone.now())
            TrailSource.objects.update(next_run_at=None)
            assert due_sources(timezone.now()) == [row.pk]
    breaking.left = 0
    run_source(row.pk)
    assert breaking.broken >= 5
    assert TrailEvent.objects.count() == 60
    for model in (CallerDay, CallerAction, CallerAddress):
        assert model.objects.aggregate(calls=Sum("calls"))["calls"] == 60, model
    assert SourceFile.objects.count() == 12
    assert not SourcePlace.objects.filter(read_until=None).exists()
