"""Queries for the page of an account: its pulls and its newest examination."""

from __future__ import annotations

from datetime import datetime

from iam.mirror.models import Account, Pull, PullSection
from iam.mirror.models.accounts import UPLOAD, PullState
from iam.mirror.models.setup import DoctorRun
from iam.mirror.queries.past_accounts import (
    ahead,
    by_then,
)

HISTORY_SIZE = 20


def pull_history(
    account: Account,
    *,
    before: datetime | None = None,
    at: datetime | None = None,
    size: int = HISTORY_SIZE,
) -> list[Pull]:
    """Return the pulls of an account, newest first, and one more than `size` if there are older ones.

    For a past time, those that had begun by then, with an open one shown as it was, and uploads of files
    about that time.
    """
    pulls = Pull.objects.filter(account=account)
    if before:
        pulls = pulls.filter(created_at__lt=before)
    if at is None:
        return list(pulls.order_by("-created_at")[: size + 1])
    known = list(pulls.filter(by_then(at) | ahead(at)).order_by("-created_at")[: size + 1])
    return [_as_known(pull, at) for pull in known]


def _as_known(pull: Pull, at: datetime) -> Pull:
    """Return a pull as it was known at a time: a running one has no end. The result must not be saved."""
    has_ended = pull.ended_at is not None and pull.ended_at <= at
    if has_ended or pull.trigger == UPLOAD:
        return pull
    return Pull(
        pk=pull.pk,
        account_id=pull.account_id,
        state=PullState.RUNNING,
        trigger=pull.trigger,
        requested_by=pull.requested_by,
        created_at=pull.created_at,
        began_at=pull.began_at,
    )


def pull_sections(pull: Pull) -> list[PullSection]:
    """Return the sections of a pull so far, in the order of reading."""
    return list(PullSection.objects.filter(pull=pull).order_by("began_at", "id"))


def last_examination(account: Account) -> DoctorRun | None:
    """Return the newest examination, ended or not, or None."""
    return DoctorRun.objects.filter(account=account).order_by("-created_at").first()
