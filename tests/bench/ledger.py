"""Many random sequences of overlapping grants: how often something else remained in AWS than what the living
ones give. Never.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

from tests.bench.floor import figure

EXAMPLES = 40
TEST = "tests/iam/access/grants/test_ledger.py"
NAME = "test_what_remains_in_aws_is_the_union_of_active_grants"
Figures = list[dict[str, Any]]


def run() -> Figures:
    """The test of the suite, with many more examples."""
    command = [sys.executable, "-m", "pytest", f"{TEST}::{NAME}", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "GATEHOUSE_LEDGER": str(EXAMPLES)}
    began = time.monotonic()
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=False)
    seconds = round(time.monotonic() - began, 1)
    return [
        figure("ledger: random sequences of overlapping grants, tried", EXAMPLES, "runs"),
        figure("ledger: whether AWS once had something else", int(done.returncode != 0), "", limit=0),
        figure("ledger: all of them", seconds, "s"),
    ]


if __name__ == "__main__":
    print(run())
