"""Somebody leaves by an approved offboarding: they do not sign in to Gatehouse any more; and comes back, if
that was a mistake.
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
    """Sign them out everywhere, and let them in no more; their roles are kept. A sentence where that cannot
    be. Harmless when repeated.
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
    """Let them in again. Who decides about others comes back as they are appointed, by two people: then a
    sentence that says so.
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
