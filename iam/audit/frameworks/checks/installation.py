"""Checks of Gatehouse itself: settings and procedures."""

from __future__ import annotations

from iam.audit.frameworks.checks.case import (
    CheckAnswer,
    InstallationFacts,
    failed,
    installation_check,
    passed,
    unknown,
)
from iam.phrases import counted

MAX_IDLE = 15
MAX_FAILURES = 10
LEAST_LOCK = 30
NO_HISTORY = "Gatehouse keeps no history of its settings, so that a past date isn’t known."


@installation_check("gatehouse-idle", "Gatehouse asks to sign in again after 15 minutes")
def _idle(facts: InstallationFacts) -> CheckAnswer:
    minutes = facts.idle_minutes
    if minutes is None:
        return unknown(NO_HISTORY)
    words = f"Gatehouse ends idle sessions of administrators, approvers and auditors after {minutes} minutes."
    judge = failed if minutes > MAX_IDLE else passed
    return judge(words, minutes=minutes)


@installation_check("gatehouse-lockout", "Gatehouse locks sign-in after failed attempts")
def _lockout(facts: InstallationFacts) -> CheckAnswer:
    failures, minutes = facts.lock_failures, facts.lock_minutes
    if failures is None or minutes is None:
        return unknown(NO_HISTORY)
    words = f"Gatehouse locks sign-in for {minutes} minutes after {failures} failed attempts."
    judge = failed if failures > MAX_FAILURES or minutes < LEAST_LOCK else passed
    return judge(words, failures=failures, minutes=minutes)


@installation_check("gatehouse-secrets", "Gatehouse stores no factor in readable form")
def _secrets(facts: InstallationFacts) -> CheckAnswer:
    words = "Gatehouse hashes passwords, encrypts seeds and one-time secrets, and hands each out once."
    return passed(words)


@installation_check("offboardings-proved", "Access of offboarded people is proved to be gone")
def _offboardings(facts: InstallationFacts) -> CheckAnswer:
    if facts.offboardings is None:
        return unknown("Offboardings aren’t known.")
    slow = facts.slow_offboardings
    if slow:
        words = f"Offboarded, and not proved to be without access after a day: {len(slow):,}."
        return failed(words, failing=slow)
    words = f"{counted(facts.offboardings, 'offboarding')} in 12 months; none is late."
    if not facts.offboardings:
        words = "No one was offboarded in 12 months."
    return passed(words, offboardings=facts.offboardings)


@installation_check("device-replacements-verified", "A second person verifies the owner of a lost device")
def _replacements(facts: InstallationFacts) -> CheckAnswer:
    if facts.replacements is None:
        return unknown("Replacements of lost devices aren’t known.")
    unverified = facts.unverified_replacements
    if unverified:
        words = f"{counted(len(unverified), 'lost device')} replaced without a second person’s check."
        return failed(words, failing=unverified)
    if not facts.replacements:
        return passed("No lost device was replaced in 12 months.", replacements=0)
    words = f"Lost devices in 12 months: {facts.replacements:,}, each verified by a second person."
    return passed(words, replacements=facts.replacements)
