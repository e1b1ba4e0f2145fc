"""Checks of the password policy, and of passwords that are the only factor."""

from __future__ import annotations

from typing import Any

from iam.audit.frameworks.checks.case import (
    AccountCase,
    CheckAnswer,
    account_check,
    failed,
    passed,
    unknown,
)
from iam.mirror.mfa import has_mfa
from iam.mirror.pull.sections import ACCOUNT, CREDENTIAL_REPORT, USERS
from iam.phrases import counted

POLICY = "password_policy"
DEFAULT = {"minimum_length": 8}
"""What AWS requires without a password policy."""
NO_PASSWORDS = "No IAM user has a console password."
MAX_DAYS = 90


def _without_passwords(case: AccountCase) -> CheckAnswer | None:
    """Return the answer if the password policy doesn't matter, because no user has a password or that is
    unknown; None if it matters.
    """
    known = [credential.has_password for _, credential in case.users()]
    if any(known):
        return None
    if None in known:
        return unknown("Whether IAM users have console passwords wasn’t synced.")
    return passed(NO_PASSWORDS)


def _policy(case: AccountCase) -> dict[str, Any]:
    return case.facts.values.get(POLICY) or DEFAULT


def _length(case: AccountCase, least: int, *, is_mixed: bool) -> CheckAnswer:
    answer = _without_passwords(case)
    if answer is not None:
        return answer
    policy = _policy(case)
    length = policy.get("minimum_length") or 0
    problems = []
    if length < least:
        problems.append(f"{length} characters are enough")
    if is_mixed and not policy.get("requires_numbers"):
        problems.append("no digits are needed")
    if is_mixed and not (policy.get("requires_lowercase") or policy.get("requires_uppercase")):
        problems.append("no letters are needed")
    if problems:
        return failed(f"By the password policy, {', '.join(problems)}.", password_policy=policy)
    return passed(f"The password policy requires {length} characters.", password_policy=policy)


@account_check("password-length-12", "Passwords of 12 characters, letters and digits", ACCOUNT, USERS)
def _length_of_12(case: AccountCase) -> CheckAnswer:
    return _length(case, 12, is_mixed=True)


@account_check("password-length-14", "Passwords of 14 characters", ACCOUNT, USERS)
def _length_of_14(case: AccountCase) -> CheckAnswer:
    return _length(case, 14, is_mixed=False)


def _reuse(case: AccountCase, least: int) -> CheckAnswer:
    answer = _without_passwords(case)
    if answer is not None:
        return answer
    remembered = _policy(case).get("reuse_prevention") or 0
    if remembered < least:
        words = f"the last {remembered} passwords" if remembered else "no passwords"
        return failed(f"The password policy remembers {words}; {least} are needed.", remembered=remembered)
    return passed(f"The password policy remembers the last {remembered} passwords.", remembered=remembered)


@account_check("password-reuse-4", "The last 4 passwords can’t be reused", ACCOUNT, USERS)
def _reuse_of_4(case: AccountCase) -> CheckAnswer:
    return _reuse(case, 4)


@account_check("password-reuse-24", "The last 24 passwords can’t be reused", ACCOUNT, USERS)
def _reuse_of_24(case: AccountCase) -> CheckAnswer:
    return _reuse(case, 24)


@account_check("password-age-90", "Passwords that are the only factor change in 90 days", ACCOUNT, USERS)
def _age_where_alone(case: AccountCase) -> CheckAnswer:
    alone, unread = [], 0
    for user, credential in case.users():
        if credential.has_password is None:
            unread += 1
        elif credential.has_password:
            known = has_mfa(credential.mfa)
            unread += known is None
            if known is False:
                alone.append(user.arn)
    policy = _policy(case)
    is_expiring = bool(policy.get("expires")) and 0 < (policy.get("maximum_age") or 0) <= MAX_DAYS
    if is_expiring:
        return passed(f"Passwords expire after {policy['maximum_age']} days.", password_policy=policy)
    if alone:
        users = counted(len(alone), "IAM user")
        words = f"{users} with a password and no MFA, and passwords don’t expire in 90 days."
        return failed(words, failing=tuple(alone), password_policy=policy)
    if unread:
        return unknown(f"Passwords or MFA of {counted(unread, 'IAM user')} weren’t synced.")
    return passed("No password is the only factor: every IAM user with a password has MFA.")


@account_check("first-passwords", "First passwords are changed", USERS, CREDENTIAL_REPORT)
def _first_passwords(case: AccountCase) -> CheckAnswer:
    if case.is_past:
        return unknown("When passwords were last used isn’t known for a past date.")
    failing, count = [], 0
    for user, credential in case.users():
        changed_at, used_at = credential.password_changed_at, credential.password_used_at
        if not credential.has_password or not used_at or not changed_at or not user.created_at:
            continue
        count += 1
        if (changed_at - user.created_at).total_seconds() < FIRST_SECONDS:
            failing.append(user.arn)
    if failing:
        words = f"{counted(len(failing), 'IAM user')} signed in and never changed the first password."
        return failed(words, failing=tuple(failing))
    return passed(
        f"{counted(count, 'IAM user')} who signed in, each with a changed first password.", users=count
    )


FIRST_SECONDS = 3600
"""A password set this soon after its user was created counts as the first one."""
