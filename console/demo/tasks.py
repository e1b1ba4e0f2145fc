"""The Celery task that creates sample data. It is scheduled only in the embedded default."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from celery import shared_task
from django.conf import settings

from console.demo import compliance, evidence, grants, onboarding, outsider, owners, past, reviews
from iam.schedule import every


@shared_task(name="console.demo.tasks.give_sample_grants")  # type: ignore[untyped-decorator]
def give_sample_grants() -> None:
    """Create missing sample data: grants, owners, an onboarding, a user outside Gatehouse, the past trail,
    decisions, access reviews and an evidence pack.
    """
    with _alone(settings.VAR) as is_alone:
        if is_alone:
            _create_missing()


def _create_missing() -> None:
    grants.give_samples()
    grants.date_back()
    owners.name_owners()
    onboarding.run_sample()
    outsider.make_outsider()
    past.read_sample_trail()
    compliance.write_decisions()
    reviews.create_sample_reviews()
    evidence.write_samples()


@contextmanager
def _alone(var: Path) -> Iterator[bool]:
    """Yield False if another worker creates sample data at the moment.

    Otherwise, two that both find nothing would both create it.
    """
    with (var / "samples.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


if settings.EMBEDDED:
    every(5)(give_sample_grants)
