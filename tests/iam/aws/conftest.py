"""A small AWS of our own over HTTP, and ways into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from iam.aws import credentials
from iam.aws.access import AccountAccess
from iam.aws.session import Aws, connect
from tests.bench.fakeaws.process import in_thread
from tests.bench.fakeaws.world import Options, World
from tests.iam.aws.scripted import ACCOUNT, Script

SMALL = Options(users=90, groups=12, roles=70, policies=40, accounts=25)


@pytest.fixture(scope="session")
def small_aws() -> Iterator[tuple[str, World]]:
    """(address, world) of one small organisation for all tests of this folder."""
    with in_thread(SMALL) as started:
        yield started


@pytest.fixture
def world(small_aws: tuple[str, World], monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world, with this process's AWS variables pointing at it; what a test switches on is off
    afterwards.
    """
    address, world = small_aws
    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    credentials._kept.clear()
    world.reset()
    # The same faults at the same calls, whatever was tested before.
    world.faults.__post_init__()
    yield world
    world.control(
        "/_config",
        {
            "fault_rate": "0",
            "fault_kinds": "throttling,500,reset",
            "deny": "",
            "fail": "",
            "rate": "0",
            "report_steps": "0",
            "organization": "1",
        },
    )
    credentials._kept.clear()


@pytest.fixture
def aws(world: World) -> Iterator[Aws]:
    """A way into account 0 of the small organisation."""
    opened = connect(AccountAccess(ACCOUNT))
    yield opened
    opened.close()


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Aws]]:
    """Opens a way into an account whose answers the test writes itself, byte by byte."""
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    # Adaptive retries slow the client down after a throttled call; here nobody needs to be spared.
    monkeypatch.setattr(
        "botocore.retries.bucket.TokenBucket.acquire", lambda self, amount=1, block=True: True
    )
    opened: list[Aws] = []

    def script(*answers: object, service: str = "iam") -> Aws:
        aws = connect(AccountAccess(ACCOUNT))
        opened.append(aws)
        Script(answers).install(aws.client(service))
        return aws

    yield script
    for aws in opened:
        aws.close()
