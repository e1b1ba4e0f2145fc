"""Ask for an examination, and carry one out."""

from __future__ import annotations

from uuid import UUID

from django.db import IntegrityError, transaction

from iam.directory.models import Person
from iam.journal.services import COMMAND_LINE, record
from iam.journal.services import Actor as JournalActor
from iam.mirror.accounts.actors import Actor, must_manage, person_of
from iam.mirror.accounts.validation import SetupError
from iam.mirror.accounts.work import claim, end, nudge_on_commit, report_progress
from iam.mirror.doctor.checks import Check, Findings
from iam.mirror.doctor.examine import examine
from iam.mirror.models.accounts import Account, Source
from iam.mirror.models.setup import ACTIVE_JOB, DoctorRun, JobState
from iam.mirror.services import request_pull

EXPECTED_CHECKS = 28
"""How many checks an account with two roles has, for the progress bar."""


def request_examination(
    account: Account, *, actor: Actor, pull_after: bool = False, nudged: bool = True
) -> DoctorRun:
    """Queue an examination, or give the one that is under way; `pull_after` then goes for that one too.

    Raises SetupError for an account that nothing reaches.
    """
    must_manage(actor, account_id=account.account_id)
    if account.source == Source.EXPORT or account.removed_at is not None:
        raise SetupError(
            f"{account.name} is known from an uploaded file or was disconnected: nothing reaches it."
        )
    with transaction.atomic():
        run = _queued(account, actor=actor, pull_after=pull_after)
        if nudged:
            nudge_on_commit(run)
    return run


def _queued(account: Account, *, actor: Actor, pull_after: bool) -> DoctorRun:
    try:
        with transaction.atomic():
            run = DoctorRun.objects.create(
                account=account, requested_by=person_of(actor), pull_after=pull_after, total=EXPECTED_CHECKS
            )
    except IntegrityError:
        run = DoctorRun.objects.get(ACTIVE_JOB, account=account)
        if pull_after and not run.pull_after:
            DoctorRun.objects.filter(pk=run.pk).update(pull_after=True)
        return run
    record(kind="account.examine", actor=actor, subject=account.name, account_id=account.account_id)
    return run


def run_examination(run_id: UUID | str) -> DoctorRun | None:
    """Carry out a queued examination in this process; None when another worker has it, or it has ended."""
    run = claim(DoctorRun, run_id)
    if run is None:
        return None
    account = run.account
    checks: list[Check] = []

    def on_check(check: Check) -> None:
        checks.append(check)
        report_progress(run, phase=check.title, done=len(checks), total=max(EXPECTED_CHECKS, len(checks)))

    examine(account, on_check=on_check)
    stored = tuple(check.as_json() for check in checks)
    if end(run, state=JobState.DONE, checks=list(stored), done=len(stored), total=len(stored)):
        _read_after(run, Findings(stored))
    return run


def _read_after(run: DoctorRun, findings: Findings) -> None:
    """The first reading of an account that was just connected: as soon as it can be reached."""
    account = Account.objects.get(pk=run.account_id)
    run.refresh_from_db(fields=["pull_after"])
    if run.pull_after and findings.is_reachable and account.removed_at is None:
        request_pull(account, requested_by=requester(run.requested_by))


def requester(person_id: UUID | None) -> JournalActor:
    """Who asked, for the journal; work without a person comes from the command line."""
    person = Person.objects.filter(pk=person_id).first() if person_id else None
    return person or COMMAND_LINE
