"""The page of one account: its pulls, and its newest examination."""

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
    """The pulls of an account, newest first; one more than `size` when there are older ones.

    Of a past moment, those that had begun by then, one that had not ended as it was while it ran; and uploads
    of files that tell of it.
    """
    pulls = Pull.objects.filter(account=account)
    if before:
        pulls = pulls.filter(created_at__lt=before)
    if at is None:
        return list(pulls.order_by("-created_at")[: size + 1])
    known = list(pulls.filter(by_then(at) | ahead(at)).order_by("-created_at")[: size + 1])
    return [_as_known(pull, at) for pull in known]


def _as_known(pull: Pull, at: datetime) -> Pull:
    """What was known of a pull at the moment: one that still ran has no end yet; never to be saved."""
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
    """What a pull has done so far, section by section, in the order of reading."""
    return list(PullSection.objects.filter(pull=pull).order_by("began_at", "id"))


def last_examination(account: Account) -> DoctorRun | None:
    """The newest examination, whether it has ended or not."""
    return DoctorRun.objects.filter(account=account).order_by("-created_at").first()
