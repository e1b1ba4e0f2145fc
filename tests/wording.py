"""Finds retired words in what people read: `python -m tests.wording [PATH…]` lists each with the word to use.

`make lint` calls it: no text may have one.

It reads the text and the labels of templates, the strings of templates' tags, and the strings of Python code.
It leaves out docstrings, comments, help texts of models and strings without a space, which are names. A line
that must keep a word ends with `wording: keep` in a comment.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tests.house_rules import ROOT, tracked

RETIRED: Final[tuple[tuple[str, str], ...]] = (
    (r"ask(?:s|ed|ing)? for", "request"),
    (r"asked (?:by|to)|request of", "requested by"),
    (r"last reading", "last sync"),
    (r"account numbers?", "account ID"),
    (r"shall", "will, must or can"),
    (r"who(?:m)?ever|whom", "who, anyone who"),
    (r"rules? of approval|holds (?:when|always)", "approval rules, applies when"),
    (r"is (?:no|none) (?!longer|more|one)(?:\w+)", "isn't a …, there is no …"),
    (r"com(?:e|es|ing) into being|came into being", "creates, is created"),
    (r"put(?:s|ting)? (?:it|this|that|them) right|mend(?:s|ed|ing)?", "fix"),
    (r"look(?:s|ed)? again|look(?:ed)? (?:at )?closely", "refresh; sensitive"),
    (r"agreed to with it|agree(?:s|d)? to it", "warnings you accept by approving"),
    (r"weight(?:y|ier|iest)|weigh(?:s|ed|ing)?", "riskiest; considered"),
    (r"tak(?:e|es|en|ing) away|took away|throw(?:n|s)? away", "remove, discard"),
    (r"ways? (?:to|up to) more|ways up", "privilege escalation, escalation paths"),
    (r"leavers?|somebody leaves|someone leaves", "offboarding, offboarded person"),
    (r"excus(?:e|es|ed|ing)", "exempt"),
    (r"stand(?:s|ing)?|stood", "status; is"),
    (r"comes? true|came true", "is done"),
    (
        r"carr(?:y|ies|ied|ying) (?:it |them )?out|under way|ended otherwise|in trouble",
        "done, in progress, cancelled, failed",
    ),
    (r"adopt(?:s|ed|ing)?", "accept"),
    (r"say something", "add a comment"),
    (r"for sure|under conditions", "confirmed, conditional"),
    (r"cannot know", "limits of this analysis"),
    (r"worth a look|nothing waits", "needs attention, nothing to approve"),
    (r"by (?:itself|themselves|himself|herself)", "automatically"),
    (r"nobody|somebody|everybody|anybody", "no one, someone, everyone, anyone"),
    (r"pull(?:s|ed|ing)?(?! request)|mirror(?:s|ed|ing)?", "sync, synced"),
    (
        r"not (?:been )?read(?: yet)?|never (?:been )?read|as read|was read|were read|last read|been read",
        "synced",
    ),
    (r"enrol|enrols|enrolments?|enrolling for", "enroll, enrollment"),
    (r"e-mails?", "email"),
    (
        r"organi[s]ations?|recogni[s]e[sd]?|authori[s]e[sd]?|colou[r]s?|behaviou[r]s?|licen[c]es?",
        "American spelling",
    ),
    (r"do not fit together|there is nothing here", "Wrong username or password; Page not found"),
    (r"seal(?:s|ed|ing)?", "who can read it, how often and until when; one-time secret"),
    (
        r"wish(?:es|ed)?|therein|thereof|hence|thereby|anew|in vain|bring back|brings back",
        "plain words: again, restore",
    ),
    (r"\w+\(s\)", "the right singular or plural"),
    (r"\w+'(?:s|t|re|ve|ll|d|m)", "a typographic apostrophe: ’"),
)
"""Pattern of the words → what to use. The glossary of the project's voice, in docs/voice.md."""
_RULES: Final = tuple(
    (re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE), use) for words, use in RETIRED
)
_TAG: Final = re.compile(r"{%.*?%}|{{.*?}}|{#.*?#}|<!--.*?-->|<[^>]*>", re.DOTALL)
_READ_ATTRIBUTE: Final = re.compile(r'\b(?:title|alt|placeholder|aria-label|label|data-label)="([^"]*)"')
_STRING: Final = re.compile(r"\"([^\"]*)\"|'([^']*)'")
_KEEP: Final = "wording: keep"
DEFAULT: Final = ("console", "iam", "templates")


class Breach(NamedTuple):
    """A retired word, and what to use."""

    file: Path
    line: int
    word: str
    use: str

    def __str__(self) -> str:
        return (
            f"{self.file.relative_to(ROOT) if self.file.is_relative_to(ROOT) else self.file}:{self.line}: "
            f"“{self.word}”: {self.use}"
        )


def _texts_of_template(source: str) -> Iterator[tuple[int, str]]:
    """(offset, text) of all that is read on a page."""
    source = re.sub(
        r"{%\s*comment\b.*?endcomment\s*%}", lambda m: " " * len(m.group(0)), source, flags=re.DOTALL
    )
    place = 0
    for tag in _TAG.finditer(source):
        yield place, source[place : tag.start()]
        place = tag.end()
        text = tag.group(0)
        if text.startswith(("{%", "{{")) and not re.match(r"{%\s*(?:url|load|extends|icon|static)\b", text):
            for string in _STRING.finditer(text):
                value = string.group(1) or string.group(2) or ""
                if " " in value or value[:1].isupper():
                    yield tag.start() + string.start(), value
        elif text.startswith("<"):
            for attribute in _READ_ATTRIBUTE.finditer(text):
                yield tag.start() + attribute.start(), _TAG.sub(" ", attribute.group(1))
    yield place, source[place:]


def _texts_of_python(source: str) -> Iterator[tuple[int, str]]:
    """(line, text) of the strings with a space that are not docstrings, names for import, or notes of a
    model's column.
    """
    tree = ast.parse(source)
    docstrings = _names_and_notes(tree)
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            for statement in statements if isinstance(statements, list) else ():
                if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                    docstrings.add(id(statement.value))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            is_read = " " in node.value or re.fullmatch(r"[A-Z][a-z]+", node.value)
            if is_read:
                yield node.lineno, node.value


def _names_and_notes(tree: ast.Module) -> set[int]:
    """The ids of the strings in `__all__` and of the help texts of models' columns, which no page shows."""
    apart: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            apart |= {id(string) for string in ast.walk(node.value)}
        is_column = isinstance(node, ast.Call) and ast.unparse(node.func).startswith("models.")
        for keyword in node.keywords if is_column and isinstance(node, ast.Call) else ():
            if keyword.arg == "help_text":
                apart |= {id(string) for string in ast.walk(keyword.value)}
    return apart


def texts_of(file: Path) -> Iterator[tuple[int, str]]:
    """(line, text) of all that people read of a template or a module."""
    source = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        yield from _texts_of_python(source)
    else:
        for place, text in _texts_of_template(source):
            yield source.count("\n", 0, place) + 1, text


def breaches(file: Path) -> Iterator[Breach]:
    """Each retired word that a file shows to people."""
    lines = file.read_text(encoding="utf-8").splitlines()
    for first, text in texts_of(file):
        for rule, use in _RULES:
            for match in rule.finditer(text):
                line = first + (text.count("\n", 0, match.start()) if file.suffix != ".py" else 0)
                if _KEEP not in lines[min(line, len(lines)) - 1]:
                    yield Breach(file, line, match.group(0), use)


def files_of(paths: tuple[str, ...]) -> list[Path]:
    """The templates and the code among some paths."""
    suffixes = (".html", ".txt", ".py")
    files_of = []
    for file in tracked("*"):
        place = str(file.relative_to(ROOT))
        is_text = file.suffix in suffixes and "migrations" not in file.parts
        if is_text and any(
            place == path.rstrip("/") or place.startswith(path.rstrip("/") + "/") for path in paths
        ):
            files_of.append(file)
    return files_of


def main() -> int:
    """List retired words; exit code 1 when one is listed, or when no file is in the paths."""
    paths = tuple(sys.argv[1:]) or DEFAULT
    files = files_of(paths)
    listed = [breach for file in files for breach in breaches(file)]
    for breach in listed:
        print(breach)
    if not files:
        print(f"No file in {', '.join(paths)}")
    return 1 if listed or not files else 0


if __name__ == "__main__":
    sys.exit(main())
