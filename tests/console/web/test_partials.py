"""Each partial that a view renders for htmx is defined in the template that the view names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest


def named_partials() -> Iterator[tuple[str, str, str]]:
    """(where, template, partial) of each call that names both."""
    for file in sorted(Path("console").rglob("*.py")):
        text = file.read_text()
        if "partial=" not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if not isinstance(node, ast.Call):
                continue
            partials = [each.value for each in node.keywords if each.arg == "partial"]
            templates = [
                each.value
                for each in node.args
                if isinstance(each, ast.Constant) and str(each.value).endswith(".html")
            ]
            if templates and partials and isinstance(partials[0], ast.Constant):
                yield f"{file}:{node.lineno}", str(templates[0]), str(partials[0].value)


PARTIALS = list(named_partials())


def test_there_are_such_calls() -> None:
    assert len(PARTIALS) > 40


@pytest.mark.parametrize(("where", "template", "partial"), PARTIALS)
def test_the_template_defines_the_partial(where: str, template: str, partial: str) -> None:
    folders = (Path("templates"), Path("templates/setup"), Path("templates/activity"))
    folder = next(path for path in folders if (path / template).exists())
    source = (folder / template).read_text()
    assert f"{{% partialdef {partial} " in source, where
