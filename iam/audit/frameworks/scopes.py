"""Creates, changes and removes named scopes."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from django.db import IntegrityError, transaction
from django.utils.text import slugify

from iam.audit.frameworks import summaries
from iam.audit.frameworks.decisions import DecisionRefusedError, may_decide_in
from iam.audit.frameworks.models import ComplianceScope, RequirementDecision
from iam.audit.frameworks.terms import ScopeTerms
from iam.changes.errors import FieldChecks
from iam.guard import Viewer
from iam.journal.services import record
from iam.mirror.models import Account

MAX_NAME: Final = 120
MAX_LINES: Final = 50
MAX_SCOPES: Final = 20
ARN: Final = re.compile(r"arn:[a-z-]+:[a-z0-9-]+:[^:\s]*:[^:\s]*:\S+")


def save_scope(
    scope: ComplianceScope | None, *, name: str, terms: ScopeTerms, actor: Viewer, now: datetime
) -> ComplianceScope:
    """Create a scope (None) or change one. Raises DecisionRefusedError."""
    problems = term_problems(terms)
    if not name:
        problems["name"] = "Enter a name."
    elif len(name) > MAX_NAME or not slugify(name):
        problems["name"] = f"Use letters or digits, at most {MAX_NAME} characters."
    if problems:
        raise DecisionRefusedError.of(problems)
    if not may_decide_in(actor, scope) or not may_decide_in(actor, ComplianceScope(terms=terms.to_json())):
        raise DecisionRefusedError("You can’t decide for all of these accounts.", field="accounts")
    if scope is None and ComplianceScope.objects.count() >= MAX_SCOPES:
        raise DecisionRefusedError(f"There are {MAX_SCOPES} scopes already. Remove one first.")
    values = {"name": name, "terms": terms.to_json(), "changed_by": actor.name, "changed_at": now}
    try:
        with transaction.atomic():
            if scope is None:
                scope = ComplianceScope.objects.create(slug=slugify(name)[:50], **values)
            else:
                ComplianceScope.objects.filter(pk=scope.pk).update(**values)
                scope.refresh_from_db()
            record(kind="scope.saved", actor=actor, subject=name, data={"terms": terms.to_json()})
            transaction.on_commit(summaries.nudge, robust=True)
    except IntegrityError:
        raise DecisionRefusedError("There is a scope with this name already.", field="name") from None
    return scope


def remove_scope(scope: ComplianceScope, *, actor: Viewer) -> None:
    """Remove a scope without decisions. Raises DecisionRefusedError."""
    if not may_decide_in(actor, scope):
        raise DecisionRefusedError("You can’t decide for all of these accounts.")
    if RequirementDecision.objects.filter(scope=scope).exists():
        raise DecisionRefusedError("Decisions were made in this scope. They are evidence, so it stays.")
    with transaction.atomic():
        record(kind="scope.removed", actor=actor, subject=scope.name, data={"terms": scope.terms})
        scope.delete()


def term_problems(terms: ScopeTerms) -> dict[str, str]:
    """Return what is wrong with the terms, by field; of several wrong lines the first."""
    checks = FieldChecks()
    known = set(Account.objects.filter(removed_at__isnull=True).values_list("account_id", flat=True))
    for number in terms.accounts:
        if number not in known:
            checks.add("accounts", f"“{number}” isn’t the number of a connected account.")
    for path in terms.paths:
        if not (path.startswith("/") and path.endswith("/")):
            checks.add("paths", f"“{path}” must start and end with a slash.")
    for name, value in terms.tags:
        if not name or not value:
            checks.add("tags", "Write each tag as name=value, one per line.")
    for arn in terms.resources:
        if not ARN.fullmatch(arn):
            checks.add("resources", f"“{arn[:80]}” isn’t an ARN.")
    for field in ("accounts", "tags", "paths", "resources"):
        if len(getattr(terms, field)) > MAX_LINES:
            checks.add(field, f"Enter at most {MAX_LINES} lines.")
    if not (terms.accounts or terms.tags or terms.paths or terms.resources):
        checks.add("accounts", "Name accounts, tags or paths, or nothing is narrowed.")
    return checks.errors
