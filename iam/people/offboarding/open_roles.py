"""Roles that trust a whole account and that an offboarded person is allowed to assume. The deny prevents
that, but doesn't end running sessions.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final

from iam.access.explanation import explanation_of
from iam.guard import Viewer
from iam.mirror.models import Entity, EntityState
from iam.mirror.snapshot import snapshot
from iam.people.offboarding.trusts import roles_naming, trusted_by
from iam.policy.evaluate import EvaluationDecision
from iam.policy.index.index import PolicyIndex
from iam.policy.index.question import AccessQuestion

ASSUME: Final = "sts:AssumeRole"
MAX_ROLES: Final = 40
"""Maximum number of roles to evaluate; the rest are only counted."""
WEIGHED: Final = 20
"""Maximum number of users to evaluate."""
NAMED: Final = 5


@dataclass(frozen=True, slots=True)
class OpenRole:
    """A role, and the users that can assume it. `is_sure` means that no conditions are open."""

    role: Entity
    users: tuple[str, ...]
    is_sure: bool


@dataclass(frozen=True, slots=True)
class OpenRoles:
    """The roles found. `unasked` counts further roles that trust the account and were not evaluated."""

    found: tuple[OpenRole, ...] = ()
    unasked: int = 0


def open_roles(users: Sequence[Entity], *, viewer: Viewer) -> OpenRoles:
    """Return the roles that trust the account of one of these users and that the user can assume, by account
    and name, in accounts that the viewer can see whole.
    """
    seen = [state for state in _trusting(users) if viewer.scope.sees_account(state.entity.account.account_id)]
    if not seen:
        return OpenRoles()
    roles = [state.entity for state in seen[:MAX_ROLES]]
    accounts = {entity.account.account_id for entity in (*users, *roles)}
    with snapshot(accounts=accounts) as index:
        asked = [(role, _users_who_can_assume(index, role, users)) for role in roles]
    roles_found = [
        OpenRole(role, tuple(sorted(can)), EvaluationDecision.ALLOWED in can.values())
        for role, can in asked
        if can
    ]
    return OpenRoles(tuple(roles_found), len(seen) - len(roles))


def running_sessions(users: Sequence[Entity], *, viewer: Viewer, ended: Collection[int]) -> list[str]:
    """Return a warning for the approver about roles in which sessions of these users can continue, unless the
    request ends all sessions of the role.
    """
    roles = open_roles(users[:WEIGHED], viewer=viewer)
    names = [
        f"{open_role.role.name} in {open_role.role.account.name}"
        for open_role in roles.found
        if open_role.role.pk not in ended
    ]
    if not names:
        return []
    more = f" and {len(names) - NAMED} more roles" if len(names) > NAMED else ""
    return [f"Sessions that already run in {', '.join(names[:NAMED])}{more} continue until they expire."]


def _users_who_can_assume(
    index: PolicyIndex, role: Entity, users: Sequence[Entity]
) -> dict[str, EvaluationDecision]:
    """Return which of the users can assume a role."""
    question = AccessQuestion(ASSUME, role.arn, {}, resource_account=role.account.account_id)
    decisions: dict[str, EvaluationDecision] = {}
    for user in users:
        member = index.member(user.account.account_id, user.pk)
        decision = EvaluationDecision.IMPLICITLY_DENIED
        if member:
            decision = explanation_of(index, member, question).decision
        if decision in (EvaluationDecision.ALLOWED, EvaluationDecision.CONDITIONAL):
            decisions[user.name] = decision
    return decisions


def chosen_among(users: Sequence[Entity], numbers: Collection[int]) -> list[Entity]:
    """Return the roles with these numbers that trust the account of one of the users."""
    return [state.entity for state in _trusting(users) if state.entity.pk in numbers] if numbers else []


def _trusting(users: Sequence[Entity]) -> list[EntityState]:
    """Return the roles whose trust policy admits a whole account, with one query."""
    roots = set(chain.from_iterable(map(_roots, users)))
    trusting = []
    for role in roles_naming(roots):
        text = role.document.text if role.document else ""
        if roots & set(trusted_by(text)):
            trusting.append(role)
    return trusting


def _roots(user: Entity) -> tuple[str, str]:
    """Return the two ways in which a trust policy names an account:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    account = user.account
    return account.account_id, f"arn:{account.partition}:iam::{account.account_id}:root"
