"""The form on a person's page that limits an auditor."""

from __future__ import annotations

from typing import Any, Final

from django.forms import Form

from console.operators.audit_words import audit_words
from console.operators.directory_forms import AuditScopeForm
from iam.audit.evidence.models import EvidencePack, PackState
from iam.audit.frameworks.definitions import all_frameworks
from iam.directory.models import AuditScope, Person, Role
from iam.guard import viewer_for

PACKS: Final = 50


def audit_context(person: Person, form: Form | None = None) -> dict[str, Any]:
    """Return the context of the form; {} for people who aren’t auditors."""
    if not person.assignments.filter(role=Role.AUDITOR).exists():
        return {}
    scope = AuditScope.objects.filter(person=person).first()
    return {
        "audits": True,
        "audit_scope": scope,
        "audit_scope_words": audit_words(viewer_for(person).limits) if scope else "",
        "audit_form": form or audit_form(person, scope=scope),
    }


def audit_form(person: Person, data: Any = None, *, scope: AuditScope | None = None) -> AuditScopeForm:
    """Return the form with the newest packs and those chosen before."""
    scope = scope or AuditScope.objects.filter(person=person).first()
    frameworks = [(name, framework.title) for name, framework in all_frameworks().items()]
    newest = EvidencePack.objects.filter(state=PackState.DONE).order_by("-requested_at", "-id")[:PACKS]
    packs = [(str(pack.pk), f"{pack.title} ({pack.reference})") for pack in newest]
    known = {value for value, _ in packs}
    chosen = set(scope.packs) - known if scope else set()
    for pack in EvidencePack.objects.filter(pk__in=chosen):
        packs.append((str(pack.pk), f"{pack.title} ({pack.reference})"))
    return AuditScopeForm(data, frameworks=frameworks, packs=packs, scope=scope)
