"""Findings of an account of 5,000 users, 2,000 roles and 1,000 policies: the first run, the run after one
change, and the list of 100,000, on SQLite and on PostgreSQL. Seconds are of our own CPU.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from tests.bench.both import Figures, on_both
from tests.bench.floor import figure

USERS, ROLES, POLICIES, GROUPS = 5_000, 2_000, 1_000, 300
LISTED: Final = 100_000
BATCH: Final = 2_000
ROUNDS: Final = 30
LIMITS = {"first": 10, "change": 0.5, "mb": 300, "ms": 25, "depth": 1.5}
NUMBER = "111111111111"


def run() -> Figures:
    """The figures of both databases."""
    return on_both("tests.bench.findings")


def measure(database: str) -> Figures:
    """The figures of the configured database."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    _seed()
    return _runs(database) + _list(database)


def _seed() -> None:
    from django.db import transaction

    from iam.mirror.models import EdgeKind
    from tests import factories

    with transaction.atomic():
        account = factories.account(NUMBER, write_role_arn=f"arn:aws:iam::{NUMBER}:role/w")
        factories.synced(account)
        with factories.at_once():
            groups = [factories.group(account, f"g{number}") for number in range(GROUPS)]
            policies = [
                factories.policy(account, f"p{number}", body=_body(number)) for number in range(POLICIES)
            ]
            for number in range(USERS):
                user = factories.user(account, f"u{number}", credentials=_credentials(number))
                factories.edge(EdgeKind.MEMBER, user, groups[number % GROUPS])
            for number in range(ROLES):
                role = factories.role(account, f"r{number}", trust=_trust(number))
                factories.edge(EdgeKind.ATTACHED, role, policies[number % POLICIES])
                own = _allow("s3:GetObject", f"arn:aws:s3:::r{number}/*")
                factories.inline(role, "x", body={"Version": "2012-10-17", "Statement": [own]})
            for number, group in enumerate(groups):
                factories.edge(EdgeKind.ATTACHED, group, policies[number])


def _allow(action: str | list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _body(number: int) -> dict[str, Any]:
    second: str | list[str] = "ec2:Describe*"
    if number % 50 == 0:
        second = ["iam:PassRole", "lambda:*"]
    actions = ["s3:GetObject", "s3:PutObject", "sqs:*"]
    own = _allow(actions, f"arn:aws:s3:::bucket-{number}/*")
    return {"Version": "2012-10-17", "Statement": [own, _allow(second, "*")]}


def _trust(number: int) -> dict[str, Any]:
    principal = {"Service": "lambda.amazonaws.com"}
    if number % 2:
        principal = {"AWS": f"arn:aws:iam::{NUMBER}:user/u{number}"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _credentials(number: int) -> dict[str, Any]:
    from tests import factories

    report = {"access_key_1_active": number % 3 > 0, "access_key_1_last_rotated": "2026-01-05T09:00:00Z"}
    return {
        "mfa": "virtual" if number % 20 else "none",
        "has_password": number % 3 != 0,
        "active_keys": number % 3,
        "oldest_key_at": factories.FIRST_READ,
        "report": report,
    }


def _seconds(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def _runs(database: str) -> Figures:
    """The first run with nothing at hand, one after one change, and the memory of this process."""
    from django.db.models import F

    from iam.audit.findings.calculation import calculate
    from iam.audit.findings.models import AuditFinding
    from iam.mirror.models import Account, UserCredentials

    first = _seconds(lambda: calculate(Account.objects.get()))
    count = AuditFinding.objects.count()
    user = UserCredentials.objects.order_by("pk").first()
    assert user is not None
    UserCredentials.objects.filter(pk=user.pk).update(mfa="none", has_password=True)
    Account.objects.update(writes=F("writes") + 1)
    change = _seconds(lambda: calculate(Account.objects.get()))
    assert AuditFinding.objects.count() == count + 2
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    words = f"{USERS:,} users, {ROLES:,} roles, {POLICIES:,} policies"
    return [
        figure(f"{database}: {count:,} findings of {words}, CPU", first, "s", limit=LIMITS["first"]),
        figure(f"{database}: the same after one change, CPU", change, "s", limit=LIMITS["change"]),
        figure(f"{database}: memory of the process at most", peak, "MB", limit=LIMITS["mb"]),
    ]


def _list(database: str) -> Figures:
    """The first page of 100,000 findings, and one in the middle."""
    from django.db import connection

    from console.web.page_cursors import word_of
    from iam.audit.findings.models import AuditFinding
    from iam.audit.findings.queries import WORST_FIRST
    from tests.bench.lists import Site

    _fill()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    site = Site()
    middle = AuditFinding.objects.filter(status="open").order_by("place", "id")[LISTED // 2]
    deep = f"/findings/?after={word_of(WORST_FIRST.position_of(middle))}"
    first, second = (_best(lambda: site.get("/findings/")), _best(lambda: site.get(deep)))
    return [
        figure(f"{database}: a page of {LISTED:,} findings, CPU", first * 1000, "ms", limit=LIMITS["ms"]),
        figure(
            f"{database}: a page in the middle of them, CPU",
            second * 1000,
            "ms",
            floor="the first page",
            ratio=second / first,
            limit=LIMITS["depth"],
        ),
    ]


def _best(action: Callable[[], object]) -> float:
    return min(_seconds(action) for _ in range(ROUNDS))


def _fill() -> None:
    """Copies of the findings that there are, until there are 100,000 open ones."""
    from iam.audit.findings.models import AuditFinding

    rows = list(AuditFinding.objects.filter(status="open")[:BATCH])
    for number in range((LISTED - AuditFinding.objects.count()) // BATCH + 1):
        for place, row in enumerate(rows):
            row.pk, row.key = None, f"copy {number} {place}"
            row.place = f"{row.place} {number}"
        AuditFinding.objects.bulk_create(rows)


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1])))
