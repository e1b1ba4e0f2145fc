"""The stand-in as a process: comes up by itself, serves several workers at once, ends at once."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.console.demo.clients import authorization_details, member, reader
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def process() -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """(process, address), once it has answered."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    deadline = time.monotonic() + PATIENCE_S
    command = [sys.executable, "-m", "console.demo.standin", "--host", "127.0.0.1", "--port", str(port)]
    started = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    while True:
        try:
            urllib.request.urlopen(f"{url}/_standin/health", timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline
            assert started.poll() is None
            time.sleep(0.05)
    yield started, url
    started.kill()
    started.wait()


def test_two_workers_at_once_get_whole_answers(process: tuple[subprocess.Popen[bytes], str]) -> None:
    def read(account: str) -> int:
        details = authorization_details(reader(process[1], "iam", account), PaginationConfig={"PageSize": 40})
        return sum(len(items) for items in details.values())

    def write(number: int) -> None:
        iam = member(process[1], "iam", "staging")
        iam.create_group(GroupName=f"worker-{number}")
        for user in ("elif.kaya", "isabel.moreno"):
            iam.add_user_to_group(UserName=user, GroupName=f"worker-{number}")

    with ThreadPoolExecutor(4) as workers:
        reads = [workers.submit(read, "production") for _ in range(4)]
        for done in [workers.submit(write, number) for number in range(4)]:
            done.result()
        assert len({done.result() for done in reads}) == 1
    groups = authorization_details(reader(process[1], "iam", "staging"), Filter=["Group"])["GroupDetailList"]
    assert {f"worker-{number}" for number in range(4)} <= {group["GroupName"] for group in groups}


def test_a_connection_is_kept_open(process: tuple[subprocess.Popen[bytes], str]) -> None:
    port = int(process[1].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        for _ in range(3):
            connection.sendall(b"GET /_standin/stats HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")


def test_the_console_ends_when_told_though_a_connection_is_open(
    process: tuple[subprocess.Popen[bytes], str],
) -> None:
    with socket.create_connection(("127.0.0.1", int(process[1].rpartition(":")[2]))):
        process[0].send_signal(signal.SIGTERM)
        assert process[0].wait(PATIENCE_S) == 0
