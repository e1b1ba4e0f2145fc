"""A policy document with the place of everything in it, as the checks look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from iam.policy.catalogue import AwsCatalogue
from iam.policy.letter_case import fold
from iam.policy.lint.findings import LintReport, SourceSpot, quoted
from iam.policy.lint.kinds import LintKind

EVERYTHING: Final = re.compile(r"\*+(?::\*+)?|arn:(?:\*|aws[a-z-]*:\*)[*:]*")
"""`*`, `*:*` as an action, and the ARNs `arn:*`, `arn:aws:*`, `arn:*:*:*:*:*` and their like."""


@dataclass(frozen=True, slots=True)
class SourceText(SourceSpot):
    """A text and where it stands."""

    text: str

    @property
    def is_pattern(self) -> bool:
        """Whether it has a wildcard."""
        return "*" in self.text or "?" in self.text


@dataclass(frozen=True, slots=True)
class LintNames:
    """An element such as Action or NotResource: its texts, and whether it is the negated one."""

    spot: SourceSpot
    words: tuple[SourceText, ...]
    is_not: bool

    @property
    def has_star(self) -> bool:
        """Whether it means everything: every action, or every resource of whatever service."""
        return not self.is_not and any(EVERYTHING.fullmatch(word.text) for word in self.words)


@dataclass(frozen=True, slots=True)
class ConditionTest:
    """One key under one operator. `base` and `quantifier` are in lower case, empty where the operator is
    unknown.
    """

    operator: SourceText
    key: SourceText
    values: tuple[SourceText, ...]
    base: str
    quantifier: str
    if_exists: bool

    @property
    def name(self) -> str:
        """The key in lower case."""
        return fold(self.key.text)

    @property
    def equality_key(self) -> tuple[str, str, frozenset[str]]:
        """Equal for tests that ask the same."""
        return fold(self.operator.text), self.name, frozenset(value.text for value in self.values)


@dataclass(frozen=True, slots=True)
class LintPrincipals:
    """A Principal or NotPrincipal element, by kind; `"*"` alone stands under AWS."""

    spot: SourceSpot
    named: dict[str, tuple[SourceText, ...]]
    is_not: bool

    @property
    def is_everybody(self) -> bool:
        """Whether it means all principals."""
        return not self.is_not and any(word.text == "*" for word in self.named.get("AWS", ()))

    def words(self) -> Iterator[tuple[str, SourceText]]:
        """(kind, name) of all."""
        for kind, words in self.named.items():
            for word in words:
                yield kind, word


@dataclass(frozen=True, slots=True)
class LintStatement:
    """One statement. What is missing, or could not be read, is None or empty."""

    spot: SourceSpot
    index: int
    sid: SourceText | None
    effect: SourceText | None
    actions: LintNames | None
    resources: LintNames | None
    principals: LintPrincipals | None
    tests: tuple[ConditionTest, ...]

    @property
    def allows(self) -> bool:
        """Whether its effect is Allow."""
        return self.effect is not None and self.effect.text == "Allow"

    @property
    def denies(self) -> bool:
        """Whether its effect is Deny."""
        return self.effect is not None and self.effect.text == "Deny"

    @property
    def name(self) -> str:
        """How a message calls it."""
        return f"statement {self.index + 1}"


@dataclass(frozen=True, slots=True)
class LintDocument:
    """The whole policy. `has_variables`: its version lets variables work."""

    spot: SourceSpot
    version: SourceText | None
    statements: tuple[LintStatement, ...]
    has_variables: bool


@dataclass(frozen=True, slots=True)
class LintSubject:
    """What the checks look at, and where they report to."""

    document: LintDocument
    kind: LintKind
    catalogue: AwsCatalogue
    report: LintReport


def report_wrong(code: str, word: SourceText, what: str, remedy: str, subject: LintSubject) -> None:
    """Report a text that is something else than it has to be."""
    subject.report.add(code, word, f"{quoted(word.text)} isn’t {what}.", remedy)
