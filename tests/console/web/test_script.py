"""All modules are in the one script that pages load, each after those that it imports from."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from console.web.script import MODULES, NAME, joined
from tests import factories

PAGE_MODULES = ("reviews",)
"""Modules that the templates of some pages load separately."""
FOLDER = settings.BASE_DIR / "static" / "js"
IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./(\w+)\.js";$', re.MULTILINE)
EXPORT = re.compile(r"^export (?:const|function) ([\w$]+)", re.MULTILINE)
TOP_LEVEL = re.compile(r"^(?:export )?(?:const|let|function) ([\w$]+)", re.MULTILINE)


def text_of(module: str) -> str:
    return (FOLDER / f"{module}.js").read_text()


def test_every_module_on_disk_is_in_the_script_once_or_loaded_by_a_page() -> None:
    assert sorted((*MODULES, *PAGE_MODULES)) == sorted(path.stem for path in FOLDER.glob("*.js"))


@pytest.mark.parametrize("module", MODULES)
def test_a_module_imports_what_earlier_ones_export(module: str) -> None:
    imports = IMPORT.findall(text_of(module))
    assert len(imports) == text_of(module).count("import "), "an import in another form is not removed"
    for names, source in imports:
        assert MODULES.index(source) < MODULES.index(module)
        for name in names.split(", "):
            assert name in EXPORT.findall(text_of(source))
            assert len(re.findall(rf"(?<![\w$]){re.escape(name)}(?![\w$])", text_of(module))) > 1, name


def test_no_two_modules_name_something_alike() -> None:
    names = Counter(TOP_LEVEL.findall("\n".join(map(text_of, MODULES))))
    assert len(names) > 40
    assert [name for name, count in names.items() if count > 1] == []


def test_every_module_has_a_test_in_a_browser() -> None:
    tests = {path.stem for path in (Path(__file__).parent / "script").glob("test_*.py")}
    assert tests == {f"test_{module}" for module in (*MODULES, *PAGE_MODULES)}


def code_of(module: str) -> list[str]:
    """Its lines without imports and without comments that have lines of their own."""
    lines, is_comment = [], False
    for line in text_of(module).splitlines():
        is_comment = is_comment or line.lstrip().startswith("/*")
        if line and not is_comment and not line.startswith("import "):
            lines.append(line.removeprefix("export "))
        is_comment = is_comment and not line.endswith("*/")
    return lines


def test_the_script_holds_all_code_of_all_modules_and_nothing_else() -> None:
    assert list(filter(None, joined().splitlines())) == list(chain.from_iterable(map(code_of, MODULES)))


@pytest.mark.parametrize("module", PAGE_MODULES)
def test_a_module_of_a_page_is_loaded_by_one_template_and_imports_what_others_export(module: str) -> None:
    templates = (settings.BASE_DIR / "templates").glob("**/*.html")
    assert len([path for path in templates if f"'js/{module}.js'" in path.read_text()]) == 1
    imports = IMPORT.findall(text_of(module))
    assert len(imports) == text_of(module).count("import ")
    for names, source in imports:
        assert source in MODULES
        assert set(names.split(", ")) <= set(EXPORT.findall(text_of(source)))


def test_the_script_weighs_no_more_than_before_it_was_taken_apart() -> None:
    assert len(gzip.compress(joined().encode(), mtime=0)) <= 6_327


@pytest.mark.django_db
def test_a_page_loads_one_script_of_ours(client: Client) -> None:
    client.force_login(factories.operator())
    page = client.get("/").content.decode()
    assert re.findall(r'<script src="([^"]+)" type="module">', page) == [f"/static/{NAME}"]
    assert page.count("<script") == 2
