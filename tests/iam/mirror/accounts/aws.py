"""The AWS stand-in as the worker of these tests sees it, and what the tests do behind Gatehouse's back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from console.demo.organisation.gatehouse import EXTERNAL_ID, HUB_ACCOUNT, READER_ROLE, WRITER_ROLE
from console.demo.organisation.people import ACCOUNT_IDS
from console.demo.standin.hub import HUB_ACCESS_KEY_ID, HUB_SECRET_ACCESS_KEY
from iam.aws import writes
from iam.aws.access import AccountAccess
from iam.aws.session import connect
from iam.mirror.accounts.connect import AccountConnection
from iam.mirror.models.accounts import AccountSource
from tests.iam.changes.standin import Standin, running

PRODUCTION, SANDBOX, HUB = ACCOUNT_IDS["production"], ACCOUNT_IDS["sandbox"], HUB_ACCOUNT
ID_OF_SPOKES = EXTERNAL_ID


def arn_of(number: str, role: str = READER_ROLE) -> str:
    """A role of an account of the stand-in."""
    return f"arn:aws:iam::{number}:role/{role}"


def spoke(
    number: str = SANDBOX, *, name: str = "sandbox", writes_too: bool = False, **fields: Any
) -> AccountConnection:
    """A connection to an account of the stand-in by the roles that are made for it."""
    defaults: dict[str, Any] = {
        "source": AccountSource.ROLE,
        "role_arn": arn_of(number),
        "write_role_arn": arn_of(number, WRITER_ROLE) if writes_too else "",
        "external_id": EXTERNAL_ID,
    }
    return AccountConnection(number, name, **defaults | fields)


@dataclass(frozen=True)
class Cloud:
    """The stand-in, and an administrator of every account in it, whom no policy bounds."""

    standin: Standin

    def deny(self, *actions: str, account: str = SANDBOX) -> None:
        """Have the stand-in refuse the actions in an account."""
        self.standin.control("faults", {"deny": {account: list(actions)}})

    def enforce(self, on: bool = True) -> None:
        """Have the stand-in check signatures and policies."""
        self.standin.control("enforce", {"on": on})

    def call(self, number: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call IAM in an account, with enforcement off."""
        if number == HUB:
            access = AccountAccess(number)
        else:
            access = AccountAccess(
                number, mode="role", role_arn=arn_of(number, WRITER_ROLE), external_id=EXTERNAL_ID
            )
        aws = connect(access)
        try:
            return writes.call(aws, "iam", operation, parameters).response
        finally:
            aws.close()

    def put_policy(self, number: str, role: str, name: str, body: dict[str, Any]) -> None:
        """Write an inline policy of a role."""
        self.call(number, "PutRolePolicy", RoleName=role, PolicyName=name, PolicyDocument=json.dumps(body))


@pytest.fixture(scope="session")
def standin_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standin]:
    """One stand-in for all tests of accounts."""
    with running(Path(tmp_path_factory.mktemp("standin"))) as started:
        yield started


@pytest.fixture
def cloud(standin_process: Standin, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """The stand-in as it was first seeded; this process has the worker's credentials for it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", standin_process.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", HUB_ACCESS_KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HUB_SECRET_ACCESS_KEY)
    standin_process.control("reset", {})
    standin_process.control("faults/clear", {})
    yield Cloud(standin_process)
    standin_process.control("enforce", {"on": False})
    standin_process.control("faults/clear", {})
