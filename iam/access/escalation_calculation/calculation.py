"""Calculates who can become administrator and stores the differences. For workers.

Stored results name the state they belong to. One process calculates at a time, under a lease; if it is
killed, the earlier results stay, and the sweep starts again when the lease expires. Idempotent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Final

import structlog
from django.db import DatabaseError, connections
from django.db.models import Count, Max, Q, QuerySet

from iam.access.certainty import DECIDING_SECTIONS
from iam.access.escalation_calculation import search
from iam.access.escalation_calculation.code_version import code_version
from iam.access.escalation_calculation.coverage import unsynced_accounts
from iam.access.escalation_calculation.findings import AccountFindings, digest_of
from iam.access.escalation_calculation.models import EscalationCalculation, EscalationQuestion
from iam.access.escalation_calculation.path_records import FORMAT
from iam.access.escalation_calculation.service_uses import count_services, due_accounts
from iam.access.escalation_calculation.writes import keep
from iam.access.escalation_graph import escalation
from iam.directory.models import Identity
from iam.linking.models import UserMatch
from iam.mirror.models import Account, Section, SectionState
from iam.mirror.pull.sections import ORGANIZATION
from iam.mirror.queries.accounts import gatehouse_role_arns

LASTS: Final = timedelta(hours=1)
"""Results are recalculated after this time even without writes, because dates in policies pass."""
LEASE: Final = timedelta(minutes=2)
RENEW_SECONDS: Final = 30.0
PAUSE_FACTOR: Final = 10
"""If accounts are written to continually, the pause is this many times the last calculation's duration,"""
MAX_PAUSE: Final = timedelta(seconds=30)
"""but at most this long."""
PAST_KEPT: Final = 4
QUESTIONS_KEPT: Final = 500
ROUNDS: Final = 20
logger = structlog.get_logger(__name__)


def calculate_due(*, is_forced: bool = False) -> int:
    """Calculate what is due and answer questions. Returns how much there was; nothing while another process
    has the lease.
    """
    if not is_forced and not _has_work():
        return 0
    now_row, _ = EscalationCalculation.objects.get_or_create(moment="")
    lease = _claim(now_row)
    if not lease:
        return 0
    done = 0
    try:
        with _renewed(lease):
            for _ in range(ROUNDS):
                count = _round(is_forced=is_forced)
                is_forced = False
                done += count
                if not count:
                    break
            _tidy()
    finally:
        EscalationCalculation.objects.filter(moment="", lease=lease).update(lease="", lease_until=None)
    return done


@contextmanager
def _renewed(lease: str) -> Iterator[None]:
    """Renew the lease while this process works."""
    ended = Event()

    def renew() -> None:
        try:
            while not ended.wait(RENEW_SECONDS):
                until = datetime.now(tz=UTC) + LEASE
                EscalationCalculation.objects.filter(moment="", lease=lease).update(lease_until=until)
        except DatabaseError as error:
            logger.warning("escalation.lease_not_renewed", error=str(error))
        finally:
            connections.close_all()

    thread = Thread(target=renew, name="escalation lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _has_work() -> bool:
    """True if something is due or asked. Writes nothing."""
    row = EscalationCalculation.objects.filter(moment="").first()
    return (
        row is None
        or _is_due(row, _inputs(None), datetime.now(tz=UTC))
        or _to_calculate().exists()
        or _to_answer().exists()
        or bool(due_accounts())
    )


def _to_calculate() -> QuerySet[EscalationCalculation, EscalationCalculation]:
    """The past moments that were requested."""
    kept = {"number__gt": 0, "format": FORMAT, "inputs": code_version()}
    return EscalationCalculation.objects.exclude(moment="").exclude(**kept)


def _to_answer() -> QuerySet[EscalationQuestion, EscalationQuestion]:
    """The waiting questions."""
    known = EscalationQuestion.objects.filter(calculation__number__gt=0, calculation__format=FORMAT)
    return known.filter(number=0, has_failed=False)


def _claim(row: EscalationCalculation) -> str:
    """Take the lease; "" if another process has it."""
    now, lease = datetime.now(tz=UTC), uuid.uuid4().hex
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    claimed = EscalationCalculation.objects.filter(free, moment=row.moment).update(
        lease=lease, lease_until=now + LEASE
    )
    return lease if claimed else ""


def _round(*, is_forced: bool) -> int:
    done = count_services()
    done += int(calculate(None, is_forced=is_forced))
    for row in _to_calculate():
        done += int(calculate(datetime.fromisoformat(row.moment)))
    return done + _answer()


def _tidy() -> None:
    """Delete old moments and answers."""
    past = (
        EscalationCalculation.objects.exclude(moment="")
        .order_by("-wanted_at")
        .values_list("moment", flat=True)
    )
    EscalationCalculation.objects.filter(moment__in=list(past)[PAST_KEPT:]).delete()
    old = EscalationQuestion.objects.order_by("-asked_at").values_list("key", flat=True)
    EscalationQuestion.objects.filter(key__in=list(old[QUESTIONS_KEPT : 3 * QUESTIONS_KEPT])).delete()


def _answer() -> int:
    """Answer waiting questions, each with the graph of its moment."""
    done = 0
    for moment in EscalationCalculation.objects.filter(number__gt=0, format=FORMAT):
        asked = list(_to_answer().filter(calculation=moment).order_by("asked_at"))
        if not asked:
            continue
        at = datetime.fromisoformat(moment.moment) if moment.moment else None
        with escalation(at) as known:
            for question in asked:
                try:
                    answer, failed = search.answer(known, moment, question.asks), False
                except Exception:
                    # One question that can't be answered must neither stop the others nor be retried forever.
                    logger.exception("escalation.not_answered", question=question.key)
                    answer, failed = None, True
                EscalationQuestion.objects.filter(key=question.key).update(
                    number=moment.number,
                    answer=answer,
                    answered_at=datetime.now(tz=UTC),
                    has_failed=failed,
                )
        done += len(asked)
    return done


def calculate(at: datetime | None, *, is_forced: bool = False) -> bool:
    """Calculate a moment if it is due. Returns whether it was."""
    began = datetime.now(tz=UTC)
    moment = "" if at is None else at.isoformat()
    row, _ = EscalationCalculation.objects.get_or_create(moment=moment)
    inputs = _inputs(at)
    if not is_forced and not _is_due(row, inputs, began):
        return False
    # Load before the mirror is read: what is synced for the first time meanwhile belongs to the next
    # calculation.
    connected = Account.objects.filter(removed_at__isnull=True)
    revisions = dict(connected.values_list("account_id", "revision"))
    unsynced = unsynced_accounts(at)
    with escalation(at, is_anew=True) as known:
        findings = AccountFindings(known, revisions, row, unsynced=unsynced, is_whole=is_forced)
        findings.fill_rows()
        seconds = (datetime.now(tz=UTC) - began).total_seconds()
        keep(row, findings, inputs, revisions, began, seconds)
    logger.info(
        "escalation.calculated",
        moment=row.moment,
        seconds=seconds,
        findings=len(findings.rows),
        told=findings.anew,
    )
    return True


def _is_due(row: EscalationCalculation, inputs: str, now: datetime) -> bool:
    if not row.number or row.format != FORMAT or row.calculated_at is None:
        return True
    if row.moment:
        return row.inputs != inputs
    age = now - row.calculated_at
    if row.inputs == inputs:
        return age > LASTS
    pause = timedelta(seconds=PAUSE_FACTOR * row.seconds)
    return age > min(pause, MAX_PAUSE)


def _inputs(at: datetime | None) -> str:
    """A digest of all inputs: code, writes, complete sections, Gatehouse's own roles, and matches
    of users.
    """
    if at is not None:
        return code_version()
    accounts = Account.objects.filter(removed_at__isnull=True).order_by("account_id")
    sections = Section.objects.filter(name__in=(*DECIDING_SECTIONS, ORGANIZATION))
    sections = sections.filter(state=SectionState.COMPLETE).order_by("account", "name")
    state = [
        code_version(),
        list(accounts.values_list("account_id", "revision", "writes")),
        list(sections.values_list("account_id", "name")),
        sorted(gatehouse_role_arns()),
        list(Identity.objects.aggregate(Count("pk"), Max("pk")).values()),
        list(UserMatch.objects.aggregate(Count("pk"), Count("person")).values()),
    ]
    return digest_of(state)
