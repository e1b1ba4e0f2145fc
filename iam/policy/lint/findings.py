"""Findings of the lint: what is wrong, how grave it is, where it stands, and what to do."""

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
    """One finding. `code` is IAM Access Analyzer's issue code where it has one.

    `statement` counts from 0 and is None for the whole document; `path` is such as `Statement[0].Action[2]`;
    `line` and `column` count from 1; `remedy` is one line. `is_by_catalogue`: AWS takes the text, and what it
    names is not in the installed catalogue.
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
        """Whether AWS itself would not take the text."""
        return self.severity is LintSeverity.ERROR and not self.is_by_catalogue


@dataclass(frozen=True, slots=True)
class SourceSpot:
    """Where something stands: its offset in the text, its path, its statement."""

    at: int
    path: str
    statement: int | None


class LintReport:
    """Collects findings, turns offsets into lines and columns, and proposes names, as often as time
    allows.
    """

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
        """A finding at a place; `severity` only where it is another than the code's own."""
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
        """A finding about what the catalogue lacks: a warning where one of its names was accepted as a newer
        one.
        """
        severity = LintSeverity.WARNING if is_newer(*names) else severity
        self.add(code, spot, message, remedy, severity=severity, is_by_catalogue=True)

    def may_look(self, times: int = 1) -> bool:
        """Whether a costly look at a name is still due; a text of thousands of names is not looked at to its
        end.
        """
        self._looks += times
        return self._looks <= MAX_LOOKS

    def findings(self) -> list[LintFinding]:
        """All findings in the order of the text; of one place, the graver first."""
        order = list(LintSeverity)
        return sorted(
            self._found,
            key=lambda finding: (finding.line, finding.column, order.index(finding.severity), finding.code),
        )

    def closest(self, name: str, known: Iterable[str]) -> str:
        """The known name that is most like this one, or nothing. Asked too often in one text, it answers
        nothing.
        """
        if len(name) > MAX_NAME_LENGTH or self._proposals >= MAX_PROPOSALS:
            return ""
        self._proposals += 1
        spelled = {fold(candidate): candidate for candidate in known}
        matches = difflib.get_close_matches(fold(name), spelled, n=1, cutoff=0.75)
        return spelled[matches[0]] if matches else ""


def quoted(text: str) -> str:
    """A text in quotation marks, to begin a message with it."""
    return f"“{preview(text)}”" if text else "An empty string"


def preview(text: str) -> str:
    """A text as a message quotes it: in one line, and not longer than a message bears."""
    plain = ""
    for letter in text[: PREVIEW_LENGTH + 1]:
        plain += letter if letter.isprintable() else "\ufffd"
    return plain if len(plain) <= PREVIEW_LENGTH else f"{plain[:PREVIEW_LENGTH]}…"
