"""What the tree has, so that tests can compare it with what documents and docstrings name.

Modules are read as text without docstrings and comments, which takes a second; their syntax trees take half a
minute.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from pathlib import PurePosixPath
from typing import Final

from tests.house_rules import ROOT, tracked

PLACEHOLDER: Final = re.compile(r"(?<![A-Z])[A-Z]{4,}(?![A-Z])|…|\*")
"""A part of a path that stands for any name, as in `cases_RESOURCE.py`."""
NAMED_FILE: Final = re.compile(r"[\w./*…-]+\.(?:py|md|toml|html|css|js|txt|yaml|json)")
NOTES: Final = re.compile(r'[rf]?"""(?:[^\\]|\\.)*?"""|(?<![\'"&\w])#(?: |$)[^\n]*', re.DOTALL)
"""Docstrings and comments of a module."""
DEFINED: Final = re.compile(r"\b(?:class|def) (\w+)|^\s*(\w+)(?:: [^=\n]+)? =", re.MULTILINE)
TEXTS: Final = {".html", ".css", ".js", ".toml", ".txt", ".yaml", ".json", ""}
ABSENT: Final = "tests/test_documents.py"
"""Names what is not there."""
PACKAGES: Final = frozenset({"iam", "console", "tests"})


@cache
def files() -> frozenset[str]:
    """The paths of all files that git knows."""
    return frozenset(str(file.relative_to(ROOT)) for file in tracked("."))


@cache
def known_paths() -> frozenset[str]:
    """The paths of all files and folders, whole and from each folder on: `a/b/c.py`, `b/c.py`, `c.py`."""
    known: set[str] = set()
    for file in files():
        for path in (PurePosixPath(file), *PurePosixPath(file).parents):
            known.update("/".join(path.parts[start:]) for start in range(len(path.parts)))
    return frozenset(known)


@cache
def sources() -> Mapping[str, str]:
    """The text of each module by path."""
    return {file: (ROOT / file).read_text(encoding="utf-8") for file in files() if file.endswith(".py")}


@cache
def words_of(module: str) -> frozenset[str]:
    """The words of a module outside of docstrings and comments."""
    return frozenset(re.findall(r"\w+", NOTES.sub("", sources()[module])))


@cache
def all_words() -> frozenset[str]:
    """The words of all modules, and those of templates, scripts and configuration."""
    words: set[str] = set()
    for module in sources():
        if module != ABSENT:
            words |= words_of(module)
    for file in files():
        words.update(re.findall(r"\w+", file))
        if PurePosixPath(file).suffix in TEXTS:
            words.update(re.findall(r"\w+", (ROOT / file).read_text(encoding="utf-8", errors="replace")))
    return frozenset(words)


@cache
def defined() -> Mapping[str, frozenset[str]]:
    """The modules that define each class, function, constant or field."""
    modules: defaultdict[str, set[str]] = defaultdict(set)
    for module, source in sources().items():
        for definition, assigned in DEFINED.findall(NOTES.sub("", source)):
            modules[definition or assigned].add(module)
    return {name: frozenset(places) for name, places in modules.items()}


def is_path(text: str) -> bool:
    """True for a text that names a file or folder of this project, perhaps with placeholders."""
    if "::" in text or " " in text:
        return False
    return bool(NAMED_FILE.fullmatch(text)) or ("/" in text and text.partition("/")[0] in known_paths())


def has_path(text: str) -> bool:
    """True if a file or folder has this path, or one that ends with it; placeholders fit every name."""
    wanted = text.strip("/")
    if not PLACEHOLDER.search(wanted):
        return wanted in known_paths()
    pattern = re.compile(r"[\w./-]*".join(re.escape(part) for part in PLACEHOLDER.split(wanted)))
    return any(pattern.fullmatch(path) for path in known_paths())


def has_dotted(text: str) -> bool:
    """True if `package.module.name.attribute` leads to a module, or to words of it."""
    parts = text.split(".")
    for length in range(len(parts), 0, -1):
        path, rest = "/".join(parts[:length]), set(parts[length:])
        for module in (f"{path}.py", f"{path}/__init__.py"):
            if module in files():
                return rest <= words_of(module)
    return False


def is_missing(text: str, *, in_tests: bool = False) -> bool:
    """True for a name that no code has: `iam.module.name`, `Class.attribute`, `Class`, `snake_case`.

    Classes of tests count only with `in_tests`.
    """
    name = text.partition("(")[0]
    if not re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", name):
        return False
    first, *rest = name.split(".")
    if first in PACKAGES and rest:
        return not has_dotted(name)
    modules = [module for module in defined().get(first, ()) if in_tests or not module.startswith("tests/")]
    if rest and first[0].isupper():
        return not any(set(rest) <= words_of(module) for module in modules)
    if rest:
        return False
    if re.fullmatch(r"[A-Z][a-z]+", name):
        return not modules
    return name not in all_words() and ("_" in name or name[0].isupper())
