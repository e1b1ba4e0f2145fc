"""Calculates and stores the findings of accounts: new ones are opened, missing ones fixed, and those that
can't be judged kept.

For workers and commands. One process calculates an account at a time, under a lease; if it is killed, the
stored findings stay, and the next one starts when the lease expires. Idempotent.
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
"""Accounts are recalculated after this time even without writes, because keys age."""
MOST_LINKS: Final = 1_000_003
"""More than an account has users: with this factor, a single sum encodes both count and sum of keys."""
LEASE: Final = timedelta(minutes=5)
logger = structlog.get_logger(__name__)


def calculate_due(accounts: Iterable[Account] | None = None) -> int:
    """Calculate due accounts and notify people of new findings. Returns how many were calculated.

    Also notifies of results of a worker that was killed before it could.
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
    """Calculate an account if it is due. Returns False if it was not due or another process has the lease."""
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
    """The results of the rules for an account at a moment (None: now)."""
    with collecting_paused(), facts_of(account, at=at) as facts:
        return compute(all_rules().values(), facts, is_past=at is not None)


def is_due(account: Account) -> bool:
    """True if the stored findings are outdated."""
    run = FindingRun.objects.filter(account=account).first()
    return run is None or _is_due(run, _inputs(account)[0], datetime.now(tz=UTC))


def nudge() -> None:
    """Tell a worker to calculate, at most once every NUDGE_SECONDS. Without a broker, the periodic task
    calculates.
    """
    send_seldom(TASK, seconds=NUDGE_SECONDS)


def _is_due(run: FindingRun, inputs: str, now: datetime) -> bool:
    return run.inputs != inputs or run.calculated_at is None or now - run.calculated_at > LASTS


def _claim(run: FindingRun, now: datetime) -> str:
    """Take the lease; "" if another process has it."""
    lease = uuid.uuid4().hex
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    claimed = FindingRun.objects.filter(free, pk=run.pk).update(lease=lease, lease_until=now + LEASE)
    return lease if claimed else ""


def _inputs(account: Account) -> tuple[str, int]:
    """Return a digest of everything that the findings depend on, and the number of writes to the mirror.

    The digest covers the code, the mirror, complete sections, administrators, accounts, people who left,
    assertions, owners and matched people.
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
    """Return subqueries for the number of rows about the account and the sum of their keys.

    A new row has a higher key than any removed one, so every replacement changes the sum.
    """
    rows = owners.filter(account_id=OuterRef("account_id")).order_by().values("account_id")
    count, total = rows.annotate(value=Count("pk")), rows.annotate(value=Sum("pk"))
    return Subquery(count.values("value")), Subquery(total.values("value"))


@cache
def _rules_version() -> str:
    """A digest of the engine and of the files in this package."""
    digest = hashlib.blake2b(code_version().encode(), digest_size=16)
    folder = Path(__file__).parent
    for path in sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".txt"}):
        digest.update(str(path.relative_to(folder)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
