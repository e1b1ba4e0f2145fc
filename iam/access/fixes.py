"""What the lint proposes in the place of a name that nobody knows, put there."""

from __future__ import annotations

import json
import re
from typing import Final

from iam.policy.lint import Finding

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
"""Codes whose place is that of a name in quotes, for which another is proposed."""
PROPOSED: Final = re.compile(r"Did you mean ([^\s?$…]+)\?")
NAME: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


def key_of(finding: Finding) -> str:
    """What names a finding of a text for as long as the text is the same; empty where nothing can be put in its place."""
    return f"{finding.line}:{finding.column}:{finding.code}" if _proposal(finding) else ""


def fixed(text: str, *, finding: Finding) -> str:
    """The text with the proposal in its place; as it was where there is none."""
    proposal = _proposal(finding)
    lines = text.split("\n")
    if not proposal or finding.line > len(lines):
        return text
    line = lines[finding.line - 1]
    found = NAME.match(line, finding.column - 1)
    if found is None:
        return text
    # An operator's qualifier is not what was wrong with it.
    qualifier = found[1].rpartition(":")[0] if finding.code == "INVALID_CONDITION_OPERATOR" else ""
    name = f"{qualifier}:{proposal}" if qualifier else proposal
    lines[finding.line - 1] = line[: found.start()] + json.dumps(name) + line[found.end() :]
    return "\n".join(lines)


def _proposal(finding: Finding) -> str:
    found = PROPOSED.fullmatch(finding.remedy) if finding.code in WHOLE else None
    return found[1] if found else ""
