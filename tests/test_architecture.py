"""The flows that the architecture draws lead through functions that are there."""

from __future__ import annotations

import ast
import re

import pytest

from tests.house_rules import ROOT

TEXT = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
FLOWS = TEXT.partition("## Three flows through the code")[2].partition("\n## ")[0]
STOPS = re.findall(r"((?:console|iam)/[\w/]+\.py): (\w+)", FLOWS)


def test_three_flows_are_drawn() -> None:
    assert FLOWS.count("```") == 6
    assert len(STOPS) > 20


@pytest.mark.parametrize(("file", "function"), sorted(set(STOPS)))
def test_each_stop_is_a_function(file: str, function: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
