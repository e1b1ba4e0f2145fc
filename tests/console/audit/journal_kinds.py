"""The kinds of journal entries that the code writes, read from its calls of `record` and `entry`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WRITERS = ("record", "entry")
DEPTH = 4
"""So many functions are followed to who calls them."""


@dataclass(frozen=True)
class Place:
    """Where an expression stands: its module, and the function, if it is in one."""

    module: ast.Module
    function: ast.FunctionDef | None


@cache
def trees() -> tuple[ast.Module, ...]:
    """The modules of the product."""
    files = sorted([*ROOT.glob("iam/**/*.py"), *ROOT.glob("console/**/*.py")])
    return tuple(ast.parse(f.read_text(encoding="utf-8")) for f in files if "migrations" not in f.parts)


@cache
def constants() -> dict[str, list[str]]:
    """The dotted texts that modules name in capital letters."""
    found: dict[str, list[str]] = {}
    for module in trees():
        for node in module.body:
            name = getattr(getattr(node, "target", None), "id", "")
            value = getattr(node, "value", None)
            if name.isupper() and isinstance(value, ast.Constant) and "." in str(value.value):
                found.setdefault(name, []).append(str(value.value))
    return found


@cache
def calls() -> dict[str, list[tuple[ast.Call, Place]]]:
    """Every call in the product by the name of what is called."""
    found: dict[str, list[tuple[ast.Call, Place]]] = {}
    for module in trees():
        _collect(module, Place(module, None), found)
    return found


def _collect(node: ast.AST, place: Place, found: dict[str, list[tuple[ast.Call, Place]]]) -> None:
    if isinstance(node, ast.FunctionDef):
        place = Place(place.module, node)
    if isinstance(node, ast.Call):
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        found.setdefault(name, []).append((node, place))
    for child in ast.iter_child_nodes(node):
        _collect(child, place, found)


def texts(node: ast.expr, place: Place, depth: int = DEPTH) -> Iterator[str]:
    """What an expression can be: a constant, one of two, a member of an enum, or what a name is given."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp():
            yield from texts(node.body, place, depth)
            yield from texts(node.orelse, place, depth)
        case ast.JoinedStr():
            yield from _joined(node, place, depth)
        case ast.Attribute(attr="value"):
            yield from texts(node.value, place, depth)
        case ast.Attribute():
            yield node.attr.lower()
        case ast.Name() if depth:
            yield from _named(node.id, place, depth)


def _joined(node: ast.JoinedStr, place: Place, depth: int) -> Iterator[str]:
    whole = [""]
    for part in node.values:
        value = part.value if isinstance(part, ast.FormattedValue) else part
        whole = [text + more for text in whole for more in texts(value, place, depth)]
    yield from whole


def _named(name: str, place: Place, depth: int) -> Iterator[str]:
    function = place.function
    for node in ast.walk(function or place.module):
        if isinstance(node, ast.Assign):
            yield from _assigned(node, name, place, depth)
        if isinstance(node, ast.AnnAssign) and node.value and getattr(node.target, "id", "") == name:
            yield from texts(node.value, place, depth - 1)
    if function is None:
        # A constant of another module.
        yield from constants().get(name, ())
        return
    names = [argument.arg for argument in function.args.args]
    if name not in (*names, *(argument.arg for argument in function.args.kwonlyargs)):
        yield from _named(name, Place(place.module, None), depth - 1)
        return
    for call, caller in calls().get(function.name, []):
        if caller.module is place.module or not function.name.startswith("_"):
            yield from _handed(call, name, names, caller, depth - 1)


def _assigned(node: ast.Assign, name: str, place: Place, depth: int) -> Iterator[str]:
    for target in node.targets:
        pairs = [(target, node.value)]
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        for left, right in pairs:
            if isinstance(left, ast.Name) and left.id == name:
                yield from texts(right, place, depth - 1)


def _handed(call: ast.Call, name: str, names: list[str], caller: Place, depth: int) -> Iterator[str]:
    if name in names and names.index(name) < len(call.args):
        yield from texts(call.args[names.index(name)], caller, depth)
    for keyword in call.keywords:
        if keyword.arg == name:
            yield from texts(keyword.value, caller, depth)


def journal_kinds() -> tuple[set[str], set[str]]:
    """The kinds that are written, and the expressions of which none could be told."""
    kinds: set[str] = set()
    untold: set[str] = set()
    for name in WRITERS:
        for call, place in calls()[name]:
            for keyword in call.keywords:
                if keyword.arg == "kind":
                    told = {text for text in texts(keyword.value, place) if "." in text}
                    kinds |= told
                    untold |= set() if told else {ast.unparse(keyword.value)}
    return kinds, untold
