"""The rules of the directory that no form and no button can get around: who may appoint whom, and who must
remain.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from iam.directory.models import Person, Role, RoleAssignment
from iam.journal.services import COMMAND_LINE, Actor, person_id_of

EVERYWHERE = ""
APPROVERS_NEEDED = 2


class DirectoryRuleError(Exception):
    """Something that the directory does not allow; the message is a sentence for the person who tried."""


def is_command_line(actor: Actor) -> bool:
    """Whether somebody with a shell on the server acts: they could write to the database anyway."""
    return actor is COMMAND_LINE


def assert_administers(actor: Actor, *, account_id: str = EVERYWHERE) -> None:
    """The actor is an administrator, today, of this account (or of all): read anew, whatever the page
    promised.
    """
    if is_command_line(actor):
        return
    someone = person_id_of(actor)
    is_administrator = someone is not None and RoleAssignment.objects.filter(
        Q(account_id=EVERYWHERE) | Q(account_id=account_id),
        person_id=someone,
        person__is_active=True,
        role=Role.ADMINISTRATOR,
    )
    if not is_administrator or not is_administrator.exists():
        where = f"of account {account_id}" if account_id else "of all accounts"
        raise DirectoryRuleError(f"Only an administrator {where} can do this. Nothing was changed.")


def assert_somebody_else(actor: Actor, person: Person) -> None:
    """Nobody alters their own rights: not upward, and not downward by mistake."""
    if person_id_of(actor) == person.id:
        raise DirectoryRuleError(
            "You can’t change your own roles, teams or IAM users. Ask another administrator."
        )


def lock_administrators() -> list[UUID]:
    """The active administrators of all accounts; concurrent removals wait for each other."""
    rows = RoleAssignment.objects.select_for_update(of=("self",)).filter(
        role=Role.ADMINISTRATOR, account_id=EVERYWHERE, person__is_active=True
    )
    return list(rows.order_by("id").values_list("person_id", flat=True))


def assert_administrator_remains(person: Person) -> None:
    """Without this person, somebody must still administer all accounts. Call within a transaction."""
    administrators = lock_administrators()
    if person.id in administrators and len(administrators) < 2:
        raise DirectoryRuleError(
            f"{person.name} is the last administrator of all accounts. Appoint another one first."
        )


def approvers() -> list[Person]:
    """The active people who may approve somewhere, by name."""
    return list(
        Person.objects.filter(is_active=True, assignments__role=Role.APPROVER).distinct().order_by("name")
    )


def who_approve() -> QuerySet[RoleAssignment, Any]:
    """The different people who may approve in some account."""
    approvers = RoleAssignment.objects.filter(role=Role.APPROVER, person__is_active=True)
    return approvers.values("person_id").distinct()


def enough_approvers() -> bool:
    """Whether two different people may approve, so that nobody waits for a request of their own."""
    approvers: int = who_approve().count()
    return approvers >= APPROVERS_NEEDED
