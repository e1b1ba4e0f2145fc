"""Frameworks of an organization with many accounts: what a worker takes to judge them, and the pages, for who
sees all accounts and for who sees some. Times are of our own CPU. A second argument is another number of
accounts.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from tests.bench.both import Figures, on_both
from tests.bench.floor import figure

ACCOUNTS: Final = 300
USERS: Final = 20
SEEN: Final = 150
"""So many accounts are those of an auditor who sees some."""
ROUNDS: Final = 20
PCI: Final = "/compliance/pci-dss-4.0.1/"
PAGES: Final = {"list": "/compliance/", "framework": PCI, "requirement": f"{PCI}8.2.2/"}
LIMITS = {"ms": 25, "statements": 16, "judge": 120, "again": 15}


def run() -> Figures:
    """The figures of both databases."""
    return on_both("tests.bench.frameworks")


def measure(database: str, accounts: int = ACCOUNTS) -> Figures:
    """The figures of the configured database."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    _seed(accounts)
    return _figures(database, accounts)


def _seed(accounts: int) -> None:
    """Each account has users of whom some are shared, without MFA or with old keys, and a role."""
    from django.db import transaction

    from iam.audit.findings.calculation import calculate
    from tests import factories

    made = []
    with transaction.atomic():
        for number in range(accounts):
            account = factories.account(f"{number + 1:012d}", name=f"account-{number:04d}")
            factories.synced(account)
            with factories.at_once():
                for place in range(USERS):
                    name = f"shared-{place}" if place < 2 else f"u{place:03d}"
                    factories.user(account, name, credentials={"mfa": "none" if place % 5 else "virtual"})
                factories.role(account, "app")
            made.append(account)
    for account in made:
        calculate(account)


def _cpu(function: Callable[[], Any]) -> float:
    began = time.process_time()
    function()
    return time.process_time() - began


def _figures(database: str, accounts: int) -> Figures:
    from iam.audit.frameworks import assessment

    name = f"frameworks of {accounts:,} accounts, {database}"
    judging = _cpu(assessment.assess_due)
    again = _cpu(assessment.assess_due)
    figures = [
        figure(f"{name}: judged in", judging, "s CPU", limit=LIMITS["judge"]),
        figure(f"{name}: judged again, nothing changed", again, "s CPU", limit=LIMITS["again"]),
    ]
    for who, client in _clients(accounts):
        for page, address in PAGES.items():
            milliseconds, statements = _page(client, address)
            figures.append(figure(f"{name}: {page} page, {who}", milliseconds, "ms CPU", limit=LIMITS["ms"]))
            figures.append(
                figure(f"{name}: {page} page, {who}, statements", statements, "", limit=LIMITS["statements"])
            )
    return figures


def _clients(accounts: int) -> list[tuple[str, Any]]:
    from django.test import Client

    from iam.directory.models import Role
    from tests import factories

    every, some = Client(), Client()
    every.force_login(factories.operator(Role.AUDITOR, name="Otto Audit"))
    operator = factories.operator(None, name="Lena Ostrov")
    for number in range(min(SEEN, accounts)):
        factories.assign(operator.person, Role.AUDITOR, account_id=f"{number + 1:012d}")
    some.force_login(operator)
    return [("all accounts", every), ("some accounts", some)]


def _page(client: Any, address: str) -> tuple[float, int]:
    """Milliseconds of a page, the first one apart, and how many statements it takes."""
    from django.db import connection

    statements = 0

    def count(execute: Any, *words: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*words)

    client.get(address)
    with connection.execute_wrapper(count):
        response = client.get(address)
    assert response.status_code == 200, response.status_code

    def ask() -> None:
        for _ in range(ROUNDS):
            client.get(address)

    return 1000 * _cpu(ask) / ROUNDS, statements


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], *map(int, sys.argv[2:]))))
