"""Checks if access was reviewed in time, by finished access reviews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from iam.audit.findings.facts import EntityFact
from iam.audit.frameworks.checks.case import (
    AccountCase,
    CheckAnswer,
    account_check,
    failed,
    for_person,
    passed,
)
from iam.mirror.pull.sections import ROLES, USERS

REVIEWED: Final = timedelta(days=184)
"""Long enough for any six consecutive months."""
SERVICE: Final = "service"
"""The beginning of the category of roles that an AWS service assumes."""


@account_check("human-review", "Access of people was reviewed in the last six months", USERS)
def _human_review(case: AccountCase) -> CheckAnswer:
    users = [user for user, credential in case.users() if credential.has_password]
    return _review(case, users, ("IAM user", "IAM users"))


@account_check("application-review", "Access of applications was reviewed", USERS, ROLES)
def _application_review(case: AccountCase) -> CheckAnswer:
    identities = []
    for user, credential in case.users():
        if credential.active_keys and not credential.has_password:
            identities.append(user)
    for role in case.facts.roles:
        if role.category.startswith(SERVICE) and case.arns.has(role.arn):
            identities.append(role)
    return _review(case, identities, ("application identity", "application identities"))


def _review(case: AccountCase, identities: Sequence[EntityFact], nouns: tuple[str, str]) -> CheckAnswer:
    """Judge whether each identity was part of a review that was acknowledged in time."""
    reviews = case.records.reviews
    if not identities:
        return passed("There is no one to review.", settles=True)
    late, names = [], set[str]()
    for identity in identities:
        review = reviews.get(identity.id)
        if review is None or case.facts.now - review.at > REVIEWED:
            late.append(identity.arn)
        else:
            names.add(review.name)
    number = f"{len(identities):,} {nouns[len(identities) != 1]}"
    if not any(identity.id in reviews for identity in identities):
        return for_person(f"No access review of {number} was finished.", identities=len(identities))
    shown = {"identities": len(identities), "reviews": sorted(names)}
    if late:
        was = "was" if len(late) == 1 else "were"
        words = f"{len(late):,} of {number} {was} not reviewed in the last six months."
        return failed(words, failing=tuple(late), **shown)
    was = "was" if len(identities) == 1 else "were"
    return passed(f"{number} {was} reviewed in the last six months.", settles=True, **shown)
