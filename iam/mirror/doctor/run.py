"""Runs a queued examination. Only workers and commands do this, since it calls AWS."""

from __future__ import annotations

from uuid import UUID

from iam.directory.models import Person
from iam.journal.services import COMMAND_LINE
from iam.journal.services import Actor as JournalActor
from iam.mirror.accounts.worker_jobs import claim, end, report_progress
from iam.mirror.doctor.checks import ExaminationCheck, StoredExamination
from iam.mirror.doctor.examine import examine
from iam.mirror.doctor.services import EXPECTED_CHECKS
from iam.mirror.models.accounts import Account
from iam.mirror.models.setup import DoctorRun, JobState
from iam.mirror.services import request_pull


def run_examination(run_id: UUID | str) -> DoctorRun | None:
    """Run a queued examination in this process. Returns None if another worker has it or it has ended."""
    run = claim(DoctorRun, run_id)
    if run is None:
        return None
    account = run.account
    checks: list[ExaminationCheck] = []

    def on_check(check: ExaminationCheck) -> None:
        checks.append(check)
        report_progress(run, phase=check.title, done=len(checks), total=max(EXPECTED_CHECKS, len(checks)))

    examine(account, on_check=on_check)
    stored = tuple(check.as_json() for check in checks)
    if end(run, state=JobState.DONE, checks=list(stored), done=len(stored), total=len(stored)):
        _read_after(run, StoredExamination(stored))
    return run


def _read_after(run: DoctorRun, findings: StoredExamination) -> None:
    """Request the first sync of an account that was just connected, if it can be reached."""
    account = Account.objects.get(pk=run.account_id)
    run.refresh_from_db(fields=["pull_after"])
    if run.pull_after and findings.is_reachable and account.removed_at is None:
        request_pull(account, requested_by=requester(run.requested_by))


def requester(person_id: UUID | None) -> JournalActor:
    """Return the requester for the journal, which is the command line if there is no person."""
    person = Person.objects.filter(pk=person_id).first() if person_id else None
    return person or COMMAND_LINE
