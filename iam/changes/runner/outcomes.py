"""Ends changes: applied and read back into the mirror, failed, or unknown; and starts the changes that waited
for them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import structlog
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import (
    BigIntegerField,
    CharField,
    DateTimeField,
    Field,
    IntegerField,
    Q,
    QuerySet,
    UUIDField,
)

from iam import nudge
from iam.aws.errors import AwsError
from iam.aws.session import Aws
from iam.changes.errors import RefusedError
from iam.changes.models import LAST_BRANCH, Change, ChangeState
from iam.changes.operations import Operation
from iam.changes.runner import calls, outcome_texts
from iam.changes.runner.claims import LeaseLostError
from iam.changes.states import RUN_CHANGE, move
from iam.compiled_queries import CompiledQuery, columns
from iam.mirror import services as mirror
from iam.prepared_statements import QueryParam

logger = structlog.get_logger(__name__)


def apply(change: Change, operation: Operation, aws: Aws, *, reads: int = 1) -> None:
    """Read the subject back into the mirror, then end the change as applied. AWS has the desired state."""
    already_so = change.sent_at is None and change.state == ChangeState.APPLYING
    is_read_back = _read_back(change, operation, aws, is_ours=not already_so)
    if already_so:
        note = "AWS was already as requested, so nothing was called."
    elif change.state == ChangeState.APPLYING:
        note = "Confirmed in AWS. The worker that made the call stopped before it recorded the answer."
    else:
        note = f"Confirmed in AWS by {reads} {'check' if reads == 1 else 'checks'}."
    if not is_read_back:
        note += " Gatehouse shows it after the next sync."
    # The mirror's row of a subject that this change, or an earlier one of its set, has created.
    entity = operation.subject() if change.entity_id is None else None
    made = {"entity": entity} if entity is not None else {}
    _move(
        change,
        to=ChangeState.APPLIED,
        note=note,
        already_so=already_so,
        reads=reads,
        error_kind="",
        error_message="",
        data={"request_ids": change.request_ids, "already_so": already_so},
        **made,
    )


def _read_back(change: Change, operation: Operation, aws: Aws, *, is_ours: bool) -> bool:
    """Refresh the subject in the mirror. Returns False if that failed. AWS has the new state anyway, so a
    sync is requested then.
    """
    cause_id = change.pk if is_ours else None
    try:
        operation.read_back(aws, cause_id=cause_id)
    except AwsError as error:
        logger.warning("changes.not_read_back", change=str(change.pk), error=str(error))
        mirror.request_pull(change.account, trigger="change")
        return False
    return True


def fail(change: Change, *, kind: str, message: str) -> None:
    """End a change that had no effect, and cancel the changes of its set that wait for it."""
    with transaction.atomic():
        _move(
            change,
            to=ChangeState.FAILED,
            note=message,
            error_kind=kind,
            error_message=message[:2048],
            data={"error": kind, "request_ids": change.request_ids},
        )
        followers = Change.objects.filter(_behind(change), state=ChangeState.QUEUED).order_by("position")
        for follower in followers.select_related("account"):
            note = f"{change.reference}, which came first, failed."
            move(follower, to=ChangeState.CANCELLED, actor=None, note=note)


def end_without_success(change: Change, error: AwsError, *, attempts: int = 1) -> None:
    """End a change that AWS refused: as unknown if a call is in doubt, else as failed, with what was done
    before.
    """
    if calls.has_doubt(change):
        leave_unknown(change, kind=error.kind.value, message=outcome_texts.in_doubt(error))
        return
    done = calls.done_sentences(change)
    fail(change, kind=error.kind.value, message=outcome_texts.failed(error, attempts=attempts, done=done))
    if done:
        mirror.request_pull(change.account, trigger="change")


def refuse(change: Change, refused: RefusedError) -> None:
    """End a change with a call that could not be sent because its sealed secret is gone."""
    done = calls.done_sentences(change)
    fail(change, kind="refused", message=outcome_texts.refused(refused.message, done=done))
    if done:
        mirror.request_pull(change.account, trigger="change")


def drift(change: Change, operation: Operation, aws: Aws, *, what: str) -> None:
    """End a change whose planned state is outdated. The mirror is refreshed, so that a new request is planned
    on what AWS shows.
    """
    is_read_back = _read_back(change, operation, aws, is_ours=False)
    _end_as_drift(change, what=what, is_read_back=is_read_back)


def drift_of_names(change: Change, *, what: str) -> None:
    """End a change whose names no longer refer to what was approved. A sync is requested, because AWS shows
    another entity under them.
    """
    mirror.request_pull(change.account, trigger="change")
    _end_as_drift(change, what=what, is_read_back=False)


def _end_as_drift(change: Change, *, what: str, is_read_back: bool) -> None:
    if change.sent_at is None:
        fail(change, kind="drift", message=outcome_texts.drifted(what, is_read_back=is_read_back))
    else:
        leave_unknown(change, kind="drift", message=outcome_texts.drifted_in_doubt(what))


def leave_unknown(change: Change, *, kind: str, message: str) -> None:
    """End a change whose state in AWS is unknown. A person must check it, and a sync is requested."""
    _move(
        change,
        to=ChangeState.UNKNOWN,
        note=message,
        error_kind=kind,
        error_message=message[:2048],
        data={"error": kind, "request_ids": change.request_ids},
    )
    mirror.request_pull(change.account, trigger="change")


def give_up(change: Change) -> None:
    """End a change after too many workers stopped while running it."""
    if change.sent_at is None:
        fail(change, kind="lost", message=outcome_texts.LOST_BEFORE)
    else:
        leave_unknown(change, kind="lost", message=outcome_texts.LOST_AFTER)


def _move(change: Change, *, to: ChangeState, note: str, **fields: object) -> None:
    with transaction.atomic():
        if not move(change, to=to, actor=None, note=note, **fields):  # type: ignore[arg-type]
            raise LeaseLostError(str(change.pk))
        for waiting in _waiting_behind(change):
            nudge.send_after_commit(RUN_CHANGE, waiting.pk)


def _waiting_behind(change: Change) -> list[Change]:
    """The changes that could not begin while this one was in flight: the first of each branch of its set, and
    the next of its subject. One query.
    """
    statement = _IN_BRANCH if change.branch else _IN_LANE
    # No other change of a branch can begin before its first one.
    waiting_rows = statement.rows(
        now=datetime.now(tz=UTC), **{name: getattr(change, name) for name in _SLOTS}
    )
    rows = [Change.from_db(DEFAULT_DB_ALIAS, _WAITING, row) for row in waiting_rows]
    firsts = {
        behind.branch: behind for behind in reversed(rows) if behind.change_set_id == change.change_set_id
    }
    of_same = [
        behind
        for behind in rows
        if behind.subject_id == change.subject_id and behind.account_id == change.account_id
    ]
    # One change per subject is enough: it would keep the others out, and its end nudges the next one.
    of_each = {
        (change.account_id, change.subject_id): change
        for change in sorted([*firsts.values(), *of_same], key=_turn, reverse=True)
    }
    return list(of_each.values())


def _turn(change: Change) -> tuple[Any, ...]:
    return change.branch == LAST_BRANCH, change.due_at, change.position, change.pk


def _behind(change: Change) -> Q:
    """The changes of its set that wait for it: all later ones of its lane, or those of its branch and of the
    last branch.
    """
    of = partial(getattr, change)
    return _behind_in_branch(of) if change.branch else _behind_in_lane(of)


def _behind_in_lane(of: Callable[[str], Any]) -> Q:
    return Q(change_set=of("change_set_id"), lane=of("lane"), position__gt=of("position"))


def _behind_in_branch(of: Callable[[str], Any]) -> Q:
    return _behind_in_lane(of) & (Q(branch=of("branch")) | Q(branch=LAST_BRANCH))


_SLOTS: dict[str, Field[Any, Any]] = {
    "change_set_id": UUIDField(),
    "lane": IntegerField(),
    "branch": IntegerField(),
    "position": IntegerField(),
    "account_id": BigIntegerField(),
    "subject_id": CharField(),
}
_NEEDED = {"id", "branch", "position", "due_at", "change_set_id", "account_id", "subject_id"}
# Instances are created from rows in the order of the model's columns.
_WAITING = tuple(name for name in columns(Change) if name in _NEEDED)


def _statement(behind: Callable[[Callable[[str], Any]], Q]) -> CompiledQuery:
    """The query for queued changes that wait for a change, and for queued ones of the same subject."""

    def of(name: str) -> QueryParam:
        return QueryParam(name, _SLOTS[name])

    def make() -> QuerySet[Change, tuple[Any, ...]]:
        of_subject = Q(account=of("account_id"), subject_id=of("subject_id"))
        is_due = Q(state=ChangeState.QUEUED, due_at__lte=QueryParam("now", DateTimeField()))
        waiting = Change.objects.filter(is_due, behind(of) | of_subject)
        return waiting.order_by("position").values_list(*_WAITING)

    return CompiledQuery(make)


_IN_LANE, _IN_BRANCH = _statement(_behind_in_lane), _statement(_behind_in_branch)
