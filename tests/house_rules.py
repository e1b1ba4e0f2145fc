"""House rules that no ready-made linter knows: `python -m tests.house_rules` lists every breach, with its
place.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from tests.repeated_markup import repeated_markup

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 450
MAX_NODES = 4_400
"""Nodes of the syntax tree: what a file says, however its lines are broken."""
MAX_TEMPLATE_COLUMNS = 160
TEMPLATE_SUFFIXES = {".html", ".txt"}
MAX_TEMPLATE_LINES = 200
PRODUCT = ("console", "iam")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FORBIDDEN_NAMES = {"utils.py", "helpers.py"}
VAGUE_MODULES = frozenset({"afterwards", "found", "one", "shown", "told", "whose", "words"})
NOUNS_IN_ING = frozenset({"matching", "offboarding", "onboarding", "provisioning", "smuggling", "wording"})
"""Words that end like a gerund, and are the glossary's or AWS's name of a thing."""
SHARED_CLASS_NAMES = frozenset({"Command"})
"""Django asks for `Command`."""
EMPTY_VARIABLES = frozenset({"found", "given", "held", "meant", "one", "said", "some", "told"})
"""Names that say where a value comes from, or only that there is one, and not what it is."""
TIMERS = frozenset({"perf_counter", "process_time", "thread_time"})
TIMED = ("tests/bench",)
"""Only benches ask how long something takes: what a test asserts may not depend on how busy a machine is."""
WAITS = frozenset({"acquire", "join", "wait"})
MAX_POLL_S = 4
"""A wait that is shorter is one of a loop, or for what is not to come."""
MIN_WAIT_S = 60
# The Content-Security-Policy has no unsafe-inline: such markup would silently do nothing.
TEMPLATE_TAG = re.compile(r"{[{%].*?[}%]}")
TEMPLATE_RULES = (
    (re.compile(r"\sstyle\s*="), "a style attribute"),
    (re.compile(r"\s(?:on[a-z]+|hx-on[:\w-]*)\s*="), "an inline event handler"),
    (re.compile(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")"), "an inline script"),
    (re.compile(r"<style\b"), "an inline stylesheet"),
    (
        re.compile(r"[a-z,]\s+\{% ago (?![^%]*\bwithin=True)[^%]*%\}"),
        "a moment within a sentence without `within=True`, which says “Just now” in its middle",
    ),
    (re.compile(r'hx-trigger="[^"]*\['), "a trigger filter, which needs eval"),
    (re.compile(r"https?://(?!www\.w3\.org)[^\"'\s]+\.(?:js|css|woff2)"), "a resource of another host"),
)
BARE_CODE = re.compile(r"<pre class=\"code[ \"][^>]*>\s*\{\{")
POLICY_LANGUAGE = ("iam/policy/",)
FOLDING = "iam/policy/letter_case.py"
UNICODE_CASE = {"lower", "casefold", "swapcase", "isdigit", "isdecimal", "isnumeric"}
"""Methods that know more letters and digits than the policy language does: see iam/policy/letter_case.py."""
WIDE_CLASS = re.compile(r"\\[dDwWsSbB]")


def tracked(pattern: str) -> list[Path]:
    """The files that git knows, or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", pattern],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def dense(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, what) of choices and loops that hide in an expression."""
    for node in ast.walk(tree):
        if isinstance(node, ast.IfExp):
            within = chain.from_iterable(ast.walk(part) for part in (node.test, node.body, node.orelse))
            if any(isinstance(part, ast.IfExp) for part in within):
                yield node.lineno, "a choice inside a choice"
        elif isinstance(node, ast.Call):
            for value in (*node.args, *(keyword.value for keyword in node.keywords)):
                if isinstance(value, ast.IfExp):
                    yield value.lineno, "a choice as an argument: name the value before the call"
        elif isinstance(node, COMPREHENSIONS):
            elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
            if any(isinstance(element, ast.IfExp) for element in elements):
                yield node.lineno, "a choice inside a comprehension"
            if len(node.generators) > 1:
                yield node.lineno, "a comprehension with two loops"


def empty_variables(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of variables, loop variables and parameters whose names don't say what they hold.

    The attributes of a class are no variables.
    """
    attributes: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                if isinstance(statement, ast.AnnAssign):
                    attributes.add(statement.target)
                elif isinstance(statement, ast.Assign):
                    attributes.update(statement.targets)
        if isinstance(node, ast.Name):
            name = node.id if isinstance(node.ctx, ast.Store) and node not in attributes else ""
        elif isinstance(node, ast.arg):
            name = node.arg
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
            name = node.name or ""
        else:
            continue
        if name in EMPTY_VARIABLES:
            yield getattr(node, "lineno", 0), name


def timers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of clocks that measure how long something takes."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.Assert) and _bounds_a_time(node):
            yield node.lineno, "a limit of seconds"
        for name in names:
            if name.removesuffix("_ns") in TIMERS:
                yield getattr(node, "lineno", 0), name


def short_waits(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, text) of waits that a busy machine exceeds, such as `process.wait(timeout=10)`."""
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call):
            values = [keyword.value for keyword in node.keywords if keyword.arg == "timeout"]
            if isinstance(node.func, ast.Attribute) and node.func.attr in WAITS:
                values += node.args
        elif isinstance(node, ast.BinOp) and ast.unparse(node.left) == "time.monotonic()":
            values = [node.right]
        for value in values:
            seconds = getattr(value, "value", None)
            if isinstance(seconds, int | float) and MAX_POLL_S <= seconds < MIN_WAIT_S:
                yield node.lineno, ast.unparse(node)


def days_of_reading(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, text) of days that are taken when a file is read: a suite that crosses midnight compares them
    with the next.
    """
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            text = ast.unparse(statement.value)
            if ".today()" in text or ("now(" in text and ".date()" in text):
                yield statement.lineno, text


def _bounds_a_time(node: ast.Assert) -> bool:
    """Whether it says that less than so much time went by; to wait until a deadline is something else."""
    for part in ast.walk(node):
        if isinstance(part, ast.Compare) and isinstance(part.left, ast.BinOp):
            is_difference = isinstance(part.left.op, ast.Sub) and "monotonic()" in ast.unparse(part.left.left)
            if is_difference and any(isinstance(each, ast.Lt | ast.LtE) for each in part.ops):
                return True
    return False


def vague_module(name: str) -> bool:
    """True for a module that is named by a gerund, or by a word that doesn't say what is in it."""
    stem = Path(name).stem.removeprefix("test_")
    is_gerund = stem.endswith("ing") and "_" not in stem and stem not in NOUNS_IN_ING
    return is_gerund or stem in VAGUE_MODULES


def repeated_classes(sources: Mapping[str, str]) -> Iterator[str]:
    """Each class of the product whose name another module has used already; classes within a class count for
    nothing.
    """
    places: dict[str, str] = {}
    for place, source in sources.items():
        for node in ast.parse(source).body:
            if not isinstance(node, ast.ClassDef) or node.name in SHARED_CLASS_NAMES:
                continue
            if node.name in places:
                yield f"{place}:{node.lineno}: the class {node.name} has a namesake in {places[node.name]}"
            places.setdefault(node.name, place)


def breaches() -> Iterator[str]:
    """One line per breach: the place, and what is wrong."""
    product: dict[str, str] = {}
    for file in tracked("*.py"):
        place = file.relative_to(ROOT)
        if "migrations" in place.parts:
            continue
        if file.name in FORBIDDEN_NAMES:
            yield f"{place}: a file needs a name that says its job"
        if vague_module(file.name):
            yield f"{place}: a module is named by a noun that says what is in it"
        lines = file.read_text(encoding="utf-8").splitlines()
        if len(lines) > MAX_LINES:
            yield f"{place}: {len(lines)} lines; {MAX_LINES} are the limit"
        tree = ast.parse("\n".join(lines))
        if place.parts[0] in PRODUCT:
            product[str(place)] = "\n".join(lines)
            for number, what in dense(tree):
                yield f"{place}:{number}: {what}"
            for number, name in empty_variables(tree):
                yield f"{place}:{number}: the variable {name} doesn't say what it holds"
        if place.parts[0] == "tests" and not str(place).startswith(TIMED):
            for number, name in timers(tree):
                yield f"{place}:{number}: {name}: count calls (tests/work.py), and measure in tests/bench"
            for number, text in short_waits(tree):
                yield f"{place}:{number}: {text}: a busy machine takes longer; take tests.patience.PATIENCE_S"
            for number, text in days_of_reading(tree):
                yield f"{place}:{number}: {text}: ask in the test, which may run on the next day"
        nodes = sum(1 for _ in ast.walk(tree))
        if nodes > MAX_NODES:
            yield f"{place}: {nodes} nodes of the syntax tree; {MAX_NODES} are the limit"
        if lines and not lines[0].startswith(('"""', "#!")):
            yield f"{place}:1: a module opens with one sentence on its job"
        if str(place).startswith(POLICY_LANGUAGE) and str(place) != FOLDING:
            for number, what in unicode_case("\n".join(lines)):
                yield (
                    f"{place}:{number}: {what}; the policy language knows A to Z only: use "
                    "iam.policy.letter_case"
                )
    yield from repeated_classes(product)
    yield from wide_lines(
        {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in tracked("templates/*")}
    )
    templates: dict[str, str] = {}
    for file in tracked("templates/*.html"):
        source = templates[str(file.relative_to(ROOT))] = file.read_text(encoding="utf-8")
        length = len(source.splitlines())
        if length > MAX_TEMPLATE_LINES:
            yield (
                f"{file.relative_to(ROOT)}: {length} lines; {MAX_TEMPLATE_LINES} are the limit: "
                "include components named for what they show"
            )
        for number in bare_code(source):
            yield (
                f"{file.relative_to(ROOT)}:{number}: code without lines of its own, which have its margin: "
                "include components/numbered_lines.html"
            )
        markup = TEMPLATE_TAG.sub("", source)
        for rule, what in TEMPLATE_RULES:
            for match in rule.finditer(markup):
                number = markup.count("\n", 0, match.start()) + 1
                yield f"{file.relative_to(ROOT)}:{number}: {what}"
    yield from repeated_markup(templates)


def bare_code(source: str) -> Iterator[int]:
    """Lines of a template where text stands in code without lines of its own."""
    for match in BARE_CODE.finditer(source):
        yield source.count("\n", 0, match.start()) + 1


def wide_lines(sources: Mapping[str, str]) -> Iterator[str]:
    """Each line of a template, of a page or of a mail, that is wider than an editor shows."""
    for place, source in sources.items():
        for number, line in enumerate(source.splitlines(), start=1):
            if len(line) > MAX_TEMPLATE_COLUMNS and Path(place).suffix in TEMPLATE_SUFFIXES:
                yield f"{place}:{number}: {len(line)} columns; {MAX_TEMPLATE_COLUMNS} are the limit"


def unicode_case(source: str) -> Iterator[tuple[int, str]]:
    """Lines of a module that treat letters or digits beyond ASCII as the policy language does not."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "str" and node.attr in UNICODE_CASE:
            yield node.lineno, ast.unparse(node)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        if node.func.attr in UNICODE_CASE:
            yield node.lineno, f".{node.func.attr}()"
        elif isinstance(node.func.value, ast.Name) and node.func.value.id == "re":
            pattern = ast.unparse(node.args[0]) if node.args else ""
            flags = " ".join(
                ast.unparse(flag) for flag in (*node.args[1:], *(k.value for k in node.keywords))
            )
            is_open = "IGNORECASE" in flags or "re.I" in flags.split() or "(?i" in pattern
            if (is_open or WIDE_CLASS.search(pattern)) and "ASCII" not in flags:
                yield node.lineno, f"re.{node.func.attr} without re.ASCII"


def main() -> int:
    """Exit code 1 with a list when a rule is broken."""
    lines = list(breaches())
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
