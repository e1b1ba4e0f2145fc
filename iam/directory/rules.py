"""The rules of the directory that apply to all callers: who can appoint whom, and which roles must remain."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from iam.directory.models import Person, Role, RoleAssignment
from iam.journal.services import COMMAND_LINE, Actor, person_id_of

EVERYWHERE = ""
APPROVERS_NEEDED = 2


class DirectoryRuleError(Exception):
    """The directory doesn't allow this. The message is a sentence for the person."""


def is_command_line(actor: Actor) -> bool:
    """Return True for the command line on the server, whose users could write to the database anyway."""
    return actor is COMMAND_LINE


def assert_administers(actor: Actor, *, account_id: str = EVERYWHERE) -> None:
    """Check in the database that the actor currently is an administrator of this account (or of all),
    whatever the page showed.
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
    """Check that the actor doesn't change their own rights, neither up nor accidentally down."""
    if person_id_of(actor) == person.id:
        raise DirectoryRuleError(
            "You can’t change your own roles, teams or IAM users. Ask another administrator."
        )


def lock_administrators() -> list[UUID]:
    """Return the active administrators of all accounts, locked, so that concurrent removals wait for each
    other.
    """
    rows = RoleAssignment.objects.select_for_update(of=("self",)).filter(
        role=Role.ADMINISTRATOR, account_id=EVERYWHERE, person__is_active=True
    )
    return list(rows.order_by("id").values_list("person_id", flat=True))


def assert_administrator_remains(person: Person) -> None:
    """Check that there is another administrator of all accounts. Call it in a transaction."""
    administrators = lock_administrators()
    if person.id in administrators and len(administrators) < 2:
        raise DirectoryRuleError(
            f"{person.name} is the last administrator of all accounts. Appoint another one first."
        )


def approvers() -> list[Person]:
    """Return the active people who can approve somewhere, by name."""
    return list(
        Person.objects.filter(is_active=True, assignments__role=Role.APPROVER).distinct().order_by("name")
    )


def who_approve() -> QuerySet[RoleAssignment, Any]:
    """Return the distinct people who can approve in some account."""
    approvers = RoleAssignment.objects.filter(role=Role.APPROVER, person__is_active=True)
    return approvers.values("person_id").distinct()


def enough_approvers() -> bool:
    """Return True if two people can approve, so that everyone's requests can be decided."""
    approvers: int = who_approve().count()
    return approvers >= APPROVERS_NEEDED
