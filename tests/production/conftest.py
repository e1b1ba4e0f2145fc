"""One production installation without AWS for all tests of this folder: the web server of the guide,
PostgreSQL and Redis.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import psycopg
import pytest

from tests.journeys.production import ROOT, Installation
from tests.services import postgres

START_SECONDS = 180


@pytest.fixture(scope="session")
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL cluster of these tests alone, which they stop and start."""
    if reason := postgres.why_missing():
        pytest.skip(f"PostgreSQL ({reason})")
    started = postgres.Cluster.start()
    yield started
    started.stop()


def documented_sql() -> list[str]:
    """The statements of the guide: for the server, for the database, and for the owner after the first
    `migrate`.
    """
    parts = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8").split("```")[1::2]
    blocks = [part.removeprefix("sql") for part in parts if part.startswith("sql\n")]
    assert len(blocks) == 3
    return blocks


def execute(url: str, statements: str) -> None:
    """Run statements, each by itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in filter(None, map(str.strip, statements.split(";"))):
            connection.execute(statement)  # type: ignore[arg-type]


def address(cluster: postgres.Cluster, role: str, database: str = "gatehouse") -> str:
    """The address of a database of the cluster for a role."""
    return cluster.url.replace("gatehouse@/gatehouse?", f"{role}@/{database}?")


@pytest.fixture(scope="session")
def installed(
    cluster: postgres.Cluster, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """The running web server over migrated tables."""
    with ExitStack() as stack:
        for_server, for_database, for_owner = documented_sql()
        execute(address(cluster, "gatehouse", "postgres"), "DROP DATABASE gatehouse;" + for_server)
        execute(cluster.url, for_database)
        owner = address(cluster, "gatehouse_owner")
        made = Installation(tmp_path_factory.mktemp("production"), owner, redis_url, aws_port=0)
        stack.callback(made.stop)
        for words in (("mkdir",), ("migrate",), ("collectstatic",)):
            step = made.run(*words)
            assert step.returncode == 0, step.stderr
            assert "pg_trgm" not in step.stdout, step.stdout
        execute(owner, for_owner)
        made.database_url = address(cluster, "gatehouse_app")
        made.start("web", "console.server")
        deadline = time.monotonic() + START_SECONDS
        while not made.is_serving():
            assert time.monotonic() < deadline, made.logs()
            time.sleep(0.1)
        yield made
