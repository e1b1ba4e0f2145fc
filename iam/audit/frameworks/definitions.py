"""Loads frameworks from TOML files in `data/`, one per framework, and validates them.

CONTRIBUTING.md has the recipe. Errors name the file and line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).parent / "data"
REQUIRED: Final = ("number", "title", "text")
KEYS: Final = {
    "number": str,
    "title": str,
    "text": str,
    "findings": list,
    "checks": list,
    "attest": str,
    "has_exception": bool,
    "not_applicable": str,
    "aws": list,
}
HEADER: Final = {"name": str, "title": str, "about": str, "note": str}
NUMBER: Final = re.compile(r"[A-Z]?\d+(\.\d+)*")
LEAST_TEXT: Final = 20


class FrameworkFileError(Exception):
    """Raised for an invalid file; the message gives line and reason."""


@dataclass(frozen=True, slots=True)
class AwsMapping:
    """The difference between a control of AWS Security Hub and the requirement."""

    control: str
    words: str


@dataclass(frozen=True, slots=True)
class FrameworkRequirement:
    """A requirement of a framework.

    It fails if one of its `findings` (kinds) or `checks` (names in `checks.CHECKS`) fails. `attest` says what
    a person must check; "" if nothing. With `has_exception`, the standard allows exceptions with an end date.
    `not_applicable` is the reason why it applies only if someone decides so.
    """

    number: str
    title: str
    text: str
    group: str
    findings: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    attest: str = ""
    has_exception: bool = False
    not_applicable: str = ""
    aws: tuple[AwsMapping, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlFramework:
    """A standard or benchmark with the requirements that Gatehouse judges, in the order of their groups."""

    name: str
    title: str
    about: str
    note: str
    groups: tuple[tuple[str, str], ...]
    requirements: tuple[FrameworkRequirement, ...]

    def requirement(self, number: str) -> FrameworkRequirement | None:
        """The requirement with this number."""
        return next((row for row in self.requirements if row.number == number), None)


@cache
def all_frameworks() -> Mapping[str, ControlFramework]:
    """All frameworks by name, in file order."""
    from iam.audit.findings.rules import all_rules
    from iam.audit.frameworks.checks import CHECKS

    frameworks = {}
    for path in sorted(DATA.glob("*.toml"), reverse=True):
        framework = read_framework(
            path.read_text(encoding="utf-8"), file=path.name, kinds=all_rules().keys(), checks=CHECKS.keys()
        )
        frameworks[framework.name] = framework
    return frameworks


def read_framework(
    text: str, *, file: str, kinds: Collection[str], checks: Collection[str]
) -> ControlFramework:
    """Load the framework of a file. Raises FrameworkFileError."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FrameworkFileError(f"{file}: {error}") from None
    places = _Places(file, text)
    groups = values.pop("group", [])
    for key in values:
        if key not in HEADER:
            raise places.error(f"“{key}” isn’t a key of a framework.", key=key)
    for key in HEADER:
        if not isinstance(values.get(key), str) or not values[key]:
            raise places.error(f"The framework needs “{key}” as text.", key=key)
    if f"{values['name']}.toml" != file:
        raise places.error(f"The name must be that of the file, “{file.removesuffix('.toml')}”.", key="name")
    requirements: list[FrameworkRequirement] = []
    titles = []
    for group in groups:
        if not {"number", "title", "requirement"} >= group.keys() or "number" not in group:
            raise places.error(
                "A group has a number, a title and requirements, nothing else.", key="[[group]]"
            )
        titles.append((group["number"], group.get("title", "")))
        for row in group.get("requirement", []):
            requirements.append(_requirement(row, group["number"], places, kinds, checks))
    numbers = [row.number for row in requirements]
    for index, number in enumerate(numbers):
        if number in numbers[:index]:
            raise places.error(f"Requirement {number} is there twice.", block=index, key="number")
    if not requirements:
        raise places.error("The framework has no requirements.")
    header = {key: values[key] for key in HEADER}
    return ControlFramework(groups=tuple(titles), requirements=tuple(requirements), **header)


class _Places:
    """Finds line numbers, which tomllib does not provide, by counting requirements."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.lines = text.splitlines()
        self.starts = [at for at, line in enumerate(self.lines) if line.strip() == "[[group.requirement]]"]
        self.block = -1

    def error(self, words: str, *, key: str = "", block: int | None = None) -> FrameworkFileError:
        """The error with the line of a key, in a block or at the top of the file."""
        number = self.block if block is None else block
        start, end = 0, len(self.lines)
        if number >= 0:
            start = self.starts[number]
            following = self.starts[number + 1 :]
            end = following[0] if following else end
        line = start
        for at in range(start, end):
            if key and self.lines[at].strip().startswith(key):
                line = at
                break
        return FrameworkFileError(f"{self.file}, line {line + 1}: {words}")


def _requirement(
    row: Mapping[str, Any],
    group: str,
    places: _Places,
    kinds: Collection[str],
    checks: Collection[str],
) -> FrameworkRequirement:
    places.block += 1
    number = row.get("number", "")
    for key, value in row.items():
        if key not in KEYS:
            raise places.error(f"“{key}” isn’t a key of a requirement.", key=key)
        if not isinstance(value, KEYS[key]):
            raise places.error(f"“{key}” must be {_TYPE_WORDS[KEYS[key]]}.", key=key)
    for key in REQUIRED:
        if not row.get(key):
            raise places.error(f"The requirement needs “{key}”.", key=key)
    if not NUMBER.fullmatch(number):
        raise places.error(f"“{number}” isn’t a number such as 8.2.2 or A3.4.1.", key="number")
    if len(row["text"]) < LEAST_TEXT:
        raise places.error("The text is too short to say what is required.", key="text")
    for key, known in (("findings", kinds), ("checks", checks)):
        for name in row.get(key, []):
            if name not in known:
                raise places.error(f"There is no “{name}” among {key}.", key=key)
    if not any(row.get(key) for key in ("findings", "checks", "attest")):
        raise places.error(
            "Nothing judges it: name findings, checks, or what a person attests.", key="number"
        )
    mappings = tuple(_mappings(row.get("aws", []), places))
    rest = {key: value for key, value in row.items() if key not in ("findings", "checks", "aws")}
    return FrameworkRequirement(
        group=group,
        findings=tuple(row.get("findings", [])),
        checks=tuple(row.get("checks", [])),
        aws=mappings,
        **rest,
    )


_TYPE_WORDS: Final = {str: "text", list: "a list", bool: "true or false"}


def _mappings(rows: list[Any], places: _Places) -> Iterator[AwsMapping]:
    for row in rows:
        if not isinstance(row, dict) or row.keys() != {"control", "words"}:
            raise places.error("A mapping of AWS has a control and words.", key="aws")
        yield AwsMapping(row["control"], row["words"])
