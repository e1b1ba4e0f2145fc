"""Checks dates that have passed: conditions on the time of the request that are now never or always true.

Source: "IAM JSON policy elements: Condition operators", date condition operators.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from iam.moments import moment_words
from iam.policy.lint.view import ConditionTest, LintStatement, LintSubject
from iam.policy.operators import moment_of
from iam.policy.request import TIMES

BEFORE: Final = ("lessthan", "equals")
AFTER: Final = "greaterthan"
LONG: Final = 90 * 86_400
"""Seconds after which a start date is reported as long past."""
LATEST: Final = 253_402_300_799
"""The last second of the year 9999."""


def check_dates(test: ConditionTest, statement: LintStatement, subject: LintSubject) -> None:
    """Check a test of the time of the request, by date or by seconds since 1970."""
    family = test.base.removeprefix("date").removeprefix("numeric")
    if test.name not in TIMES or not family.startswith((*BEFORE, AFTER)):
        return
    instants = [moment_of(value.text) for value in test.values]
    moments = [moment for moment in instants if moment is not None]
    if not moments or len(moments) < len(instants):
        return
    now = Decimal(time.time())
    if family.startswith(BEFORE) and max(moments) < now:
        effect = "allows" if statement.allows else "denies"
        subject.report.add(
            "DATE_HAS_PASSED",
            test.values[moments.index(max(moments))],
            f"{_words(max(moments))} has passed, so the statement {effect} nothing any more.",
            "Write a later date, or remove the statement.",
        )
    elif family.startswith(AFTER) and min(moments) < now - LONG and not _has_end(statement):
        subject.report.add(
            "DATE_LONG_PAST",
            test.values[moments.index(min(moments))],
            f"{_words(min(moments))} is long past, so this condition always holds.",
            "Remove the condition, or write a later date.",
        )


def _has_end(statement: LintStatement) -> bool:
    """Return True if the start is one of two dates. It then documents the period and need not be removed."""
    return any(test.name in TIMES and "lessthan" in test.base for test in statement.tests)


def _words(moment: Decimal) -> str:
    if not 0 <= moment <= LATEST:
        return "The date"
    return moment_words(datetime.fromtimestamp(int(moment), UTC))
