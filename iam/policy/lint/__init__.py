"""Finds what is wrong, dangerous or unneeded in a policy document, with line, column and remedy."""

from iam.policy.lint.codes import SEVERITIES, LintSeverity
from iam.policy.lint.findings import LintFinding
from iam.policy.lint.kinds import (
    GROUP_INLINE,
    MANAGED,
    QUOTAS,
    RCP,
    ROLE_INLINE,
    SCP,
    SESSION,
    TRUST,
    USER_INLINE,
    CharacterQuota,
    LintKind,
)
from iam.policy.lint.old_findings import less_standing
from iam.policy.lint.run import lint

__all__ = [
    "GROUP_INLINE",
    "MANAGED",
    "QUOTAS",
    "RCP",
    "ROLE_INLINE",
    "SCP",
    "SESSION",
    "SEVERITIES",
    "TRUST",
    "USER_INLINE",
    "CharacterQuota",
    "LintFinding",
    "LintKind",
    "LintSeverity",
    "less_standing",
    "lint",
]
