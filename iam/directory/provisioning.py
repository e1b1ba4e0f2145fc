"""Somebody joins by an approved onboarding: they are known from then on, and the IAM users that were made for
them are theirs.
"""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.db.models import Q

from iam.directory.models import Identity, LinkOrigin, Person
from iam.journal.services import record


@transaction.atomic(savepoint=False)
def provision_person(person_id: UUID, *, name: str, email: str, user_arn: str, why: str) -> Person:
    """The person of this id, or who has the address already, with the IAM user; without any role. Harmless
    the second time.

    It is called for an IAM user that an approved change has made; `why` names what it belongs to. A user who
    is somebody's already stays theirs.
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
