"""No two files import each other, not even by way of others, inside of a function, or for types only."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

GRAPH = grimp.build_graph("iam", "console", cache_dir=None)


def imports_of(root: str) -> dict[str, set[str]]:
    """The modules below a root → the modules below it that they import."""
    modules = {name for name in GRAPH.modules if name == root or name.startswith(f"{root}.")}
    return {name: GRAPH.find_modules_directly_imported_by(name) & modules for name in modules}


def cycle_in(imports: dict[str, set[str]]) -> list[str]:
    """The modules of one cycle; none where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


@pytest.mark.parametrize("root", ["iam", "console"])
def test_no_file_imports_another_in_a_circle(root: str) -> None:
    imports = imports_of(root)
    assert len(imports) > 300
    assert cycle_in(imports) == []


@pytest.mark.parametrize("added", ["spec", "policy_version"])
def test_a_circle_would_be_found(added: str) -> None:
    imports = imports_of("iam")
    operations = "iam.changes.operations"
    imports[f"{operations}.{added}"].add(f"{operations}.base")
    imports[f"{operations}.base"].add(f"{operations}.{added}")
    assert f"{operations}.{added}" in cycle_in(imports)


def test_an_import_inside_of_a_function_counts() -> None:
    imports = imports_of("iam")
    assert "iam.mirror.pull.run" in imports["iam.mirror.services.pulls"]
