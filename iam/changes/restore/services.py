"""Begins and ends the hold after a restore, and lists what it holds. The only writer of holds."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from iam.changes.errors import RefusedError
from iam.changes.models import RUNNING, Change, ChangeState
from iam.changes.restore.models import DatabaseIdentity, RestoreHold
from iam.changes.states import end_all, move
from iam.journal.services import Actor, record
from iam.mirror.models import Account, Pull
from iam.mirror.models.accounts import PullState

CANCELLED = "Cancelled after the database was restored from a backup."
UNKNOWN = "It was running when the backup was made. Check in AWS what became of it."
# Another cluster has another system identifier. Loading a dump creates the database or its tables anew, with
# other OIDs.
_FINGERPRINT = """
SELECT (SELECT system_identifier FROM pg_control_system()) || '/' ||
  (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || to_regclass('journal_entry')::oid
"""


def open_holds() -> QuerySet[RestoreHold]:
    """The open hold as a queryset of at most one row."""
    return RestoreHold.objects.filter(is_open=True)


def is_held() -> bool:
    """True while no change may be applied."""
    return open_holds().exists()


def open_hold() -> RestoreHold | None:
    """The open hold, or None."""
    return open_holds().first()


def begin_hold(*, cause: str, actor: Actor | None) -> bool:
    """Hold every change. Returns False if they are held already."""
    try:
        with transaction.atomic():
            RestoreHold.objects.create(began_at=datetime.now(tz=UTC), cause=cause)
            record(kind="restore.hold", actor=actor, data={"cause": cause})
    except IntegrityError:
        return False
    return True


def fingerprint() -> str:
    """A value that differs between this database and one restored from its dump; "" on SQLite, where copies
    are identical.
    """
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute(_FINGERPRINT)
        return str(cursor.fetchone()[0])


def is_another_database() -> bool:
    """True, once, if this is not the database that Gatehouse last ran on."""
    now, current = datetime.now(tz=UTC), fingerprint()
    known = DatabaseIdentity.objects.order_by("pk").first()
    if known is None:
        DatabaseIdentity.objects.get_or_create(pk=1, defaults={"fingerprint": current, "seen_at": now})
        return False
    same = DatabaseIdentity.objects.filter(pk=known.pk, fingerprint=current).exists()
    return not same and bool(
        DatabaseIdentity.objects.filter(pk=known.pk, fingerprint=known.fingerprint).update(
            fingerprint=current, seen_at=now
        )
    )


@dataclass(frozen=True, slots=True)
class RestoreWaiting:
    """What a person needs to decide: changes that would continue, and accounts not synced since the
    restore.
    """

    hold: RestoreHold
    changes: list[Change]
    unsynced: list[Account]


def waiting() -> RestoreWaiting | None:
    """The changes and accounts to decide on; None if nothing is held."""
    hold = open_hold()
    if hold is None:
        return None
    going_on = Change.objects.filter(state__in=RUNNING).prefetch_related("account", "change_set")
    concerned = Change.objects.filter(state__in=RUNNING).values("account")
    synced = Pull.objects.filter(state=PullState.COMPLETE, began_at__gt=hold.began_at).values("account")
    return RestoreWaiting(
        hold=hold,
        changes=list(going_on.order_by("queued_at", "position", "pk")),
        unsynced=list(Account.objects.filter(pk__in=concerned).exclude(pk__in=synced).order_by("name")),
    )


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What became of the held changes. `unknown` were running and are not continued."""

    cancelled: int
    unknown: int
    continued: int


def end_hold(*, cancel: Collection[str] | None, actor: Actor, label: str) -> ReleaseResult:
    """Let the changes continue, except those whose requests are named in `cancel` (None: all).

    Raises RefusedError if an account concerned was not synced since the restore, or a reference is unknown.
    """
    hold = waiting()
    if hold is None:
        raise RefusedError("Nothing is on hold.")
    if hold.unsynced:
        names = ", ".join(account.name for account in hold.unsynced)
        raise RefusedError(
            f"Not synced since the restore: {names}. Sync them first, so that you decide on what AWS is "
            "like now."
        )
    known = {change.reference for change in hold.changes}
    if not_held := set(cancel or ()) - known:
        raise RefusedError(f"Not on hold: {', '.join(sorted(not_held))}.")
    named = {change.change_set_id for change in hold.changes if cancel is None or change.reference in cancel}
    leaving = [change for change in hold.changes if change.change_set_id in named]
    with transaction.atomic():
        queued = [change for change in leaving if change.state == ChangeState.QUEUED]
        running = [change for change in leaving if change.state != ChangeState.QUEUED]
        cancelled = end_all(queued, to=ChangeState.CANCELLED, actor=actor, note=CANCELLED)
        unknown = sum(move(change, to=ChangeState.UNKNOWN, actor=actor, note=UNKNOWN) for change in running)
        continued = len(hold.changes) - cancelled - unknown
        RestoreHold.objects.filter(pk=hold.hold.pk, is_open=True).update(
            is_open=False, ended_at=datetime.now(tz=UTC), ended_label=label
        )
        record(
            kind="restore.release",
            actor=actor,
            data={"cancelled": cancelled, "unknown": unknown, "continued": continued},
        )
    return ReleaseResult(cancelled, unknown, continued)
