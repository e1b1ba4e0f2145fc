"""The policy editor over one large account: from a text to whom it concerns, with 10,000 people who hold the
policy.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from tests.bench.floor import figure

USERS, GROUPS, POLICIES = 10_000, 200, 300
WRITER = "arn:aws:iam::111111111111:role/gatehouse-writer"
ROUNDS = 3
Figures = list[dict[str, Any]]


def run() -> Figures:
    """All figures, in a process of their own with a database of its own."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-edit-") as folder:
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "GATEHOUSE_MODE": "embedded",
            "GATEHOUSE_VAR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/edit.sqlite3",
            "REDIS_URL": "redis://127.0.0.1:1/0",
        }
        command = [sys.executable, "-m", "tests.bench.policy_edit"]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        return list(json.loads(done.stdout.splitlines()[-1]))


def _text(*statements: tuple[str, list[str], str]) -> str:
    body = [{"Effect": effect, "Action": actions, "Resource": on} for effect, actions, on in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": body}, indent=2)


BEFORE = _text(("Allow", ["s3:GetObject", "lambda:Get*"], "*"), ("Deny", ["lambda:DeleteFunction"], "*"))
AFTER = _text(
    ("Allow", ["s3:GetObject", "s3:Put*", "lambda:Get*"], "*"),
    ("Allow", ["iam:PassRole"], "arn:aws:iam::111111111111:role/pay-*"),
    ("Deny", ["lambda:DeleteFunction"], "*"),
)


def write() -> Any:
    """The account: everybody is in one of the groups that hold the policy, which differ in what else they
    hold; the policy.
    """
    from tests import factories

    account = factories.account(write_role_arn=WRITER)
    shared = factories.policy(account, "Shared", body=json.loads(BEFORE))
    verbs, services = (
        ("Get*", "List*", "Put*", "Describe*"),
        ("s3", "sqs", "ec2", "lambda", "dynamodb", "iam"),
    )
    others = [
        factories.policy(
            account,
            f"p{n}",
            body=json.loads(
                _text(
                    ("Allow", [f"{services[n % 6]}:{verbs[n % 4]}"], f"arn:aws:s3:::b{n}/*" if n % 3 else "*")
                )
            ),
        )
        for n in range(POLICIES)
    ]
    groups = [factories.group(account, f"team-{n:03}") for n in range(GROUPS)]
    for number, group in enumerate(groups):
        for policy in (shared, others[number], others[(number * 7 + 1) % POLICIES]):
            factories.edge("attached", group, policy)  # type: ignore[arg-type]
    _people(account, groups, others)
    return account, shared


def _people(account: Any, groups: list[Any], others: list[Any]) -> None:
    from iam.mirror.models import Edge, Entity, EntityState
    from tests.factories import FIRST_READ

    arn = f"arn:aws:iam::{account.account_id}:user/person.number"
    seen = {"valid_from": FIRST_READ, "observed_at": FIRST_READ, "account": account}
    made = Entity.objects.bulk_create(
        Entity(
            account=account,
            kind="user",
            aws_id=f"AIDABENCH{n:012}",
            name=f"person.number{n}",
            arn=f"{arn}{n}",
            first_seen=FIRST_READ,
        )
        for n in range(USERS)
    )
    EntityState.objects.bulk_create(
        EntityState(
            entity=entity,
            kind="user",
            name=entity.name,
            sort_name=entity.name,
            arn=entity.arn,
            digest=f"{n:032}",
            **seen,
        )
        for n, entity in enumerate(made)
    )
    Edge.objects.bulk_create(
        Edge(kind="member", source=entity, target=groups[(n * step) % GROUPS], **seen)
        for n, entity in enumerate(made)
        for step in ((1, 3) if n % 4 == 0 and n * 2 % GROUPS else (1,))
    )
    Edge.objects.bulk_create(
        Edge(kind="attached", source=entity, target=others[n % POLICIES], **seen)
        for n, entity in enumerate(made)
        if n % 5 == 0
    )


def main() -> Figures:
    """Measure in this process."""
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from iam.access.policy_draft import begin, check_draft
    from iam.directory.models import Role
    from iam.mirror.snapshot import snapshot
    from tests import factories

    account, policy = write()
    viewer = factories.viewer(Role.ADMINISTRATOR)
    _, base = begin(policy)

    def seconds(round_: int) -> tuple[float, Any]:
        began = time.process_time()
        draft = check_draft(viewer, policy=policy, text=AFTER.replace("pay-*", f"pay-{round_}*"), base=base)
        return time.process_time() - began, draft

    cold, draft = seconds(0)
    access = draft.plan.receipt.body["effect"]["access"]
    warm = min(seconds(number)[0] for number in range(1, ROUNDS + 1))
    with snapshot(accounts={account.account_id}) as index:
        classes = sum(1 for _ in index.classes)
    what = f"{access['affected']:,} principals of {classes:,} classes"
    return [
        figure(f"policy editor: lint and who is affected, {what}, CPU", warm, "s", limit=1),
        figure("policy editor: the same, with the account read first, CPU", cold, "s"),
    ]


if __name__ == "__main__":
    print(json.dumps(main()))
