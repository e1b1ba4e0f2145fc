"""Checks what was changed since the main branch: `python -m tests.affected [REVISION]`, or `make check`.

Linters look at the changed files. Of the tests, those that are nearest to a change run first: a changed test,
then the tests that import a changed module or lie where its package is mirrored, then those of the modules
that import it. A template stands for the modules that name it. When the time is over, the rest is left to
`make test`, and counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import grimp

SECONDS: Final = 90
FOR_TESTS_AT_LEAST: Final = 45
STEPS: Final = 3
"""So far from a changed module are tests looked for; beyond that are most of them."""
ALWAYS: Final = (
    "tests/test_tree.py",
    "tests/test_passes.py",
    "tests/test_architecture.py",
    "tests/test_documents.py",
)
"""They are quick, and about all files."""
OF_SCRIPTS: Final = "tests/console/web/script"
"""Scripts import each other in the browser."""
NOT_HERE: Final = ("tests/journeys/", "tests/production/", "tests/bench/")
"""They start whole installations: they run when they are changed themselves."""


def main(revision: str = "") -> int:
    """Zero where nothing is wrong with what was changed."""
    begun = time.monotonic()
    changed = changed_files(revision)
    if not changed:
        print("Nothing was changed.")
        return 0
    with ThreadPoolExecutor(2) as pool:
        reports = pool.map(_report, lint_commands(changed))
        files = affected(changed)
        codes = [_said(report) for report in reports]
    left = max(FOR_TESTS_AT_LEAST, SECONDS - (time.monotonic() - begun))
    print(
        f"{len(changed)} changed files, {len(files)} files of tests near them, {left:.0f} seconds for them."
    )
    options = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder", "--maxfail", "10"]
    environment = os.environ | {"GATEHOUSE_TEST_SECONDS": f"{left:.0f}"}
    codes.append(subprocess.call([sys.executable, "-m", "pytest", "-q", *options, *files], env=environment))
    print(f"{time.monotonic() - begun:.0f} seconds.")
    return next(filter(None, codes), 0)


def _report(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def _said(report: subprocess.CompletedProcess[str]) -> int:
    """The exit code of a linter, whose words are printed."""
    print(report.stdout, end="", flush=True)
    return report.returncode


def changed_files(revision: str = "") -> list[str]:
    """What differs from the revision, or else from where this branch has left the main branch."""
    base = revision or _told("merge-base", "HEAD", "origin/main") or "HEAD"
    names = _told("diff", "--name-only", "--diff-filter=d", base).splitlines()
    return sorted({*names, *_told("ls-files", "--others", "--exclude-standard").splitlines()})


def _told(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False).stdout.strip()


def lint_commands(changed: Iterable[str]) -> list[list[str]]:
    """The linters of `make lint` that read one file at a time, for these files; and types, which are kept
    from the last time.
    """
    changed = list(changed)
    modules = [name for name in changed if name.endswith(".py")]
    templates = [name for name in changed if name.startswith("templates/")]
    python, commands = [sys.executable, "-m"], []
    if modules:
        commands += [
            [*python, "ruff", "format", "--check", "--force-exclude", *modules],
            [*python, "ruff", "check", "--force-exclude", *modules],
        ]
    if any(name.startswith(("console/", "iam/")) for name in modules):
        commands.append([*python, "mypy", "console", "iam"])
    if templates:
        djlint = str(Path(sys.executable).with_name("djlint"))
        commands.append([djlint, "--lint", "--quiet", *templates])
        commands.append([djlint, "--check", "--quiet", *templates])
    if modules or templates:
        commands += [[*python, "tests.house_rules"], [*python, "tests.wording"]]
    return commands


def affected(changed: Iterable[str]) -> list[str]:
    """The files of tests that may fail by these changes, the nearest first."""
    changed = list(changed)
    graph = grimp.build_graph("console", "iam", "tests", cache_dir=None)
    places = {name: path for name in graph.modules if (path := path_of(name)).is_file()}
    named = {str(path): name for name, path in places.items()}
    starts = {named[name] for name in changed if name in named}
    starts |= {named[str(path)] for path in users_of(changed) if str(path) in named}
    if any(name.startswith("static/js/") for name in changed):
        starts |= {named[str(path)] for path in Path(OF_SCRIPTS).glob("test_*.py")}
    steps = nearest(starts, graph.find_modules_that_directly_import)
    tests = [path for path in map(str, places.values()) if Path(path).name.startswith("test_")]
    ranked = rank({str(places[name]): step for name, step in steps.items() if name in places}, tests)
    wanted = [
        name for name in sorted(ranked, key=lambda name: (ranked[name], name)) if _may_run(name, changed)
    ]
    return list(dict.fromkeys([*wanted, *ALWAYS]))


def _may_run(test: str, changed: list[str]) -> bool:
    return test in changed or not test.startswith(NOT_HERE)


def path_of(module: str) -> Path:
    """The file of a module or package."""
    path = Path(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def users_of(changed: Iterable[str]) -> set[Path]:
    """The Python files that name a changed template, script or data file, or a template that includes it."""
    names = {name.partition("/")[2] for name in changed if name.startswith(("templates/", "static/"))}
    names |= {Path(name).name for name in changed if not name.endswith((".py", ".html"))}
    if not names:
        return set()
    templates = {path.relative_to("templates"): _text(path) for path in Path("templates").rglob("*.html")}
    while more := {str(path) for path, text in templates.items() if _has(text, names)} - names:
        names |= more
    modules = [path for root in ("console", "iam", "tests") for path in Path(root).rglob("*.py")]
    return {path for path in modules if _has(_text(path), names)}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _has(text: str, names: Iterable[str]) -> bool:
    return any(name in text for name in names)


def nearest(starts: Iterable[str], importers: Callable[[str], set[str]]) -> dict[str, int]:
    """Modules by their distance from what was changed: none, or as many imports as lead to it."""
    steps = dict.fromkeys(starts, 0)
    edge = set(steps)
    for step in range(1, STEPS):
        edge = {importer for module in edge for importer in importers(module)} - steps.keys()
        steps |= dict.fromkeys(edge, step)
    return steps


def rank(steps: Mapping[str, int], tests: Iterable[str]) -> dict[str, int]:
    """Distances of files of tests: their own, or one more than that of a file whose folder they mirror."""
    folders: defaultdict[str, int] = defaultdict(lambda: STEPS)
    for name, step in steps.items():
        folder = f"tests/{Path(name).parent}"
        folders[folder] = min(folders[folder], step + 1)
    ranked = {}
    for test in tests:
        distance = min(steps.get(test, STEPS), folders[str(Path(test).parent)])
        if distance < STEPS:
            ranked[test] = distance
    return ranked


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
