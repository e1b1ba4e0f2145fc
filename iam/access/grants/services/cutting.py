"""Ask to end all running sessions of the roles that a grant has opened: it concerns everybody who uses them, so it is approved like any change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from iam.access.grants.models import GrantPart, Sort, State
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.services import Cause
from iam.guard import Viewer
from iam.mirror.models import Entity, Kind

CUTTING: Final = "grant-cut"
"""The cause of a set that ends sessions."""


def roles_of(part: GrantPart) -> list[Entity]:
    """The roles that it opens or opened and that are there: those whose sessions may be running."""
    arns = part.entries.filter(sort=Sort.TRUST).values("holder_arn")
    return list(
        Entity.objects.filter(
            account=part.account, kind=Kind.ROLE, arn__in=arns, gone_at__isnull=True
        ).select_related("account")
    )


def request_cut(part: GrantPart, *, actor: Viewer, reason: str, idempotency_key: str) -> list[Change]:
    """Ask that all sessions end that run in these roles, whoever's they are; the receipt names who may have one. Raises RefusedError."""
    if part.state not in (State.ENDED, State.ENDING):
        raise RefusedError("While it lasts, they would come in again at once. End it first.")
    roles = roles_of(part)
    if not roles:
        raise RefusedError("No session outlives it: what it gave is asked for anew with every call.")
    now = datetime.now(tz=UTC)
    operations = [RevokeSessions.of_everybody(role, at=now) for role in roles]
    return changes.request_changes(
        changes.plan_set(operations, viewer=actor),
        actor=actor,
        reason=reason,
        idempotency_key=f"cut-{part.pk}-{idempotency_key}",
        title=f"End all sessions after {part.grant.reference}",
        cause=Cause(CUTTING, part.grant_id),
    )
