"""Loads an uploaded export with the same code as a pull, as one observation of what is in the file and
nothing else.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from django.utils import timezone

from iam.aws.export import AuthorizationExport
from iam.aws.reads.credential_report import ReadReport
from iam.mirror.models import Account, Kind, Pull, SectionState
from iam.mirror.models.accounts import UPLOAD, PullState
from iam.mirror.pull import temporal
from iam.mirror.pull.apply import apply_parts
from iam.mirror.pull.authorization import BulkAuthorization, is_of_kind
from iam.mirror.pull.entity_cache import EntityCache
from iam.mirror.pull.facts import SectionPart
from iam.mirror.pull.freshness import SectionFreshness, SectionVerdict
from iam.mirror.pull.job import PullJob, SectionReading
from iam.mirror.pull.principals import PrincipalsReading, apply_principals, refresh_statistics
from iam.mirror.pull.progress import LEASE, PullProgress
from iam.mirror.pull.run import end_pull, verdict_of_job
from iam.mirror.pull.sections import CREDENTIAL_REPORT, INSTANCE_PROFILES, USERS
from iam.mirror.pull.sweep import LossLimit
from iam.mirror.pull.temporal import EDGES
from iam.mirror.pull.transform.inventory import instance_profile

ONLY_WITH_ROLE = "An export lists only the instance profiles that have a role."


def load_export(
    account: Account,
    export: AuthorizationExport,
    *,
    observed_at: datetime,
    credential_report: ReadReport | None = None,
    accept_loss: bool = False,
) -> Pull:
    """Load the records. Users, groups, roles and policies are complete then, and the report too if there is
    one. Instance profiles stay partial, since an export has only those with a role.

    Everything counts as observed at `observed_at`. The upload gets a row among the pulls. An unusual loss is
    held back as with a pull, unless it is accepted. Raises ValueError for an export of another account.
    """
    if export.account_id != account.account_id:
        raise ValueError(f"The export is of account {export.account_id}, not of {account.account_id}.")
    now = timezone.now()
    pull = Pull.objects.create(
        account=account,
        trigger=UPLOAD,
        state=PullState.RUNNING,
        began_at=observed_at,
        lease_until=now + LEASE,
        accept_loss=accept_loss,
    )
    progress = PullProgress(pull.pk, expected=0)
    try:
        job = PullJob(
            account=account,
            pull=pull,
            progress=progress,
            began_at=observed_at,
            census=EntityCache(account),
            freshness=SectionFreshness(account, pull),
        )
        _apply(job, export, credential_report, observed_at)
    except BaseException:
        end_pull(pull, progress, PullState.FAILED, "The upload couldn’t be loaded. Nothing was saved.")
        raise
    end_pull(pull, progress, *verdict_of_job(job))
    pull.refresh_from_db()
    return pull


def _apply(
    job: PullJob, export: AuthorizationExport, report: ReadReport | None, observed_at: datetime
) -> None:
    bulk = BulkAuthorization()
    for item in export.items:
        bulk.add(item, account_id=export.account_id, intern=job.documents.intern, known=job.census.digest)
    job.documents.flush()
    read = PrincipalsReading(authorization=SectionReading(USERS, began_at=observed_at, value=bulk))
    if report is not None:
        dated = replace(report, generated_at=observed_at)
        read.report = SectionReading(CREDENTIAL_REPORT, began_at=observed_at, value=dated)
    with job.applying():
        apply_principals(job, read)
        _apply_profiles(job, export, observed_at)
    refresh_statistics(job)


def _apply_profiles(job: PullJob, export: AuthorizationExport, observed_at: datetime) -> None:
    """Load the instance profiles that have a role. One that the file does not contain has no role now, if it
    still exists.
    """
    listed = [instance_profile(record) for record in export.profiles]
    seen = job.observation(INSTANCE_PROFILES, at=observed_at)
    part = SectionPart(
        INSTANCE_PROFILES, seen, listed, covers=is_of_kind(Kind.INSTANCE_PROFILE), is_whole=False
    )
    outcome = apply_parts(job.census, [part], limit=LossLimit(percent=0)).outcomes[INSTANCE_PROFILES]
    named = {aws_entity.aws_id for aws_entity in listed}
    known = job.census.of_kind(Kind.INSTANCE_PROFILE)
    emptied: temporal.Wanted = {profile.id: {} for profile in known if profile.aws_id not in named}
    outcome.changed |= temporal.load(EDGES, wanted=emptied, account_id=job.account.pk, seen=seen)
    job.outcomes[INSTANCE_PROFILES] = outcome
    # Not among the verdicts of the upload: the file was read completely, and AWS puts no more into it.
    verdict = SectionVerdict(
        INSTANCE_PROFILES, SectionState.PARTIAL.value, observed_at, message=ONLY_WITH_ROLE
    )
    job.freshness.end(verdict, outcome=outcome, now=timezone.now())
