"""What belongs to a page, not to `iam`: addresses, icons, buttons, hints, menus, forms and templates."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator
from itertools import chain
from pathlib import Path
from typing import Final

DJANGO_PAGES: Final = ("django.forms", "django.http", "django.shortcuts", "django.template", "django.urls")
PAGE_CALLS: Final = {"get_template", "redirect", "render", "render_to_string", "reverse", "reverse_lazy"}
PAGE_WORDS: Final = {
    "button",
    "buttons",
    "hint",
    "hints",
    "icon",
    "icons",
    "menu",
    "menus",
    "tooltip",
    "widget",
    "widgets",
}
PAGE_CLASS: Final = re.compile(r"(Button|Form|Icon|Menu|Widget)$")
WORDS_OF_NAME: Final = re.compile(r"[a-z0-9]+")
SPRITE: Final = Path(__file__).resolve().parent.parent / "static" / "icons.svg"


def icon_names() -> set[str]:
    """The icons of the sprite that no ordinary word is equal to."""
    return {name for name in re.findall(r'id="([^"]+)"', SPRITE.read_text(encoding="utf-8")) if "-" in name}


def page_parts(tree: ast.AST, *, areas: Collection[str], icons: Collection[str]) -> Iterator[tuple[int, str]]:
    """(line, what) of everything in a module that belongs to a page. `areas` are the first parts of the
    console's addresses.
    """
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            what = _text_part(node.value, areas=areas, icons=icons)
            if what:
                yield node.lineno, what
        for line, what in chain(_imports(node), _names(node)):
            yield line, what


def _text_part(text: str, *, areas: Collection[str], icons: Collection[str]) -> str:
    first, slash, rest = text.removeprefix("/").partition("/")
    if text.startswith("/") and slash and first in areas and not rest.startswith("*"):
        return f"the address {text}"
    if text in icons:
        return f"the icon {text}"
    return f"the template {text}" if text.endswith(".html") and "//" not in text else ""


def _imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    modules: list[str] = []
    if isinstance(node, ast.Import):
        modules = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        modules = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    if isinstance(node, ast.Import | ast.ImportFrom):
        for module in DJANGO_PAGES:
            if any(name == module or name.startswith(f"{module}.") for name in modules):
                yield node.lineno, f"the import of {module}"


def _names(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Names that are given here; where a name is used, its definition is the finding."""
    name = ""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        name = node.id
    elif isinstance(node, ast.arg | ast.keyword):
        name = node.arg or ""
    elif isinstance(node, ast.FunctionDef):
        name = node.name
    elif isinstance(node, ast.ClassDef) and PAGE_CLASS.search(node.name):
        yield node.lineno, f"the class {node.name}"
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PAGE_CALLS:
        yield node.lineno, f"the call {node.func.id}()"
    if PAGE_WORDS & set(WORDS_OF_NAME.findall(name.lower().replace("_", " "))):
        yield getattr(node, "lineno", 0), f"the name {name}"
