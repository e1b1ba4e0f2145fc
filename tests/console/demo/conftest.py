"""The stand-in for the tests of this folder: started once a module, fresh for each test that changes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from console.demo.assertions import APPROVER, REQUESTER
from console.demo.organisation.gatehouse import EXTERNAL_ID
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.past import read_sample_trail
from console.demo.standin.hub import HUB_ACCESS_KEY_ID
from console.demo.standin.server import RunningStandin
from console.demo.standin.startup import start
from iam.aws import credentials
from iam.directory.models import Role
from iam.mirror import snapshot
from iam.mirror.models import Account
from iam.mirror.services import request_pull, run_pull
from tests import factories
from tests.console.demo import clients
from tests.iam.changes.standin import running


@pytest.fixture(scope="module")
def standin() -> Iterator[RunningStandin]:
    """A stand-in that serves Northline, for tests that only read or do not mind each other's writes."""
    handle = start()
    # Its port may have been that of another one, whose sessions are not its own.
    clients.forget_sessions()
    yield handle
    handle.stop()


@pytest.fixture
def fresh(standin: RunningStandin) -> RunningStandin:
    """The same stand-in as it was first seeded, for a test that changes it."""
    standin.world.reset()
    return standin


@pytest.fixture
def accounts(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Iterator[list[Account]]:
    """Northline's accounts, read from the stand-in."""
    settings.AWS_RATE = 1000
    settings.SAMPLE_DATA = True
    read_sample_trail()
    with running(tmp_path) as standin:
        monkeypatch.setenv("AWS_ENDPOINT_URL", standin.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB_ACCESS_KEY_ID)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        credentials._kept.clear()
        made = []
        for name, number in ACCOUNT_IDS.items():
            roles = {
                "role_arn": f"arn:aws:iam::{number}:role/gatehouse-reader",
                "write_role_arn": f"arn:aws:iam::{number}:role/gatehouse-writer",
                "external_id": EXTERNAL_ID,
            }
            account = factories.account(number, name=name, **roles)
            pull = run_pull(request_pull(account, trigger="command").pk)
            assert pull.state in ("complete", "partial"), pull.message
            made.append(account)
        for login, role in ((REQUESTER, Role.ADMINISTRATOR), (APPROVER, Role.APPROVER)):
            factories.assign(factories.person(login, email=f"{login}@northline.example"), role)
        yield made
    credentials._kept.clear()
    snapshot.forget()
