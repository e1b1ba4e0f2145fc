"""Finds what product code defines and never uses: a name that stands nowhere but at its definition.

A name counts as used where any line of code, any text that isn't a docstring, any template or any script has
the same word. What only tests use is unused.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from django.db.models import Model

CODE: Final = ("iam", "console")
TEXT: Final = ("templates", "static/js")
OTHER_FILES: Final = ("manage.py", "pyproject.toml", "compose.yaml", "Dockerfile")
WITHOUT: Final = ("migrations", "standin")
"""Migrations are history, and moto finds the methods of the stand-in by the names of AWS's actions."""
NO_REGISTRATION: Final = frozenset(
    {
        "property",
        "cached_property",
        "staticmethod",
        "classmethod",
        "cache",
        "lru_cache",
        "dataclass",
        "contextmanager",
    }
)
"""Decorators that don't hand over what they decorate; all others may register it somewhere."""
BY_NAME: Final = re.compile(r"clean_\w+|handler404|handler500|as_postgresql|get_help_text|load_credentials")
"""Names that Django and botocore look up by themselves: checks of a form's field, pages of errors, a lookup
on one database, a rule for passwords, a source of credentials.
"""
CONTAINERS: Final = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
COMMENT: Final = re.compile(r"(?:^\s*|  )#.*")
SETTINGS: Final = Path("console/settings.py")


@dataclass(frozen=True, slots=True)
class Definition:
    """A function, a class or a constant, and the class that it is in, if any."""

    file: Path
    line: int
    name: str
    owner: str = ""
    is_class: bool = False
    is_registered: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.name} is used nowhere"


def unused_names(root: Path) -> list[Definition]:
    """All unused definitions of the project in this folder."""
    files = [path for top in CODE for path in sorted((root / top).rglob("*.py"))]
    sources = {path: path.read_text(encoding="utf-8") for path in files}
    trees = {path: ast.parse(source) for path, source in sources.items()}
    words = Counter[str]()
    for path in files:
        words.update(used_words(sources[path], trees[path]))
    for top in TEXT:
        for path in (root / top).rglob("*.*"):
            words.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    for name in OTHER_FILES:
        words.update(re.findall(r"\w+", (root / name).read_text(encoding="utf-8")))
    return [
        definition
        for path in files
        if not set(path.parts) & set(WITHOUT)
        for definition in definitions(trees[path], path.relative_to(root))
        if words[definition.name] == 1 and not is_used_by_a_library(definition)
    ]


def used_words(source: str, tree: ast.Module) -> list[str]:
    """Each name of the code, and each word of its texts; docstrings and comments are left out."""
    lines = source.splitlines()
    for node in ast.walk(tree):
        for child in getattr(node, "body", ()) if isinstance(node, CONTAINERS) else ():
            if _is_docstring(child):
                lines[child.lineno - 1 : child.end_lineno] = [""] * (child.end_lineno - child.lineno + 1)
    return re.findall(r"\w+", "\n".join(COMMENT.sub("", line) for line in lines))


def definitions(tree: ast.Module, file: Path) -> Iterator[Definition]:
    """What a module defines: functions and classes, constants, and the same within its classes."""
    for node in tree.body:
        yield from _definitions_of(node, file, owner="")
        if isinstance(node, ast.ClassDef):
            for child in node.body:
                yield from _definitions_of(child, file, owner=node.name)


def is_used_by_a_library(definition: Definition) -> bool:
    """Whether something outside the project reads it: a setting, or what a class has from a library's class
    or is registered by.
    """
    name = definition.name
    if (
        definition.is_registered
        or definition.file == SETTINGS
        or BY_NAME.fullmatch(name)
        or name.startswith("__")
    ):
        return True
    if not definition.owner and not definition.is_class:
        return False
    module = importlib.import_module(
        ".".join(definition.file.with_suffix("").parts).removesuffix(".__init__")
    )
    owner: type = getattr(module, definition.owner or name)
    if not definition.owner:
        return _is_registered_by_base(owner)
    if issubclass(owner, Model) and name in {field.name for field in owner._meta.get_fields()}:
        return True
    return issubclass(owner, Enum) or any(hasattr(base, name) for base in _library_bases(owner))


def _is_docstring(node: ast.stmt) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text and isinstance(node.value.value, str)


def _definitions_of(node: ast.stmt, file: Path, *, owner: str) -> Iterator[Definition]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        decorators = {_decorator_name(decorator) for decorator in node.decorator_list}
        is_registered = bool(decorators - NO_REGISTRATION)
        yield Definition(file, node.lineno, node.name, owner, isinstance(node, ast.ClassDef), is_registered)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                yield Definition(file, node.lineno, target.id, owner)


def _decorator_name(node: ast.expr) -> str:
    if isinstance(node, ast.Call):
        return _decorator_name(node.func)
    return node.attr if isinstance(node, ast.Attribute) else ast.unparse(node)


def _library_bases(owner: type) -> Iterable[type]:
    return (base for base in owner.__mro__[1:] if base.__module__.partition(".")[0] not in CODE)


def _is_registered_by_base(defined: type) -> bool:
    """Whether a base enters its classes in a register, as that of the rules does, or Django finds them."""
    bases = defined.__mro__[1:]
    return any("__init_subclass__" in vars(base) or base.__name__ == "AppConfig" for base in bases)
