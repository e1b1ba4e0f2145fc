"""Adds a person after an approved onboarding, and links the IAM users that were created for them."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from iam.directory.models import Identity, LinkOrigin, Person
from iam.journal.services import record


@transaction.atomic(savepoint=False)
def provision_person(person_id: UUID, *, name: str, email: str, user_arn: str, why: str) -> Person:
    """Add the person with this id, or find the one with the email address, and link the IAM user, without any
    role. It is safe to run again.

    It is called for an IAM user that an approved change has created; `why` names the change's cause. A user
    that is already linked to someone remains so.
    """
    known = Person.objects.filter(Q(pk=person_id) | Q(email__iexact=email))
    person = min(known, key=lambda person: person.pk != person_id, default=None)
    if person is None:
        person = Person.objects.create(id=person_id, name=name[:128], email=email.lower())
        record(kind="person.join", actor=None, subject=person.email, data={"name": person.name, "why": why})
    if not Identity.objects.filter(user_arn=user_arn).exists():
        Identity.objects.create(user_arn=user_arn, person=person, tie=LinkOrigin.JOINED)
        account = user_arn.split(":")[4]
        data = {"arn": user_arn, "why": why}
        record(kind="identity.join", actor=None, subject=person.email, account_id=account, data=data)
    return person
