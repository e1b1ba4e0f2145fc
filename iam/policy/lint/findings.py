"""Findings of the lint: what is wrong, its severity, its place, and how to fix it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from iam.policy.json_places import PlacedJson
from iam.policy.letter_case import fold
from iam.policy.lint.codes import SEVERITIES, LintSeverity
from iam.policy.newer_names import is_newer

MAX_NAME_LENGTH: Final = 100
MAX_PROPOSALS: Final = 40
MAX_LOOKS: Final = 2000
MAX_FINDINGS: Final = 1000
PREVIEW_LENGTH: Final = 80
IF_NEWER: Final = "If AWS added it recently, an administrator can allow it in GATEHOUSE_NEWER_NAMES."


@dataclass(frozen=True, slots=True)
class LintFinding:
    """A finding. `code` is IAM Access Analyzer's issue code if it has one.

    `statement` counts from 0 and is None for the whole document; `path` is such as `Statement[0].Action[2]`;
    `line` and `column` count from 1; `remedy` is one line. `is_by_catalogue` means that AWS accepts the text,
    but the installed catalogue lacks a name in it.
    """

    code: str
    severity: LintSeverity
    message: str
    remedy: str
    statement: int | None
    path: str
    line: int
    column: int
    is_by_catalogue: bool = False

    @property
    def is_refused(self) -> bool:
        """True if AWS itself would reject the text."""
        return self.severity is LintSeverity.ERROR and not self.is_by_catalogue


@dataclass(frozen=True, slots=True)
class SourceSpot:
    """A place in the document: offset in the text, path and statement."""

    at: int
    path: str
    statement: int | None


class LintReport:
    """Collects findings, converts offsets to lines and columns, and proposes names as far as time allows."""

    def __init__(self, reading: PlacedJson) -> None:
        self._reading = reading
        self._found: dict[LintFinding, None] = {}
        self._proposals = 0
        self._looks = 0

    def add(
        self,
        code: str,
        spot: SourceSpot,
        message: str,
        remedy: str,
        *,
        severity: LintSeverity | None = None,
        is_by_catalogue: bool = False,
    ) -> None:
        """Add a finding. `severity` overrides that of the code."""
        if len(self._found) >= MAX_FINDINGS:
            return
        line, column = self._reading.place(spot.at)
        grave = severity or SEVERITIES[code]
        finding = LintFinding(code, grave, message, remedy, spot.statement, spot.path, line, column)
        self._found[replace(finding, is_by_catalogue=True) if is_by_catalogue else finding] = None

    def add_unknown(
        self,
        code: str,
        spot: SourceSpot,
        message: str,
        remedy: str,
        *,
        names: Iterable[str],
        severity: LintSeverity | None = None,
    ) -> None:
        """Add a finding about a name that the catalogue lacks. It is only a warning if one of the names was
        accepted as newer.
        """
        severity = LintSeverity.WARNING if is_newer(*names) else severity
        self.add(code, spot, message, remedy, severity=severity, is_by_catalogue=True)

    def may_look(self, times: int = 1) -> bool:
        """Return True while the budget for costly checks isn't used up. A text with thousands of names isn't
        checked completely.
        """
        self._looks += times
        return self._looks <= MAX_LOOKS

    def findings(self) -> list[LintFinding]:
        """Return all findings in the order of the text, the more severe first at the same place."""
        order = list(LintSeverity)
        return sorted(
            self._found,
            key=lambda finding: (finding.line, finding.column, order.index(finding.severity), finding.code),
        )

    def closest(self, name: str, known: Iterable[str]) -> str:
        """Return the most similar known name, or an empty string. Beyond a number of calls per text, it
        returns an empty string.
        """
        if len(name) > MAX_NAME_LENGTH or self._proposals >= MAX_PROPOSALS:
            return ""
        self._proposals += 1
        spelled = {fold(candidate): candidate for candidate in known}
        matches = difflib.get_close_matches(fold(name), spelled, n=1, cutoff=0.75)
        return spelled[matches[0]] if matches else ""


def quoted(text: str) -> str:
    """Return a text in quotation marks, for the start of a message."""
    return f"“{preview(text)}”" if text else "An empty string"


def preview(text: str) -> str:
    """Return a text for quoting in a message, on one line and cut to a maximum length."""
    plain = ""
    for letter in text[: PREVIEW_LENGTH + 1]:
        plain += letter if letter.isprintable() else "\ufffd"
    return plain if len(plain) <= PREVIEW_LENGTH else f"{plain[:PREVIEW_LENGTH]}…"
