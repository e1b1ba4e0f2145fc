"""A small AWS over HTTP that each test has to itself, and an account that is read from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytest_django.fixtures import Settings

from iam.aws import credentials
from iam.mirror.models import Account, Pull
from iam.mirror.services import request_pull, run_pull
from tests import factories
from tests.bench.fakeaws.account_actions import Iam
from tests.bench.fakeaws.accounts import account_id
from tests.bench.fakeaws.process import in_thread
from tests.bench.fakeaws.world import Options, World

SMALL = Options(users=24, groups=4, roles=16, policies=12, accounts=3)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[World]:
    """An organisation of three accounts alike; retries do not wait, and the detail lane is off unless a test
    turns it on.
    """
    settings.DETAIL_CALLS = 0
    settings.AWS_RATE = 1000
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    monkeypatch.setattr(
        "botocore.retries.bucket.TokenBucket.acquire", lambda self, amount=1, block=True: True
    )
    with in_thread(SMALL) as (address, world):
        monkeypatch.setenv("AWS_ENDPOINT_URL", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        credentials._kept.clear()
        yield world
        credentials._kept.clear()


@pytest.fixture
def account(world: World, db: None) -> Account:
    """The first account of the organisation, read with the worker's own credentials."""
    return factories.account(account_id(0), source="environment", role_arn="")


@pytest.fixture
def pull() -> Callable[..., Pull]:
    """Reads an account from beginning to end in this process."""

    def read(account: Account, *, accept_loss: bool = False) -> Pull:
        return run_pull(request_pull(account, trigger="command", accept_loss=accept_loss).pk)

    return read


def redraw(world: World, *, new_report: bool = True) -> None:
    """Have the world answer by what its account is now, after entities came or went."""
    report = world.iam.report
    world.account.reindex()
    world.iam = Iam(world.account)
    world.iam.report = report
    if new_report:
        report.forget()
