"""A policy document with the place of every part, for the checks."""

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
"""`*`, `*:*` as an action, and the ARNs `arn:*`, `arn:aws:*`, `arn:*:*:*:*:*` and similar."""


@dataclass(frozen=True, slots=True)
class SourceText(SourceSpot):
    """A text and its place."""

    text: str

    @property
    def is_pattern(self) -> bool:
        """True if it contains a wildcard."""
        return "*" in self.text or "?" in self.text


@dataclass(frozen=True, slots=True)
class LintNames:
    """An element such as Action or NotResource: its texts, and whether it is negated."""

    spot: SourceSpot
    words: tuple[SourceText, ...]
    is_not: bool

    @property
    def has_star(self) -> bool:
        """True if it matches every action, or every resource of every service."""
        return not self.is_not and any(EVERYTHING.fullmatch(word.text) for word in self.words)


@dataclass(frozen=True, slots=True)
class ConditionTest:
    """A test of one key with one operator. `base` and `quantifier` are in lower case, and empty if the
    operator is unknown.
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
        """A key that is equal for tests with the same meaning."""
        return fold(self.operator.text), self.name, frozenset(value.text for value in self.values)


@dataclass(frozen=True, slots=True)
class LintPrincipals:
    """A Principal or NotPrincipal element, by type. A bare `"*"` is listed under AWS."""

    spot: SourceSpot
    named: dict[str, tuple[SourceText, ...]]
    is_not: bool

    @property
    def is_everybody(self) -> bool:
        """True if it includes all principals."""
        return not self.is_not and any(word.text == "*" for word in self.named.get("AWS", ()))

    def words(self) -> Iterator[tuple[str, SourceText]]:
        """Yield (type, name) of all principals."""
        for kind, words in self.named.items():
            for word in words:
                yield kind, word


@dataclass(frozen=True, slots=True)
class LintStatement:
    """A statement. Missing or invalid parts are None or empty."""

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
        """True if its effect is Allow."""
        return self.effect is not None and self.effect.text == "Allow"

    @property
    def denies(self) -> bool:
        """True if its effect is Deny."""
        return self.effect is not None and self.effect.text == "Deny"

    @property
    def name(self) -> str:
        """The name of the statement in messages."""
        return f"statement {self.index + 1}"


@dataclass(frozen=True, slots=True)
class LintDocument:
    """The whole policy. `has_variables` means that its version supports variables."""

    spot: SourceSpot
    version: SourceText | None
    statements: tuple[LintStatement, ...]
    has_variables: bool


@dataclass(frozen=True, slots=True)
class LintSubject:
    """The input of the checks, and the report for their findings."""

    document: LintDocument
    kind: LintKind
    catalogue: AwsCatalogue
    report: LintReport


def report_wrong(code: str, word: SourceText, what: str, remedy: str, subject: LintSubject) -> None:
    """Report a text that isn't what it has to be."""
    subject.report.add(code, word, f"{quoted(word.text)} isn’t {what}.", remedy)
