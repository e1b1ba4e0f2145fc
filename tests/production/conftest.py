"""One production installation without AWS for all tests of this folder: the web server of the guide, PostgreSQL and Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.journeys.production import Installation
from tests.services import postgres

START_SECONDS = 60


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL cluster of these tests alone, which they stop and start."""
    if reason := postgres.why_missing():
        pytest.skip(f"PostgreSQL ({reason})")
    started = postgres.Cluster.start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def installed(
    cluster: postgres.Cluster, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The running web server over migrated tables."""
    with ExitStack() as stack:
        made = Installation(tmp_path_factory.mktemp("production"), cluster.url, redis_url, aws_port=0)
        stack.callback(made.stop)
        for words in (("mkdir",), ("migrate",), ("collectstatic",)):
            step = made.run(*words)
            assert step.returncode == 0, step.stderr
        made.start("web", ".venv/bin/granian")
        deadline = time.monotonic() + START_SECONDS
        while not made.is_serving():
            assert time.monotonic() < deadline, made.logs()
            time.sleep(0.1)
        yield made
