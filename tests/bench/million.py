"""A million users and 200,000 roles in 50 accounts over HTTP: first answers after a restart of who can,
services, MFA, escalation and overview, warm answers, memory of a web process.

Not part of `make bench`, since seeding alone takes ten to twenty minutes and 3 GB on disk: run
`python -m tests.bench tests.bench.million`. BENCH_KEEP names a folder in which the seeded data stay for
another run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from tests.bench.__main__ import show

USERS = "1000000"


def run() -> list[dict[str, Any]]:
    """All figures, or none where a service is missing."""
    command = [sys.executable, "-m", "tests.bench.pages", "questions"]
    variables = {**os.environ, "BENCH_USERS": USERS}
    done = subprocess.run(command, env=variables, stdout=subprocess.PIPE, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    for row in run():
        print(show(row))
