"""Asks osv.dev for known vulnerabilities of every locked package: `python -m tests.advisories` (make audit).

Without network it says what it skips, and succeeds: a gate without network must not fail for it.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

SOURCE: Final = os.environ.get("ADVISORY_SOURCE", "https://api.osv.dev")
LOCKS: Final = (".requirements/run.txt", ".requirements/dev.txt")
PINNED: Final = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
SECONDS: Final = 20

Package = tuple[str, str]


def locked(files: Sequence[str] = LOCKS) -> list[Package]:
    """Name and version of every package in the lock files."""
    matches = {match for file in files for match in PINNED.findall(Path(file).read_text(encoding="utf-8"))}
    return sorted(matches)


def known_vulnerabilities(packages: Sequence[Package]) -> dict[Package, list[str]]:
    """The ids of the advisories of each package that has some. Raises OSError or ValueError where the source
    does not answer.
    """
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version} for name, version in packages
    ]
    request = urllib.request.Request(
        f"{SOURCE}/v1/querybatch",
        data=json.dumps({"queries": queries}).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        results: list[dict[str, Any]] = json.load(answer)["results"]
    if len(results) != len(packages):
        raise ValueError(f"{len(results)} answers to {len(packages)} questions")
    named = zip(packages, results, strict=True)
    return {package: [v["id"] for v in result["vulns"]] for package, result in named if result.get("vulns")}


def main() -> int:
    """1 if a package has a known vulnerability."""
    packages = locked()
    try:
        vulnerable = known_vulnerabilities(packages)
    except (OSError, ValueError, KeyError) as error:
        print(
            f"Skipped: {SOURCE} doesn’t answer ({error}). {len(packages)} packages were not checked for "
            "advisories."
        )
        return 0
    for (name, version), ids in vulnerable.items():
        print(f"{name} {version}: {', '.join(ids)}")
    print(f"{len(packages)} packages checked, {len(vulnerable)} with known vulnerabilities.")
    return 1 if vulnerable else 0


if __name__ == "__main__":
    sys.exit(main())
