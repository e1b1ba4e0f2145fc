"""Limits an auditor to frameworks, evidence packs and a period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import transaction

from iam.directory.events import rights_reduced
from iam.directory.models import AuditScope, Person, Role
from iam.directory.rules import DirectoryRuleError, assert_administers, assert_somebody_else
from iam.journal.services import Actor, record


@dataclass(frozen=True, slots=True)
class AuditTerms:
    """The terms of a limit. They are all empty for an auditor who can see everything in their accounts."""

    frameworks: Sequence[str] = ()
    packs: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None

    @property
    def is_empty(self) -> bool:
        """True if nothing is limited."""
        return not (self.frameworks or self.packs or self.since or self.until)


@transaction.atomic
def set_audit_scope(person: Person, terms: AuditTerms, *, actor: Actor) -> None:
    """Limit the auditor roles of a person, or remove the limit (empty terms), and sign them out. Equal terms
    change nothing. Raises DirectoryRuleError.
    """
    assert_administers(actor)
    assert_somebody_else(actor, person)
    if not person.assignments.filter(role=Role.AUDITOR).exists():
        raise DirectoryRuleError("Only an auditor can be limited like this. Give the auditor role first.")
    if terms.since and terms.until and terms.since >= terms.until:
        raise DirectoryRuleError("The period must end after it begins.")
    if terms.since and terms.since > datetime.now(tz=UTC):
        raise DirectoryRuleError("The period must not begin in the future.")
    values: dict[str, Any] = {
        "frameworks": sorted(terms.frameworks),
        "packs": sorted(terms.packs),
        "since": terms.since,
        "until": terms.until,
    }
    before = AuditScope.objects.filter(person=person).first()
    if before is None and terms.is_empty:
        return
    if before and {name: getattr(before, name) for name in values} == values:
        return
    if terms.is_empty:
        AuditScope.objects.filter(person=person).delete()
    else:
        defaults = values | {"set_by": actor.name[:128], "set_at": datetime.now(tz=UTC)}
        AuditScope.objects.update_or_create(person=person, defaults=defaults)
    record(
        kind="role.limit",
        actor=actor,
        subject=person.email,
        data={"name": person.name, **{name: value or "" for name, value in values.items()}},
    )
    rights_reduced(person)
