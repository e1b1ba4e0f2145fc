"""Requests that running sessions of a grant's roles end.

This affects everyone who uses the roles, so it needs approval like any change.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from iam.access.grants.models import CUTTING, GrantPart, GrantState, PermissionSort
from iam.changes import services as changes
from iam.changes.errors import RefusedError
from iam.changes.models import Change
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.services import SetCause, SetLane
from iam.guard import Viewer
from iam.mirror.models import Entity, Kind

SOURCE_IDENTITY: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
"""https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html"""


def roles_of(part: GrantPart) -> list[Entity]:
    """The existing roles with a trust statement of this part, whose sessions may still run."""
    arns = part.entries.filter(sort=PermissionSort.TRUST).values("holder_arn")
    return list(
        Entity.objects.filter(
            account=part.account, kind=Kind.ROLE, arn__in=arns, gone_at__isnull=True
        ).select_related("account")
    )


def request_cut(
    part: GrantPart, *, actor: Viewer, reason: str, idempotency_key: str, source_identity: str = ""
) -> list[Change]:
    """Request that sessions of these roles end: those of one source identity, or all of them.

    The receipt names people who may have a session. Raises RefusedError.
    """
    if part.state not in (GrantState.ENDED, GrantState.ENDING):
        raise RefusedError(
            "While the grant is active, they could start a new session at once. End the grant first."
        )
    roles = roles_of(part)
    if not roles:
        raise RefusedError("No session outlives this grant: AWS checks the permission on every request.")
    if source_identity and not SOURCE_IDENTITY.fullmatch(source_identity):
        raise RefusedError("A source identity has 2 to 64 letters, digits, and the characters _+=,.@-")
    whose = f"the sessions of {source_identity}" if source_identity else "all sessions"
    return changes.request_changes(
        changes.plan_set([_cutting(role, source_identity) for role in roles], viewer=actor),
        actor=actor,
        reason=reason,
        idempotency_key=f"cut-{part.pk}-{idempotency_key}",
        title=f"End {whose} after {part.grant.reference}",
        cause=SetCause(CUTTING, part.grant_id),
        lanes=[SetLane(part.lane, branch) for branch in range(1, len(roles) + 1)],
    )


def _cutting(role: Entity, source_identity: str) -> RevokeSessions:
    now = datetime.now(tz=UTC)
    if source_identity:
        return RevokeSessions.of_source_identity(role, source_identity=source_identity, at=now)
    return RevokeSessions.of_everybody(role, at=now)
