"""Runs one change as far as it can go now: observe, call, observe again, read back, record. Workers never
sleep.

No transaction spans a call to AWS. Every write to the row is a compare-and-set on the fence of the claim, so
a worker whose lease expired does no harm when it continues. The row always has enough information for the
next worker: `sent_at` is set before a call is sent, and from then on AWS is observed before another call is
made.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import BigIntegerField, IntegerField, UUIDField

from iam import nudge
from iam.aws import writes
from iam.aws.errors import AwsError, ErrorKind
from iam.aws.parallel_reads import parallel_reads
from iam.aws.session import Aws
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations import Operation, restore
from iam.changes.operations.base import AwsCall, Image
from iam.changes.runner import calls, outcome_texts, outcomes
from iam.changes.runner.claims import READING, LeaseLostError, claim, keep, renew_lease
from iam.changes.runner.reach import lent_for_writing
from iam.changes.services.own_resources import is_own
from iam.changes.states import RUN_CHANGE, move
from iam.compiled_queries import CompiledQuery
from iam.mirror.models import Entity
from iam.prepared_statements import QueryParam

logger = structlog.get_logger(__name__)

MAX_RUNS = 8
"""How often a change is run. Each run may send a call as often as `iam.aws.session.SENDS_PER_CALL` says."""
CONFIRM_FOR = timedelta(minutes=5)
CONFIRM_DELAYS = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between reads after a call: IAM is eventually consistent, usually within a few seconds."""
BACKOFF_BASE = 2.0
BACKOFF_LIMIT = 300.0
"""After run N, a change waits for BACKOFF_BASE to the power of N seconds, but at most BACKOFF_LIMIT. AWS's
throttling is an error that is worth another run, as `iam.aws.errors` says.
"""

_IN_DOUBT = frozenset({ErrorKind.UNAVAILABLE, ErrorKind.TIMEOUT, ErrorKind.UNEXPECTED})
# After a lost response, AWS may return these for a call that it has already carried out. Only another read
# can tell.
_LOOK_ANEW = frozenset({ErrorKind.NOT_FOUND, ErrorKind.CONFLICT})


# A change waits only for changes of its lane. Compiled once, because every change after the first of its set
# runs it.
_EARLIER = CompiledQuery(
    lambda: (
        Change.objects.filter(
            change_set=QueryParam("change_set", UUIDField()),
            account=QueryParam("account", BigIntegerField()),
            lane=QueryParam("lane", IntegerField()),
            position__lt=QueryParam("position", IntegerField()),
        )
        .order_by("position")
        .values_list("results")
    )
)


class CallRejectedError(Exception):
    """Raised if AWS answers a write with an error, which is `cause`."""

    def __init__(self, cause: AwsError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def run(change_id: UUID) -> None:
    """Run the due step of a change, unless it is not due or another worker has it. Safe to call at any time
    from any number of workers.
    """
    change = claim(change_id)
    if change is None:
        return
    try:
        _step(change)
    except LeaseLostError:
        logger.warning("changes.lease_lost", change=str(change.pk))
    except CallRejectedError as rejected:
        _after_rejection(change, rejected.cause)
    except RefusedError as refused:
        outcomes.refuse(change, refused)
    except AwsError as error:
        _after_error(change, error)
    except (DatabaseError, InterfaceError):
        # Our own database failed, so nothing can be recorded now. The lease expires, and the sweep starts the
        # change again.
        raise
    except Exception:
        logger.exception("changes.runner_failed", change=str(change.pk))
        _after_failure(change)


def _step(change: Change) -> None:
    if change.state == ChangeState.APPLYING and change.attempts > MAX_RUNS:
        outcomes.give_up(change)
        return
    operation = restore(change.operation, account=change.account, params=_with_ids(change))
    operation.load_results(change.results)
    if is_own(operation):
        outcomes.fail(change, kind="refused", message=outcome_texts.OWN_ROLE)
        return
    with lent_for_writing(change.account, on_call=partial(renew_lease, change)) as aws:
        if change.state == ChangeState.APPLYING:
            _carry_out(change, operation, aws)
        else:
            _confirm(change, operation, aws)


def _with_ids(change: Change) -> dict[str, Any]:
    """The parameters, completed with the unique IDs of entities that earlier changes of the set
    have created.
    """
    params = dict(change.params)
    missing = [name for name, value in params.items() if name.endswith("_id") and value == ""]
    missing = [name for name in missing if f"{name[:-3]}_arn" in params]
    if not missing or change.position == 0:
        return params
    # The mirror has the IDs since the earlier change was read back. IDs from AWS's responses take precedence.
    arns = {params[f"{name[:-3]}_arn"] for name in missing}
    ids: dict[str, str] = {}
    for arn in arns:
        known = Entity.objects.filter(account=change.account_id, arn=arn, gone_at__isnull=True)
        for aws_id in known.values_list("aws_id", flat=True):
            ids[arn] = aws_id
    of = {"change_set": change.change_set_id, "account": change.account_id}
    for (results,) in _EARLIER.rows(**of, lane=change.lane, position=change.position):
        ids |= results.get("ids", {})
    return params | {name: ids.get(params[f"{name[:-3]}_arn"], "") for name in missing}


def _carry_out(change: Change, operation: Operation, aws: Aws) -> None:
    """Observe, and make only the calls that are still needed."""
    why, image = _observed(operation, aws)
    if why:
        outcomes.drift_of_names(change, what=why)
        return
    if operation.satisfied(image):
        outcomes.apply(change, operation, aws)
        return
    if not operation.can_proceed(image, before=change.before):
        what = operation.drift_message(image, before=change.before) or outcome_texts.DIFFERS
        outcomes.drift(change, operation, aws, what=what)
        return
    left = _calls_left(change, operation, image)
    if any(calls.is_in_doubt(change, number) and not operation.may_repeat(call) for number, call in left):
        outcomes.leave_unknown(change, kind="in_doubt", message=outcome_texts.NOT_REPEATED)
        return
    _send(change, operation, aws, left=left)
    _confirm(change, operation, aws)


def _observed(operation: Operation, aws: Aws) -> tuple[str, Image]:
    """Why the names no longer refer to what was approved ("" if they do), and what AWS shows if they do."""
    with parallel_reads(aws) as ask:
        observe = partial(operation.observe, aws)
        image = ask(observe) if operation.can_observe_concurrently else observe
        why = operation.identity_error(aws)
        return why, {} if why else image()


def _calls_left(change: Change, operation: Operation, image: Image) -> list[tuple[int, AwsCall]]:
    """The calls to make, with their indexes: AWS has not answered them, and its state doesn't show them as
    done.
    """
    return [
        (number, call)
        for number, call in enumerate(operation.calls())
        if not (calls.is_answered(change, number) or operation.is_done(call, image=image))
    ]


def _send(change: Change, operation: Operation, aws: Aws, *, left: list[tuple[int, AwsCall]]) -> None:
    """Make the calls. The last response is written together with the new state. A call that AWS rejects
    definitely, before any other succeeded, leaves no doubt that AWS is unchanged.
    """
    last: dict[str, Any] = {}
    for number, call in left:
        if last:
            keep(change, **last)
        params = operation.resolve_params(call)
        keep(change, sent_at=datetime.now(tz=UTC), calls=calls.noted(change, number, in_doubt=True))
        began = time.monotonic()
        try:
            result = writes.call(
                aws,
                call.service,
                call.operation,
                params,
                region=call.region,
                may_retry=operation.may_repeat(call),
            )
        except AwsError as error:
            _note_rejection(change, number, error, began=began)
            raise CallRejectedError(error) from error
        kept = operation.handle_response(call, result.response)
        last = _answer_columns(change, number, began=began, request_id=result.request_id, kept=kept)
    moved = move(
        change,
        to=ChangeState.CONFIRMING,
        actor=None,
        data={"request_ids": last.get("request_ids", change.request_ids)},
        # Due again in case this worker is lost before it has read back.
        due_at=datetime.now(tz=UTC) + READING,
        lease_until=None,
        error_kind="",
        error_message="",
        **last,
    )
    if not moved:
        raise LeaseLostError(str(change.pk))


def _note_rejection(change: Change, number: int, error: AwsError, *, began: float) -> None:
    certain = error.kind not in _IN_DOUBT | _LOOK_ANEW
    answer = _answer_columns(
        change,
        number,
        began=began,
        request_id=error.request_id,
        error=error.code or error.kind.value,
        in_doubt=not certain,
    )
    keep(change, **answer)
    if certain and not calls.done_sentences(change):
        keep(change, sent_at=None)


def _answer_columns(
    change: Change,
    number: int,
    *,
    began: float,
    request_id: str,
    error: str = "",
    in_doubt: bool = False,
    kept: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The columns that store the response to a call, with their values."""
    noted = calls.noted(
        change,
        number,
        at=datetime.now(tz=UTC).isoformat(),
        milliseconds=round((time.monotonic() - began) * 1000),
        request_id=request_id,
        error=error,
        in_doubt=in_doubt,
    )
    ids = [*change.request_ids, request_id] if request_id else change.request_ids
    results = {"results": _joined_results(change.results, kept)} if kept else {}
    return {"calls": noted, "request_ids": ids, **results}


def _joined_results(results: dict[str, Any], kept: dict[str, Any]) -> dict[str, Any]:
    """Merge what is kept of several responses; mappings such as the IDs are merged too."""
    joined = dict(results)
    for name, value in kept.items():
        joined[name] = {**joined.get(name, {}), **value} if isinstance(value, dict) else value
    return joined


def _confirm(change: Change, operation: Operation, aws: Aws) -> None:
    """Check whether AWS shows the change; if not, schedule another read."""
    image = operation.observe(aws)
    reads = change.reads + 1
    if operation.satisfied(image):
        outcomes.apply(change, operation, aws, reads=reads)
    else:
        _read_again(change, reads=reads)


def _read_again(change: Change, *, reads: int) -> None:
    now = datetime.now(tz=UTC)
    if change.confirming_at is not None and now - change.confirming_at > CONFIRM_FOR:
        keep(change, reads=reads)
        outcomes.leave_unknown(change, kind="not_seen", message=outcome_texts.not_seen(reads))
        return
    delay = CONFIRM_DELAYS[min(reads, len(CONFIRM_DELAYS)) - 1]
    with transaction.atomic():
        keep(change, reads=reads, due_at=now + timedelta(seconds=delay))
        nudge.send_after_commit(RUN_CHANGE, change.pk, delay=delay)


def _after_rejection(change: Change, error: AwsError) -> None:
    """Retry or end a change after AWS answered a write with an error."""
    if error.is_retryable or error.kind in _LOOK_ANEW:
        _retry(change, error)
    else:
        outcomes.end_without_success(change, error)


def _after_error(change: Change, error: AwsError) -> None:
    """Retry or end a change after a read failed, or the account could not be accessed."""
    if change.state == ChangeState.CONFIRMING:
        if error.is_retryable:
            _read_again(change, reads=change.reads + 1)
        else:
            outcomes.leave_unknown(change, kind=error.kind.value, message=outcome_texts.unreadable(error))
    elif error.is_retryable:
        _retry(change, error)
    else:
        outcomes.end_without_success(change, error)


def _retry(change: Change, error: AwsError) -> None:
    if change.attempts >= MAX_RUNS:
        outcomes.end_without_success(change, error, attempts=change.attempts)
        return
    delay = min(BACKOFF_BASE**change.attempts, BACKOFF_LIMIT)
    with transaction.atomic():
        message = outcome_texts.retried(error, seconds=delay)
        move(
            change,
            to=ChangeState.QUEUED,
            actor=None,
            kind="retry",
            note=message,
            due_at=datetime.now(tz=UTC) + timedelta(seconds=delay),
            lease_until=None,
            error_kind=error.kind.value,
            error_message=message[:2048],
        )
        nudge.send_after_commit(RUN_CHANGE, change.pk, delay=delay)


def _after_failure(change: Change) -> None:
    if change.sent_at is not None or change.state == ChangeState.CONFIRMING:
        outcomes.leave_unknown(change, kind="internal", message=outcome_texts.INTERNAL_AFTER)
    else:
        outcomes.fail(change, kind="internal", message=outcome_texts.INTERNAL_BEFORE)
