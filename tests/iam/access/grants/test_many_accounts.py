"""One grant over many accounts: what planning and asking cost for each of them, and what becomes of those
that fail.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection

from iam.access.grants import services
from iam.access.grants.models import GrantState
from iam.access.grants.terms import GrantContent, GrantTerms, WhatKind, WhoKind, WhoTerms
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.guard import Viewer
from iam.mirror.models import Account
from tests import factories as make
from tests.iam.access.grants.conftest import READS

pytestmark = pytest.mark.on_postgresql

MANY = int(os.environ.get("GATEHOUSE_ACCOUNTS", "8"))
"""Few for every run; `tests.bench.grant_accounts` asks for two hundred."""
HOME = "111111111111"


@dataclass
class Cost:
    """Queries of planning, of asking, and of what a page does of it where it leaves both to a worker."""

    plan_queries: int
    ask_queries: int
    submit_queries: int


@pytest.fixture
def accounts(db: None) -> list[Account]:
    """A home of two users, and accounts in which the second has a user as well."""
    home = _account(HOME, "home")
    make.user(home, "kwame")
    others = [_account(f"{300_000_000_000 + place}", f"a{place:03d}") for place in range(MANY)]
    for account in others:
        make.user(account, "ama")
    return others


def _account(number: str, name: str) -> Account:
    return make.account(number, name=name, write_role_arn=f"arn:aws:iam::{number}:role/gatehouse-writer")


def _terms(accounts: list[Account], *, way: str) -> GrantTerms:
    arns = [f"arn:aws:iam::{HOME}:user/kwame"]
    if way == "policy":
        arns = [f"arn:aws:iam::{account.account_id}:user/ama" for account in accounts]
    return GrantTerms(
        who=WhoTerms(WhoKind.USERS, arns=tuple(arns)),
        what=GrantContent(WhatKind.STATEMENTS, documents=(READS,)),
        accounts=tuple(account.account_id for account in accounts),
        why="The migration",
        lasts=8 * 3600,
    )


class _Queries:
    """Counts what the database is asked; Django's own log ends at 9,000."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, *asked: Any) -> Any:
        self.count += 1
        return execute(*asked)


def _counted(act: Callable[[], Any]) -> tuple[int, Any]:
    """Queries, and what came of it."""
    queries = _Queries()
    with connection.execute_wrapper(queries):
        made = act()
    return queries.count, made


def _cost(terms: GrantTerms, actor: Viewer, key: str) -> Cost:
    plan_queries, plan = _counted(lambda: services.plan_grant(terms, viewer=actor))
    assert not plan.refusals
    ask_queries, _ = _counted(lambda: services.request_grant(terms, actor=actor, idempotency_key=key))
    submit_queries, _ = _counted(
        lambda: services.submit_grant(terms, actor=actor, idempotency_key=f"{key}2", accepts_end=False)
    )
    return Cost(plan_queries, ask_queries, submit_queries)


@pytest.mark.parametrize("way", ["role", "policy"])
def test_each_account_costs_as_much_as_any_other(accounts: list[Account], way: str) -> None:
    actor = make.viewer()
    few = _cost(_terms(accounts[: MANY // 2], way=way), actor, "few")
    cost = _cost(_terms(accounts, way=way), actor, "many")
    assert cost.plan_queries <= few.plan_queries * 2
    assert cost.ask_queries <= few.ask_queries * 2
    assert cost.submit_queries <= 25, "a page waits as long for many accounts as for a few"


def test_what_cannot_be_is_named_by_account_and_the_others_are_asked_for_without(
    accounts: list[Account],
) -> None:
    actor, (first, second, *rest) = make.viewer(), accounts
    Account.objects.filter(pk=first.pk).update(write_role_arn="")
    Account.objects.filter(pk=second.pk).update(source="export")
    terms = _terms(accounts, way="policy")
    plan = services.plan_grant(terms, viewer=actor)
    assert [part.account.pk for part in plan.parts if part.refusal] == [first.pk, second.pk]
    with pytest.raises(RefusedError, match=r"a000.*a001"):
        services.request_grant(terms, actor=actor, idempotency_key="k")
    assert services.request_grant(_terms(rest, way="policy"), actor=actor, idempotency_key="k2").pk


def test_each_account_has_its_own_state_and_only_what_failed_is_tried_again(accounts: list[Account]) -> None:
    actor = make.viewer()
    grant = services.request_grant(_terms(accounts, way="policy"), actor=actor, idempotency_key="k")
    changes = Change.objects.filter(change_set__cause_id=grant.pk)
    now = grant.created_at
    changes.update(state=ChangeState.APPLIED, queued_at=now, ended_at=now)
    changes.filter(lane=1).update(state=ChangeState.FAILED)
    changes.filter(lane=2).update(state=ChangeState.QUEUED)
    grant = services.settle(grant)
    states = [GrantState(part.state) for part in grant.parts.order_by("lane")]
    assert states[:4] == [GrantState.ACTIVE, GrantState.FAILED, GrantState.APPLYING, GrantState.ACTIVE]
    changes.filter(lane=2).update(state=ChangeState.FAILED)
    grant = services.settle(grant)
    assert grant.state == GrantState.PARTLY
    services.retry_failed(grant, actor=actor)
    again = Change.objects.filter(change_set__cause_id=grant.pk, state=ChangeState.QUEUED)
    assert set(again.values_list("lane", flat=True)) == {1, 2}
    states = [GrantState(part.state) for part in grant.parts.order_by("lane")]
    assert states[:4] == [GrantState.ACTIVE, GrantState.APPLYING, GrantState.APPLYING, GrantState.ACTIVE]
