"""The Celery task of the sample organisation; it is scheduled in the embedded default alone."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings

from console.demo import compliance, evidence, grants, onboarding, outsider, owners, past, reviews
from iam.schedule import every


@shared_task(name="console.demo.tasks.give_sample_grants")  # type: ignore[untyped-decorator]
def give_sample_grants() -> None:
    """Make the sample grants, name owners, onboard a few people, make somebody outside of Gatehouse, read the
    made-up trail, decide about requirements, and hold the access reviews and build an evidence pack, if there
    are none.
    """
    grants.give_samples()
    grants.date_back()
    owners.name_owners()
    onboarding.run_sample()
    outsider.make_outsider()
    past.read_sample_trail()
    compliance.write_decisions()
    reviews.hold_samples()
    evidence.write_samples()


if settings.EMBEDDED:
    every(5)(give_sample_grants)
