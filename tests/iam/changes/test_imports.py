"""No two files of the package import each other, not even by way of others or inside of a function."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

PACKAGE = "iam.changes"


def imports_of(package: str) -> dict[str, set[str]]:
    """The modules of a package → the modules of it that they import."""
    graph = grimp.build_graph("iam", cache_dir=None)
    modules = {name for name in graph.modules if name == package or name.startswith(f"{package}.")}
    return {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}


def cycle_in(imports: dict[str, set[str]]) -> list[str]:
    """The modules of one cycle; none where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_file_of_the_changes_imports_another_in_a_circle() -> None:
    assert cycle_in(imports_of(PACKAGE)) == []


@pytest.mark.parametrize("added", ["spec", "policy_version"])
def test_a_circle_would_be_found(added: str) -> None:
    imports = imports_of(PACKAGE)
    imports[f"{PACKAGE}.operations.{added}"].add(f"{PACKAGE}.operations.base")
    imports[f"{PACKAGE}.operations.base"].add(f"{PACKAGE}.operations.{added}")
    assert f"{PACKAGE}.operations.{added}" in cycle_in(imports)
