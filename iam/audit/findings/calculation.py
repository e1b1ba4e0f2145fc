"""Calculates the findings of accounts, and keeps them: what is new is opened, what is gone is fixed, and what
could not be read stays as it is. For workers and commands.

One process calculates an account at a time, under a lease; one that is killed leaves what was kept before,
and the next begins when the lease has ended. Whatever is done twice ends the same.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import structlog
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum, Value

from iam.access.escalation_calculation.code_version import code_version
from iam.access.escalation_calculation.models import EscalationCalculation
from iam.audit.assertions.models import AssertionResult
from iam.audit.findings.account_reader import facts_of
from iam.audit.findings.identity import ComputedFindings, compute
from iam.audit.findings.models import FindingRun
from iam.audit.findings.notices import tell_new_findings, untold_accounts
from iam.audit.findings.rules import all_rules
from iam.audit.findings.writes import end_acceptances, keep
from iam.audit.posture.days import keep_posture
from iam.directory.models import Identity, NamedOwner, OwnedUser
from iam.mirror.models import Account, Section
from iam.nudge import send_seldom
from iam.policy.memory import collecting_paused

TASK: Final = "iam.audit.findings.tasks.calculate_findings"
NUDGE_SECONDS: Final = 2
LASTS: Final = timedelta(hours=1)
"""After so long an account is calculated again although nothing was written: keys get old."""
MOST_LINKS: Final = 1_000_003
"""More than an account has users: the sum of so many times each number, and 1, tells count and sum."""
LEASE: Final = timedelta(minutes=5)
logger = structlog.get_logger(__name__)


def calculate_due(accounts: Iterable[Account] | None = None) -> int:
    """Calculate the accounts that are due, and tell of what is new; how many were calculated. What a worker
    calculated that was killed before it told anyone is told of now.
    """
    end_acceptances(datetime.now(tz=UTC))
    rows = Account.objects.filter(removed_at__isnull=True) if accounts is None else accounts
    count = 0
    untold = untold_accounts()
    for account in rows:
        is_calculated = calculate(account)
        if is_calculated or account.pk in untold:
            tell_new_findings(account)
        count += is_calculated
    return count


def calculate(account: Account) -> bool:
    """Calculate an account if it is due; whether it was. Nothing while another process is at it."""
    began = datetime.now(tz=UTC)
    inputs, writes = _inputs(account)
    run, _ = FindingRun.objects.get_or_create(account=account)
    if not _is_due(run, inputs, began):
        return False
    lease = _claim(run, began)
    if not lease:
        return False
    try:
        with collecting_paused():
            computed = computed_of(account)
            keep(account, computed, at=began)
            keep_posture(account, unread=computed.unread, at=began)
        seconds = (datetime.now(tz=UTC) - began).total_seconds()
        FindingRun.objects.filter(account=account, lease=lease).update(
            inputs=inputs,
            writes=writes,
            calculated_at=began,
            seconds=seconds,
            unread=sorted(computed.unread),
            lease="",
            lease_until=None,
        )
    except BaseException:
        FindingRun.objects.filter(account=account, lease=lease).update(lease="", lease_until=None)
        raise
    logger.info(
        "findings.calculated",
        account=account.account_id,
        seconds=seconds,
        findings=len(computed.findings),
        unread=len(computed.unread),
    )
    return True


def computed_of(account: Account, *, at: datetime | None = None) -> ComputedFindings:
    """What the rules say of an account at a moment (None: now)."""
    with collecting_paused(), facts_of(account, at=at) as facts:
        return compute(all_rules().values(), facts, is_past=at is not None)


def is_due(account: Account) -> bool:
    """Whether what is kept is of another state."""
    run = FindingRun.objects.filter(account=account).first()
    return run is None or _is_due(run, _inputs(account)[0], datetime.now(tz=UTC))


def nudge() -> None:
    """Tell a worker, at most once in a while; without a broker the sweep does it."""
    send_seldom(TASK, seconds=NUDGE_SECONDS)


def _is_due(run: FindingRun, inputs: str, now: datetime) -> bool:
    return run.inputs != inputs or run.calculated_at is None or now - run.calculated_at > LASTS


def _claim(run: FindingRun, now: datetime) -> str:
    """A lease, or "" where another process has it."""
    lease = uuid.uuid4().hex
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    claimed = FindingRun.objects.filter(free, pk=run.pk).update(lease=lease, lease_until=now + LEASE)
    return lease if claimed else ""


def _inputs(account: Account) -> tuple[str, int]:
    """A digest of everything that findings rest on: the code, what was written, which sections are whole, who
    can become administrator, which accounts there are, who has left, what is asserted, who owns what, and
    whose the users are. And how often the mirror had been written.
    """
    named = NamedOwner.objects.filter(Q(person=None) | Q(person__is_active=True))
    fresh = list(
        Account.objects.filter(pk=account.pk).values_list(
            "writes", "revision", *_state_of(named), *_state_of(OwnedUser.objects.all())
        )
    )
    sections = Section.objects.filter(account=account).order_by("name").values_list("name", "state")
    paths = EscalationCalculation.objects.filter(moment="").values_list("number", flat=True)
    others = Account.objects.filter(removed_at__isnull=True).values_list(Value("account"), "pk")
    gone = Identity.objects.filter(person__is_active=False).values_list(Value("gone"), "pk")
    users = f"arn:{account.partition}:iam::{account.account_id}:user/"
    ties = Identity.objects.filter(user_arn__startswith=users).order_by().values("tie")
    links = ties.annotate(state=Sum(F("pk") * MOST_LINKS + 1)).values_list("tie", "state")
    known = sorted(others.order_by().union(gone.order_by(), links, all=True))
    asserted = AssertionResult.objects.filter(account=account).order_by("pk").values_list("pk", "inputs")
    state = [_rules_version(), *map(list, (fresh, sections, paths, known, asserted))]
    digest = hashlib.blake2b(repr(state).encode(), digest_size=16).hexdigest()
    return digest, fresh[0][0]


def _state_of(owners: QuerySet[Any, Any]) -> tuple[Subquery, Subquery]:
    """How many rows about the account there are, and the sum of their numbers: one that is set anew has a
    higher number than all that were removed, or none of it changes.
    """
    rows = owners.filter(account_id=OuterRef("account_id")).order_by().values("account_id")
    count, total = rows.annotate(value=Count("pk")), rows.annotate(value=Sum("pk"))
    return Subquery(count.values("value")), Subquery(total.values("value"))


@cache
def _rules_version() -> str:
    """A digest of the engine, and of what is beside this file."""
    digest = hashlib.blake2b(code_version().encode(), digest_size=16)
    folder = Path(__file__).parent
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".txt"}):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
