"""Whether the tests notice what is wrong: the engine is changed in one place at a time, and some test must
fail each time.

By hand: `python -m tests.bench.mutation PATH_OF_MUTMUT` (mutmut 3.8, in an environment of its own, no
dependency of this project). It works on a copy in a temporary folder, for about fifteen minutes on one core,
and prints how many changes were noticed in each module, then each change that was not.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
GROUPS = {
    "match": ("glob", "arns", "variables"),
    "conditions": ("condition", "operators"),
    "evaluate": ("evaluate", "principals", "request", "compiled"),
}
TESTS = ("cases", "patterns", "explanations", "evaluate", "request", "hostile_lines", "properties")
TOO_SLOW = "process or million or megabytes or long_wild or wild_patterns or brackets or braces"
"""Words in the names of tests that are not run for each change."""
DECORATORS = {"property", "cached_property", "lru_cache"}
RESULT = re.compile(r"\s+iam\.policy\.(\w+)\.(\S+): (.+)")


def undecorated(source: str) -> str:
    """The same module with `name = decorator(function)` after each function: mutmut passes over what has a
    decorator.

    Caches remember nothing: they would hand answers of the right engine to the changed ones.
    """
    lines = source.splitlines()
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    for function_def in sorted(functions, key=lambda function_def: -function_def.lineno):
        if not function_def.decorator_list or not DECORATORS & set(
            re.findall(r"\w+", lines[function_def.lineno - 2])
        ):
            continue
        decorator = (
            lines[function_def.lineno - 2].strip().removeprefix("@").replace("maxsize=4096", "maxsize=0")
        )
        indent = " " * function_def.col_offset
        lines.insert(
            function_def.end_lineno or function_def.lineno,
            f"{indent}{function_def.name} = {decorator}(found_{function_def.name})",
        )
        lines[function_def.lineno - 1] = lines[function_def.lineno - 1].replace(
            f"def {function_def.name}(", f"def found_{function_def.name}("
        )
        del lines[function_def.lineno - 2]
    return "\n".join(lines) + "\n"


def prepare(folder: Path) -> None:
    """The engine and its tests alone, and the settings of mutmut."""
    shutil.copytree(ROOT / "iam" / "policy", folder / "iam" / "policy")
    shutil.copytree(ROOT / "tests" / "policy", folder / "tests" / "policy")
    for name in ("iam/__init__.py", "tests/__init__.py"):
        shutil.copy(ROOT / name, folder / name)
    modules = [f"iam/policy/{name}.py" for group in GROUPS.values() for name in group]
    for name in modules:
        path = folder / name
        path.write_text(undecorated(path.read_text(encoding="utf-8")), encoding="utf-8")
    settings = {
        "source_paths": ["iam"],
        "only_mutate": modules,
        "pytest_add_cli_args_test_selection": [f"tests/iam/policy/test_{name}.py" for name in TESTS],
        "pytest_add_cli_args": ["-p", "no:cacheprovider", "-k", f"not ({TOO_SLOW})"],
    }
    written = "\n".join("\n    ".join((f"{name} =", *values)) for name, values in settings.items())
    (folder / "setup.cfg").write_text(f"[mutmut]\n{written}\n", encoding="utf-8")


def call(mutmut: str, *arguments: str, folder: Path) -> str:
    """What mutmut prints; it finds pytest and the libraries where this interpreter has them."""
    variables = {
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run(
        [mutmut, *arguments], cwd=folder, env=variables, stdout=subprocess.PIPE, text=True, check=True
    )
    return done.stdout


def outcomes(text: str) -> list[tuple[str, str, str]]:
    """(module, change, outcome) of each change."""
    return [match.groups() for line in text.splitlines() if (match := RESULT.fullmatch(line))]  # type: ignore[misc]


def show(mutants: list[tuple[str, str, str]]) -> None:
    """A line for each group and module."""
    every, noticed = Counter(module for module, _, _ in mutants), Counter()
    noticed.update(module for module, _, outcome in mutants if outcome in {"killed", "timeout"})
    for group, modules in GROUPS.items():
        total, killed = sum(every[name] for name in modules), sum(noticed[name] for name in modules)
        print(f"{group:<12} {killed:>5} of {total:>5} noticed, {100 * killed / total:.1f} %")
        for name in modules:
            print(f"  {name:<10} {noticed[name]:>5} of {every[name]:>5}")


def main() -> int:
    """Run mutmut over a copy and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mutmut", help="the program")
    mutmut = str(Path(parser.parse_args().mutmut).absolute())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        call(mutmut, "run", "--max-children", "1", folder=folder)
        mutants = outcomes(call(mutmut, "results", "--all", "true", folder=folder))
        show(mutants)
        for module, change, outcome in mutants:
            if outcome not in {"killed", "timeout"}:
                text = call(mutmut, "show", f"iam.policy.{module}.{change}", folder=folder)
                lines = [line for line in text.splitlines() if re.match(r"[-+](?![-+])", line)]
                print(f"\n{module}: {change}: {outcome}", *lines, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
