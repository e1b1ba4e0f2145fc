"""How a change ends: applied and read back into the mirror, failed, or unknown; and what waits behind it."""

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
from iam.compiled_queries import CompiledQuery, QueryParam, columns
from iam.mirror import services as mirror

logger = structlog.get_logger(__name__)


def apply(change: Change, operation: Operation, aws: Aws, *, reads: int = 1) -> None:
    """AWS is as wanted: read the subject back into the mirror, then end the change as applied."""
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
    # The mirror's row of a subject that the change, or an earlier one of its set, has made.
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
    """Read the subject into the mirror. AWS is as it is whatever comes of this, so a failed reading only asks
    for a pull.
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
    """End a change that did nothing; what was to follow it in its set is cancelled."""
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
    """End a change that AWS refused: unknown where a call is in doubt, else failed, with what had been done
    before it.
    """
    if calls.has_doubt(change):
        leave_unknown(change, kind=error.kind.value, message=outcome_texts.in_doubt(error))
        return
    done = calls.done_sentences(change)
    fail(change, kind=error.kind.value, message=outcome_texts.failed(error, attempts=attempts, done=done))
    if done:
        mirror.request_pull(change.account, trigger="change")


def refuse(change: Change, refused: RefusedError) -> None:
    """End a change of which a call could not be sent: what was sealed for it is not there any more."""
    done = calls.done_sentences(change)
    fail(change, kind="refused", message=outcome_texts.refused(refused.message, done=done))
    if done:
        mirror.request_pull(change.account, trigger="change")


def drift(change: Change, operation: Operation, aws: Aws, *, what: str) -> None:
    """End a change that was planned on a state that is gone; the mirror learns what AWS shows instead, so
    that anyone who asks anew plans on that.
    """
    is_read_back = _read_back(change, operation, aws, is_ours=False)
    _end_as_drift(change, what=what, is_read_back=is_read_back)


def drift_of_names(change: Change, *, what: str) -> None:
    """End a change of which the names mean something else by now: what AWS shows under them is of another,
    and a pull tells who is who.
    """
    mirror.request_pull(change.account, trigger="change")
    _end_as_drift(change, what=what, is_read_back=False)


def _end_as_drift(change: Change, *, what: str, is_read_back: bool) -> None:
    if change.sent_at is None:
        fail(change, kind="drift", message=outcome_texts.drifted(what, is_read_back=is_read_back))
    else:
        leave_unknown(change, kind="drift", message=outcome_texts.drifted_in_doubt(what))


def leave_unknown(change: Change, *, kind: str, message: str) -> None:
    """End a change of which nobody knows how AWS stands: a person must look, and a pull reads what there is
    to see.
    """
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
    """End a change that has cost too many workers their lives."""
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
    """What could not begin while this one was in flight: the first of each branch of its set, and the next of
    its subject; one query.
    """
    statement = _IN_BRANCH if change.branch else _IN_LANE
    # Nothing else of a branch can begin before its first.
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
    # Of those about one subject one is enough: it would keep the others out, and its end nudges the next.
    of_each = {
        (change.account_id, change.subject_id): change
        for change in sorted([*firsts.values(), *of_same], key=_turn, reverse=True)
    }
    return list(of_each.values())


def _turn(change: Change) -> tuple[Any, ...]:
    return change.branch == LAST_BRANCH, change.due_at, change.position, change.pk


def _behind(change: Change) -> Q:
    """What of its set waits for it: all behind it in its lane, or those of its branch and of the last one."""
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
# A row fills an instance in the order of its columns.
_WAITING = tuple(name for name in columns(Change) if name in _NEEDED)


def _statement(behind: Callable[[Callable[[str], Any]], Q]) -> CompiledQuery:
    """The queued that are behind a change, and those of its subject."""

    def of(name: str) -> QueryParam:
        return QueryParam(name, _SLOTS[name])

    def make() -> QuerySet[Change, tuple[Any, ...]]:
        of_subject = Q(account=of("account_id"), subject_id=of("subject_id"))
        is_due = Q(state=ChangeState.QUEUED, due_at__lte=QueryParam("now", DateTimeField()))
        waiting = Change.objects.filter(is_due, behind(of) | of_subject)
        return waiting.order_by("position").values_list(*_WAITING)

    return CompiledQuery(make)


_IN_LANE, _IN_BRANCH = _statement(_behind_in_lane), _statement(_behind_in_branch)
