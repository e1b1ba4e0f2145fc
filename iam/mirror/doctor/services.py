"""Requests examinations. A worker runs them, see `run`."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from iam.journal.services import record
from iam.mirror.accounts.actors import Actor, must_manage, person_of
from iam.mirror.accounts.validation import SetupError
from iam.mirror.accounts.worker_jobs import nudge_on_commit
from iam.mirror.models.accounts import Account, AccountSource
from iam.mirror.models.setup import ACTIVE_JOB, DoctorRun

EXPECTED_CHECKS = 28
"""Number of checks of an account with two roles, for the progress bar."""


def request_examination(
    account: Account, *, actor: Actor, pull_after: bool = False, nudged: bool = True
) -> DoctorRun:
    """Queue an examination, or return the open one. `pull_after` applies to that one too.

    Raises SetupError for an account that can't be reached.
    """
    must_manage(actor, account_id=account.account_id)
    if account.source == AccountSource.EXPORT or account.removed_at is not None:
        raise SetupError(
            f"{account.name} comes from an uploaded file or was disconnected, so Gatehouse can’t call AWS "
            "for it."
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
