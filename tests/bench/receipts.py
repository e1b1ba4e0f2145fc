"""Many random sets of changes: how many did something else than their receipts foretold. None may."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from tests.bench.floor import figure

SEEDS = 40
TEST = "tests/iam/changes/test_receipt_is_true.py"
Figures = list[dict[str, Any]]


def run() -> Figures:
    """Both figures: the test of the suite, with many more seeds."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-receipts-") as folder:
        report = Path(folder) / "report.xml"
        command = [
            sys.executable,
            "-m",
            "pytest",
            TEST,
            "-q",
            "-p",
            "no:cacheprovider",
            f"--junitxml={report}",
        ]
        began = time.monotonic()
        subprocess.run(
            command,
            env={**os.environ, "GATEHOUSE_RECEIPTS": str(SEEDS)},
            stdout=subprocess.DEVNULL,
            check=False,
        )
        seconds = round(time.monotonic() - began, 1)
        suite = ElementTree.parse(report).getroot()[0]
    untrue = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    return [
        figure("receipts: random sequences of sets, tried", int(suite.attrib["tests"]), "runs"),
        figure("receipts: that foretold something else than what was so", untrue, "runs", limit=0),
        figure("receipts: all of them", seconds, "s"),
    ]


if __name__ == "__main__":
    print(run())
