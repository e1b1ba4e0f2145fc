"""Runs one pull from sign-in to its last section, and always ends its row."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import structlog
from django.db.models import OuterRef, Subquery, Value
from django.db.models.lookups import Exact
from django.utils import timezone

from iam.aws.errors import AwsError
from iam.aws.reads.lists import confirm_account
from iam.mirror.models import Account, Pull, SectionState
from iam.mirror.models.accounts import PULLS_KEPT, PullState
from iam.mirror.pull import detail_lane, fast_lane, inventory
from iam.mirror.pull.entity_cache import EntityCache
from iam.mirror.pull.freshness import SectionFreshness
from iam.mirror.pull.job import LiveJob, PullJob
from iam.mirror.pull.numbers import keep_numbers
from iam.mirror.pull.progress import (
    PullCancelledError,
    PullLeaseLostError,
    PullProgress,
    claim,
    close_sections,
)
from iam.mirror.pull.reach import UnreachableError, open_account

log = structlog.get_logger(__name__)


def run_pull(pull_id: UUID) -> None:
    """Claim a queued pull and run it. Does nothing if another worker has it, or it has ended."""
    now = timezone.now()
    if not claim(pull_id, now=now):
        return
    pull = Pull.objects.select_related("account").get(pk=pull_id)
    progress = PullProgress(pull_id, expected=_expected_calls(pull.account))
    try:
        state, message = _carry_out(pull, progress, now)
    except PullCancelledError:
        state, message = PullState.CANCELLED, "Stopped on request. What was saved until then is kept."
    except UnreachableError as error:
        state, message = PullState.FAILED, str(error)
    except AwsError as error:
        state, message = PullState.FAILED, _no_way_in(error, pull.account)
        SectionFreshness(pull.account, pull).end_all(error, at=now, message=message)
    except PullLeaseLostError:
        log.warning("pull_lease_lost", pull=str(pull_id))
        return
    except Exception:
        # Nothing else would end the row. The error itself goes to the worker's log.
        end_pull(
            pull,
            progress,
            PullState.FAILED,
            "An internal error stopped the sync. See the worker’s log for details.",
        )
        raise
    end_pull(pull, progress, state, message)


def _expected_calls(account: Account) -> int:
    last = Pull.objects.filter(account=account, state=PullState.COMPLETE).order_by("-created_at").first()
    return last.calls if last else 24


def _carry_out(pull: Pull, progress: PullProgress, now: datetime) -> tuple[PullState, str]:
    account = pull.account
    aws = open_account(account, on_call=progress.on_call)
    progress.retries = lambda: aws.retries
    try:
        confirm_account(aws)
        job = LiveJob(
            account=account,
            pull=pull,
            aws=aws,
            progress=progress,
            began_at=now,
            census=EntityCache(account),
            freshness=SectionFreshness(account, pull),
        )
        inventory.pull_settings(job)
        fast_lane.pull_principals(job)
        inventory.pull_inventory(job)
        detail_lane.pull_details(job)
    finally:
        aws.close()
    return verdict_of_job(job)


def _no_way_in(error: AwsError, account: Account) -> str:
    """Why the account could not be accessed, as text. If the role was refused, a policy of the role itself
    can't fix it.
    """
    if error.is_role_refused:
        return (
            f"AWS doesn’t let Gatehouse assume {account.role_arn or 'its role'}. The role may not exist, "
            "its trust policy may not name "
            "Gatehouse or may require another external ID, or Gatehouse’s own policy may not allow it."
        )
    missing = f" The missing permission is {error.permission}." if error.permission else ""
    return f"Can’t access the account: {error}.{missing}"[:1024]


def verdict_of_job(job: PullJob) -> tuple[PullState, str]:
    """The state and message of a pull, from the results of its sections. Also sets the totals of its row."""
    states = {verdict.state for verdict in job.verdicts.values()}
    outcomes = job.outcomes.values()
    job.pull.added = sum(outcome.added for outcome in outcomes)
    job.pull.ended = sum(outcome.ended for outcome in outcomes)
    job.pull.changed = len(set[int]().union(*[outcome.changed for outcome in outcomes]))
    reasons_held = [outcome.held for outcome in outcomes if outcome.held]
    bad = [verdict.message for verdict in job.verdicts.values() if verdict.state != SectionState.COMPLETE]
    message = " ".join(reasons_held or bad[:2])[:1024]
    if reasons_held:
        return PullState.HELD, message
    if states <= {SectionState.COMPLETE.value}:
        return PullState.COMPLETE, ""
    if SectionState.COMPLETE.value in states:
        return PullState.PARTIAL, message
    return PullState.FAILED, message


def end_pull(pull: Pull, progress: PullProgress, state: PullState, message: str) -> None:
    """End the row, unless its lease has expired, and delete old uneventful pulls."""
    now = timezone.now()
    ended = Pull.objects.filter(pk=pull.pk, state=PullState.RUNNING).update(
        state=state,
        ended_at=now,
        lease_until=None,
        phase="",
        message=message,
        calls=progress.calls,
        calls_expected=progress.calls,
        waits=progress.retries(),
        added=pull.added,
        changed=pull.changed,
        ended=pull.ended,
    )
    if ended:
        if state in {PullState.COMPLETE, PullState.PARTIAL, PullState.HELD}:
            keep_numbers(pull.account, at=now)
        close_sections(pull.sections.all(), now=now)
        _forget_uneventful(pull.account, before=now - PULLS_KEPT)


def _forget_uneventful(account: Account, *, before: datetime) -> None:
    """Delete the rows of old scheduled pulls without news, because there are four per hour and account.

    Only rows between complete pulls are deleted: the last one before and the first one after an incomplete
    pull show how old the data was then.
    """
    pulls = Pull.objects.filter(account=account)
    preceding = pulls.filter(created_at__lt=OuterRef("created_at")).order_by("-created_at")
    following = pulls.filter(created_at__gt=OuterRef("created_at")).order_by("created_at")
    between = [
        Exact(Subquery(near.values("state")[:1]), Value(PullState.COMPLETE))
        for near in (preceding, following)
    ]
    old = pulls.filter(*between, created_at__lt=before, trigger="schedule", state=PullState.COMPLETE)
    old.filter(added=0, changed=0, ended=0).delete()
