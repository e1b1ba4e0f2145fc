"""Privilege escalation: the sample organisation, and 7,000 principals, in one account and in 140.

7,000 principals are the 5,000 users and 2,000 roles that one account can have; 140 accounts of 51 are an
organisation.
"""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable
from typing import Any

from iam.policy.escalation.graph import EscalationGraph
from iam.policy.escalation.paths import PathExplorer
from iam.policy.escalation.states import NO_FACTS, OutsideFacts
from iam.policy.index.documents import SharedDocuments
from iam.policy.index.index import PolicyIndex
from iam.policy.index.rows import AccountRows, GroupRow, PolicyHoldings, PolicyRow, PrincipalRow
from tests.bench.floor import figure
from tests.bench.organisation import SHARED, Maker, policy, say, trust

Figures = list[dict[str, Any]]
USERS, ROLES, GROUPS = 5_000, 2_000, 300
NUMBER = "100000000000"
EXPLAINED = 200
OWN = "arn:aws:iam::*:user/people/${aws:username}"


def run() -> Figures:
    """All figures."""
    return [*sample(), *one_account(), *organisation()]


def _seconds(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def _measure(index: PolicyIndex, words: str, *, limit: float, facts: OutsideFacts = NO_FACTS) -> Figures:
    """The graph with all paths to administrator, and what it costs to explain some of them and to close
    them.
    """
    graphs: list[EscalationGraph] = []

    def build() -> None:
        graphs.append(EscalationGraph(index, facts=facts))
        graphs[0].to_administrator()

    value = _seconds(build)
    reach = graphs[0].to_administrator()
    starts = [at for at in graphs[0].everybody if at in reach.any and reach.any[at][0]]
    explorer = PathExplorer(graphs[0], index)

    def explain() -> None:
        for at in starts[:EXPLAINED]:
            assert explorer.path(at, reach) is not None
            assert explorer.closing(at, reach).statements

    shown = min(len(starts), EXPLAINED)
    name = f"escalation: {words}, {len(index):,} principals, {len(starts):,} reach administrator, CPU"
    return [
        figure(name, value, "s", limit=limit),
        figure(
            f"escalation: {words}, {shown} explained and closed, CPU", _seconds(explain), "s", limit=limit
        ),
    ]


def sample() -> Figures:
    """Northline, as the stand-in serves it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    from console.demo.standin.startup import start
    from tests.iam.policy.escalation.northline import Northline

    standin = start()
    try:
        northline = Northline(standin)
    finally:
        standin.stop()
    return _measure(northline.index, "sample organisation", limit=2, facts=northline.facts)


def organisation() -> Figures:
    """140 accounts as anyone who provisions accounts makes them, with AWS's own managed policies and control
    policies.
    """
    maker = Maker()
    made = list(maker.accounts(140))
    index = PolicyIndex(SharedDocuments())
    documents = [index.documents.add(digest, text) for digest, text in maker.texts.items()]
    for rows in made:
        index.enter_account(rows)
    del documents
    gc.collect()
    return _measure(index, "140 accounts", limit=30)


def one_account() -> Figures:
    """As much as one account can have, most of it held by groups, with self-service, boundaries, and
    something to find.
    """
    dice, maker = random.Random(7), Maker()
    index = PolicyIndex(SharedDocuments())
    rows = _account(dice, maker)
    documents = [index.documents.add(digest, text) for digest, text in maker.texts.items()]
    index.enter_account(rows)
    del documents
    return _measure(index, "one account", limit=30)


def _account(dice: random.Random, maker: Maker) -> AccountRows:
    texts = [*SHARED, *(_local(n) for n in range(200)), _boundary(), *DANGEROUS, policy(say("Allow", "*"))]
    policies = [
        PolicyRow(n + 1, f"arn:aws:iam::{NUMBER}:policy/p{n}", maker.digest(text))
        for n, text in enumerate(texts)
    ]
    ordinary, boundary = len(SHARED) + 200, len(SHARED) + 201
    groups = [
        GroupRow(
            1000 + n,
            f"g{n}",
            PolicyHoldings((), tuple(sorted({1, *(1 + dice.randrange(ordinary) for _ in range(4))}))),
        )
        for n in range(GROUPS)
    ]
    for place, group in enumerate(groups[:6]):
        group.grants = PolicyHoldings((), (1, boundary + 1 + place % (len(DANGEROUS) + 1)))
    users = [_user(dice, n, boundary) for n in range(USERS)]
    roles = [_role(dice, maker, n, ordinary, boundary) for n in range(ROLES)]
    return AccountRows([*users, *roles], groups, policies, (), NUMBER)


DANGEROUS = (
    policy(say("Allow", ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"])),
    policy(say("Allow", ["iam:CreateAccessKey", "iam:AttachUserPolicy"], OWN)),
    policy(say("Allow", "sts:AssumeRole", "arn:aws:iam::*:role/app/*")),
    policy(say("Allow", "iam:UpdateAssumeRolePolicy", "arn:aws:iam::*:role/app/r1*")),
    policy(say("Allow", ["ssm:SendCommand", "ec2:RunInstances"]), say("Allow", "iam:PassRole", (
        "arn:aws:iam::*:role/app/r2*"
    ))),
)  # fmt: skip


def _local(n: int) -> str:
    table = f"arn:aws:dynamodb:eu-west-1:{NUMBER}:table/t{n}"
    return policy(say("Allow", ["dynamodb:GetItem", "dynamodb:Query"], table), say("Allow", f"s3:Get{n}*"))


def _boundary() -> str:
    return policy(
        say("Allow", ["s3:*", "dynamodb:*", "lambda:*", "iam:PassRole", "iam:Get*", "sts:AssumeRole"])
    )


def _user(dice: random.Random, n: int, boundary: int) -> PrincipalRow:
    groups = tuple(1000 + g for g in sorted(dice.sample(range(GROUPS), 2)))
    bound = boundary if dice.random() < 0.5 else None
    arn = f"arn:aws:iam::{NUMBER}:user/people/user-{n}"
    tags = {"team": dice.choice(("payments", "search", "data"))}
    return PrincipalRow(10_000 + n, arn, f"AIDA{n:017d}", PolicyHoldings((), (), groups, bound), tags)


def _role(dice: random.Random, maker: Maker, n: int, ordinary: int, boundary: int) -> PrincipalRow:
    services = ("lambda", "ec2", "ecs-tasks", "glue")
    named = trust({"AWS": NUMBER} if n % 10 == 0 else {"Service": f"{services[n % 4]}.amazonaws.com"})
    attached = (boundary + len(DANGEROUS) + 1,) if n % 100 == 0 else (1 + dice.randrange(1, ordinary),)
    arn = f"arn:aws:iam::{NUMBER}:role/app/r{n}"
    return PrincipalRow(
        20_000 + n, arn, f"AROA{n:017d}", PolicyHoldings((), attached), {}, maker.digest(named)
    )
