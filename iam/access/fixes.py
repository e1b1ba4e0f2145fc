"""Edits a policy text: replaces an unknown name by the lint's suggestion, or removes a statement."""

from __future__ import annotations

import json
import re
from typing import Final

from iam.policy.lint import LintFinding

WHOLE: Final = frozenset(
    {
        "INVALID_ACTION",
        "INVALID_SERVICE_IN_ACTION",
        "INVALID_CONDITION_OPERATOR",
        "INVALID_GLOBAL_CONDITION_KEY",
        "INVALID_SERVICE_CONDITION_KEY",
        "INVALID_POLICY_ELEMENT",
    }
)
"""Finding codes that point to a quoted name for which the lint suggests another."""
PROPOSED: Final = re.compile(r"Did you mean ([^\s?$…]+)\?")
NAME: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


def key_of(finding: LintFinding) -> str:
    """A key for a finding that stays valid while the text is unchanged; "" if there is no suggestion."""
    return f"{finding.line}:{finding.column}:{finding.code}" if _proposal(finding) else ""


def fixed(text: str, *, finding: LintFinding) -> str:
    """The text with the suggestion applied; unchanged if there is none."""
    proposal = _proposal(finding)
    lines = text.split("\n")
    if not proposal or finding.line > len(lines):
        return text
    line = lines[finding.line - 1]
    match = NAME.match(line, finding.column - 1)
    if match is None:
        return text
    # Keep the qualifier of the operator, which is correct.
    qualifier = match[1].rpartition(":")[0] if finding.code == "INVALID_CONDITION_OPERATOR" else ""
    name = f"{qualifier}:{proposal}" if qualifier else proposal
    lines[finding.line - 1] = line[: match.start()] + json.dumps(name) + line[match.end() :]
    return "\n".join(lines)


def _proposal(finding: LintFinding) -> str:
    match = PROPOSED.fullmatch(finding.remedy) if finding.code in WHOLE else None
    return match[1] if match else ""


def without_statement(text: str, number: int) -> str | None:
    """The text, formatted, without one statement (counted from 0).

    None if that statement does not exist or is the only one.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    statements = document.get("Statement") if isinstance(document, dict) else None
    if not isinstance(statements, list) or len(statements) < 2 or not 0 <= number < len(statements):
        return None
    document["Statement"] = [statement for place, statement in enumerate(statements) if place != number]
    return json.dumps(document, indent=2, ensure_ascii=False)
