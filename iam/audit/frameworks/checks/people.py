"""Checks of users, third parties and MFA that everyone must pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from iam.audit.findings.facts import AccountFacts, EntityFact
from iam.audit.findings.trust import trusted
from iam.audit.frameworks.checks.case import (
    SHOWN,
    AccountCase,
    CheckAnswer,
    account_check,
    failed,
    for_person,
    passed,
    unknown,
)
from iam.mirror.pull.sections import AUTHORIZATION, ROLES, USERS
from iam.phrases import counted
from iam.policy.statements import as_list, statements_of

MFA_KEY = "aws:multifactorauthpresent"
NOT_PEOPLE = frozenset({"machine", "service", "bot"})


@account_check("users-linked", "Every user with a password is a known person’s", USERS)
def _users_linked(case: AccountCase) -> CheckAnswer:
    linked = case.records.linked
    if linked is None:
        return unknown("Who IAM users belong to isn’t known.")
    users = [user for user, credential in case.users() if credential.has_password]
    unmatched = [user.arn for user in users if user.arn not in linked]
    if unmatched:
        words = f"{counted(len(unmatched), 'IAM user')} with a password matched to no person."
        return for_person(words, users=len(users), unmatched=unmatched[:SHOWN])
    return passed(
        f"{counted(len(users), 'IAM user')} with a password, each matched to a person.", users=len(users)
    )


@account_check("mfa-enforced", "A policy denies everything without MFA", *AUTHORIZATION)
def _mfa_enforced(case: AccountCase) -> CheckAnswer:
    facts = case.facts
    covered: set[int] = set()
    policies = []
    for policy in facts.policies:
        if _denies_without_mfa(facts.documents.get(policy.digest, "")):
            policies.append(policy.name)
            covered.update(facts.principals(policy.holders))
    people, unread = [], 0
    for user, credential in case.users():
        if credential.has_password is None:
            unread += 1
        elif credential.has_password:
            people.append(user)
    free = tuple(user.arn for user in people if user.id not in covered)
    shown: dict[str, Any] = {"policies": policies[:SHOWN], "users": len(people)}
    if free:
        users = counted(len(people), "IAM user")
        words = f"No policy denies access without MFA to {len(free):,} of {users} with a password."
        return failed(words, failing=free, **shown)
    if unread:
        return unknown(f"Console passwords of {counted(unread, 'IAM user')} weren’t synced.", **shown)
    if not people:
        return passed("No IAM user has a console password.", **shown)
    return passed("Everyone with a password has a policy that denies access without MFA.", **shown)


def _denies_without_mfa(text: str) -> bool:
    """True if a statement denies everything except a few actions to principals without MFA."""
    for statement in statements_of(text):
        is_wide = "NotAction" in statement or "*" in as_list(statement.get("Action", []))
        is_everywhere = "*" in as_list(statement.get("Resource", []))
        is_deny = statement.get("Effect") == "Deny" and is_wide and is_everywhere
        if is_deny and _asks_for_mfa(statement.get("Condition", {})):
            return True
    return False


def _asks_for_mfa(condition: Mapping[str, Any]) -> bool:
    for operator, keys in condition.items():
        if operator.lower() not in ("boolifexists", "bool") or not isinstance(keys, dict):
            continue
        for key, values in keys.items():
            if key.lower() == MFA_KEY and [str(value).lower() for value in as_list(values)] == ["false"]:
                return operator.lower() == "boolifexists"
    return False


@account_check("third-party-roles", "Roles that third parties can assume", ROLES)
def _third_party_roles(case: AccountCase) -> CheckAnswer:
    facts = case.facts
    roles: dict[str, list[str]] = {}
    for role in facts.roles:
        accounts = sorted(set(_outside_accounts(role, facts)))
        if accounts and case.arns.has(role.arn):
            roles[role.arn] = accounts
    if roles:
        shown = dict(list(roles.items())[:SHOWN])
        return for_person(f"{counted(len(roles), 'role')} that accounts outside can assume.", roles=shown)
    if not facts.is_organization_known:
        return unknown("Which accounts belong to the organization wasn’t synced.")
    return passed("No role trusts an account outside of the organization.", settles=True)


def _outside_accounts(role: EntityFact, facts: AccountFacts) -> Iterator[str]:
    for principal in trusted(role, facts):
        number = principal.account_id
        if number and number != facts.number and number not in facts.known_accounts:
            yield number


@account_check("central-users", "People are known in one place", USERS)
def _central_users(case: AccountCase) -> CheckAnswer:
    people = []
    for user, credential in case.users():
        tags = case.facts.tags.get(user.id, {})
        kind = next((value for name, value in tags.items() if name.lower() in ("kind", "type")), "")
        if credential.has_password and kind.lower() not in NOT_PEOPLE:
            people.append(user.arn)
    if people:
        words = f"{counted(len(people), 'IAM user')} with a console password."
        return for_person(words, users=len(people), listed=people[:SHOWN])
    return passed("No IAM user has a console password.", settles=True)


@account_check("cloudshell-not-attached", "AWSCloudShellFullAccess is attached to no one", *AUTHORIZATION)
def _cloudshell(case: AccountCase) -> CheckAnswer:
    holders: list[int] = []
    for policy in case.facts.policies:
        if policy.is_aws_managed and policy.name == "AWSCloudShellFullAccess":
            holders.extend(policy.holders)
    arns = tuple(arn for arn in case.facts.arns(tuple(holders)) if case.arns.has(arn))
    if arns:
        return failed(f"AWSCloudShellFullAccess is attached {counted(len(arns), 'time')}.", failing=arns)
    return passed("AWSCloudShellFullAccess is attached to no one.")
