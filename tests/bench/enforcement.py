"""The page that demands MFA by policy of 5,000 users: how long it takes to judge and show them all, in a
fresh process and again.

They hold what people of a large account hold: 2 of 100 groups with 3 of 60 policies each, a third has a
boundary, one in forty a deny of their own.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from tests.bench.floor import figure

USERS = 5_000
Figures = list[dict[str, Any]]


def run() -> Figures:
    """The first answer of a process and the later ones, by path and by group."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-enforcement-") as folder:
        variables = os.environ | {
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "GATEHOUSE_MODE": "embedded",
            "GATEHOUSE_VAR": folder,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.enforcement"],
            env=variables,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    run: Figures = []
    for line in done.stdout.splitlines():
        name, _, seconds = line.rpartition(" ")
        run.append(figure(f"demanding MFA of {USERS:,} users: {name}", float(seconds), "s"))
    return run


def people() -> Any:
    """The account."""
    from django.db import transaction

    from iam.mirror.models import EdgeKind
    from tests import factories

    rng = random.Random(1)
    with transaction.atomic():
        account = factories.account(write_role_arn="arn:aws:iam::111111111111:role/gatehouse-writer")
        staff = factories.group(account, "staff")
        policies = [factories.policy(account, f"policy{n}", body=_body(n, rng)) for n in range(60)]
        groups = [factories.group(account, f"group{n}") for n in range(100)]
        for group in groups:
            for policy in rng.sample(policies, 3):
                factories.edge(EdgeKind.ATTACHED, group, policy)
        everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        boundary = factories.policy(account, "boundary", body=_says(everything))
        for number in range(USERS):
            traits = {"mfa": rng.choice(["none", "none", "virtual"]), "has_password": rng.random() < 0.8}
            traits["active_keys"] = rng.choice([0, 0, 1])
            user = factories.user(
                account, f"user{number}", path=rng.choice(["/", "/a/", "/b/c/"]), credentials=traits
            )
            for group in (staff, *rng.sample(groups, 2)):
                factories.edge(EdgeKind.MEMBER, user, group)
            if number % 3 == 0:
                factories.edge(EdgeKind.BOUNDARY, user, boundary)
            if number % 40 == 0:
                deny = {"Effect": "Deny", "Action": "iam:EnableMFADevice", "Resource": "*"}
                factories.inline(user, body=_says(deny))
    return account


def _says(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _body(number: int, rng: random.Random) -> dict[str, Any]:
    actions = ["s3:Get*", "ec2:Describe*", f"dynamodb:{rng.choice(['Get*', '*', 'PutItem'])}"]
    resource = "*" if number % 2 else f"arn:aws:s3:::bucket{number}/*"
    return _says({"Effect": "Allow", "Action": actions, "Resource": resource})


def main() -> None:
    """Build, ask, and print a line per figure."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.test import Client

    from iam.directory.models import Role
    from tests import factories

    call_command("migrate", verbosity=0)
    account, client = people(), Client()
    client.force_login(factories.operator(Role.ADMINISTRATOR))
    for name, query in (("by path", "who=path&path=/"), ("by group", "who=group&group=staff")):
        taken = []
        for _ in range(4):
            began = time.perf_counter()
            page = client.get(
                f"/mfa/enforce/?in={account.account_id}&keys=left&{query}", HTTP_HOST="127.0.0.1"
            )
            taken.append(time.perf_counter() - began)
            assert b"5,000" in page.content, page.content[:500]
        sys.stdout.write(f"{name}, first {taken[0]:.2f}\n{name}, later {statistics.median(taken[1:]):.2f}\n")


if __name__ == "__main__":
    main()
