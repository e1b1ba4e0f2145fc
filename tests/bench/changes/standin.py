"""`python -m tests.bench.changes.standin --accounts 50 --users 200`: the stand-in with an organisation of
alike accounts.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def in_process(
    *, accounts: int, users: int, groups: int, policies: int, equipped: bool = False
) -> Iterator[str]:
    """The address of one in a process of its own."""
    sizes = {"accounts": accounts, "users": users, "groups": groups, "policies": policies}
    words = [word for name, value in sizes.items() for word in (f"--{name}", str(value))]
    words += ["--equipped"] if equipped else []
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.changes.standin", *words], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        if not address.startswith("http://"):
            raise RuntimeError("the stand-in did not start")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)
        if process.stdout is not None:
            process.stdout.close()


def main() -> None:
    """Serve until SIGTERM."""
    from console.demo.standin.server import StandinServer
    from console.demo.standin.startup import prepare
    from tests.bench.changes.organisation import organisation

    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("accounts", "users", "groups", "policies"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--equipped", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, _end)
    server = StandinServer(("127.0.0.1", 0), prepare(state=None, organisation=organisation(**vars(options))))
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.2)


def _end(signum: int, frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    main()
