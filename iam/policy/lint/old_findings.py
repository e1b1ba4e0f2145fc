"""Findings about what a text already said: an old policy with names that AWS has retired can still be
edited.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from iam.policy.lint.codes import Severity
from iam.policy.lint.findings import Finding
from iam.policy.lint.kinds import Kind
from iam.policy.lint.run import lint


def less_standing(found: Sequence[Finding], *, former: Callable[[], str], kind: Kind) -> list[Finding]:
    """The findings, where errors about names that the former text has as well are warnings. Asks for that
    text only if it matters.
    """
    if not any(_is_name_error(one) for one in found) or not (text := former()):
        return list(found)
    known = {(one.code, one.message) for one in lint(text, kind=kind, quota=None) if _is_name_error(one)}
    findings = []
    for one in found:
        if _is_name_error(one) and (one.code, one.message) in known:
            findings.append(replace(one, severity=Severity.WARNING))
        else:
            findings.append(one)
    return findings


def _is_name_error(one: Finding) -> bool:
    return one.is_by_catalogue and one.severity is Severity.ERROR
