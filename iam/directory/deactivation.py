"""Deactivates a person's sign-in to Gatehouse after an approved offboarding, and reactivates it if that was a
mistake.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from iam.directory.events import rights_reduced
from iam.directory.models import Person, Role
from iam.directory.rules import lock_administrators
from iam.journal.services import record


@transaction.atomic
def deactivate(person_id: UUID, *, why: str) -> str:
    """Sign a person out everywhere and prevent them from signing in; their roles are kept. Returns a sentence
    if that isn't possible. It is safe to run again.
    """
    person = Person.objects.filter(pk=person_id, is_active=True).first()
    if person is None:
        return ""
    administrators = lock_administrators()
    if person.pk in administrators and len(administrators) < 2:
        return f"{person.name} can still sign in to Gatehouse, because they are its last administrator."
    Person.objects.filter(pk=person.pk).update(is_active=False)
    record(kind="person.deactivate", actor=None, subject=person.email, data={"why": why})
    rights_reduced(person)
    return ""


@transaction.atomic
def reactivate(person_id: UUID, *, why: str) -> str:
    """Let a person sign in again. Returns a sentence if they decide about others, because such people need
    two people to come back.
    """
    person = Person.objects.filter(pk=person_id, is_active=False).first()
    if person is None:
        return ""
    if person.assignments.filter(role__in=[Role.ADMINISTRATOR, Role.APPROVER]).exists():
        return (
            f"{person.name} is an administrator or approver in Gatehouse. An administrator can reactivate "
            "them under Operators."
        )
    Person.objects.filter(pk=person.pk).update(is_active=True)
    record(kind="person.reactivate", actor=None, subject=person.email, data={"why": why})
    return ""
