"""The fast lane: the whole account in a few bulk calls, applied in one transaction."""

from __future__ import annotations

from iam.mirror.pull.apply import apply_parts
from iam.mirror.pull.authorization import parts_of, read_authorization
from iam.mirror.pull.job import Job
from iam.mirror.pull.sections import AUTHORIZATION


def pull(job: Job) -> None:
    """Read and apply all sections of the fast lane."""
    authorization = read_authorization(job)
    job.progress.enter("Comparing")
    with job.applying():
        limit = job.take_hold()
        outcomes = apply_parts(job.census, parts_of(job, authorization), limit=limit)
        for section in AUTHORIZATION:
            job.settle(authorization, outcome=outcomes.get(section), section=section)
