"""`make bench`: runs every measurement, prints a line per figure and writes them to bench.json.

Each measurement is a module with `run() -> list[dict]`: name, value, unit, floor (what it is compared with),
ratio, and limit (the ratio, or value, that it must not pass). Modules run in processes of their own, so that
none warms another.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

MODULES = (
    "tests.bench.floor",
    "tests.bench.pull",
    "tests.bench.lists",
    "tests.bench.evaluate",
    "tests.bench.hostile_documents",
    "tests.bench.who_can",
    "tests.bench.pages",
    "tests.bench.services",
    "tests.bench.policy_edit",
    "tests.bench.fleet",
    "tests.bench.escalation",
    "tests.bench.receipts",
    "tests.bench.replay",
    "tests.bench.click",
    "tests.bench.idle",
    "tests.bench.changes.throughput",
    "tests.bench.changes.torture",
    "tests.bench.changes.faults",
    "tests.bench.ledger",
    "tests.bench.grant_accounts",
    "tests.bench.leaving.browser",
    "tests.bench.leaving.torture",
    "tests.bench.links",
    "tests.bench.onboarding.throughput",
    "tests.bench.onboarding.torture",
    "tests.bench.rotation",
    "tests.bench.enforcement",
    "tests.bench.ingest",
    "tests.bench.activity",
    "tests.bench.ingest_faults",
    "tests.bench.findings",
    "tests.bench.evidence",
    "tests.bench.frameworks",
    "tests.bench.reviews",
    "tests.bench.review_keyboard",
)
OUTPUT = Path("bench.json")
RUN_ONE = (
    "import json, sys, importlib; print('FIGURES ' + json.dumps(importlib.import_module(sys.argv[1]).run()))"
)


def measure(module: str) -> list[dict[str, object]]:
    """The figures of one module."""
    done = subprocess.run(
        [sys.executable, "-c", RUN_ONE, module], stdout=subprocess.PIPE, text=True, check=True
    )
    line = next(text for text in done.stdout.splitlines() if text.startswith("FIGURES "))
    return list(json.loads(line.removeprefix("FIGURES ")))


def show(figure: dict[str, object]) -> str:
    """One line for the terminal."""
    value, ratio, limit = figure["value"], figure.get("ratio"), figure.get("limit")
    text = f"{figure['name']:<62} {value:>10} {figure['unit']:<9}"
    if ratio is not None:
        text += f" {ratio:>7} x {figure.get('floor') or ''}"
    return text + (f"  (limit {limit})" if limit is not None else "")


def main() -> int:
    """Measure all modules, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", default=MODULES)
    figures = []
    for module in parser.parse_args().modules:
        for figure in measure(module):
            figures.append(figure)
            print(show(figure), flush=True)
    OUTPUT.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
