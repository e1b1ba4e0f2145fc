"""What a grant over two hundred accounts costs to plan, to ask for, and to accept for a worker, by roles of
its own and by policies of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from typing import Any

from tests.bench.floor import figure

ACCOUNTS = 200
TEST = "tests/iam/access/grants/test_many_accounts.py"
NAME = "test_each_account_costs_as_much_as_any_other"
SAID = re.compile(
    r"GRANT (\w+): .* planned in ([\d.]+) s of CPU and (\d+) queries, asked for in ([\d.]+) s and (\d+) "
    r"queries, "
    r"accepted in ([\d.]+) s and (\d+)"
)
Figures = list[dict[str, Any]]


def run() -> Figures:
    """The test of the suite, with many more accounts."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        f"{TEST}::{NAME}",
        "-q",
        "-s",
        "-n",
        "0",
        "-p",
        "no:cacheprovider",
    ]
    environment = {**os.environ, "GATEHOUSE_ACCOUNTS": str(ACCOUNTS)}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    figures: Figures = []
    for way, planned, queries, asked, more, accepted, few in SAID.findall(done.stdout):
        figures += [
            figure(f"grant of {ACCOUNTS} accounts by {way}: planned, CPU", float(planned), "s", limit=10),
            figure(f"grant of {ACCOUNTS} accounts by {way}: planned", int(queries), "queries"),
            figure(f"grant of {ACCOUNTS} accounts by {way}: asked for, CPU", float(asked), "s", limit=30),
            figure(f"grant of {ACCOUNTS} accounts by {way}: asked for", int(more), "queries"),
            figure(f"grant of {ACCOUNTS} accounts by {way}: accepted, CPU", float(accepted), "s", limit=1),
            figure(f"grant of {ACCOUNTS} accounts by {way}: accepted", int(few), "queries"),
        ]
    return figures


if __name__ == "__main__":
    print(run())
