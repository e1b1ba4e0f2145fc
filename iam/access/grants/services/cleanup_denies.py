"""Removes the deny policies that ended sessions with a grant, once every session of that time has expired."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import IntegrityError

from iam.access.grants.models import ENDING, GrantPart
from iam.changes.errors import RefusedError
from iam.changes.models import Change, ChangeState
from iam.changes.operations import DeleteInlinePolicy, restore
from iam.changes.operations.role_sessions import RevokeSessions
from iam.changes.services import SetCause
from iam.changes.services.accepted_changes import queue_accepted
from iam.mirror.models import InlinePolicy, valid_at

TIDYING: Final = "grant-tidy"
"""The cause kind of a change set that removes such a deny policy."""
MAX_SESSION: Final = timedelta(hours=12)
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-settings.html#id_roles_update-session-duration
"""
LOOKS_BACK: Final = timedelta(days=14)


def tidy_denials(*, now: datetime | None = None) -> int:
    """Queue the removal of deny policies that no longer deny anyone. Returns how many were queued."""
    moment = now or datetime.now(tz=UTC)
    return sum(_tidy(change, moment) for change in _old_session_denies(moment))


def _old_session_denies(now: datetime) -> Iterator[Change]:
    """Changes that ended sessions more than 13 hours ago and whose deny policy still exists unchanged in the
    mirror.
    """
    old = Change.objects.filter(
        change_set__cause_kind=ENDING,
        operation=RevokeSessions.spec.slug,
        state=ChangeState.APPLIED,
        ended_at__gt=now - LOOKS_BACK,
        ended_at__lt=now - MAX_SESSION - timedelta(hours=1),
    )
    for change in old.select_related("account", "change_set").order_by("ended_at"):
        later = Change.objects.filter(
            account=change.account_id, operation=RevokeSessions.spec.slug, ended_at__gt=change.ended_at
        )
        name = change.params["policy_name"]
        inline = InlinePolicy.objects.filter(valid_at(None), owner=change.entity_id, name=name)
        if inline.exists() and not later.filter(entity=change.entity_id, params__policy_name=name).exists():
            yield change


def _tidy(change: Change, now: datetime) -> bool:
    part = GrantPart.objects.filter(grant=change.change_set.cause_id, lane=change.lane).first()
    role = restore(change.operation, account=change.account, params=change.params).subject()
    if part is None or role is None:
        return False
    try:
        queue_accepted(
            [DeleteInlinePolicy.of(role, policy_name=change.params["policy_name"])],
            with_set=part.change_set,
            actor=None,
            reason="All sessions from that time have ended.",
            title=f"Clean up after {part.grant.reference}",
            cause=SetCause(TIDYING, part.grant_id),
            key=f"grant-tidy-{change.pk}",
        )
    except (IntegrityError, RefusedError):
        # Already queued, or the account is now read-only. A leftover deny of expired sessions does no harm.
        return False
    return True
